"""Sections 5 to 9 between two servers that are linked, with users of ours at both (`--peer`)."""

from __future__ import annotations

from typing import Final

from socp.conform.cast import new_id
from socp.conform.expect import LISTS, about, list_of, of_user, same, signed_form
from socp.conform.peers import Message, Peer, message
from socp.conform.probe import Probe, turned_away
from socp.conform.rule import Need, Section
from socp.conform.rules.channel import is_post, post
from socp.conform.rules.files import chunk, of_file, start
from socp.conform.verdicts import Breach, Unjudged

TWO: Final[Section[Probe]] = Section(needs=(Need.USERS, Need.PEER))


async def there(probe: Probe) -> Peer:
    """A user at the second server."""
    return await probe.user("yves", url=probe.world.peer_url)


async def _both(probe: Probe) -> tuple[Peer, Peer]:
    """Alice here and Yves there, who have heard of each other."""
    alice = await probe.alice()
    yves = await there(probe)
    if yves.server_id == alice.server_id:
        raise Unjudged("--peer is the same server")
    await alice.link.hears("USER_ADVERTISE", where=of_user(yves.id))
    if not any(frame.get("user_id") == alice.id for frame in yves.before):
        await yves.link.hears("USER_ADVERTISE", where=of_user(alice.id))
    return alice, yves


@TWO.must(
    "5.70-seen-there",
    "a user of the second server is seen here, and the other way round",
    "exchange USER_ADVERTISE of all users on the link, and of each hello",
)
async def _seen_there(probe: Probe) -> None:
    await _both(probe)


@TWO.must(
    "5.71-origin-kept",
    "USER_ADVERTISE of the second server's user is from that server, and signed by it",
    "forward it unchanged",
)
async def _origin_kept(probe: Probe) -> None:
    alice, yves = await probe.alice(), await there(probe)
    advert = await alice.link.hears("USER_ADVERTISE", where=of_user(yves.id))
    same("from", advert.members.get("from"), yves.server_id)
    same("server_id", advert.get("server_id"), yves.server_id)
    signed_form(yves.server_key, advert)


@TWO.must(
    "5.72-leaving-crosses",
    "users here hear USER_REMOVE when a user leaves there",
    "forward USER_REMOVE",
)
async def _leaving_crosses(probe: Probe) -> None:
    alice, yves = await _both(probe)
    await yves.link.close()
    await alice.link.hears("USER_REMOVE", where=of_user(yves.id))


async def _crosses(author: Peer, reader: Peer) -> Message:
    said = message(author.who, reader.id, reader.who.key.public)
    await author.say("MSG_DIRECT", said.payload, to=reader.id, ts=said.ts)
    frame = await reader.link.hears("USER_DELIVER", where=said.is_delivered_by)
    same("ts", frame.ts, said.ts)
    same("content_sig", frame.get("content_sig"), said.payload["content_sig"])
    return said


@TWO.must(
    "5.73-message-there",
    "a message from here reaches a user there, with its author's ts and content_sig",
    "send SERVER_DELIVER to the reader's server, which hands it on as USER_DELIVER",
)
async def _message_there(probe: Probe) -> None:
    alice, yves = await _both(probe)
    await _crosses(alice, yves)


@TWO.must(
    "5.74-message-here",
    "a message from there reaches a user here",
    "send SERVER_DELIVER to the reader's server, which hands it on as USER_DELIVER",
)
async def _message_here(probe: Probe) -> None:
    alice, yves = await _both(probe)
    await _crosses(yves, alice)


@TWO.must(
    "5.75-message-once",
    "it arrives once",
    "drop what passed before (seen_ids)",
)
async def _message_once(probe: Probe) -> None:
    alice, yves = await _both(probe)
    said = await _crosses(alice, yves)
    await yves.link.quiet("USER_DELIVER", where=said.is_delivered_by)


@TWO.must(
    "9.40-answer-across",
    "its author gets ACK, with its msg_ref",
    "answer at once: handed over, or kept",
)
async def _answer_across(probe: Probe) -> None:
    alice, yves = await _both(probe)
    said = message(alice.who, yves.id, yves.who.key.public)
    await alice.say("MSG_DIRECT", said.payload, to=yves.id, ts=said.ts)
    same("the answer", (await alice.link.hears("ACK", "ERROR", where=about(said.ref))).type, "ACK")


@TWO.must(
    "6.70-list-across",
    "the list here has who is online there",
    "list the users of all servers",
)
async def _list_across(probe: Probe) -> None:
    alice, yves = await _both(probe)
    await alice.say("LIST_REQUEST", {})
    listed = await alice.link.hears(*LISTS)
    name = "users" if listed.get("users") is not None else "online_users"
    if yves.id not in list_of(listed, name):
        raise Breach("the user of the second server is not in it")


@TWO.must(
    "6.71-key-across",
    "PUBKEY_REQUEST here gives the key of a user there",
    "keep the keys of USER_ADVERTISE, or relay the request to the user's server",
)
async def _key_across(probe: Probe) -> None:
    alice, yves = await _both(probe)
    await alice.say("PUBKEY_REQUEST", {"user_id": yves.id})
    answer = await alice.link.hears("PUBKEY_RESPONSE")
    same("pubkey", answer.get("pubkey"), yves.who.key.public.text)


@TWO.should(
    "6.72-name-in-use-across",
    "a user who is online there is refused here (NAME_IN_USE)",
    "an unproven newcomer takes nobody's place, on other servers neither",
)
async def _name_in_use_across(probe: Probe) -> None:
    _, yves = await _both(probe)
    await turned_away(probe.attached(await probe.connect("yves, here"), yves.who), "NAME_IN_USE")


@TWO.must(
    "7.40-post-across",
    "a post from here reaches members there once, its payload unchanged",
    "send posts to all servers that host members",
    needs=[Need.THROW_AWAY],
)
async def _post_across(probe: Probe) -> None:
    alice, yves = await _both(probe)
    payload, ts, _ = post(alice)
    await alice.say("MSG_PUBLIC_CHANNEL", payload, to="public", ts=ts)
    frame = await yves.link.hears("MSG_PUBLIC_CHANNEL", where=is_post(payload))
    same("from", frame.members.get("from"), alice.id)
    same("ts", frame.ts, ts)
    same("content_sig", frame.get("content_sig"), payload["content_sig"])
    await yves.link.quiet("MSG_PUBLIC_CHANNEL", where=is_post(payload))


@TWO.must(
    "8.40-file-across",
    "a file from here reaches a user there, frame by frame",
    "send file frames between servers as themselves",
)
async def _file_across(probe: Probe) -> None:
    alice, yves = await _both(probe)
    file_id = new_id()
    frames = (
        ("FILE_START", start(file_id, size=400)),
        ("FILE_CHUNK", chunk(file_id, 0)),
        ("FILE_END", {"file_id": file_id}),
    )
    for kind, payload in frames:
        await alice.say(kind, payload, to=yves.id)
    for kind, _ in frames:
        frame = await yves.link.hears(*(kind for kind, _ in frames), where=of_file(file_id))
        same("the order", frame.type, kind)
        same("from", frame.members.get("from"), alice.id)
