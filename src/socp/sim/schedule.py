"""Draws a story from a seed: who says what when, and what goes wrong meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from socp.sim.dice import Dice
from socp.sim.story import SERVER_LIES, USER_LIES, Happening, Kind, Story

MINUTE_MS: Final = 60_000
CYCLE_MS: Final = 6 * MINUTE_MS
STORM_MS: Final = 4 * MINUTE_MS
"""Of each cycle so much is stormy; in the rest all that went wrong must heal."""
FAULTS_A_MINUTE: Final = 3
"""A server and minute of storm, and a quarter of that for each user."""
LIES_A_MINUTE: Final = 10
"""Of each server and user gone bad."""
LASTING: Final = frozenset({Kind.CLAIM, Kind.ECHO, Kind.GARBLE, Kind.SWALLOW})
AHEAD_MS_MAX: Final = 900_000
"""What is said by a clock so far ahead is kept until it is due."""

Draw = Callable[[Dice, int, int], dict[str, int]]
"""The members of a happening, given how many servers and users there are."""


def drawn(
    seed: int, servers: int, users: int, minutes: float, *, faults: bool = True, every_s: int = 60
) -> Story:
    """`every_s`: how often each user writes to somebody."""
    dice = Dice(seed)
    end_ms = int(minutes * MINUTE_MS)
    found = _work(Dice(dice.bits()), users, end_ms, every_s * 1000)
    if faults:
        found += _faults(Dice(dice.bits()), servers, users, end_ms)
        found += _lies(Dice(dice.bits()), servers, users, end_ms)
    found.sort(key=lambda each: each.at_ms)
    return Story(seed, servers, users, minutes, tuple(found))


def _work(dice: Dice, users: int, end_ms: int, every_ms: int) -> list[Happening]:
    found: list[Happening] = []
    if users < 2:
        return found
    for who in range(users):
        at_ms = dice.below(every_ms)
        while at_ms < end_ms:
            other = dice.below(users - 1)
            found.append(Happening(at_ms, Kind.SAY, who, other + (other >= who)))
            at_ms += dice.between(every_ms // 2, every_ms * 3 // 2)
    for _ in range(max(1, end_ms // MINUTE_MS)):
        found.append(Happening(dice.below(end_ms), Kind.POST, dice.below(users)))
        who, other = dice.two_below(users)
        size = dice.between(1, 3_000)
        found.append(Happening(dice.below(end_ms), Kind.FILE, who, other, much=size))
    return found


def _faults(dice: Dice, servers: int, users: int, end_ms: int) -> list[Happening]:
    found: list[Happening] = []
    for start_ms in range(0, end_ms, CYCLE_MS):
        long_ms = min(STORM_MS, end_ms - start_ms)
        count = (servers + users // 4) * FAULTS_A_MINUTE * long_ms // MINUTE_MS
        for _ in range(count):
            at_ms = start_ms + dice.below(long_ms)
            kind = dice.one_of(_LIKELY)
            members = _DRAWS[kind](dice, servers, users)
            members["for_ms"] = min(members.get("for_ms", 0), start_ms + long_ms - at_ms)
            found.append(Happening(at_ms, kind, **members))
    return found


def _lies(dice: Dice, servers: int, users: int, end_ms: int) -> list[Happening]:
    """In two stories of three somebody lies: a server, users, or both."""
    found: list[Happening] = []
    bad = dice.one_of(((1, 0), (0, 2), (1, 1), (0, 1), (0, 0), (0, 0)))
    liars = [(SERVER_LIES, dice.below(servers)) for _ in range(bad[0] if servers > 2 else 0)]
    liars += [(USER_LIES, dice.below(users)) for _ in range(bad[1] if users > 2 else 0)]
    for kinds, who in liars:
        for start_ms in range(0, end_ms, CYCLE_MS):
            long_ms = min(STORM_MS, end_ms - start_ms)
            for _ in range(LIES_A_MINUTE * long_ms // MINUTE_MS):
                at_ms = start_ms + dice.below(long_ms)
                kind = dice.one_of(kinds)
                for_ms = min(_while(dice), start_ms + long_ms - at_ms) if kind in LASTING else 0
                other, much = dice.below(max(servers, users)), dice.below(2**32)
                found.append(Happening(at_ms, kind, who, other, for_ms, much))
    return found


def _a_user(dice: Dice, _servers: int, users: int) -> dict[str, int]:
    return {"who": dice.below(users), "for_ms": _while(dice)}


def _a_server(dice: Dice, servers: int, _users: int) -> dict[str, int]:
    return {"who": dice.below(servers), "for_ms": _while(dice)}


def _two_servers(dice: Dice, servers: int, _users: int) -> dict[str, int]:
    who, other = dice.two_below(max(servers, 2))
    return {"who": who, "other": other % servers, "for_ms": _while(dice)}


def _a_half(dice: Dice, _servers: int, _users: int) -> dict[str, int]:
    return {"who": 0, "much": dice.below(2**32), "for_ms": _while(dice)}


def _slow(dice: Dice, servers: int, _users: int) -> dict[str, int]:
    return {"who": dice.below(servers), "for_ms": _while(dice), "much": dice.between(2, 100)}


def _jump(dice: Dice, servers: int, _users: int) -> dict[str, int]:
    far_ms = dice.one_of((500, 5_000, 60_000, 200_000, AHEAD_MS_MAX))
    much = dice.one_of((dice.between(1, far_ms), -4 * dice.between(1, far_ms)))
    return {"who": dice.below(servers), "for_ms": _while(dice), "much": much}


def _while(dice: Dice) -> int:
    """Mostly short, now and then longer than silence is borne; ms."""
    return dice.between(1, dice.one_of((50, 1_000, 10_000, 10_000, 60_000, 120_000)))


_DRAWS: Final[dict[Kind, Draw]] = {
    Kind.LEAVE: _a_user,
    Kind.KILL_USER: _a_user,
    Kind.KILL_SERVER: _a_server,
    Kind.DISK_FULL: _a_server,
    Kind.CUT: _two_servers,
    Kind.PART: _a_half,
    Kind.ONE_WAY: _two_servers,
    Kind.USER_OFF: _a_user,
    Kind.FREEZE: _a_server,
    Kind.FREEZE_USER: _a_user,
    Kind.SLOW: _slow,
    Kind.JUMP: _jump,
}
_LIKELY: Final = (
    *(Kind.LEAVE, Kind.KILL_USER, Kind.USER_OFF, Kind.FREEZE_USER) * 2,
    *(Kind.KILL_SERVER, Kind.CUT, Kind.PART, Kind.ONE_WAY) * 2,
    *(Kind.DISK_FULL, Kind.FREEZE, Kind.SLOW, Kind.JUMP),
)
