"""What a benchmark found: figures, each with its reference and its goal, and what was measured on.

A report is written as JSON and read again, so that two of them can be compared.
"""

from __future__ import annotations

from typing import Final

import msgspec

FAR: Final = 2.0  # a quick run fails where a figure is worse than its goal by this factor
FORMAT: Final = 1


class BadReport(ValueError):
    """A file that is no report of ours; why."""


class Goal(msgspec.Struct, frozen=True):
    """Line `number` of the table of goals: what a figure must reach."""

    number: str
    bound: float
    at_least: bool = True
    unit: str = ""
    """Of the figure, where it is no ratio: such a goal depends on the machine."""

    def is_met(self, value: float) -> bool:
        """Whether this is good enough."""
        return value >= self.bound if self.at_least else value <= self.bound

    def is_far(self, value: float) -> bool:
        """Whether this is not even half as good. Never where the machine alone may be why."""
        if self.unit:
            return False
        return value < self.bound / FAR if self.at_least else value > self.bound * FAR

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.bound:g}{self.unit and f' {self.unit}'}"


class Side(msgspec.Struct, frozen=True):
    """One side of a ratio, in words and numbers: `text` is what the table shows."""

    what: str
    text: str = ""
    clock_us: float | None = None  # an operation
    processor_us: float | None = None  # an operation, of the server's or the reference's process


class Figure(msgspec.Struct, frozen=True):
    """`value` is a ratio of ours to the reference, or what the unit of its goal says."""

    key: str
    what: str
    value: float
    ours: Side
    reference: Side | None = None
    low: float | None = None
    high: float | None = None
    goal: Goal | None = None
    pairs: int = 0
    repeated: int = 0
    restless: bool = False
    by: str = ""
    """What was compared: the clock, the processor, memory..."""
    note: str = ""

    @property
    def verdict(self) -> str:
        """In a word; nothing where there is no goal."""
        if self.goal is None:
            return ""
        return "met" if self.goal.is_met(self.value) else "MISSED"


class Report(msgspec.Struct, frozen=True):
    """One run: of which machine and sizes, what was found, and what could not be measured."""

    machine: str
    started: str  # UTC, ISO 8601
    sizes: str
    figures: tuple[Figure, ...] = ()
    skipped: dict[str, str] = {}  # bench -> why
    quick: bool = False
    format: int = FORMAT

    @property
    def missed(self) -> tuple[Figure, ...]:
        """What a run fails for: goals not reached, in a quick run only those far from it."""
        return tuple(
            each
            for each in self.figures
            if each.goal is not None
            and (each.goal.is_far(each.value) if self.quick else not each.goal.is_met(each.value))
        )


def written(report: Report) -> bytes:
    """As JSON, for people to read too."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n"


def read(data: bytes) -> Report:
    """The inverse. Raises BadReport."""
    try:
        report = msgspec.json.decode(data, type=Report)
    except (msgspec.DecodeError, RecursionError) as fault:
        raise BadReport(f"no report of socp bench ({fault}); make one with --json") from fault
    if report.format != FORMAT:
        raise BadReport(f"a report of format {report.format}, and this is {FORMAT}; measure again")
    return report
