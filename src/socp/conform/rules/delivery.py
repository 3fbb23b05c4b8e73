"""Section 5, delivery: messages between servers."""

from __future__ import annotations

import secrets
from typing import Any, Final

from socp.conform.canonical import b64
from socp.conform.cast import new_id
from socp.conform.expect import refused, same
from socp.conform.figures import RSA_BYTES
from socp.conform.frames import Frame, now_ms
from socp.conform.peers import Message, Peer, message, not_delivered
from socp.conform.probe import Probe
from socp.conform.rule import Need, Section
from socp.conform.rules.presence import advertised, foreigner, gone
from socp.conform.verdicts import Dialect

DELIVERY: Final[Section[Probe]] = Section(needs=(Need.USERS, Need.SERVERS))


def deliver(said: Message, **changed: Any) -> dict[str, Any]:
    """The payload of SERVER_DELIVER."""
    return {"user_id": said.reader, "sender": said.author.id, **said.payload, **changed}


async def handed(server: Peer, said: Message, **changed: Any) -> None:
    await server.say("SERVER_DELIVER", deliver(said, **changed), to=server.server_id, ts=said.ts)


@DELIVERY.must(
    "5.40-deliver-to-local",
    "SERVER_DELIVER for a local user becomes USER_DELIVER, with the author's ts",
    "hand it to the user's link as USER_DELIVER",
)
async def _deliver_to_local(probe: Probe) -> None:
    bob, east, fred = await probe.bob(), await probe.east(), await foreigner(probe)
    await advertised(probe, east, fred)
    said = message(fred, bob.id, bob.who.key.public)
    await handed(east, said)
    frame = await bob.link.hears("USER_DELIVER", where=said.is_delivered_by)
    same("ts", frame.ts, said.ts)
    same("sender", frame.get("sender"), fred.id)
    same("content_sig", frame.get("content_sig"), said.payload["content_sig"])
    await gone(east, fred)


async def not_handed(
    probe: Probe, server: Peer, said: Message, *codes: str, ref: str = "", **changed: Any
) -> None:
    """This SERVER_DELIVER must be refused, and reach nobody; `ref` as for `refused`."""
    bob = await probe.bob()
    payload = deliver(said, **changed)
    await server.says_wrong("SERVER_DELIVER", payload, to=server.server_id, ts=said.ts)
    try:
        await refused(server.link, *codes, ref=ref)
    finally:
        not_delivered(bob, said)


@DELIVERY.must(
    "5.41-deliver-for-others",
    "SERVER_DELIVER in the name of a user of another server is refused",
    "from must be where the sender is",
)
async def _deliver_for_others(probe: Probe) -> None:
    alice, bob, east = await probe.alice(), await probe.bob(), await probe.east()
    said = message(alice.who, bob.id, bob.who.key.public)
    await not_handed(probe, east, said, "NOT_ALLOWED", "BAD_KEY")


@DELIVERY.must(
    "5.42-deliver-other-key",
    "SERVER_DELIVER with another key than the sender's pinned one is refused (BAD_KEY)",
    "sender_pub must be the pinned key of the sender",
)
async def _deliver_other_key(probe: Probe) -> None:
    bob, east, fred = await probe.bob(), await probe.east(), await foreigner(probe)
    await advertised(probe, east, fred)
    said = message(fred, bob.id, bob.who.key.public)
    erin = await probe.identity("erin")
    await not_handed(probe, east, said, "BAD_KEY", sender_pub=erin.key.public.text)
    await gone(east, fred)


@DELIVERY.must(
    "5.43-deliver-stale",
    "SERVER_DELIVER of 6 minutes ago is refused (BAD_FRAME)",
    "ts is the author's, and within 5 minutes of now",
)
async def _deliver_stale(probe: Probe) -> None:
    bob, east, fred = await probe.bob(), await probe.east(), await foreigner(probe)
    await advertised(probe, east, fred)
    said = message(fred, bob.id, bob.who.key.public, ts=now_ms() - 360_000)
    await not_handed(probe, east, said, "BAD_FRAME")
    await gone(east, fred)


@DELIVERY.must(
    "5.44-deliver-nobody",
    "SERVER_DELIVER for nobody is answered by USER_NOT_FOUND, upstream",
    "drop it and send ERROR USER_NOT_FOUND to the server it came from",
)
async def _deliver_nobody(probe: Probe) -> None:
    bob, east, fred = await probe.bob(), await probe.east(), await foreigner(probe)
    await advertised(probe, east, fred)
    said = message(fred, new_id(), bob.who.key.public)
    await east.link.fault_turn()
    await handed(east, said)
    await refused(east.link, "USER_NOT_FOUND", ref=said.ref)
    await gone(east, fred)


@DELIVERY.must(
    "5.45-deliver-once",
    "the same SERVER_DELIVER twice is delivered once",
    "drop what passed before (seen_ids)",
)
async def _deliver_once(probe: Probe) -> None:
    bob, east, fred = await probe.bob(), await probe.east(), await foreigner(probe)
    await advertised(probe, east, fred)
    said = message(fred, bob.id, bob.who.key.public)
    await handed(east, said)
    await handed(east, said)
    await bob.link.hears("USER_DELIVER", where=said.is_delivered_by)
    await bob.link.quiet("USER_DELIVER", where=said.is_delivered_by)
    await gone(east, fred)


@DELIVERY.should(
    "5.46-deliver-onward",
    "SERVER_DELIVER for a user of a third server is forwarded unchanged",
    "pass it on with its origin's from, ts, payload and sig",
)
async def _deliver_onward(probe: Probe) -> None:
    east, west = await probe.east(), await probe.west()
    fred, gwen = await foreigner(probe), await foreigner(probe, "gwen")
    await advertised(probe, east, fred)
    await advertised(probe, west, gwen)
    said = message(fred, gwen.id, gwen.key.public)
    sent = await east.say("SERVER_DELIVER", deliver(said), to=east.server_id, ts=said.ts)
    came = await west.link.hears("SERVER_DELIVER", where=said.is_delivered_by)
    for name in ("from", "ts", "payload", "sig"):
        same(name, came.members.get(name), sent[name])
    for server, who in ((east, fred), (west, gwen)):
        await gone(server, who)


async def _said_abroad(probe: Probe) -> tuple[Message, Frame, Peer]:
    """A message of alice to a user of a server that we play, and how it came there."""
    alice, east, fred = await probe.alice(), await probe.east(), await foreigner(probe)
    await advertised(probe, east, fred)
    said = message(alice.who, fred.id, fred.key.public)
    await alice.say("MSG_DIRECT", said.payload, to=fred.id, ts=said.ts)
    came = await east.link.hears("SERVER_DELIVER", where=said.is_delivered_by)
    await gone(east, fred)
    return said, came, east


@DELIVERY.must(
    "5.47-server-deliver",
    "a message to a user of another server goes there as SERVER_DELIVER",
    "send it to the server where the reader is",
)
async def _server_deliver(probe: Probe) -> None:
    said, came, east = await _said_abroad(probe)
    same("from", came.members.get("from"), east.server_id)
    same("to", came.members.get("to"), east.id)
    same("user_id", came.get("user_id"), said.reader)
    for name in ("ciphertext", "sender_pub", "content_sig"):
        same(name, came.get(name), said.payload[name])


@DELIVERY.must(
    "5.48-server-deliver-ts",
    "SERVER_DELIVER keeps the author's ts in its envelope",
    "put the author's ts into the envelope, and orig_ts beside",
)
async def _server_deliver_ts(probe: Probe) -> None:
    said, came, _ = await _said_abroad(probe)
    if came.ts != said.ts and came.get("orig_ts") == said.ts:
        raise Dialect("the author's ts stands in orig_ts alone")
    same("ts", came.ts, said.ts)


@DELIVERY.should(
    "5.49-orig-ts-alone",
    "a SERVER_DELIVER with its own ts, and the author's in orig_ts, is taken",
    "where content_sig verifies with orig_ts only, orig_ts is the ts",
)
async def _orig_ts_alone(probe: Probe) -> None:
    bob, east, fred = await probe.bob(), await probe.east(), await foreigner(probe)
    await advertised(probe, east, fred)
    said = message(fred, bob.id, bob.who.key.public, ts=now_ms() - 1_000)
    payload = deliver(said, orig_ts=said.ts)
    await east.say("SERVER_DELIVER", payload, to=east.server_id)
    frame = await bob.link.hears("USER_DELIVER", where=said.is_delivered_by)
    same("ts", frame.ts, said.ts)
    await gone(east, fred)


@DELIVERY.should(
    "5.50-inner-type",
    "a SERVER_DELIVER with inner_type carries a file frame",
    "take the file frames of others in a SERVER_DELIVER with inner_type",
)
async def _inner_type(probe: Probe) -> None:
    bob, east, fred = await probe.bob(), await probe.east(), await foreigner(probe)
    await advertised(probe, east, fred)
    file_id = new_id()
    payload = {
        "inner_type": "FILE_CHUNK",
        "user_id": bob.id,
        "sender": fred.id,
        "file_id": file_id,
        "index": 0,
        "ciphertext": b64(secrets.token_bytes(RSA_BYTES)),
    }
    await east.say("SERVER_DELIVER", payload, to=east.server_id)
    await bob.link.hears("FILE_CHUNK", where=lambda f: f.get("file_id") == file_id)
    await gone(east, fred)
