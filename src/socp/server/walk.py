"""One event's way: brain, then disk, then the sockets (S8); event after event."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, Protocol

from socp.node.calls import Refused, Why
from socp.node.effects import Answer, Close, Effect, Identified, Note, Persist, Told
from socp.node.events import Event, Now
from socp.node.records import Record
from socp.server.gate import Gate

log = logging.getLogger("server.storage")

BATCHES_MAX: Final = 1000  # waiting for the disk; beyond, nobody is read from


class Brain(Protocol):
    """What we need of socp.node.node.Node."""

    def handle(self, event: Event, now: Now) -> list[Effect]: ...


@dataclass(slots=True, eq=False)
class Batch:
    """What one event asked for; `commit` is None where nothing of it goes to disk."""

    effects: Sequence[Effect]
    commit: Future[None] | None


class Walk:
    """Tells the brain what happened and has done what it says, commit first."""

    def __init__(
        self,
        brain: Brain,
        write: Callable[[Sequence[Record]], Future[None]],
        carry: Callable[[Effect], None],
        clock: Callable[[], Now],
        gate: Gate,
        wake: Callable[[Callable[[], None]], object],
    ) -> None:
        """`carry` does one effect, at once; `wake` runs a function on the loop, from any thread."""
        self._brain = brain
        self._write = write
        self._carry = carry
        self._clock = clock
        self._gate = gate
        self._wake = wake
        self._batches: deque[Batch] = deque()
        self._woken = False

    @property
    def busy(self) -> bool:
        """True while something waits for the disk."""
        return bool(self._batches)

    def tell(self, event: Event) -> None:
        """Take one event all the way, or as far as the disk allows now."""
        effects = self._brain.handle(event, self._clock())
        records = [effect.record for effect in effects if isinstance(effect, Persist)]
        if not records and not self._batches:
            for effect in effects:
                self._carry(effect)
            return
        for effect in effects:
            if isinstance(
                effect, Identified
            ):  # no promise to anyone: the next frame may be a long one
                self._carry(effect)
        commit = self._write(records) if records else None
        self._batches.append(Batch(effects, commit))
        if len(self._batches) >= BATCHES_MAX:
            self._gate.hold(self)
        if commit is not None:
            commit.add_done_callback(self._committed)

    def _committed(self, _commit: Future[None]) -> None:
        """On the writer's thread."""
        if not self._woken:
            self._woken = True
            self._wake(self._advance)

    def _advance(self) -> None:
        self._woken = False  # before looking, so that no commit is overlooked
        while self._batches:
            batch = self._batches[0]
            if batch.commit is not None and not batch.commit.done():
                break
            self._batches.popleft()
            for effect in _allowed(batch):
                self._carry(effect)
        if len(self._batches) < BATCHES_MAX // 2:
            self._gate.release(self)


def _allowed(batch: Batch) -> Sequence[Effect]:
    """What may be done once the commit is over: after a failed one, nothing that promises."""
    fault = batch.commit.exception() if batch.commit is not None else None
    if fault is None:
        return batch.effects
    log.error("could not commit, so nothing was sent: %s", fault)
    kept: list[Effect] = []
    for effect in batch.effects:
        if isinstance(effect, Close | Note):
            kept.append(effect)
        elif isinstance(effect, Answer):
            kept.append(Answer(effect.request, False, (f"not done: {fault}",)))
        elif isinstance(effect, Told):
            kept.append(Told(effect.request, Refused(Why.NOT_STORED, f"not stored: {fault}")))
    return kept
