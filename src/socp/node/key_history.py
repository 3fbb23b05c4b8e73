"""Which keys each user had, and which ids are dead: memory alone, bounded (section 10)."""

from __future__ import annotations

from collections import Counter
from typing import Final

from socp.crypto.rotation import KeyStep, Revocation
from socp.node.records import Barred, Remembered
from socp.wire import limits
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import KeyHistory, Rotation

STEPS_MAX: Final = 20_000  # about 2.3 kB each, of all users
STEPS_PER_USER: Final = limits.ROTATIONS_MAX + 1  # the store keeps the older ones
REVOCATIONS_MAX: Final = 20_000  # about 1.6 kB each
NEW_PER_SERVER: Final = 2_000  # of either, that one other server may make us remember
FULL: Final = "this server remembers as many keys of users as it can; ask its operator"


class Histories:
    """What a user signed about their keys only grows; the oldest steps are left to the store."""

    def __init__(self, remembered: Remembered) -> None:
        self._steps: dict[str, tuple[KeyStep, ...]] = {}
        self._count = 0
        self._new: Counter[str] = Counter()  # by server
        self.revoked: dict[str, Revocation] = {r.user_id: r for r in remembered.revocations}
        self.barred: dict[str, Barred] = {b.user_id: b for b in remembered.barred}
        for step in sorted(remembered.key_steps, key=lambda s: (s.ts, s.version)):
            self._keep(step)

    # --- questions ------------------------------------------------------------------------------

    def steps(self, user_id: str) -> tuple[KeyStep, ...]:
        """The last keys of a user, oldest first; () for one whose key never changed."""
        return self._steps.get(user_id, ())

    def chain(self, user_id: str) -> tuple[Rotation, ...]:
        """The statements that lead to the user's present key, for the wire."""
        said = [step.rotation for step in self.steps(user_id) if step.sig]
        return tuple(said[-limits.ROTATIONS_MAX :])

    def former(self, user_id: str, ts: int | None = None) -> tuple[str, ...]:
        """The user's former keys, newest first; with `ts` only one that was theirs then."""
        steps = self.steps(user_id)
        return tuple(
            step.pubkey
            for step, successor in zip(steps[-2::-1], steps[:0:-1], strict=True)
            if ts is None or ts <= successor.ts
        )

    def told(self, user_id: str) -> KeyHistory:
        """All that we can prove to others about the user's keys."""
        revoked = self.revoked.get(user_id)
        return KeyHistory(
            user_id=user_id,
            rotations=self.chain(user_id),
            revoked=None if revoked is None else revoked.revoked,
        )

    def known(self) -> list[str]:
        """Users with more to tell than one key, those whose key changed last at the end."""
        return [*(u for u in self._steps if u not in self.revoked), *self.revoked]

    # --- what is learned ------------------------------------------------------------------------

    def make_room(self, source: str, steps: int) -> None:
        """Raises PeerFault(RATE_LIMITED) where `source`, a server ("" for ours), asks for too
        much."""
        if self._count + steps > STEPS_MAX:
            raise PeerFault(Code.RATE_LIMITED, FULL)
        self._count_new(source, steps)

    def make_room_for_last_word(self, source: str) -> None:
        """As `make_room`, for a revocation."""
        if len(self.revoked) >= REVOCATIONS_MAX:
            raise PeerFault(Code.RATE_LIMITED, FULL)
        self._count_new(source, 1)

    def _count_new(self, source: str, much: int) -> None:
        if source and self._new[source] + much > NEW_PER_SERVER:
            raise PeerFault(Code.RATE_LIMITED, "too many new keys of users from one server")
        self._new[source] += much

    def add(self, steps: tuple[KeyStep, ...]) -> None:
        """More keys of one user, oldest first."""
        for step in steps:
            self._keep(step)

    def drop_newest(self, user_id: str) -> None:
        """The newest step could not be stored: it never was."""
        steps = self._steps.pop(user_id)
        self._count -= 1
        if len(steps) > 1:
            self._steps[user_id] = steps[:-1]

    def _keep(self, step: KeyStep) -> None:
        known = self._steps.get(step.user_id, ())
        kept = (*known, step)[-STEPS_PER_USER:]
        self._count += len(kept) - len(known)
        self._steps.pop(step.user_id, None)  # to the end: it changed last
        self._steps[step.user_id] = kept
