"""Section 5, presence: what servers say of their users, and who may say it."""

from __future__ import annotations

from typing import Any, Final

from socp.conform.cast import Identity, new_id
from socp.conform.expect import of_user, refused, same
from socp.conform.frames import Frame, now_ms
from socp.conform.link import Where
from socp.conform.peers import Peer, message
from socp.conform.probe import Probe
from socp.conform.rule import Need, Section
from socp.conform.verdicts import Breach

PRESENCE: Final[Section[Probe]] = Section(needs=(Need.USERS, Need.SERVERS))


async def foreigner(probe: Probe, name: str = "fred") -> Identity:
    """A user of a server that we play: an id of this rule alone."""
    return Identity(name, new_id(), (await probe.identity(name)).key)


def advert(server: Peer, who: Identity, **more: Any) -> dict[str, Any]:
    """USER_ADVERTISE as the standard has it: the key in meta alone."""
    meta = {"pubkey": who.key.public.text}
    return {"user_id": who.id, "server_id": server.id, "meta": meta, **more}


async def advertised(probe: Probe, server: Peer, who: Identity, **more: Any) -> dict[str, Any]:
    """Said, and heard by alice; the payload."""
    alice = await probe.alice()
    payload = advert(server, who, **more)
    await server.say("USER_ADVERTISE", payload)
    await alice.link.hears("USER_ADVERTISE", where=of_user(who.id))
    return payload


async def gone(server: Peer, who: Identity) -> None:
    """Their server says that they left."""
    await server.say("USER_REMOVE", {"user_id": who.id, "server_id": server.id})


async def _unmoved(probe: Probe, server: Peer, payload: dict[str, Any], *codes: str) -> None:
    """This ADVERTISE must be refused, and nobody hear of it."""
    alice = await probe.alice()
    await server.says_wrong("USER_ADVERTISE", payload)
    try:
        await refused(server.link, *codes)
    finally:
        if alice.link.has("USER_ADVERTISE", where=_said_by(server, payload)):
            raise Breach("users heard of it")


def _said_by(server: Peer, payload: dict[str, Any]) -> Where:
    """This ADVERTISE, and none of the user's own server."""

    def fits(frame: Frame) -> bool:
        who = (frame.members.get("from"), frame.get("user_id"))
        return who == (server.id, payload["user_id"])

    return fits


@PRESENCE.must(
    "5.20-advertise-to-users",
    "USER_ADVERTISE of a linked server reaches local users unchanged",
    "forward it as it came: from, ts, payload and sig of its origin",
)
async def _advertise_to_users(probe: Probe) -> None:
    alice, east, fred = await probe.alice(), await probe.east(), await foreigner(probe)
    payload = advert(east, fred)
    sent = await east.say("USER_ADVERTISE", payload)
    came = await alice.link.hears("USER_ADVERTISE", where=of_user(fred.id))
    for name in ("from", "ts", "payload", "sig"):
        same(name, came.members.get(name), sent[name])
    await gone(east, fred)


@PRESENCE.must(
    "5.21-advertise-to-servers",
    "it reaches the other linked servers",
    "forward USER_ADVERTISE to all servers but its source",
)
async def _advertise_to_servers(probe: Probe) -> None:
    east, west, fred = await probe.east(), await probe.west(), await foreigner(probe)
    sent = await east.say("USER_ADVERTISE", advert(east, fred))
    came = await west.link.hears("USER_ADVERTISE", where=of_user(fred.id))
    same("sig", came.sig, sent["sig"])
    await gone(east, fred)


@PRESENCE.must(
    "5.22-not-to-its-source",
    "it does not come back to its source",
    "never send an event back over the link on which it came",
)
async def _not_to_source(probe: Probe) -> None:
    east, fred = await probe.east(), await foreigner(probe)
    await advertised(probe, east, fred)
    await east.link.quiet("USER_ADVERTISE", where=of_user(fred.id))
    await gone(east, fred)


@PRESENCE.must(
    "5.23-advertise-once",
    "the same USER_ADVERTISE said twice is forwarded once",
    "drop what passed before (seen_ids), and presence that is not newer",
)
async def _advertise_once(probe: Probe) -> None:
    alice, east, fred = await probe.alice(), await probe.east(), await foreigner(probe)
    frame = east.frame("USER_ADVERTISE", advert(east, fred))
    await east.link.say(frame)
    await east.link.say(frame)
    await alice.link.hears("USER_ADVERTISE", where=of_user(fred.id))
    await alice.link.quiet("USER_ADVERTISE", where=of_user(fred.id))
    await gone(east, fred)


@PRESENCE.must(
    "5.24-advertise-signed",
    "a USER_ADVERTISE with a wrong sig is refused (INVALID_SIG) and not forwarded",
    "verify before you forward: what you would refuse you never pass on",
)
async def _advertise_signed(probe: Probe) -> None:
    alice, east, fred = await probe.alice(), await probe.east(), await foreigner(probe)
    await east.says_wrong("USER_ADVERTISE", advert(east, fred), sig=east.who.key.sign(b"x"))
    await alice.link.quiet("USER_ADVERTISE", where=of_user(fred.id))


@PRESENCE.must(
    "5.25-other-servers-user",
    "a server cannot advertise for another server (NOT_ALLOWED)",
    "accept a claim only where from == server_id",
)
async def _other_servers_user(probe: Probe) -> None:
    east, west, fred = await probe.east(), await probe.west(), await foreigner(probe)
    await _unmoved(probe, east, {**advert(east, fred), "server_id": west.id}, "NOT_ALLOWED")


@PRESENCE.must(
    "5.26-rekey",
    "a pinned user with another key is refused (BAD_KEY)",
    "never re-key a pinned user on a server's word",
)
async def _rekey(probe: Probe) -> None:
    bob, east = await probe.bob(), await probe.east()
    thief = Identity("thief", bob.id, (await probe.identity("erin")).key)
    await _unmoved(probe, east, advert(east, thief), "BAD_KEY")


@PRESENCE.must(
    "5.27-no-kidnapping",
    "a server cannot move a user who is online elsewhere",
    "keep a user where they are until their own proof, or their server's REMOVE",
)
async def _no_kidnapping(probe: Probe) -> None:
    alice, bob, east = await probe.alice(), await probe.bob(), await probe.east()
    await east.say("USER_ADVERTISE", advert(east, bob.who))
    said = message(alice.who, bob.id, bob.who.key.public)
    await alice.say("MSG_DIRECT", said.payload, to=bob.id, ts=said.ts)
    await bob.link.hears("USER_DELIVER", where=said.is_delivered_by)
    if east.link.has("SERVER_DELIVER"):
        raise Breach("the message went to the thief as well")


@PRESENCE.must(
    "5.28-remove",
    "USER_REMOVE of the user's own server reaches users and servers",
    "forward it where from == server_id and the mapping still points there",
)
async def _remove(probe: Probe) -> None:
    alice, east, west = await probe.alice(), await probe.east(), await probe.west()
    fred = await foreigner(probe)
    await advertised(probe, east, fred)
    await gone(east, fred)
    await alice.link.hears("USER_REMOVE", where=of_user(fred.id))
    await west.link.hears("USER_REMOVE", where=of_user(fred.id))


@PRESENCE.must(
    "5.29-others-remove",
    "USER_REMOVE of another server removes nobody",
    "a server speaks for its own users alone",
)
async def _others_remove(probe: Probe) -> None:
    alice, bob, east = await probe.alice(), await probe.bob(), await probe.east()
    for server_id in (alice.server_id, east.id):
        await east.says_wrong("USER_REMOVE", {"user_id": bob.id, "server_id": server_id})
    await alice.link.quiet("USER_REMOVE", where=of_user(bob.id))


@PRESENCE.must(
    "5.30-retyped-remove",
    "a USER_REMOVE with the members of an ADVERTISE is refused",
    "refuse it: sig does not cover the type, and this is an ADVERTISE typed anew",
)
async def _retyped_remove(probe: Probe) -> None:
    alice, east, fred = await probe.alice(), await probe.east(), await foreigner(probe)
    payload = await advertised(probe, east, fred)
    await east.says_wrong("USER_REMOVE", payload)
    await alice.link.quiet("USER_REMOVE", where=of_user(fred.id))
    await gone(east, fred)


@PRESENCE.must(
    "5.31-old-snapshot",
    "presence of an hour ago counts",
    "take a USER_ADVERTISE of any age: it is ordered by ts, not bounded by it",
)
async def _old_snapshot(probe: Probe) -> None:
    alice, east, fred = await probe.alice(), await probe.east(), await foreigner(probe)
    await east.say("USER_ADVERTISE", advert(east, fred), ts=now_ms() - 3_600_000)
    await alice.link.hears("USER_ADVERTISE", where=of_user(fred.id))
    await gone(east, fred)


@PRESENCE.must(
    "5.32-presence-ordered",
    "presence that is older than what is known is dropped",
    "order presence per origin and user by its ts",
)
async def _presence_ordered(probe: Probe) -> None:
    alice, east, fred = await probe.alice(), await probe.east(), await foreigner(probe)
    await advertised(probe, east, fred)
    removal = {"user_id": fred.id, "server_id": east.id}
    await east.say("USER_REMOVE", removal, ts=now_ms() - 60_000)
    await alice.link.quiet("USER_REMOVE", where=of_user(fred.id))
    await gone(east, fred)


@PRESENCE.must(
    "5.33-presence-of-tomorrow",
    "presence of more than 5 minutes ahead is refused (BAD_FRAME)",
    "refuse it, or it would win for ever",
)
async def _presence_of_tomorrow(probe: Probe) -> None:
    alice, east, fred = await probe.alice(), await probe.east(), await foreigner(probe)
    await east.says_wrong("USER_ADVERTISE", advert(east, fred), ts=now_ms() + 600_000)
    await refused(east.link, "BAD_FRAME")
    if alice.link.has("USER_ADVERTISE", where=of_user(fred.id)):
        raise Breach("users heard of it")


@PRESENCE.must(
    "5.34-lost-server",
    "users of a server whose link ends are gone",
    "tell local users USER_REMOVE of each",
)
async def _lost_server(probe: Probe) -> None:
    alice, north, fred = await probe.alice(), await probe.server("north"), await foreigner(probe)
    await advertised(probe, north, fred)
    await north.link.close()
    await alice.link.hears("USER_REMOVE", where=of_user(fred.id))


@PRESENCE.should(
    "5.35-advertise-without-key",
    "a USER_ADVERTISE without a key sets the location",
    "take it: the key comes by PUBKEY_REQUEST",
)
async def _without_key(probe: Probe) -> None:
    east, fred = await probe.east(), await foreigner(probe)
    await advertised(probe, east, fred, meta={"display_name": "Fred"})
    await gone(east, fred)
