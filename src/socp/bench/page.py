"""A report as one page of HTML with plots: one file, and nothing is fetched from anywhere."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import Final

from socp.bench.figures import Figure, Goal, Report
from socp.bench.table import row, summary

WIDTH, BAR, LABELS = 760, 26, 300
_ENDS: Final = (0.02, 50.0)
"""How far a plot goes to both sides of the goal, in terms of it."""
_STYLE: Final = """
:root { color-scheme: light dark; --met: #2a7d4f; --missed: #b3261e; --line: #8886; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 68rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem; text-align: left;
  vertical-align: top; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.met { color: var(--met); } .MISSED { color: var(--missed); font-weight: 600; }
svg { max-width: 100%; height: auto; } svg text { fill: currentColor; font-size: 13px; }
svg .met { fill: var(--met); } svg .MISSED { fill: var(--missed); }
svg .grid { stroke: var(--line); } svg .goal { stroke: currentColor; stroke-dasharray: 4 3; }
svg .spread { stroke: currentColor; }
p.notes { opacity: .8; }
"""


def lines(report: Report) -> Iterator[str]:
    """The page."""
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>socp bench, {escape(report.started)}</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>socp bench</h1><p>{escape(summary(report))}</p>"
    yield f"<p class=notes>{escape(report.machine)}<br>{escape(report.sizes)}"
    yield f"<br>{escape(report.started)}</p>"
    yield "<h2>How far from the goals</h2>"
    yield "<p>Right of the dashed line a goal is met; each line of the grid is a factor of two."
    yield " The thin line is the spread of the pairs.</p>"
    yield from plot([each for each in report.figures if each.goal is not None and each.value > 0])
    yield from _table(report)
    for name, why in report.skipped.items():
        yield f"<p><b>{escape(name)}</b> was not measured: {escape(why)}</p>"
    yield "</body></html>"


def plot(figures: list[Figure]) -> Iterator[str]:
    """A bar for each: how many times better than its goal, on a scale of logarithms."""
    height = BAR * len(figures) + 10
    yield f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="figures and their goals">'
    for power in range(-5, 6):
        x = _x(2.0**power)
        kind = "grid" if power else "goal"
        yield f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height}"/>'
    for number, each in enumerate(figures):
        yield from _bar(each, number * BAR + 6)
    yield "</svg>"


def _bar(figure: Figure, y: int) -> Iterator[str]:
    goal = figure.goal
    assert goal is not None
    value, middle = better(figure.value, goal), _x(1.0)
    at = _x(value)
    left, width = min(at, middle), max(abs(at - middle), 1.5)
    label = f"{goal.number}  {figure.what}"
    yield f'<text x="0" y="{y + 13}"><title>{escape(label)}</title>{escape(_short(label))}</text>'
    yield (
        f'<rect class="{figure.verdict}" x="{left:.1f}" y="{y + 3}" width="{width:.1f}"'
        f' height="12"><title>{figure.value:.3g}, goal {escape(str(goal))}</title></rect>'
    )
    if figure.low and figure.high:
        low, high = sorted((_x(better(figure.low, goal)), _x(better(figure.high, goal))))
        yield (f'<line class="spread" x1="{low:.1f}" x2="{high:.1f}" y1="{y + 9}" y2="{y + 9}"/>')


def better(value: float, goal: Goal) -> float:
    """How many times better than the goal; under 1 it is missed."""
    bound = goal.bound or value
    return value / bound if goal.at_least else bound / value


def _x(times: float) -> float:
    low, high = (math.log(each) for each in _ENDS)
    part = (math.log(min(max(times, _ENDS[0]), _ENDS[1])) - low) / (high - low)
    return LABELS + part * (WIDTH - LABELS)


def _short(text: str) -> str:
    most = LABELS // 7
    return text if len(text) <= most else text[: most - 1] + "…"


def _table(report: Report) -> Iterator[str]:
    heads = ("goal", "what", "ours", "reference", "ratio", "spread", "by", "goal is", "")
    yield "<h2>Figures</h2><table><tr>"
    yield "".join(f"<th>{each}</th>" for each in heads)
    yield "<th>us an operation: clock, processor</th></tr>"
    for figure in report.figures:
        cells = row(figure)
        yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells[:-1])
        yield f'<td class="{figure.verdict}">{escape(cells[-1])}</td>'
        yield f"<td class=number>{_taken(figure)}</td></tr>"
        if figure.note:
            yield f'<tr><td></td><td colspan="9"><small>{escape(figure.note)}</small></td></tr>'
    yield "</table>"


def _taken(figure: Figure) -> str:
    sides = (figure.ours, figure.reference)
    return " : ".join(
        f"{_us(side.clock_us)}, {_us(side.processor_us)}"
        for side in sides
        if side is not None and side.clock_us is not None
    )


def _us(taken: float | None) -> str:
    return "-" if taken is None else f"{taken:,.1f}"
