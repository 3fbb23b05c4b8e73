"""Which keys each user had, and which ids are dead: memory alone, bounded (section 10)."""

from __future__ import annotations

from collections import Counter
from typing import Final

from socp.crypto.key_chains import KeyChains
from socp.crypto.rotation import Revocation
from socp.node.records import Barred, Remembered
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import KeyHistory, Rotation

STEPS_MAX: Final = 20_000  # about 2.3 kB each, of all users
REVOCATIONS_MAX: Final = 20_000  # about 1.6 kB each
NEW_PER_SERVER: Final = 2_000  # of either, that one other server may make us remember
FULL: Final = "this server remembers as many keys of users as it can; ask its operator"


class Histories(KeyChains):
    """What a user signed about their keys only grows."""

    def __init__(self, remembered: Remembered, most: int) -> None:
        """`most`: of steps, and of revocations."""
        super().__init__(remembered.key_steps)
        self._most = most
        self._new: Counter[str] = Counter()  # by server
        self.revoked: dict[str, Revocation] = {r.user_id: r for r in remembered.revocations}
        self.barred: dict[str, Barred] = {b.user_id: b for b in remembered.barred}
        self.unstored: dict[str, tuple[Rotation, ...]] = {}
        """Of users elsewhere: what the disk did not take of their rotations, to be heard again."""

    def known(self) -> list[str]:
        """Users with more to tell than one key, those whose key changed last at the end."""
        return [*(u for u in self.users() if u not in self.revoked), *self.revoked]

    def told(self, user_id: str) -> KeyHistory:
        """All that we can prove to others about the user's keys."""
        revoked = self.revoked.get(user_id)
        return KeyHistory(
            user_id=user_id,
            rotations=self.chain(user_id),
            revoked=None if revoked is None else revoked.revoked,
        )

    def make_room(self, source: str, steps: int) -> None:
        """Raises PeerFault(RATE_LIMITED) where `source`, a server ("" for ours), asks for too
        much."""
        if self.count + steps > min(STEPS_MAX, self._most):
            raise PeerFault(Code.RATE_LIMITED, FULL)
        self._count_new(source, steps)

    def make_room_for_last_word(self, source: str) -> None:
        """As `make_room`, for a revocation."""
        if len(self.revoked) >= min(REVOCATIONS_MAX, self._most):
            raise PeerFault(Code.RATE_LIMITED, FULL)
        self._count_new(source, 1)

    def _count_new(self, source: str, much: int) -> None:
        if source and self._new[source] + much > NEW_PER_SERVER:
            raise PeerFault(Code.RATE_LIMITED, "too many new keys of users from one server")
        self._new[source] += much
