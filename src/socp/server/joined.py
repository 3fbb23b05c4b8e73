"""Several frames as one piece of output: written at once, and for all links the same bytes."""

from __future__ import annotations

from collections.abc import Sequence

from socp.server.signers import Sealed


class Joined(Sealed):
    """Ready once all its frames are signed."""

    __slots__ = ("_parts", "_ready")

    def __init__(self, parts: Sequence[Sealed]) -> None:
        super().__init__(sum(part.size for part in parts))
        self._parts = parts
        self._ready = 0  # so many of them, the first ones
        for part in parts:
            if part.framed is None and not part.failed:
                part.waiters.append(self)
        self._look()

    @property
    def texts(self) -> tuple[bytes, ...]:
        return tuple(text for part in self._parts for text in part.texts)

    def flush(self) -> None:
        """Some part was signed."""
        self._look()
        if self.framed is None and not self.failed:
            return
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            waiter.flush()

    def _look(self) -> None:
        while self._ready < len(self._parts):
            part = self._parts[self._ready]
            if part.failed:
                self.failed = True
                return
            if part.framed is None:
                return
            self._ready += 1
        if self.framed is None:
            self.framed = b"".join(part.framed or b"" for part in self._parts)
