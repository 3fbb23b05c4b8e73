"""Which versions of the channel count (section 7; threats M10, M13)."""

from __future__ import annotations

from typing import Final

from socp.wire import limits

ANCHOR_MAX: Final = 1_000_000
"""No honest channel comes near: a server that tells a newcomer more is not believed."""


class Versions:
    """The highest version held is certain; what servers say on top of it is a hint.

    Hints are measured against what is certain, never against each other: a ladder of them, each a
    little higher, leads nowhere.
    """

    def __init__(self, held: int) -> None:
        self.held = held
        self._anchor = 0
        self._hint = 0

    @property
    def known(self) -> int:
        """The highest that counts, hints included; 0 where no version was ever heard of."""
        return max(self.held, min(self._hint, self._ceiling))

    @property
    def next(self) -> int:
        """What a key is called that is made now, by somebody who holds none: one above all known.

        Never more than anybody at all would count: a server that lied about the version must not
        lead us to a key that the others refuse and we alone prefer.
        """
        return min(self.known + 1, limits.CHANNEL_VERSION_JUMP)

    def counts(self, version: int) -> bool:
        """Whether a version is to be believed at all."""
        return 0 < version <= self._ceiling

    def heard(self, version: int, *, of_us: bool = False) -> None:
        """A server named this version; `of_us`: saying that we lack it.

        That tells a newcomer, who has nothing to measure by, where the channel stands.
        """
        if of_us and self._ground == self._hint == 0 and version <= ANCHOR_MAX:
            self._anchor = version
        if self.counts(version):
            self._hint = max(self._hint, version)

    def holds(self, version: int) -> None:
        """A key of this version is ours now."""
        self.held = max(self.held, version)

    @property
    def _ground(self) -> int:
        return self.held or self._anchor

    @property
    def _ceiling(self) -> int:
        return self._ground + limits.CHANNEL_VERSION_JUMP
