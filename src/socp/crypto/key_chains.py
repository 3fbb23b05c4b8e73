"""Which keys each user had, the last ones of them: in memory, for servers and clients alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from socp.crypto.rotation import KeyStep
from socp.wire import limits
from socp.wire.payloads import Rotation

STEPS_PER_USER: Final = limits.ROTATIONS_MAX + 1  # the store keeps the older ones


class KeyChains:
    """Only grows, but for the oldest steps of each user; who adds looks at `count` first."""

    def __init__(self, steps: Iterable[KeyStep]) -> None:
        self._steps: dict[str, tuple[KeyStep, ...]] = {}
        self.count = 0  # of all steps
        self.add(sorted(steps, key=lambda step: (step.ts, step.version)))

    def users(self) -> tuple[str, ...]:
        """Those whose key changed, the latest at the end."""
        return tuple(self._steps)

    def steps(self, user_id: str) -> tuple[KeyStep, ...]:
        """The last keys of a user, oldest first; () for one whose key never changed."""
        return self._steps.get(user_id, ())

    def chain(self, user_id: str) -> tuple[Rotation, ...]:
        """The statements that lead to the user's present key, for the wire."""
        said = [step.rotation for step in self.steps(user_id) if step.sig]
        return tuple(said[-limits.ROTATIONS_MAX :])

    def former(self, user_id: str, ts: int | None = None) -> tuple[str, ...]:
        """The user's former keys as text, newest first; with `ts` (Unix ms) only those that were
        theirs then or earlier."""
        steps = self.steps(user_id)
        return tuple(
            step.pubkey
            for step, successor in zip(steps[-2::-1], steps[:0:-1], strict=True)
            if ts is None or ts <= successor.ts
        )

    def last_ts(self, user_id: str) -> int:
        """Since when the user's present key is theirs, Unix ms; 0 for as long as they are known."""
        steps = self.steps(user_id)
        return steps[-1].ts if steps else 0

    def add(self, steps: Iterable[KeyStep]) -> None:
        """More keys, of each user the oldest first."""
        for step in steps:
            known = self._steps.pop(step.user_id, ())  # to the end: it changed last
            kept = (step,) if _begins_anew(step) else (*known, step)[-STEPS_PER_USER:]
            self.count += len(kept) - len(known)
            self._steps[step.user_id] = kept

    def drop_newest(self, user_id: str) -> None:
        """The newest step never was, or is given up."""
        steps = self._steps.pop(user_id)
        self.count -= 1
        if len(steps) > 1:
            self._steps[user_id] = steps[:-1]


def _begins_anew(step: KeyStep) -> bool:
    """Whether somebody took it for the user's key although no key before it vouched for it: those
    are not the user's any more."""
    return step.ts > 0 and not step.sig
