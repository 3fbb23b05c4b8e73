"""One run as a server: wait for a guest, see what it is, try each rule for such a guest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from socp.conform.cast import Cast, Identity
from socp.conform.judging import judged
from socp.conform.listen.clients import CLIENTS
from socp.conform.listen.diallers import DIALLERS
from socp.conform.listen.guests import GUESTS
from socp.conform.listen.house import USER_HELLO, House, open_house
from socp.conform.listen.visit import Visit
from socp.conform.manners import Manners
from socp.conform.results import Report, Result
from socp.conform.rule import Rule
from socp.conform.server_run import CannotRun
from socp.conform.transcript import Transcript
from socp.conform.verdicts import Finding

GUEST_RULES: Final[tuple[Rule[Visit], ...]] = tuple(
    sorted(
        (*GUESTS.rules, *CLIENTS.rules, *DIALLERS.rules),
        key=lambda rule: (int(rule.section), int(rule.id.partition("-")[0].partition(".")[2])),
    )
)
_LAST_ID: Final = "ffffffff-ffff-4fff-bfff-ffffffffffff"
"""Of the user who is played: whoever comes is smaller, and makes the channel's key (section 7)."""


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
        who, bob = await asyncio.gather(cast.one("house"), cast.one("bob"))
        last = Identity(bob.name, _LAST_ID, bob.key)
        try:
            async with open_house(who, last, door.host, door.port, door.manners) as house:
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
    foreign = {rule.id for rule in (DIALLERS if is_user else CLIENTS).rules}
    results = []
    for rule in door.rules:
        if rule.id in foreign:
            continue
        result = await judged(rule, lambda transcript: _staged(door, house, transcript))
        tell(result)
        results.append(result)
    kind = "client" if is_user else "server"
    return Report(f"{kind} {house.hellos[0].members.get('from')}", tuple(results))


@asynccontextmanager
async def _staged(door: Door, house: House, transcript: Transcript) -> AsyncIterator[Visit]:
    yield Visit(house, transcript, door.wait_s, door.back_s)
