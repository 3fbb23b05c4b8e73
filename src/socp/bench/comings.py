"""Whether memory stays where it is while people come and go: users join and talk, half of them are
cut off and come back, ten times over. `script/bench comings [--users 1000] [--rounds 10]`

The exit code is 1 where the server holds over a tenth more at the end than after the first round.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import uvloop

from socp.bench.rounds import ACK, DELIVERED, Round
from socp.bench.serving import Server, serving
from socp.bench.user import Kind, User, join_all, joined, leave
from socp.server import sizes
from socp.wire import limits

ALLOWED: Final = 1.1
REST_S: Final = 1.0
_AT_ONCE: Final = 500  # who talk at the same time


async def talk(users: Sequence[User]) -> None:
    """Each says something to the next, and all of it arrives."""
    for first in range(0, len(users), _AT_ONCE):
        some = users[first : first + _AT_ONCE]
        said = {each.link: each.directs(some[number - 1].id, 1) for number, each in enumerate(some)}
        await Round(said, goes_on=ACK, owed={ACK: len(some), DELIVERED: len(some)}).run(1)


async def come_and_go(server: Server, count: int, rounds: int) -> list[int]:
    """Bytes held after each round, with all users there; prints a line for each."""
    users, held = await joined(server.url, Kind.FAST, count), []
    for number in range(rounds):
        began = time.monotonic()
        await talk(users)
        half = users[number % 2 :: 2]
        leave(half)
        await asyncio.sleep(REST_S)
        await join_all(half, server.url)
        await talk(users)
        held.append(server.resident_bytes())
        took = time.monotonic() - began
        print(f"round {number + 1:2}: {held[-1] / limits.MIB:6.1f} MiB, {took:.0f} s", flush=True)
    leave(users)
    return held


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/bench comings")
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--memory", default=sizes.shown(limits.MEMORY_BYTES))
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as place,
        serving(Path(place), "--memory", asked.memory) as server,
    ):
        print(f"before:   {server.resident_bytes() / limits.MIB:6.1f} MiB", flush=True)
        held = uvloop.run(come_and_go(server, asked.users, asked.rounds))
    each = (held[-1] - held[0]) / asked.users
    print(
        f"the last : the first = {held[-1] / held[0]:.3f} (at most {ALLOWED}), {each:.0f} B a user"
    )
    return 0 if held[-1] <= ALLOWED * held[0] else 1


if __name__ == "__main__":
    sys.exit(main())
