"""Section 5, first half: joining, and the links of servers."""

from __future__ import annotations

from typing import Any, Final

from socp.conform.cast import Identity
from socp.conform.expect import list_of, refused, same, signed_form, text_of
from socp.conform.figures import HEARTBEAT_S, SILENCE_S, UUID4
from socp.conform.peers import server_hello
from socp.conform.probe import Probe, say_first, turned_away
from socp.conform.rule import Need, Section
from socp.conform.verdicts import Breach, Dialect, Unjudged

SERVERS: Final[Section[Probe]] = Section(needs=(Need.SERVERS,))
_CLIENT_MEMBERS: Final = ("user_id", "host", "port", "pubkey", "server_id")
_SERVER_MEMBERS: Final = ("server_id", "host", "port", "pubkey")


def _row(rows: list[object], name: str, value: str) -> dict[str, Any]:
    """The row whose `name` is that. Raises Breach."""
    for row in rows:
        if isinstance(row, dict) and row.get(name) == value:
            return row
    raise Breach(f"no row has {name} {value}")


@SERVERS.must(
    "5.1-join-welcome",
    "SERVER_HELLO_JOIN is answered by SERVER_WELCOME",
    "answer a JOIN that is admitted by SERVER_WELCOME on the same socket",
)
async def _join_welcome(probe: Probe) -> None:
    same("the answer", (await probe.server("north")).answer.type, "SERVER_WELCOME")


@SERVERS.must(
    "5.2-assigned-id",
    "assigned_id repeats the id that was asked for",
    "assign the id in from, unless it is known with another key",
)
async def _assigned_id(probe: Probe) -> None:
    north = await probe.server("north")
    same("assigned_id", north.answer.get("assigned_id"), north.id)


@SERVERS.must(
    "5.3-welcome-clients",
    "clients lists the users who are online, each with user_id, host, port, pubkey, server_id",
    "put up to 500 users into clients, the rest into the presence snapshot",
    needs=[Need.USERS],
)
async def _welcome_clients(probe: Probe) -> None:
    alice, north = await probe.alice(), await probe.server("north")
    row = _row(list_of(north.answer, "clients"), "user_id", alice.id)
    if missing := [name for name in _CLIENT_MEMBERS if name not in row]:
        raise Breach(f"the row of a user lacks {', '.join(missing)}")
    same("server_id of the row", row["server_id"], alice.server_id)


@SERVERS.must(
    "5.4-welcome-servers",
    "servers lists the other servers, each with server_id, host, port, pubkey",
    "put all linked servers into servers",
)
async def _welcome_servers(probe: Probe) -> None:
    east, north = await probe.east(), await probe.server("north")
    if north.answer.get("servers") is None:
        _row(list_of(north.answer, "clients"), "server_id", east.id)
        raise Dialect("servers stand among clients, as two others have it")
    row = _row(list_of(north.answer, "servers"), "server_id", east.id)
    if missing := [name for name in _SERVER_MEMBERS if name not in row]:
        raise Breach(f"the row of a server lacks {', '.join(missing)}")


@SERVERS.should(
    "5.5-welcome-introducer",
    "the welcome says the introducer's own server_id, host, port and pubkey",
    "put your own server_id, host, port and pubkey into SERVER_WELCOME",
)
async def _welcome_introducer(probe: Probe) -> None:
    answer = (await probe.server("north")).answer
    if answer.get("pubkey") is None and answer.get("server_pub") is not None:
        raise Dialect("server_pub in place of pubkey")
    for name in ("server_id", "host", "pubkey"):
        text_of(answer, name)
    if type(answer.get("port")) is not int:
        raise Breach("port is not there")


@SERVERS.must(
    "5.6-welcome-signed",
    "SERVER_WELCOME is signed by the introducer's key",
    "sign SERVER_WELCOME",
    rests_on="3.3-sig-covers-payload",
)
async def _welcome_signed(probe: Probe) -> None:
    north = await probe.server("north")
    signed_form(north.server_key, north.answer)


@SERVERS.must(
    "5.7-same-socket",
    "the socket that carried the JOIN is the link",
    "go on with the socket of the JOIN: no second dial is needed",
)
async def _same_socket(probe: Probe) -> None:
    north = await probe.server("north")
    await north.says_wrong("PUBKEY_REQUEST", {"user_id": north.id}, to=north.server_id)
    await north.link.hears("ERROR", "PUBKEY_RESPONSE")


def _other_hello(rule_id: str, kind: str) -> None:
    level = SERVERS.should if kind.startswith("PEER") else SERVERS.must

    @level(
        rule_id,
        f"{kind} as a first frame is answered by ACK",
        "answer by ACK {msg_ref: <its type>, server_id, pubkey, features}",
    )
    async def _acked(probe: Probe) -> None:
        answer = (await probe.server("north", kind)).answer
        same("the answer", answer.type, "ACK")
        text_of(answer, "msg_ref")
        text_of(answer, "server_id")
        text_of(answer, "pubkey")


_other_hello("5.8-link", "SERVER_HELLO_LINK")
_other_hello("5.9-announce", "SERVER_ANNOUNCE")
_other_hello("5.10-peer-link", "PEER_HELLO_LINK")


@SERVERS.must(
    "5.11-one-link",
    "a second link of a server whose link lives is refused (NAME_IN_USE)",
    "ping the old link; where it answers, refuse an unproven newcomer: it may be a replay",
)
async def _one_link(probe: Probe) -> None:
    east = await probe.east()
    await turned_away(probe.linked(await probe.connect("east again"), east.who), "NAME_IN_USE")


@SERVERS.must(
    "5.12-known-id-other-key",
    "a known server id with another key is refused (BAD_KEY)",
    "pin the key of a server to its id, and keep the pin",
)
async def _known_id_other_key(probe: Probe) -> None:
    north = await probe.server("north")
    await north.link.close()
    thief = Identity("thief", north.id, (await probe.identity("erin")).key)
    await turned_away(probe.linked(await probe.connect("thief"), thief), "BAD_KEY")


@SERVERS.must(
    "5.13-auto-id",
    "who asks for no id (from auto) is assigned a UUID v4",
    "make a UUID v4 for a JOIN from auto or nobody",
    needs=[Need.THROW_AWAY],
)
async def _auto_id(probe: Probe) -> None:
    who = Identity("auto", "auto", (await probe.identity("erin")).key)
    answer = (await probe.linked(await probe.connect("auto"), who)).answer
    if UUID4.match(text_of(answer, "assigned_id")) is None:
        raise Breach(f"assigned_id is {answer.get('assigned_id')!r:.60}")


@SERVERS.must(
    "5.14-join-bad-place",
    "a JOIN whose host and port cannot be dialled is refused (BAD_FRAME)",
    "check host and port: a name or an address, 1 to 65535",
)
async def _bad_place(probe: Probe) -> None:
    north = await probe.identity("north")
    link = await probe.connect("north")
    payload = {**server_hello(north), "port": 70_000}
    await say_first(link, north, "SERVER_HELLO_JOIN", payload, to="localhost:1")
    await refused(link, "BAD_FRAME")


@SERVERS.must(
    "5.15-snapshot",
    "a new link hears USER_ADVERTISE of each user who is here",
    "send the presence snapshot on every new link of a server",
    needs=[Need.USERS],
)
async def _snapshot(probe: Probe) -> None:
    alice, north = await probe.alice(), await probe.server("north")
    if not any(frame.get("user_id") == alice.id for frame in north.before):
        await north.link.hears(
            "USER_ADVERTISE", where=lambda frame: frame.get("user_id") == alice.id
        )


@SERVERS.must(
    "5.16-link-frames-signed",
    "what the server says on a link verifies under the key of its welcome",
    "sign every frame to a server over its canonical payload",
    needs=[Need.USERS],
)
async def _link_frames_signed(probe: Probe) -> None:
    await probe.alice()
    north = await probe.server("north")
    try:
        signed_form(north.server_key, north.answer)
    except Breach as fault:
        raise Unjudged(f"{fault}: see 3.3-sig-covers-payload") from fault
    advert = await north.link.hears(
        "USER_ADVERTISE", where=lambda frame: frame.members.get("from") == north.server_id
    )
    signed_form(north.server_key, advert)


@SERVERS.must(
    "5.17-user-frames-of-servers",
    "MSG_DIRECT of a server is refused",
    "look at who may send a type: this one is for users",
)
async def _user_frames(probe: Probe) -> None:
    east = await probe.east()
    await east.says_wrong("MSG_DIRECT", {"ciphertext": "AA", "sender_pub": "", "content_sig": ""})
    came = await east.link.hears("ERROR", "ACK")
    if came.type == "ACK":
        raise Breach("it was taken")


# --- health -------------------------------------------------------------------------------------


@SERVERS.must(
    "5.60-heartbeat",
    "a linked server hears HEARTBEAT every 15 s",
    "send HEARTBEAT {} to every server every 15 s",
    waits_s=HEARTBEAT_S + 5,
)
async def _heartbeat(probe: Probe) -> None:
    south = await probe.server("south")
    beat = await south.link.hears("HEARTBEAT", within_s=HEARTBEAT_S + 5)
    same("from", beat.members.get("from"), south.server_id)
    if beat.members.get("to") not in (south.id, "*"):
        raise Breach(f"to is {beat.members.get('to')!r:.60}, and should be the peer's id")


@SERVERS.should(
    "5.61-silent-server",
    "a server that answers nothing is cut after 45 s",
    "close a link on which neither HEARTBEAT nor pong came for 45 s",
    waits_s=2 * SILENCE_S,
)
async def _silent_server(probe: Probe) -> None:
    who = await probe.identity("mute")
    link = await probe.connect("mute", autoping=False)
    await probe.linked(link, who)
    await link.ends(within_s=SILENCE_S + 2 * HEARTBEAT_S)


STRANGERS: Final[Section[Probe]] = Section(needs=(Need.KNOWN,))


@STRANGERS.should(
    "5.62-known-only",
    "a server that is not known is refused (NOT_ALLOWED), with its key's fingerprint",
    "say in detail which key it is, and how the operator admits it",
)
async def _known_only(probe: Probe) -> None:
    north = await probe.identity("north")
    refusal = await turned_away(probe.linked(await probe.connect("north"), north), "NOT_ALLOWED")
    if north.key.public.fingerprint not in refusal.detail:
        raise Breach("the detail does not say which key it is")
