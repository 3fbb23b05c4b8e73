"""Section 11: `gossip/1`, what was lost between servers, and heals."""

from __future__ import annotations

from typing import Final

from socp.conform.cast import Identity
from socp.conform.expect import of_user, same
from socp.conform.figures import SYNCS_AT_ONCE
from socp.conform.frames import now_ms
from socp.conform.peers import Peer
from socp.conform.probe import Probe, Refused
from socp.conform.rolls import Roll, entry
from socp.conform.rule import Need, Section
from socp.conform.rules.gossip import first_beat, gossiping, settled, tells
from socp.conform.rules.presence import advert, advertised, foreigner
from socp.conform.verdicts import Breach, Unjudged

HEALING: Final[Section[Probe]] = Section(needs=(Need.USERS, Need.SERVERS), feature="gossip/1")


async def _synced(gail: Peer, alice: Peer) -> Roll:
    """Whom it names in answer to PRESENCE_SYNC: alice, then a HEARTBEAT. Raises Refused, or
    Breach."""
    await settled(gail)
    await gail.say("PRESENCE_SYNC", {}, to=gail.server_id)
    roll = Roll(gail.server_id)
    while alice.id not in roll.entries:  # a HEARTBEAT may come for other reasons
        came, before = await gail.link.reaches("HEARTBEAT", "ERROR")
        if came.type == "ERROR":
            raise Refused(came, "PRESENCE_SYNC")
        roll.hear(before)
    return roll


@HEALING.extension(
    "11.93-sync-answered",
    "PRESENCE_SYNC is answered by USER_ADVERTISE of each of its users, then a HEARTBEAT",
    "say the whole snapshot again, and end it with a HEARTBEAT",
)
async def _sync_answered(probe: Probe) -> None:
    alice, bob, gail = await probe.alice(), await probe.bob(), await gossiping(probe)
    await first_beat(gail)
    roll = await _synced(gail, alice)
    if bob.id not in roll.entries:
        raise Breach("the answer lacks USER_ADVERTISE of bob")


@HEALING.extension(
    "11.94-sync-rationed",
    "who asks more often than three times at once is refused (RATE_LIMITED)",
    "answer three PRESENCE_SYNC at once, then one in 10 s: each costs you a whole snapshot",
    rests_on="11.93-sync-answered",
)
async def _sync_rationed(probe: Probe) -> None:
    alice, gail = await probe.alice(), await gossiping(probe)
    await first_beat(gail)
    for _ in range(SYNCS_AT_ONCE + 1):
        try:
            await _synced(gail, alice)
        except Refused as refusal:
            same("the code", refusal.code, "RATE_LIMITED")
            return
    raise Breach(f"{SYNCS_AT_ONCE + 1} in a row were answered")


@HEALING.extension(
    "11.95-asks",
    "a digest that differs from what it heard is answered by PRESENCE_SYNC {}",
    "compare each HEARTBEAT with what you know of its sender's users, and ask where it differs",
)
async def _asks(probe: Probe) -> None:
    gail, fred, lost = await gossiping(probe), *(await _two(probe))
    await gail.say("USER_ADVERTISE", advert(gail, fred))
    await tells(gail, fred, lost)
    await gail.link.hears("PRESENCE_SYNC")


@HEALING.extension(
    "11.96-does-not-ask",
    "a digest that fits is not answered by PRESENCE_SYNC",
    "take fingerprint and attach as USER_ADVERTISE said them",
)
async def _does_not_ask(probe: Probe) -> None:
    gail, fred, erin = await gossiping(probe), *(await _two(probe))
    await _says_all(gail, fred, erin)
    await settled(gail)
    await gail.link.quiet("PRESENCE_SYNC")


@HEALING.extension(
    "11.97-old-beat",
    "a HEARTBEAT that is not newer than the last one says nothing of users",
    "remember the ts of the newest HEARTBEAT of a link: an old one may be a replay",
)
async def _old_beat(probe: Probe) -> None:
    gail, fred, erin = await gossiping(probe), *(await _two(probe))
    await _says_all(gail, fred)
    users = {"count": 1, "digest": Roll("", {erin.id: entry(erin.id, "", None)}).told()["digest"]}
    old = now_ms() - 10_000
    await gail.say("HEARTBEAT", {"users": users}, to=gail.server_id, ts=old)
    await settled(gail)
    await gail.link.quiet("PRESENCE_SYNC")


async def _says_all(gail: Peer, *users: Identity) -> None:
    """Each is advertised, and then they are told of, and nobody else."""
    for who in users:
        await gail.say("USER_ADVERTISE", advert(gail, who))
    await tells(gail, *users)


async def _two(probe: Probe) -> tuple[Identity, Identity]:
    return await foreigner(probe, "fred"), await foreigner(probe, "erin")


async def _asked(gail: Peer) -> None:
    try:
        await gail.link.hears("PRESENCE_SYNC")
    except Breach as fault:
        raise Unjudged("it does not ask: see 11.95-asks") from fault


@HEALING.extension(
    "11.98-lost-advertise-heals",
    "a USER_ADVERTISE that was lost reaches users by the answer to its PRESENCE_SYNC",
    "take what answers PRESENCE_SYNC like any other presence, and forward it",
    rests_on="11.95-asks",
)
async def _lost_advertise(probe: Probe) -> None:
    alice, gail = await probe.alice(), await gossiping(probe)
    fred, erin = await _two(probe)
    await gail.say("USER_ADVERTISE", advert(gail, fred))
    await tells(gail, fred, erin)
    await _asked(gail)
    await _says_all(gail, fred, erin)
    await alice.link.hears("USER_ADVERTISE", where=of_user(erin.id))
    await gail.link.quiet("PRESENCE_SYNC")


async def _lost_remove(probe: Probe) -> tuple[Peer, Identity, Identity]:
    """Fred is still with gail, and Erin left: that was lost, and gail is asked."""
    gail, fred, erin = await gossiping(probe), *(await _two(probe))
    await advertised(probe, gail, fred)
    await advertised(probe, gail, erin)
    await tells(gail, fred, erin)
    await tells(gail, fred)
    await _asked(gail)
    return gail, fred, erin


@HEALING.extension(
    "11.99-lost-remove-heals",
    "who is missing in a whole answer to its PRESENCE_SYNC is gone: users hear USER_REMOVE",
    "where the users named since the question give the digest, take the others away, and tell"
    " your users so",
    rests_on="11.95-asks",
)
async def _lost_remove_heals(probe: Probe) -> None:
    alice = await probe.alice()
    gail, fred, erin = await _lost_remove(probe)
    await _says_all(gail, fred)
    await alice.link.hears("USER_REMOVE", where=of_user(erin.id))
    if alice.link.has("USER_REMOVE", where=of_user(fred.id)):
        raise Breach("who is still there was taken away too")


@HEALING.extension(
    "11.100-half-snapshot",
    "half an answer to its PRESENCE_SYNC takes nobody away",
    "take users away only where those named since the question give exactly the digest",
    rests_on="11.95-asks",
)
async def _half_snapshot(probe: Probe) -> None:
    alice = await probe.alice()
    gail, fred, erin = await _lost_remove(probe)
    await tells(gail, fred)
    for who in (fred, erin):
        await alice.link.quiet("USER_REMOVE", where=of_user(who.id))
