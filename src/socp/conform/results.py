"""What was found, rule by rule, and what it comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from socp.conform.rule import Rule
from socp.conform.verdicts import Level, Verdict


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one rule. `why` is "" where it passed."""

    rule: Rule[Any]
    verdict: Verdict
    why: str = ""
    lines: tuple[str, ...] = ()
    """What was sent, what came."""
    seconds: float = 0.0

    @property
    def fails(self) -> bool:
        """Whether the rule is broken."""
        return self.verdict is Verdict.FAIL


@dataclass(frozen=True, slots=True)
class Report:
    """All of them, in the order of the table. `subject` is who was judged."""

    subject: str
    results: tuple[Result, ...]

    @property
    def holds(self) -> bool:
        """Whether no MUST fails."""
        return not any(each.fails and each.rule.level is Level.MUST for each in self.results)

    def count(self, verdict: Verdict, level: Level | None = None) -> int:
        """How many ended so, of this level or of all."""
        return sum(
            each.verdict is verdict and level in (None, each.rule.level) for each in self.results
        )

    def skipped_because(self) -> list[tuple[str, int]]:
        """The reasons why rules were not tried, the most frequent first."""
        skipped = (each.why for each in self.results if each.verdict is Verdict.SKIPPED)
        return Counter(skipped).most_common()


def in_order(results: Sequence[Result], rules: Sequence[Rule[Any]]) -> tuple[Result, ...]:
    """As the table has them, whatever order they were tried in."""
    place = {rule.id: number for number, rule in enumerate(rules)}
    return tuple(sorted(results, key=lambda each: place[each.rule.id]))
