"""Events to the brain, effects from it: what is to be remembered is committed first.

The brain is asked at once, in the order things happen; its answers are carried out in that order by
one task, so commits overlap with what happens meanwhile and nothing overtakes anything.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, Protocol

from socp.client.bound import Bound
from socp.client.clock import now_ms
from socp.client.errors import ClientClosed, ProfileUnusable
from socp.member.effects import Effect, Persist
from socp.member.events import Event, Now
from socp.member.records import Record
from socp.storage.errors import StorageError

BATCHES_MAX: Final = 1_000


class Brain(Protocol):
    """What we need of a `Member`."""

    def handle(self, event: Event, now: Now) -> list[Effect]:
        """Decide."""


class Store(Protocol):
    """What we need of a `ProfileStore`."""

    def write(self, records: Sequence[Record]) -> Future[None]:
        """Resolves when the records are on the disk."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What the brain answered to one event. `done` resolves when all of it is carried out."""

    effects: tuple[Effect, ...]
    link: int  # the link it was decided for; another's frames must not go out on the next
    committed: asyncio.Future[None] | None
    done: asyncio.Future[None]


def now() -> Now:
    """The time of an event that happens now."""
    return Now(now_ms(), time.monotonic_ns() // 1_000_000)


class Walk:
    """The one place that calls the brain."""

    def __init__(
        self, brain: Brain, store: Store, carry_out: Callable[[Effect, int], None]
    ) -> None:
        """`carry_out(effect, link)` does one thing and does not wait; Persist never reaches it."""
        self._brain = brain
        self._store = store
        self._carry_out = carry_out
        self._queue: asyncio.Queue[Batch] = asyncio.Queue()
        self.waiting = Bound(BATCHES_MAX)
        self.link = 0  # counts up with every link; set by whoever opens them
        self.closed = False  # set by who closes: what is asked from then on is not remembered

    def ask(self, event: Event) -> Batch:
        """`feed`, for what a program asks for. ClientClosed, for nobody would carry it out."""
        self.check_open()
        return self.feed(event)

    def check_open(self) -> None:
        """ClientClosed where it is over."""
        if self.closed:
            raise ClientClosed("this client is closed; open the profile again")

    def feed(self, event: Event) -> Batch:
        """Let the brain decide now; the batch is carried out in its turn."""
        effects = tuple(self._brain.handle(event, now()))
        records = [effect.record for effect in effects if isinstance(effect, Persist)]
        loop = asyncio.get_running_loop()
        committed = asyncio.wrap_future(self._store.write(records)) if records else None
        if committed:
            committed.add_done_callback(_seen)
        batch = Batch(effects, self.link, committed, loop.create_future())
        self.waiting.take()
        self._queue.put_nowait(batch)
        return batch

    async def run(self) -> None:
        """Carry out batches until cancelled. ProfileUnusable where one could not be committed."""
        try:
            while True:
                await self._carry(await self._queue.get())
        finally:
            while not self._queue.empty():
                self._queue.get_nowait().done.cancel()

    async def settled(self) -> None:
        """Return when everything decided so far is carried out."""
        done = asyncio.get_running_loop().create_future()
        self.waiting.take()
        self._queue.put_nowait(Batch((), self.link, None, done))
        await done

    async def _carry(self, batch: Batch) -> None:
        try:
            if batch.committed is not None:
                await batch.committed
            for effect in batch.effects:
                if not isinstance(effect, Persist):
                    self._carry_out(effect, batch.link)
            if not batch.done.done():
                batch.done.set_result(None)
        except StorageError as fault:
            # The brain knows what the disk does not: only a new start brings them together again.
            raise ProfileUnusable(f"nothing more can be remembered: {fault}") from None
        finally:
            batch.done.cancel()
            self.waiting.give()


def _seen(committed: asyncio.Future[None]) -> None:
    """After a failure those that follow fail too, and nobody waits for them any more."""
    if not committed.cancelled():
        committed.exception()
