"""Rules for a server that dials."""

from __future__ import annotations

from typing import Final

from socp.conform.canonical import canonical
from socp.conform.cast import new_id
from socp.conform.expect import refused, same, text_of
from socp.conform.figures import HEARTBEAT_S
from socp.conform.frames import now_ms
from socp.conform.listen.visit import Visit
from socp.conform.peers import message
from socp.conform.rule import Section
from socp.conform.verdicts import Breach, Unjudged

DIALLERS: Final[Section[Visit]] = Section()


@DIALLERS.must(
    "5.81-hello-members",
    "its hello has host, port and pubkey",
    "say where you listen, and your key",
)
async def _hello_members(visit: Visit) -> None:
    text_of(visit.hello, "host")
    text_of(visit.hello, "pubkey")
    if type(visit.hello.get("port")) is not int:
        raise Breach(f"port is {visit.hello.get('port')!r:.40}")


@DIALLERS.should(
    "5.82-join-to",
    "`to` of SERVER_HELLO_JOIN is the host:port that it dialled",
    "address a JOIN to host:port, since the id is not known yet",
)
async def _join_to(visit: Visit) -> None:
    if visit.hello.type != "SERVER_HELLO_JOIN":
        raise Unjudged(f"it said {visit.hello.type}")
    host, _, port = str(visit.hello.members.get("to")).rpartition(":")
    if not host or port != str(visit.house.port):
        raise Breach(f"to is {visit.hello.members.get('to')!r:.60}")


@DIALLERS.must(
    "5.83-announces",
    'after SERVER_WELCOME it says SERVER_ANNOUNCE, to "*"',
    'say SERVER_ANNOUNCE to "*" on every link when you were welcomed',
)
async def _announces(visit: Visit) -> None:
    if visit.hello.type != "SERVER_HELLO_JOIN":
        raise Unjudged(f"it said {visit.hello.type}")
    announce = await visit.told("SERVER_ANNOUNCE")
    same("to", announce.members.get("to"), "*")


@DIALLERS.must(
    "5.84-signed",
    "every frame of it is signed under the key of its hello",
    "sign every frame to a server over its canonical payload",
)
async def _signed(visit: Visit) -> None:
    await visit.guest()
    for frame in visit.house.said:
        own = frame.members.get("from") == visit.id and frame.type != "AUTH_PROOF"
        if own and not visit.key.signed(frame.sig, canonical(frame.payload)):
            raise Breach(f"the sig of {frame.type} does not verify")


@DIALLERS.must(
    "5.85-heartbeat",
    "it says HEARTBEAT every 15 s",
    "send HEARTBEAT {} to every server every 15 s",
)
async def _heartbeat(visit: Visit) -> None:
    try:
        await visit.told("HEARTBEAT", within_s=HEARTBEAT_S + 5)
    except Unjudged as fault:
        raise Breach(str(fault)) from fault


@DIALLERS.must(
    "5.86-unknown-type",
    "an unknown type is answered by UNKNOWN_TYPE",
    "answer what you do not know by ERROR UNKNOWN_TYPE",
)
async def _unknown_type(visit: Visit) -> None:
    guest = await visit.guest()
    await guest.says_wrong("X_CONFORM", {}, to=visit.id)
    await refused(guest.link, "UNKNOWN_TYPE")


@DIALLERS.must(
    "5.87-bad-sig",
    "a frame whose sig does not verify is refused (INVALID_SIG)",
    "verify every frame of a server under its pinned key",
)
async def _bad_sig(visit: Visit) -> None:
    guest = await visit.guest()
    sig = guest.who.key.sign(b"x")
    await guest.says_wrong("PUBKEY_REQUEST", {"user_id": new_id()}, to=visit.id, sig=sig)
    await refused(guest.link, "INVALID_SIG")


@DIALLERS.must(
    "5.88-other-servers-user",
    "a USER_ADVERTISE for another server is refused (NOT_ALLOWED)",
    "accept a claim only where from == server_id",
)
async def _other_servers_user(visit: Visit) -> None:
    guest = await visit.guest()
    payload = {**visit.house.advert(), "server_id": new_id()}
    await guest.says_wrong("USER_ADVERTISE", payload)
    await refused(guest.link, "NOT_ALLOWED")


@DIALLERS.must(
    "5.89-presence-of-tomorrow",
    "presence of more than 5 minutes ahead is refused (BAD_FRAME)",
    "refuse it, or it would win for ever",
)
async def _presence_of_tomorrow(visit: Visit) -> None:
    guest = await visit.guest()
    await guest.says_wrong("USER_ADVERTISE", visit.house.advert(), ts=now_ms() + 600_000)
    await refused(guest.link, "BAD_FRAME")


@DIALLERS.must(
    "5.90-deliver-nobody",
    "SERVER_DELIVER for nobody is answered by USER_NOT_FOUND",
    "drop it and send ERROR USER_NOT_FOUND to the server it came from",
)
async def _deliver_nobody(visit: Visit) -> None:
    guest, bob = await visit.guest(), visit.house.bob
    await guest.say("USER_ADVERTISE", visit.house.advert())
    said = message(bob, new_id(), bob.key.public)
    payload = {"user_id": said.reader, "sender": bob.id, **said.payload}
    await guest.says_wrong("SERVER_DELIVER", payload, to=visit.id, ts=said.ts)
    await refused(guest.link, "USER_NOT_FOUND", ref=said.ref)


@DIALLERS.must(
    "5.91-not-to-its-source",
    "USER_ADVERTISE does not come back to its source",
    "never send an event back over the link on which it came",
)
async def _not_to_source(visit: Visit) -> None:
    guest, bob = await visit.guest(), visit.house.bob
    await guest.say("USER_ADVERTISE", visit.house.advert())
    await guest.link.quiet("USER_ADVERTISE", where=lambda f: f.get("user_id") == bob.id)


@DIALLERS.must(
    "5.92-key-lookup",
    "PUBKEY_REQUEST for a user who was advertised is answered",
    "answer by PUBKEY_RESPONSE, or USER_NOT_FOUND",
)
async def _key_lookup(visit: Visit) -> None:
    guest = await visit.guest()
    await guest.say("PUBKEY_REQUEST", {"user_id": visit.house.bob.id}, to=visit.id)
    await guest.link.hears("PUBKEY_RESPONSE", "ERROR")
