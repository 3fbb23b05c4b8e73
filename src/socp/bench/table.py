"""Figures for people: lines on a screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from socp.bench.figures import Figure, Report, Side


def lines(report: Report) -> Iterator[str]:
    """The whole table, what was left out, and what a run ends with."""
    yield report.machine
    yield f"{report.started}, {report.sizes}"
    head = ("goal", "ratio", "goal is", "", "what", "ours : reference", "spread")
    yield from columns([head, *(_narrow(each) for each in report.figures)])
    for each in report.figures:
        yield from _beside(each)
    for name, why in report.skipped.items():
        yield f"{name} was not measured: {why}"
    yield summary(report)


def row(figure: Figure) -> tuple[str, ...]:
    """Its cells."""
    goal = figure.goal
    unit = f" {goal.unit}" if goal and goal.unit else ""
    return (
        goal.number if goal else "",
        figure.what,
        figure.ours.text,
        f"{figure.reference.what}: {figure.reference.text}" if figure.reference else "",
        f"{figure.value:.3g}{unit}",
        _spread(figure),
        figure.by,
        str(goal) if goal else "",
        figure.verdict + (" (restless)" if figure.restless else ""),
    )


def _narrow(figure: Figure) -> tuple[str, ...]:
    number, what, ours, _, ratio, spread, _, goal, verdict = row(figure)
    if figure.reference is not None:
        ours += f" : {figure.reference.text}"
    return number, ratio, goal, verdict, what, ours, spread


def _beside(figure: Figure) -> Iterator[str]:
    """What the table has no room for."""
    said = [figure.note] if figure.note else []
    if figure.reference is not None:
        said.insert(0, f"reference: {figure.reference.what}, by {figure.by}")
        taken = [_taken("ours", figure.ours), _taken("reference", figure.reference)]
        said += [each for each in taken if each]
    if said:
        yield f"  {figure.key}: {'; '.join(said)}"


def _taken(name: str, side: Side) -> str:
    """What one operation took."""
    if side.clock_us is None:
        return ""
    processor = "" if side.processor_us is None else f", {side.processor_us:,.1f} of the processor"
    return f"{name} {side.clock_us:,.1f} us{processor}"


def one_line(figure: Figure) -> str:
    """As soon as it is known."""
    number, what, ours, reference, ratio, spread, _, goal, verdict = row(figure)
    said = [f"{number:>3} {what}: {ratio}", f"({spread})" if spread else ""]
    said += [f"[{ours} : {reference}]" if reference else f"[{ours}]"]
    said += [f"goal {goal}: {verdict}" if goal else ""]
    return " ".join(filter(None, said))


def summary(report: Report) -> str:
    """What became of the goals."""
    judged = [each for each in report.figures if each.goal is not None]
    met = sum(each.verdict == "met" for each in judged)
    said = f"{met} of {len(judged)} goals met"
    if report.quick:
        far = ", ".join(each.key for each in report.missed)
        said += f"; far outside: {far}" if far else "; none far outside"
    return said


def columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Cells below each other."""
    widths = [max(len(cell) for cell in cells) for cells in zip(*rows, strict=True)]
    for cells in rows:
        yield "  ".join(
            cell.ljust(width) for cell, width in zip(cells, widths, strict=True)
        ).rstrip()


def _spread(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return ""
    again = f", {figure.repeated} again" if figure.repeated else ""
    return f"{figure.low:.3g} to {figure.high:.3g}, {figure.pairs} pairs{again}"
