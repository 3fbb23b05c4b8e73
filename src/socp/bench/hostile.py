"""Frames of a mebibyte that are made to hurt (goal 10): how long they hold the event loop, what
memory they take, and whether anybody else is the worse for it.

The loop is held for no longer than its thread had the processor for the frame, from its first byte
to the answer: that is what is measured, for a clock would show who else is at work.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Final

from socp.bench import goals, processes, siege
from socp.bench.figures import Figure, Goal, Side
from socp.bench.load_link import framed
from socp.bench.pairs import Spread
from socp.bench.rounds import ACK, DELIVERED, ERROR, Round
from socp.bench.serving import Server, option_exists
from socp.bench.setting import Setting
from socp.bench.settled import settled
from socp.bench.trouble import CannotMeasure
from socp.bench.user import Kind, User, joined, leave
from socp.wire import limits

NEIGHBOURS: Final = 20
PATIENCE_S: Final = 30
_HEAD: Final = '{"type":"MSG_DIRECT","from":"%s","to":"%s","ts":%d,"payload":{"x":'
_TAIL: Final = '},"sig":""}'


def many(head: str, tail: str) -> bytes:
    """Half a million values."""
    return _filled(head + "[0", ",0", "]" + tail)


def deep(head: str, tail: str) -> bytes:
    """Half a million levels."""
    room = (limits.FRAME_BYTES - len(head) - len(tail)) // 2
    return (head + "[" * room + "]" * room + tail).encode()


def objects(head: str, tail: str) -> bytes:
    """A hundred thousand objects, each with a name of its own for its member."""
    return _filled(head + "[{}", ',{"a":{}}', "]" + tail)


def _filled(head: str, piece: str, tail: str) -> bytes:
    room = (limits.FRAME_BYTES - len(head) - len(tail)) // len(piece)
    return (head + piece * room + tail).encode()


REFUSED: Final[dict[str, Callable[[str, str], bytes]]] = {
    "too many values": many,
    "too deep": deep,
    "too many objects": objects,
}


@dataclass(slots=True)
class Effect:
    """What frames of one kind did: the loop's time beside json.loads of the same, and memory."""

    held_s: list[float] = field(default_factory=list)
    loads_s: list[float] = field(default_factory=list)
    grew: list[float] = field(default_factory=list)
    """In frames of that size."""

    @property
    def ratios(self) -> Spread:
        """Held : json.loads."""
        return Spread.of(
            [held / loads for held, loads in zip(self.held_s, self.loads_s, strict=True)]
        )


async def measure(setting: Setting) -> AsyncIterator[Figure]:
    """Goal 10. A server for each try, for only the first such frame finds the heap small."""
    setting.needs_own()
    refused, accepted, dropped = Effect(), Effect(), 0
    loads_s = max(_loads_s(make(_HEAD % ("", "", 0), _TAIL)) for make in REFUSED.values())
    for number in range(setting.pairs):
        for name, make in REFUSED.items():
            with setting.server(f"hostile-{number}-{name.replace(' ', '-')}") as server:
                dropped += await _try(server, make, refused, ERROR, loads_s)
        with setting.server(f"accepted-{number}") as server:
            dropped += await _try(server, _welcome, accepted, ACK, 0)
    yield _stall("hostile-refused", "a refused mebibyte", refused, goals.STALL_REFUSED)
    yield _stall("hostile-accepted", "an accepted mebibyte", accepted, goals.STALL_ACCEPTED)
    yield Figure(
        key="hostile-memory",
        what="memory that a refused mebibyte takes at most",
        value=max(refused.grew),
        ours=Side("peak", f"{max(refused.grew):.1f} MiB"),
        reference=Side("the frame", "1.0 MiB"),
        goal=goals.HOSTILE_MEMORY,
        by="memory",
        note=f"an accepted one {max(accepted.grew):.1f} MiB",
    )
    tried = NEIGHBOURS * (len(REFUSED) + 1) * setting.pairs
    yield Figure(
        key="hostile-neighbours",
        what="neighbours dropped",
        value=float(dropped),
        ours=Side("dropped", f"{dropped} of {tried}"),
        goal=goals.NEIGHBOURS_DROPPED,
    )
    if option_exists(siege.OPTION):
        for figure in await siege.besieged(setting):
            yield figure


def _stall(key: str, what: str, effect: Effect, goal: Goal) -> Figure:
    ratio, worst = effect.ratios, max(effect.held_s) * 1e3
    return Figure(
        key=key,
        what=f"the loop held by {what}, the worst kind",
        value=ratio.high,
        low=ratio.low,
        high=ratio.high,
        ours=Side("held", f"{worst:.1f} ms at most, {median(effect.held_s) * 1e3:.1f} mostly"),
        reference=Side("json.loads of it", f"{median(effect.loads_s) * 1e3:.1f} ms"),
        goal=goal,
        pairs=len(effect.held_s),
        by="processor",
    )


def _welcome(head: str, tail: str) -> bytes:
    """As long as may be, and within every bound: 45,000 values in a member nobody knows."""
    count = 45_000
    room = limits.FRAME_BYTES - 2 * limits.HOP_BYTES - len(head) - len(tail) - 10
    piece = ',"' + "x" * (room // count - 3) + '"'
    return (head + '["x"' + piece * (count - 1) + "]" + tail).encode()


async def _try(
    server: Server,
    make: Callable[[str, str], bytes],
    effect: Effect,
    answer: bytes,
    loads_s: float,
) -> int:
    """One such frame; how many neighbours were dropped."""
    users = await joined(server.url, Kind.QUIET, NEIGHBOURS + 1)
    attacker, *neighbours = users
    frame = _addressed(attacker, neighbours[0], make, said=answer == ACK)
    await settled(server)
    processes.forget_peak(server.pid)
    memory, held_s = server.resident_bytes(), processes.first_thread_s(server.pid)
    await _answered(attacker, framed(frame), answer)
    effect.held_s.append(processes.first_thread_s(server.pid) - held_s)
    effect.grew.append((processes.peak_bytes(server.pid) - memory) / len(frame))
    effect.loads_s.append(loads_s or _loads_s(frame))
    dropped = await _dropped(neighbours)
    leave(users)
    return dropped


def _addressed(
    author: User, reader: User, make: Callable[[str, str], bytes], *, said: bool
) -> bytes:
    """The frame, from one user to another. `said`: with what a message must have."""
    tail = _TAIL
    if said:
        message = author.directs(reader.id, 1)[0]
        body = json.loads(message[message.index(b'{"') :])
        tail = "," + json.dumps(body["payload"])[1:-1] + _TAIL
    return make(_HEAD % (author.id, reader.id, author.next_ts()), tail)


async def _answered(user: User, frame: bytes, answer: bytes) -> None:
    """Return when the server said so. Raises CannotMeasure."""
    over: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def hear(_link: object, kind: bytes, said: bytes) -> None:
        if kind in (ACK, ERROR) and not over.done():
            over.set_result(said)

    user.link.heard = hear
    user.link.send(frame)
    try:
        async with asyncio.timeout(PATIENCE_S):
            said = await over
    except TimeoutError:
        raise CannotMeasure(f"a mebibyte was not answered (lost: {user.link.lost})") from None
    if not said.startswith(b'{"type":"' + answer):
        raise CannotMeasure(f"a mebibyte was not answered by {answer!r}: {said[:300]!r}")


async def _dropped(neighbours: list[User]) -> int:
    """How many are not there any more, or hear nobody."""
    there = [each for each in neighbours if not each.link.lost]
    for one, other in pairwise(there):
        made = {one.link: one.directs(other.id, 1)}
        talk = Round(made, goes_on=ACK, owed={ACK: 1, DELIVERED: 1}, listeners=[other.link])
        await talk.run(1)
    return len(neighbours) - len(there)


def _loads_s(frame: bytes) -> float:
    """What json.loads takes of the processor; of what is too deep for it, until it sees that."""
    began_s = time.thread_time()
    try:
        json.loads(frame)
    except RecursionError:
        return 0.0
    return time.thread_time() - began_s
