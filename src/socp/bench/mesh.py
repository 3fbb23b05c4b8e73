"""Two servers that are linked with each other, and users who know of each other across the link."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Final
from urllib.request import urlopen

from socp.bench.rounds import ACK, DELIVERED, Round
from socp.bench.sample import Sample
from socp.bench.serving import Server
from socp.bench.setting import Setting
from socp.bench.trouble import CannotMeasure
from socp.bench.user import User

LINKED_S: Final = 30
LOOK_S: Final = 0.1
OPEN: Final = ("--federation", "open")  # neither knows the other's key beforehand


@asynccontextmanager
async def two_servers(setting: Setting, name: str) -> AsyncIterator[tuple[Server, Server]]:
    """With default settings, but that they let each other in."""
    setting.needs_own()
    with ExitStack() as stack:
        first = stack.enter_context(setting.server(f"{name}-first", *OPEN))
        second = stack.enter_context(setting.server(f"{name}-second", *OPEN, bootstrap=first.url))
        await _until(lambda: all(_health(each)["servers"] == 1 for each in (first, second)))
        yield first, second


async def _until(linked: object) -> None:
    """Raises CannotMeasure."""
    assert callable(linked)
    until_s = time.monotonic() + LINKED_S
    while not await asyncio.to_thread(linked):
        if time.monotonic() > until_s:
            raise CannotMeasure(f"two servers did not link within {LINKED_S} s")
        await asyncio.sleep(LOOK_S)


def _health(server: Server) -> dict[str, object]:
    address = "http" + server.url.removeprefix("ws") + "/healthz"
    with urlopen(address, timeout=LINKED_S) as answer:  # noqa: S310 - a server of our own
        said: dict[str, object] = json.load(answer)
        return said


class Busier:
    """Measures one run beside several processes: of the processor the one counts that had most, for
    it is the first whose core is full."""

    def __init__(self, *servers: Server) -> None:
        self._servers = servers
        self._before = self._processors_s()
        self._began_s = time.perf_counter()

    def sample(self, count: int) -> Sample:
        """So much was done since."""
        clock_s = time.perf_counter() - self._began_s
        had = [now - b for now, b in zip(self._processors_s(), self._before, strict=True)]
        return Sample(count, clock_s, max(had))

    def _processors_s(self) -> list[float]:
        return [each.processor_s() or 0.0 for each in self._servers]


async def introduce(users: list[User], readers: list[User]) -> None:
    """Return when each can reach their reader. Raises CannotMeasure."""
    made = {
        user.link: user.directs(reader.id, 1) for user, reader in zip(users, readers, strict=True)
    }
    count = len(users)
    links = [each.link for each in readers]
    talk = Round(made, goes_on=ACK, owed={DELIVERED: count}, listeners=links)
    await talk.run(1)
