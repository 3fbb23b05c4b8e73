"""Reports that nobody measured."""

from __future__ import annotations

from socp.bench.figures import Figure, Goal, Report, Side

AT_LEAST = Goal("2", 0.40)
AT_MOST = Goal("6", 1.5, at_least=False)
IN_MS = Goal("3", 5.0, at_least=False, unit="ms")


def figure(
    key: str,
    value: float,
    goal: Goal | None = AT_LEAST,
    *,
    low: float | None = None,
    high: float | None = None,
    note: str = "",
) -> Figure:
    """One with a reference."""
    ours = Side("ours", "10 messages/s", clock_us=12.5, processor_us=10.0)
    reference = Side("bare echo", "20 frames/s", clock_us=6.5)
    return Figure(
        key,
        f"what {key} is",
        value,
        ours,
        reference,
        low=low,
        high=high,
        goal=goal,
        pairs=5,
        repeated=1,
        by="clock",
        note=note,
    )


def report(*figures: Figure, quick: bool = False, **skipped: str) -> Report:
    """Of a machine that is none."""
    started = "2026-01-02T03:04:05+00:00"
    return Report("a machine", started, "scale 1, 5 pairs", figures, skipped, quick)
