"""Points and a curve as SVG: no library, no script, black on white and legible in both themes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from docs.make.fit import Formula

WIDTH: Final = 640
HEIGHT: Final = 320
LEFT: Final = 70
RIGHT: Final = 20
TOP: Final = 36
BOTTOM: Final = 44
STEPS: Final = 60
TICKS: Final = 5

Place = Callable[[float, float], tuple[float, float]]


def plot(title: str, unit: str, points: Sequence[tuple[float, float]], formula: Formula) -> str:
    """`points` by number of servers; the curve is what the formula says between them."""
    x_most = max(x for x, _ in points) * 1.05
    curve = [
        (x_most * step / STEPS, formula.at(x_most * step / STEPS)) for step in range(STEPS + 1)
    ]
    y_most = _round_up(max(y for _, y in (*points, *curve)))

    def place(x: float, y: float) -> tuple[float, float]:
        across = LEFT + x / x_most * (WIDTH - LEFT - RIGHT)
        return round(across, 1), round(HEIGHT - BOTTOM - y / y_most * (HEIGHT - TOP - BOTTOM), 1)

    shown = [place(x, y) for x, y in curve if 0 <= y <= y_most]
    drawn = " ".join(f"{x},{y}" for x, y in shown)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{title}</title>",
        "<style>text{font:12px sans-serif;fill:#222}line{stroke:#ccc}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="20" font-weight="bold">{title}, {unit}</text>',
        *_grid(y_most, place),
        f'<polyline points="{drawn}" fill="none" stroke="#0b6" stroke-width="2"/>',
        *(_dot(x, *place(x, y)) for x, y in points),
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end">servers</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _grid(y_most: float, place: Place) -> list[str]:
    found = []
    for step in range(TICKS + 1):
        value = y_most * step / TICKS
        _, y = place(0, value)
        found.append(f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>')
        found.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{value:g}</text>')
    return found


def _dot(servers: float, x: float, y: float) -> str:
    dot = f'<circle cx="{x}" cy="{y}" r="4" fill="#06b"/>'
    return f'{dot}<text x="{x}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{servers:g}</text>'


def _round_up(value: float) -> float:
    """To the next number with one or two digits and zeros, that the grid divides evenly."""
    unit: float = 10.0 ** math.floor(math.log10(max(value, 1e-9)))
    return next(step * unit for step in (1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10) if step * unit >= value)
