"""Rounds of talk: each speaker has a few messages on their way and says the next when one was
acknowledged; a round is over when all that is owed was heard."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from socp.bench.load_link import GONE, LoadLink, ignored
from socp.bench.trouble import CannotMeasure

PATIENCE_S: Final = 120
ERROR: Final = b"ERROR"
ACK: Final = b"ACK"
DELIVERED: Final = b"USER_DELIVER"
SAID: Final = b"MSG_DIRECT"
TICK_S: Final = 0.001
NOBODY: Final = "the server ended every link; is it still there?"
Observe = Callable[[bytes], object]


class Round:
    """`speeches`: what each link says. `goes_on`: the type of the frame that lets it say more."""

    def __init__(
        self,
        speeches: Mapping[LoadLink, Sequence[bytes]],
        *,
        goes_on: bytes,
        owed: Mapping[bytes, int],
        listeners: Sequence[LoadLink] = (),
        observe: Observe | None = None,
    ) -> None:
        self._speeches: dict[LoadLink, Iterator[bytes]] = {
            link: iter(frames) for link, frames in speeches.items()
        }
        self._goes_on = goes_on
        self._left = dict(owed)
        self._count = sum(owed.values())
        self._listeners = listeners
        self._here = 0
        self._observe = observe
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, window: int) -> None:
        """So many of each speaker are on their way at any time. Raises CannotMeasure."""
        links = {*self._speeches, *self._listeners}
        self._here = sum(not link.lost for link in links)
        if links and not self._here:
            raise CannotMeasure(NOBODY)
        for link in links:
            link.heard = self._hear
        for link in self._speeches:
            for _ in range(window):
                self._next(link)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._over
        except TimeoutError:
            lost = sum(link.lost for link in links)
            raise CannotMeasure(
                f"after {PATIENCE_S} s {self._left} frames were still owed ({lost} links lost)"
            ) from None
        finally:
            for link in links:
                link.heard = ignored

    def _next(self, link: LoadLink) -> None:
        frame = next(self._speeches[link], None)
        if frame is not None:
            link.send(frame)

    def _hear(self, link: LoadLink, kind: bytes, frame: bytes) -> None:
        if kind == ERROR:
            return self._fail(f"the server refused what it was to carry: {frame[:400]!r}")
        if kind == GONE:
            self._here -= 1
            return None if self._here else self._fail(NOBODY)
        if kind in self._left:
            self._count_in(link, kind, frame)
        return None

    def _count_in(self, link: LoadLink, kind: bytes, frame: bytes) -> None:
        if self._observe is not None:
            self._observe(frame)
        self._left[kind] -= 1
        self._count -= 1
        if not self._count and not self._over.done():
            self._over.set_result(None)
        if kind == self._goes_on:
            self._next(link)

    def _fail(self, why: str) -> None:
        if not self._over.done():
            self._over.set_exception(CannotMeasure(why))


class OpenRound:
    """At a fixed pace, whatever becomes of it: how long each takes from the one to the other."""

    def __init__(self, turns: Sequence[tuple[LoadLink, LoadLink, bytes]]) -> None:
        """Each turn: who says it, who hears it, and what."""
        self._turns = turns
        self._said_s: dict[LoadLink, deque[float]] = {to: deque() for _, to, _ in turns}
        self._took_s: list[float] = []
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, a_second: float) -> list[float]:
        """How long each took, s. Raises CannotMeasure."""
        for link in self._said_s:
            link.heard = self._hear
        began_s, said = time.perf_counter(), 0
        try:
            while said < len(self._turns):
                due = min(int((time.perf_counter() - began_s) * a_second) + 1, len(self._turns))
                for speaker, reader, frame in self._turns[said:due]:
                    self._said_s[reader].append(time.perf_counter())
                    speaker.send(frame)
                said = due
                await asyncio.sleep(TICK_S)
            async with asyncio.timeout(PATIENCE_S):
                await self._over
        except TimeoutError:
            raise CannotMeasure("messages at half the load were not all delivered") from None
        finally:
            for link in self._said_s:
                link.heard = ignored
        return self._took_s

    def _hear(self, link: LoadLink, kind: bytes, frame: bytes) -> None:
        if kind == ERROR and not self._over.done():
            self._over.set_exception(CannotMeasure(f"refused at half the load: {frame[:400]!r}"))
        if kind != DELIVERED:
            return
        self._took_s.append(time.perf_counter() - self._said_s[link].popleft())
        if len(self._took_s) == len(self._turns) and not self._over.done():
            self._over.set_result(None)
