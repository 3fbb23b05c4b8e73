"""Section 11: `gossip/1`, a server that dials and tells of its users."""

from __future__ import annotations

from typing import Any, Final

from socp.conform.canonical import canonical
from socp.conform.cast import Identity, new_id
from socp.conform.expect import same
from socp.conform.figures import HEARTBEAT_S
from socp.conform.frames import Frame
from socp.conform.listen.visit import Visit
from socp.conform.rolls import Beat, NotABeat, Roll, read_beat
from socp.conform.rule import Section
from socp.conform.rules.link_auth import binds
from socp.conform.verdicts import Breach

GOSSIPERS: Final[Section[Visit]] = Section()
_BEAT_S: Final = HEARTBEAT_S + 1.0


def _said(beat: Frame) -> Beat:
    try:
        return read_beat(beat.payload)
    except NotABeat as fault:
        raise Breach(f"HEARTBEAT: {fault}") from fault


async def _beat(visit: Visit) -> tuple[Frame, Roll]:
    """A HEARTBEAT of this link, and whom it should tell of."""
    visit.check_announces("bind/1", "gossip/1")
    await visit.guest()
    house = visit.house
    beat = await visit.told(
        "HEARTBEAT", where=lambda frame: frame in house.lately, within_s=_BEAT_S
    )
    roll = Roll(visit.id)
    roll.hear(house.lately[: house.lately.index(beat)])
    return beat, roll


@GOSSIPERS.extension(
    "11.170-beat",
    "its HEARTBEAT has users {count, digest}, and the first one links",
    "put users into each HEARTBEAT on a link with gossip/1 and bind/1, links where they changed",
)
async def _users_told(visit: Visit) -> None:
    beat, _ = await _beat(visit)
    said = _said(beat)
    if said.digest is None:
        raise Breach("HEARTBEAT has no users")
    if said.links is None:
        raise Breach("the first HEARTBEAT of the link has no links")
    if visit.id in said.links:
        raise Breach("links names its sender")


@GOSSIPERS.extension(
    "11.171-digest",
    "count and digest are those of the users it advertised on this link before",
    "XOR SHA-256(user_id || fingerprint as 64 hex digits || attach.ts in decimal, or nothing)",
    rests_on="11.170-beat",
)
async def _digest(visit: Visit) -> None:
    beat, roll = await _beat(visit)
    said = _said(beat)
    same("the count", said.count, len(roll.entries))
    same("the digest", said.digest, roll.digest)


@GOSSIPERS.extension(
    "11.172-beat-bound",
    "HEARTBEAT carries bind, and is signed",
    "put bind into HEARTBEAT and sign it: else an old one could be said again as a newer one",
)
async def _bound(visit: Visit) -> None:
    beat, _ = await _beat(visit)
    binds(beat)
    if not visit.key.signed(beat.sig, canonical(beat.payload)):
        raise Breach("the sig of HEARTBEAT does not verify")


@GOSSIPERS.extension(
    "11.173-sync-answered",
    "PRESENCE_SYNC is answered by its users, then a HEARTBEAT",
    "say the snapshot again, and end it with a HEARTBEAT, at once",
)
async def _sync_answered(visit: Visit) -> None:
    beat, _ = await _beat(visit)
    guest = await visit.guest()
    guest.link.heard.clear()
    await guest.say("PRESENCE_SYNC", {}, to=visit.id)
    answer, before = await guest.link.reaches("HEARTBEAT", "ERROR")
    if answer.type == "ERROR":
        raise Breach(f"PRESENCE_SYNC was refused: {answer.gist()}")
    roll = Roll(visit.id)
    roll.hear(before)
    same("the digest behind it", _said(answer).digest, roll.digest)
    if beat.ts == answer.ts:
        raise Breach("it is the same HEARTBEAT once more")


async def _tells(visit: Visit, *users: Identity) -> None:
    """A HEARTBEAT of the house that tells of these."""
    guest, roll = await visit.guest(), Roll(visit.house.who.id)
    roll.hear(_advert(visit, each) for each in users)
    await guest.say("HEARTBEAT", {"users": roll.told()}, to=visit.id)


def _advert(visit: Visit, user: Identity) -> Frame:
    members: dict[str, Any] = {"type": "USER_ADVERTISE", "from": visit.house.who.id}
    return Frame("", {**members, "payload": visit.house.advert(user)})


async def _whole(visit: Visit) -> None:
    """Everybody is advertised, and told of."""
    guest = await visit.guest()
    for user in visit.house.users:
        await guest.say("USER_ADVERTISE", visit.house.advert(user))
    await _tells(visit, *visit.house.users)


@GOSSIPERS.extension(
    "11.174-does-not-ask",
    "a digest that fits what it heard is not answered by PRESENCE_SYNC",
    "take fingerprint and attach as USER_ADVERTISE said them",
)
async def _does_not_ask(visit: Visit) -> None:
    visit.check_announces("bind/1", "gossip/1")
    await _whole(visit)
    guest = await visit.guest()
    await guest.say("PUBKEY_REQUEST", {"user_id": visit.house.bob.id}, to=visit.id)
    await guest.link.hears("PUBKEY_RESPONSE", "ERROR")  # then it has read what came before
    await guest.link.quiet("PRESENCE_SYNC")


@GOSSIPERS.extension(
    "11.175-asks",
    "a digest that differs from what it heard is answered by PRESENCE_SYNC",
    "compare each HEARTBEAT with what you know of its sender's users, and ask where it differs",
)
async def _asks(visit: Visit) -> None:
    visit.check_announces("bind/1", "gossip/1")
    await _whole(visit)
    lost = Identity("lost", new_id(), visit.house.bob.key)
    await _tells(visit, *visit.house.users, lost)
    await (await visit.guest()).link.hears("PRESENCE_SYNC")
    await _whole(visit)  # or it goes on asking
