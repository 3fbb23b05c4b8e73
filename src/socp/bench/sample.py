"""So much was done, and so much it took: by the clock, and of one process's processor time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from socp.bench.figures import Figure, Goal, Side
from socp.bench.pairs import Pairs

CLOCK, PROCESSOR = "clock", "processor"


@dataclass(frozen=True, slots=True)
class Sample:
    """`processor_s` is None of a process that cannot be seen."""

    count: int
    clock_s: float
    processor_s: float | None = None

    def clock_rate(self) -> float:
        """Operations a second of the clock."""
        return self.count / self.clock_s

    def processor_rate(self) -> float:
        """Operations a second of the processor, where that was seen."""
        if self.processor_s is None:
            return self.clock_rate()
        return self.count / max(self.processor_s, 1e-9)

    def clock_us(self) -> float:
        """Of one operation."""
        return self.clock_s / self.count * 1e6

    def processor_us(self) -> float:
        """Of one operation."""
        return 1e6 / self.processor_rate()


@dataclass(frozen=True, slots=True)
class Named:
    """What a figure of rates is called, on both sides; `by` is what decides."""

    key: str
    what: str
    unit: str
    reference: str
    by: str = CLOCK
    costs: bool = False
    """True where the ratio is of what an operation takes, not of how many there are a second."""


def figure(named: Named, pairs: Pairs[Sample], goal: Goal | None, *, note: str = "") -> Figure:
    """Ours : reference, with the other way of measuring beside it."""
    seen = all(each.ours.processor_s is not None for each in pairs.kept)
    by = named.by if seen else CLOCK
    values = {CLOCK: Sample.clock_rate, PROCESSOR: Sample.processor_rate}
    if named.costs:
        values = {CLOCK: Sample.clock_us, PROCESSOR: Sample.processor_us}
    ratio = pairs.ratios(values[by])
    other = PROCESSOR if by == CLOCK else CLOCK
    beside = f"by the {other} {pairs.ratios(values[other]).middle:.3g}" if seen else ""
    return Figure(
        key=named.key,
        what=named.what,
        value=ratio.middle,
        low=ratio.low,
        high=ratio.high,
        ours=_side(named, named.what, pairs.ours, by, seen=seen),
        reference=_side(named, named.reference, pairs.reference, by, seen=seen),
        goal=goal,
        pairs=len(pairs.kept),
        repeated=pairs.repeated,
        restless=pairs.restless,
        by=by,
        note="; ".join(filter(None, (beside, note))),
    )


Middle = Callable[[Callable[[Sample], float]], float]
"""The median of one side, by some value."""


def _side(named: Named, what: str, middle: Middle, by: str, *, seen: bool) -> Side:
    rate, cost = Sample.clock_rate, Sample.clock_us
    if by == PROCESSOR:
        rate, cost = Sample.processor_rate, Sample.processor_us
    second = "s" if by == CLOCK else "cpu s"
    return Side(
        what,
        time_text(middle(cost)) if named.costs else f"{middle(rate):,.0f} {named.unit}/{second}",
        clock_us=middle(Sample.clock_us),
        processor_us=middle(Sample.processor_us) if seen else None,
    )


def time_text(us: float) -> str:
    """In the unit in which it is short."""
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if us >= size:
            return f"{us / size:.3g} {unit}"
    return f"{us:.3g} us"
