"""One run as a server: wait for a guest, see what it is, try each rule for such a guest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from socp.conform.cast import Cast, Identity
from socp.conform.judging import judged, rests_on_a_fault, skipped
from socp.conform.listen.clients import CLIENTS
from socp.conform.listen.diallers import DIALLERS
from socp.conform.listen.gossipers import GOSSIPERS
from socp.conform.listen.guests import GUESTS
from socp.conform.listen.house import USER_HELLO, House, open_house
from socp.conform.listen.sealers import SEALERS
from socp.conform.listen.senders import SENDERS
from socp.conform.listen.visit import Visit
from socp.conform.listen.watchers import WATCHERS
from socp.conform.manners import Manners
from socp.conform.results import Report, Result
from socp.conform.rule import Rule
from socp.conform.server_run import CannotRun
from socp.conform.transcript import Transcript
from socp.conform.verdicts import Finding

FOR_CLIENTS: Final = (CLIENTS, WATCHERS, SEALERS, SENDERS)
FOR_SERVERS: Final = (DIALLERS, GOSSIPERS)
GUEST_RULES: Final[tuple[Rule[Visit], ...]] = tuple(
    sorted(
        (rule for section in (GUESTS, *FOR_CLIENTS, *FOR_SERVERS) for rule in section.rules),
        key=lambda rule: (int(rule.section), int(rule.id.partition("-")[0].partition(".")[2])),
    )
)
_LAST_IDS: Final = ("ffffffff-ffff-4fff-bfff-", "fffffffe-ffff-4fff-bfff-")
"""How the ids of the users begin who are played: whoever comes is smaller, and makes the channel's
key (section 7). The rest is of this run, for their keys are."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where to listen, and for how long somebody is waited for."""

    host: str
    port: int
    rules: tuple[Rule[Visit], ...] = GUEST_RULES
    first_guest_s: float = 120.0
    wait_s: float = 20.0
    """For what a person must have the client do."""
    back_s: float = 20.0
    """How long a guest that was cut off may take to come back."""
    manners: Manners = field(default_factory=Manners)


async def judge_guest(
    door: Door,
    tell: Callable[[Result], None],
    opened: Callable[[House], Any],
    cast: Cast | None = None,
) -> Report:
    """Judge whoever comes first; `opened` hears where the door is. Raises CannotRun."""
    cast = cast or Cast()
    try:
        who, bob, hal = await asyncio.gather(*map(cast.one, ("house", "bob", "hal")))
        last = [
            Identity(each.name, begin + each.id[-12:], each.key)
            for each, begin in zip((bob, hal), _LAST_IDS, strict=True)
        ]
        users = (last[0], last[1])
        try:
            async with open_house(who, users, door.host, door.port, door.manners) as house:
                opened(house)
                return await _judged(door, house, tell)
        except OSError as fault:
            raise CannotRun(
                f"cannot listen on {door.host}:{door.port}: {fault.strerror}; take another port"
            ) from fault
    finally:
        await cast.dismiss()


async def _judged(door: Door, house: House, tell: Callable[[Result], None]) -> Report:
    try:
        await house.present(Transcript(), door.first_guest_s)
    except Finding as fault:
        raise CannotRun(f"{fault}; attach a client, or have a server dial") from fault
    is_user = house.hellos[0].type == USER_HELLO
    others = FOR_SERVERS if is_user else FOR_CLIENTS
    foreign = {rule.id for section in others for rule in section.rules}
    results: list[Result] = []
    for rule in door.rules:
        if rule.id in foreign:
            continue
        if rests_on_a_fault(rule, results):
            result = skipped(rule, f"rests on {rule.rests_on}, which does not hold")
        else:
            result = await judged(rule, lambda transcript: _staged(door, house, transcript))
        tell(result)
        results.append(result)
    kind = "client" if is_user else "server"
    return Report(f"{kind} {house.hellos[0].members.get('from')}", tuple(results))


@asynccontextmanager
async def _staged(door: Door, house: House, transcript: Transcript) -> AsyncIterator[Visit]:
    yield Visit(house, transcript, door.wait_s, door.back_s)
