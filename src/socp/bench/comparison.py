"""Two reports beside each other: what became better or worse by more than both spreads explain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from socp.bench.figures import Figure, Report
from socp.bench.table import columns

NOTED: Final = 0.10  # of a figure; a smaller change is none


@dataclass(frozen=True, slots=True)
class Change:
    """One figure, then and now."""

    old: Figure
    new: Figure

    @property
    def part(self) -> float:
        """By what part of the old one it changed."""
        return (self.new.value - self.old.value) / self.old.value if self.old.value else 0.0

    @property
    def is_noted(self) -> bool:
        """Whether it is more than a tenth, and the two spreads do not meet."""
        return abs(self.part) > NOTED and not _meet(self.old, self.new)

    @property
    def is_worse(self) -> bool:
        """Whether it is noted, and away from the goal."""
        goal = self.new.goal
        if goal is None or not self.is_noted:
            return False
        return (self.part < 0) is goal.at_least

    @property
    def word(self) -> str:
        """What became of it."""
        if not self.is_noted:
            return "the same"
        if self.new.goal is None:
            return "changed"
        return "WORSE" if self.is_worse else "better"


def _meet(one: Figure, other: Figure) -> bool:
    low, high = _ends(one)
    other_low, other_high = _ends(other)
    return low <= other_high and other_low <= high


def _ends(figure: Figure) -> tuple[float, float]:
    low = figure.value if figure.low is None else figure.low
    return low, figure.value if figure.high is None else figure.high


def compared(old: Report, new: Report) -> list[Change]:
    """Every figure that is in both, in the order of the new one."""
    before = {each.key: each for each in old.figures}
    return [Change(before[each.key], each) for each in new.figures if each.key in before]


def lines(old: Report, new: Report, changes: Sequence[Change]) -> Iterator[str]:
    """For a screen. Ratios of two machines may be compared; how much they say is for the reader."""
    yield f"old  {old.started}  {old.sizes}  {old.machine}"
    yield f"new  {new.started}  {new.sizes}  {new.machine}"
    head = ("goal", "what", "old", "new", "change", "")
    yield from columns([head, *(_row(each) for each in changes)])
    keys = {each.new.key for each in changes}
    for name, report in (("old", old), ("new", new)):
        alone = [each.key for each in report.figures if each.key not in keys]
        if alone:
            yield f"only in the {name} one: {', '.join(alone)}"


def _row(change: Change) -> tuple[str, ...]:
    goal = change.new.goal
    return (
        goal.number if goal else "",
        change.new.what,
        f"{change.old.value:.3g}",
        f"{change.new.value:.3g}",
        f"{change.part:+.0%}",
        change.word,
    )
