"""Section 6: hello, the list, keys."""

from __future__ import annotations

import contextlib
from typing import Final

from socp.conform.cast import Identity, new_id
from socp.conform.expect import LISTS, list_of, of_user, refused, same, text_of
from socp.conform.frames import Frame
from socp.conform.keys import NotAKey, read_key
from socp.conform.peers import Peer, user_hello
from socp.conform.probe import Probe, say_first, turned_away
from socp.conform.rule import Need, Section
from socp.conform.verdicts import Breach, Dialect, Unjudged

USERS: Final[Section[Probe]] = Section(needs=(Need.USERS,))


# --- hello --------------------------------------------------------------------------------------


@USERS.must(
    "6.1-hello-ack",
    "USER_HELLO is answered by ACK with msg_ref USER_HELLO",
    'answer by ACK {msg_ref: "USER_HELLO", server_id, pubkey, features}',
)
async def _hello_ack(probe: Probe) -> None:
    answer = (await probe.user("carol")).answer
    if answer.type == "ACK" and answer.get("msg_ref") == "USER_HELLO":
        return
    if answer.type == "ACK" and answer.get("msg_ref") == "USER_HELLO_OK":
        raise Dialect("msg_ref USER_HELLO_OK")
    if answer.type == "ACK":
        raise Breach(f"it is answered by {answer.gist()}")
    raise Dialect(f"{answer.type} in its place" if answer.type else "no answer at all")


@USERS.must(
    "6.2-ack-server-id",
    "that ACK has the server's id",
    "put server_id into the ACK of USER_HELLO",
)
async def _ack_server_id(probe: Probe) -> None:
    answer = (await probe.user("carol")).answer
    same("server_id", text_of(answer, "server_id"), answer.members.get("from"))


@USERS.must(
    "6.3-ack-pubkey",
    "that ACK has the server's key",
    "put pubkey into the ACK of USER_HELLO",
)
async def _ack_pubkey(probe: Probe) -> None:
    answer = (await probe.user("carol")).answer
    if answer.get("pubkey") is None and isinstance(answer.get("server_pub"), str):
        raise Dialect("server_pub in place of pubkey")
    text_of(answer, "pubkey")


@USERS.should(
    "6.4-ack-features",
    "that ACK lists the server's extensions",
    "put features, a list of texts, into the ACK of USER_HELLO; [] where you have none",
)
async def _ack_features(probe: Probe) -> None:
    features = list_of((await probe.user("carol")).answer, "features")
    if not all(isinstance(each, str) for each in features):
        raise Breach(f"features is {features!r:.80}")


@USERS.should(
    "6.5-ack-first",
    "nothing comes before that ACK",
    "send the presence of others behind the ACK",
)
async def _ack_first(probe: Probe) -> None:
    await probe.alice()
    carol = await probe.user("carol")
    if carol.answer.type != "ACK":
        raise Unjudged("no ACK comes: see 6.1-hello-ack")
    if before := carol.before:
        raise Breach(f"{before[0].gist()} came before it")


@USERS.must(
    "6.6-who-is-online",
    "a newcomer hears USER_ADVERTISE of everyone who is online",
    "send the newcomer a USER_ADVERTISE of each user online",
)
async def _who_is_online(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    carol = await probe.user("carol")
    for there in (alice, bob):
        if not any(each.get("user_id") == there.id for each in carol.before):
            await carol.link.hears("USER_ADVERTISE", where=of_user(there.id))


@USERS.must(
    "6.7-newcomer-is-told",
    "others hear USER_ADVERTISE of a newcomer",
    "tell all users of each hello",
)
async def _newcomer_is_told(probe: Probe) -> None:
    alice = await probe.alice()
    carol = await probe.user("carol")
    await alice.link.hears("USER_ADVERTISE", where=of_user(carol.id))


@USERS.must(
    "6.8-advertise-members",
    "USER_ADVERTISE says user_id, server_id and the user's key",
    "put user_id, server_id, pubkey and meta.pubkey into USER_ADVERTISE",
)
async def _advertise_members(probe: Probe) -> None:
    alice = await probe.alice()
    carol = await probe.user("carol")
    advert = await alice.link.hears("USER_ADVERTISE", where=of_user(carol.id))
    same("server_id", advert.get("server_id"), advert.members.get("from"))
    meta = advert.get("meta")
    in_meta = meta.get("pubkey") if isinstance(meta, dict) else None
    text = advert.get("pubkey") or in_meta
    if text is None:
        raise Dialect("no key in USER_ADVERTISE: it has to be asked for")
    try:
        found = read_key(text).fingerprint
    except NotAKey as fault:
        raise Breach(f"the key in USER_ADVERTISE: {fault}") from fault
    same("the fingerprint", found, carol.who.key.public.fingerprint)
    if advert.get("pubkey") is None or in_meta is None:
        raise Dialect("the key stands in one of pubkey and meta.pubkey alone")


@USERS.must(
    "6.9-leaving-is-told",
    "others hear USER_REMOVE of who leaves",
    "tell all users when a user's link ends",
)
async def _leaving_is_told(probe: Probe) -> None:
    alice = await probe.alice()
    carol = await probe.user("carol")
    await carol.link.close()
    await alice.link.hears("USER_REMOVE", where=of_user(carol.id))


@USERS.must(
    "6.10-name-in-use",
    "a second link of a user who is there is refused (NAME_IN_USE)",
    "answer the newcomer by ERROR NAME_IN_USE, unless both proved the key by link-auth/1",
)
async def _name_in_use(probe: Probe) -> None:
    alice = await probe.alice()
    await turned_away(probe.attached(await probe.connect("alice again"), alice.who), "NAME_IN_USE")


@USERS.must(
    "6.11-first-link-stays",
    "the first link is not disturbed by that",
    "never let an unproven newcomer displace a live link",
)
async def _first_link_stays(probe: Probe) -> None:
    carol = await probe.user("carol")
    with contextlib.suppress(Breach):
        await probe.attached(await probe.connect("carol again"), carol.who)
    await carol.say("LIST_REQUEST", {})
    await carol.link.hears(*LISTS)


@USERS.must(
    "6.12-another-key",
    "a known id with another key is refused (BAD_KEY)",
    "pin the key of a user's first hello to the id",
)
async def _another_key(probe: Probe) -> None:
    carol = await probe.user("carol")
    await carol.link.close()
    thief = Identity("thief", carol.id, (await probe.identity("erin")).key)
    await turned_away(probe.attached(await probe.connect("thief"), thief), "BAD_KEY")


@USERS.must(
    "6.13-enc-pubkey",
    "an enc_pubkey that differs from pubkey is ignored",
    "never pass an enc_pubkey on: others would encrypt to it",
)
async def _enc_pubkey(probe: Probe) -> None:
    alice, erin = await probe.alice(), await probe.identity("erin")
    carol = await probe.user("carol", enc_pubkey=erin.key.public.text)
    advert = await alice.link.hears("USER_ADVERTISE", where=of_user(carol.id))
    if erin.key.public.text in advert.text:
        raise Breach("USER_ADVERTISE carries it")


@USERS.must(
    "6.14-hello-once",
    "a second hello on one link moves nobody",
    "refuse hellos on a link that is identified",
)
async def _hello_once(probe: Probe) -> None:
    alice, carol = await probe.alice(), await probe.user("carol")
    erin = await probe.identity("erin")
    await say_first(carol.link, erin, "USER_HELLO", user_hello(erin))
    await alice.link.quiet("USER_ADVERTISE", where=of_user(erin.id))


# --- the list, and keys -------------------------------------------------------------------------


@USERS.must(
    "6.50-list",
    "LIST_REQUEST is answered by USER_LIST with users",
    "answer by USER_LIST {users, online}",
)
async def _list(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.say("LIST_REQUEST", {})
    listed = await alice.link.hears(*LISTS, "ERROR")
    if listed.type == "ERROR":
        raise Breach(f"it is answered by {listed.gist()}")
    if listed.type == "LIST_RESPONSE" or listed.get("users") is None:
        names = "users" if listed.get("users") is not None else "online_users"
        list_of(listed, names)
        raise Dialect(f"{listed.type} with {names}")
    list_of(listed, "users")


async def _listed(probe: Probe) -> tuple[Peer, Peer, list[object], list[object]]:
    """Two users, and the rows of the list: ids, and what is said of each."""
    alice, bob = await probe.alice(), await probe.bob()
    await alice.say("LIST_REQUEST", {})
    ids: list[object] = []
    rows: list[object] = []
    more = True
    while more:
        listed = await alice.link.hears(*LISTS)
        ids += list_of(listed, "users" if listed.get("users") is not None else "online_users")
        online = listed.get("online")
        rows += online if isinstance(online, list) else []
        more = listed.get("more") is True
    return alice, bob, ids, rows


@USERS.must(
    "6.51-list-has-who-is-here",
    "the list has everyone who is online",
    "list the ids of all who are online, on other servers too",
)
async def _list_has(probe: Probe) -> None:
    alice, bob, ids, _ = await _listed(probe)
    for there in (alice, bob):
        if there.id not in ids:
            raise Breach(f"{there.who.name}, who is online, is not in it")


@USERS.should(
    "6.52-list-sorted",
    "the ids of the list are sorted",
    "sort users by id",
)
async def _list_sorted(probe: Probe) -> None:
    _, _, ids, _ = await _listed(probe)
    if ids != sorted(map(str, ids)):
        raise Breach("they are not")


@USERS.should(
    "6.53-list-online",
    "online says of each user where they are, and their name",
    "put {user_id, server_id, display_name} of each into online",
)
async def _list_online(probe: Probe) -> None:
    alice, _, _, rows = await _listed(probe)
    mine = [row for row in rows if isinstance(row, dict) and row.get("user_id") == alice.id]
    if not mine:
        raise Breach("alice has no row in online")
    same("server_id", mine[0].get("server_id"), alice.server_id)
    if not isinstance(mine[0].get("display_name"), str):
        raise Breach("her row has no display_name")


@USERS.should(
    "6.60-pubkey-request",
    "PUBKEY_REQUEST is answered by the key of that user",
    "answer by PUBKEY_RESPONSE {user_id, pubkey, version, directory_sig}",
)
async def _pubkey_request(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    answer = await key_of(alice, bob.id)
    same("user_id", answer.get("user_id"), bob.id)
    try:
        found = read_key(answer.get("pubkey")).fingerprint
    except NotAKey as fault:
        raise Breach(f"the key in PUBKEY_RESPONSE: {fault}") from fault
    same("the fingerprint", found, bob.who.key.public.fingerprint)


async def key_of(asker: Peer, user_id: str) -> Frame:
    """PUBKEY_RESPONSE about this user. Raises Breach."""
    await asker.say("PUBKEY_REQUEST", {"user_id": user_id})
    answer = await asker.link.hears("PUBKEY_RESPONSE", "ERROR")
    if answer.type == "ERROR":
        raise Breach(f"PUBKEY_REQUEST is answered by {answer.gist()}")
    return answer


@USERS.should(
    "6.61-pubkey-version",
    "PUBKEY_RESPONSE says the key's version, 1 for a first key",
    "count the keys of a user from 1",
)
async def _pubkey_version(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    same("version", (await key_of(alice, bob.id)).get("version"), 1)


@USERS.should(
    "6.62-pubkey-unknown",
    "a PUBKEY_REQUEST for nobody is answered by USER_NOT_FOUND",
    "answer by ERROR USER_NOT_FOUND, within 5 s",
)
async def _pubkey_unknown(probe: Probe) -> None:
    alice = await probe.alice()
    await alice.says_wrong("PUBKEY_REQUEST", {"user_id": new_id()})
    await refused(alice.link, "USER_NOT_FOUND")
