"""Token buckets (section 12): how much of something one link or address may do."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from socp.wire.addresses import source_of


@dataclass(slots=True)
class Bucket:
    """`burst` at once, then `per_s` each second. Times are monotonic ms."""

    burst: float
    per_s: float
    level: float
    at_ms: int

    @classmethod
    def full(cls, burst: float, per_s: float, mono: int) -> Bucket:
        return cls(burst=burst, per_s=per_s, level=burst, at_ms=mono)

    def take(self, mono: int, amount: float = 1.0) -> bool:
        """True if `amount` was there; nothing is taken otherwise."""
        passed_s = max(0, mono - self.at_ms) / 1000
        self.level = min(self.burst, self.level + passed_s * self.per_s)
        self.at_ms = mono
        if self.level < amount:
            return False
        self.level -= amount
        return True

    def owe(self, mono: int, amount: float) -> int:
        """Take `amount` in any case; for how many ms nothing more should be taken."""
        if self.take(mono, amount):
            return 0
        self.level -= amount
        return int(-self.level / self.per_s * 1000) if self.level < 0 else 0


class Buckets:
    """One bucket a source, at most `most` of them:
    the longest unused makes room, by then it is full again."""

    def __init__(self, burst: float, per_s: float, most: int = 10_000) -> None:
        self._burst, self._per_s, self._most = burst, per_s, most
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, source: str, mono: int) -> bool:
        bucket = self._buckets.get(source)
        if bucket is None:
            if len(self._buckets) >= self._most:
                self._buckets.popitem(last=False)
            bucket = self._buckets[source] = Bucket.full(self._burst, self._per_s, mono)
        self._buckets.move_to_end(source)
        return bucket.take(mono)

    def give_back(self, source: str, amount: float = 1.0) -> None:
        """What was taken turned out to be no burden."""
        bucket = self._buckets.get(source)
        if bucket is not None:
            bucket.level = min(self._burst, bucket.level + amount)


class AddressBuckets(Buckets):
    """One bucket a line: whoever has an IPv6 address has 2^64 of them."""

    def take(self, source: str, mono: int) -> bool:
        return super().take(source_of(source), mono)

    def give_back(self, source: str, amount: float = 1.0) -> None:
        super().give_back(source_of(source), amount)
