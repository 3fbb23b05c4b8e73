"""Section 11: `gossip/1`, presence between servers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from socp.conform.canonical import canonical
from socp.conform.cast import Identity
from socp.conform.expect import of_user, same
from socp.conform.figures import HEARTBEAT_S
from socp.conform.frames import Frame
from socp.conform.peers import Peer
from socp.conform.probe import Probe
from socp.conform.rolls import Beat, NotABeat, Roll, entry, read_beat
from socp.conform.rule import Need, Section
from socp.conform.rules.link_auth import BOUND, binds, proving_user
from socp.conform.rules.presence import advertised, foreigner, gone
from socp.conform.verdicts import Breach, Unjudged

GOSSIP: Final[Section[Probe]] = Section(needs=(Need.USERS, Need.SERVERS), feature="gossip/1")
SPEAKS: Final = ("bind/1", "gossip/1")
_BEAT_S: Final = HEARTBEAT_S + 1.0


async def gossiping(probe: Probe, name: str = "gail") -> Peer:
    """A server with `gossip/1`, on a new link: it knows nothing yet."""
    server = await probe.server(name, features=SPEAKS)
    for feature in SPEAKS:
        if feature not in server.features:
            raise Unjudged(f"its SERVER_WELCOME does not announce {feature}")
    return server


def _said(beat: Frame) -> Beat:
    try:
        return read_beat(beat.payload)
    except NotABeat as fault:
        raise Breach(f"HEARTBEAT: {fault}") from fault


async def _beat(server: Peer, roll: Roll) -> tuple[Frame, Beat]:
    """The next HEARTBEAT, and whom the server named before it."""
    beat, before = await server.link.reaches("HEARTBEAT", within_s=_BEAT_S)
    roll.hear(before)
    return beat, _said(beat)


async def first_beat(server: Peer) -> tuple[Beat, Roll]:
    """What rules beyond the first ones need. Raises Unjudged where it does not come."""
    roll = Roll(server.server_id)
    try:
        _, said = await _beat(server, roll)
    except Breach as fault:
        raise Unjudged(f"{fault}: see 11.80-users-told") from fault
    if said.digest is None:
        raise Unjudged("HEARTBEAT has no users: see 11.80-users-told")
    return said, roll


async def settled(server: Peer) -> None:
    """What was said on this link before is done: a question behind it is answered."""
    await server.say("PUBKEY_REQUEST", {"user_id": server.id}, to=server.server_id)
    await server.link.hears("PUBKEY_RESPONSE", "ERROR")


async def _somebody_proven(probe: Probe) -> None:
    """Somebody whose entry has the ts of an attach, where the server can have such."""
    if "link-auth/1" in probe.world.features and not probe.world.secure:
        await proving_user(probe, "dora", BOUND)


# --- what it tells ------------------------------------------------------------------------------


@GOSSIP.extension(
    "11.80-users-told",
    "HEARTBEAT has users {count, digest}, the digest of 32 bytes",
    "put users {count, digest} into each HEARTBEAT on a link with gossip/1 and bind/1",
)
async def _users_told(probe: Probe) -> None:
    gail = await gossiping(probe)
    _, said = await _beat(gail, Roll(gail.server_id))
    if said.digest is None:
        raise Breach("HEARTBEAT has no users")


@GOSSIP.extension(
    "11.81-digest",
    "the digest is that of the users it advertised on this link before",
    "XOR SHA-256(user_id || fingerprint as 64 hex digits || attach.ts in decimal, or nothing) over"
    " your own users, and let no HEARTBEAT overtake presence",
    rests_on="11.80-users-told",
)
async def _digest(probe: Probe) -> None:
    await probe.alice()
    await _somebody_proven(probe)
    said, roll = await first_beat(await gossiping(probe))
    same("the digest", said.digest, roll.digest)


@GOSSIP.extension(
    "11.82-count",
    "the count is that of the users it advertised on this link before",
    "count your own users, and let no HEARTBEAT overtake presence",
    rests_on="11.80-users-told",
)
async def _count(probe: Probe) -> None:
    await probe.alice()
    said, roll = await first_beat(await gossiping(probe))
    same("the count", said.count, len(roll.entries))


@GOSSIP.extension(
    "11.83-digest-moves",
    "the digest after somebody came or left tells of it, and of nothing else",
    "keep the digest as users come and go, and send presence before the HEARTBEAT that counts it",
    waits_s=2 * HEARTBEAT_S,
)
async def _digest_moves(probe: Probe) -> None:
    await probe.identity("glenda")
    glen = await gossiping(probe, "glen")
    _, roll = await first_beat(glen)
    glenda = await probe.user("glenda")
    await glenda.link.close()
    glenda = await probe.user("glenda")
    await settled(glen)
    came = sum(frame.type == "HEARTBEAT" for frame in glen.link.heard)  # links of other rules
    for _ in range(came + 2):  # one may have been on its way
        _, said = await _beat(glen, roll)
        same("the digest", said.digest, roll.digest)
        same("the count", said.count, len(roll.entries))
        if glenda.id in roll.entries:
            return
    raise Breach("who came was not advertised before the next HEARTBEAT")


@GOSSIP.extension(
    "11.84-snapshot-ends-with-beat",
    "the first snapshot of a link ends with a HEARTBEAT",
    "send a HEARTBEAT of its own behind each snapshot: a loss in it is seen at once",
)
async def _snapshot_beat(probe: Probe) -> None:
    alice, gail = await probe.alice(), await gossiping(probe)
    _, before = await gail.link.reaches("HEARTBEAT")
    if not any(frame.get("user_id") == alice.id for frame in before):
        raise Breach("HEARTBEAT came before the snapshot was whole")


@GOSSIP.extension(
    "11.85-beat-bound",
    "HEARTBEAT is signed, carries bind, and its ts grows",
    "put bind into HEARTBEAT, sign it, and never give two of a link one ts",
    waits_s=2 * HEARTBEAT_S,
)
async def _beat_bound(probe: Probe) -> None:
    gwen = await gossiping(probe, "gwen")
    roll = Roll(gwen.server_id)
    first, _ = await _beat(gwen, roll)
    second, _ = await _beat(gwen, roll)
    for beat in (first, second):
        binds(beat)
        if not gwen.server_key.signed(beat.sig, canonical(beat.payload)):
            raise Breach("the sig of HEARTBEAT does not verify")
    if not (type(first.ts) is type(second.ts) is int and first.ts < second.ts):
        raise Breach(f"ts {second.ts!r:.40} follows {first.ts!r:.40}")


@GOSSIP.extension(
    "11.86-plain-beat",
    "a server without gossip/1 gets HEARTBEAT {}",
    "leave links and users out where the other end did not announce gossip/1",
    waits_s=HEARTBEAT_S + 5,
)
async def _plain_beat(probe: Probe) -> None:
    ivy = await probe.server("ivy")
    beat = await ivy.link.hears("HEARTBEAT", within_s=_BEAT_S)
    for name in ("links", "users"):
        if name in beat.payload:
            raise Breach(f"HEARTBEAT to a plain server has {name}")


# --- links --------------------------------------------------------------------------------------


@GOSSIP.extension(
    "11.87-links-told",
    "the first HEARTBEAT of a link names the servers it is linked with, and not itself",
    "put links [server_id] into HEARTBEAT where the other end was not told of them yet",
)
async def _links_told(probe: Probe) -> None:
    east = await probe.east()
    said, _ = await first_beat(await gossiping(probe))
    if said.links is None:
        raise Breach("the first HEARTBEAT has no links")
    if east.id not in said.links:
        raise Breach("links lacks a server that is linked")
    if probe.world.server_id in said.links:
        raise Breach("links names its sender")


@GOSSIP.extension(
    "11.88-lost-link-told",
    "a link that it lost is told within a second or two",
    "send a HEARTBEAT without that server in links when a link ends: others must forward to you"
    " again what they hear of it",
    rests_on="11.87-links-told",
)
async def _lost_link_told(probe: Probe) -> None:
    north, gail = await probe.server("north"), await gossiping(probe)
    said, _ = await first_beat(gail)
    if said.links is None or north.id not in said.links:
        raise Unjudged("links did not name it while it was linked: see 11.87-links-told")
    await north.link.close()
    await gail.link.hears("HEARTBEAT", where=lambda frame: _lacks(frame, north.id))


def _lacks(beat: Frame, server_id: str) -> bool:
    links = _said(beat).links
    return links is not None and server_id not in links


@GOSSIP.extension(
    "11.89-new-link-told",
    "a new link is told in the next HEARTBEAT",
    "send links again when they changed",
    waits_s=HEARTBEAT_S + 5,
)
async def _new_link_told(probe: Probe) -> None:
    await probe.identity("nora")
    gina = await gossiping(probe, "gina")
    await first_beat(gina)
    nora = await probe.server("nora")
    await gina.link.hears(
        "HEARTBEAT", where=lambda beat: nora.id in (_said(beat).links or ()), within_s=_BEAT_S
    )


async def tells(server: Peer, *users: Identity, links: Iterable[str] | None = None) -> None:
    """A HEARTBEAT of ours that tells of these users, whom it has without an attach."""
    roll = Roll(server.id)
    for who in users:
        roll.entries[who.id] = entry(who.id, who.key.public.fingerprint, None)
    said: dict[str, Any] = {"users": roll.told()}
    if links is not None:
        said["links"] = list(links)
    await server.say("HEARTBEAT", said, to=server.server_id)


@GOSSIP.extension(
    "11.90-not-told-twice",
    "presence is not forwarded to a server that said it is linked with its origin",
    "forward to those alone whose newest links do not name the origin",
)
async def _not_told_twice(probe: Probe) -> None:
    east, gail = await probe.east(), await gossiping(probe)
    await first_beat(gail)
    await tells(gail, links=[east.id])
    await settled(gail)
    fred = await foreigner(probe)
    await advertised(probe, east, fred)
    await gail.link.quiet("USER_ADVERTISE", where=of_user(fred.id))
    await gone(east, fred)


@GOSSIP.extension(
    "11.91-told-until-linked",
    "presence is forwarded to a server with gossip/1 that did not name its origin",
    "forward everything on a new link, until the other end's links say what it hears itself",
)
async def _told_until_linked(probe: Probe) -> None:
    east, gail = await probe.east(), await gossiping(probe)
    fred = await foreigner(probe)
    await advertised(probe, east, fred)
    await gail.link.hears("USER_ADVERTISE", where=of_user(fred.id))
    await gone(east, fred)


@GOSSIP.extension(
    "11.92-told-again",
    "it is forwarded again when links no longer name the origin",
    "the newest links replace the former ones, [] too",
)
async def _told_again(probe: Probe) -> None:
    east, gail = await probe.east(), await gossiping(probe)
    await first_beat(gail)
    await tells(gail, links=[east.id])
    await tells(gail, links=[])
    await settled(gail)
    fred = await foreigner(probe)
    await advertised(probe, east, fred)
    await gail.link.hears("USER_ADVERTISE", where=of_user(fred.id))
    await gone(east, fred)
