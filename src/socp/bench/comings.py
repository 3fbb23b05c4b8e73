"""Whether memory stays where it is while people come and go: users join and talk, half of them are
cut off and come back, ten times over. `script/bench comings [--users 1000] [--rounds 10]`

The exit code is 1 where the server holds over a tenth more at the end than after the first round,
or those who were cut off were not all back within a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvloop

from socp.bench.rounds import ACK, DELIVERED, Round
from socp.bench.serving import Server, serving
from socp.bench.setting import allow_files
from socp.bench.user import Kind, User, join_all, joined, leave
from socp.server import sizes
from socp.wire import limits

ALLOWED: Final = 1.1
REST_S: Final = 1.0
BACK_S: Final = 60
_AT_ONCE: Final = 500  # who talk at the same time


async def talk(users: Sequence[User]) -> None:
    """Each says something to the next, and all of it arrives."""
    for first in range(0, len(users), _AT_ONCE):
        some = users[first : first + _AT_ONCE]
        said = {each.link: each.directs(some[number - 1].id, 1) for number, each in enumerate(some)}
        await Round(said, goes_on=ACK, owed={ACK: len(some), DELIVERED: len(some)}).run(1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one round."""

    held: int  # bytes, with all users there
    back_s: float  # until those who were cut off were back


async def come_and_go(server: Server, count: int, rounds: int) -> list[Outcome]:
    """Prints a line for each round."""
    began = time.monotonic()
    users, outcomes = await joined(server.url, Kind.FAST, count), list[Outcome]()
    print(f"{count:,} came in {time.monotonic() - began:.0f} s", flush=True)
    for number in range(rounds):
        began = time.monotonic()
        await talk(users)
        half = users[number % 2 :: 2]
        cut = time.monotonic()
        leave(half)
        await asyncio.sleep(REST_S)
        await join_all(half, server.url)
        back_s = time.monotonic() - cut
        await talk(users)
        outcomes.append(Outcome(server.resident_bytes(), back_s))
        print(
            f"round {number + 1:2}: {outcomes[-1].held / limits.MIB:6.1f} MiB,"
            f" {time.monotonic() - began:.0f} s, half back in {back_s:.0f} s",
            flush=True,
        )
    leave(users)
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/bench comings")
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--memory", default=sizes.shown(limits.MEMORY_BYTES))
    asked = parser.parse_args()
    if allow_files(asked.users) < asked.users:
        parser.error(f"no {asked.users} links: raise the hard limit of open files")
    with (
        tempfile.TemporaryDirectory() as place,
        serving(Path(place), "--memory", asked.memory) as server,
    ):
        print(f"before:   {server.resident_bytes() / limits.MIB:6.1f} MiB", flush=True)
        outcomes = uvloop.run(come_and_go(server, asked.users, asked.rounds))
    first, last = outcomes[0].held, outcomes[-1].held
    slowest_s = max(each.back_s for each in outcomes)
    print(
        f"the last : the first = {last / first:.3f} (at most {ALLOWED}),"
        f" {(last - first) / asked.users:.0f} B a user; all back in {slowest_s:.0f} s at most"
    )
    return 0 if last <= ALLOWED * first and slowest_s <= BACK_S else 1


if __name__ == "__main__":
    sys.exit(main())
