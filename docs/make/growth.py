"""docs/growth.md: what `socp.sim.growth` measured of meshes of several sizes, drawn and fitted."""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from docs.make.fit import Formula, fitted
from docs.make.frames import ROOT
from docs.make.plot import plot
from socp.sim.growth import USERS_EACH, Growth

MEANS: Final = ROOT / "docs/make/growth_means.md"
FIGURES: Final = ROOT / "docs/growth.json"
CROWDED: Final = 10  # servers: from here on more users are online than one client watches
FAR: Final = 10_000  # servers
MINUTES: Final = 10
SEED: Final = 1

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Curve:
    """One thing that is measured of each size."""

    name: str  # of its picture
    title: str
    unit: str
    value: Callable[[Row], float]


CURVES: Final = (
    Curve("frames", "Frames a server sends", "a second", lambda row: row["calm_frames_s"]),
    Curve("bytes", "Bytes a server sends", "kB/s", lambda row: row["calm_bytes_s"] / 1000),
    Curve(
        "joins", "What servers send for one who comes", "kB", lambda row: row["joins_bytes"] / 1000
    ),
    Curve(
        "healing", "A server's bytes after a partition", "MB", lambda r: r["healing_bytes"] / 1e6
    ),
    Curve("converged", "Agreement after a partition", "s", lambda row: row["converged_s"]),
    Curve("memory", "Memory of this process for each user", "KiB", lambda r: r["kib_per_user"]),
)


def made() -> dict[str, str]:
    """The page and its pictures, by path."""
    rows = _figures()
    found = {"docs/growth.md": _page(rows)}
    for curve in CURVES:
        points = _points(curve, rows)
        picture = plot(curve.title, curve.unit, points, _fitted(points))
        found[f"docs/growth/{curve.name}.svg"] = picture
    return found


def measured(sizes: Sequence[int]) -> None:
    """Run these, each in a process of its own, print what each costs, and keep the figures beside
    those that are there."""
    for size in sizes:
        code = f"from docs.make.growth import one; one({size})"
        told = subprocess.run(  # noqa: S603
            [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True
        )
        row = json.loads(told.stdout)
        sys.stdout.write(_summary(row))
        rows = [other for other in _figures() if other["servers"] != size]
        rows.append(row)
        rows.sort(key=lambda row: int(row["servers"]))
        FIGURES.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def one(size: int) -> None:
    """Print the figures of one size. Only the first in a process: memory is what it grew by."""
    gc.disable()  # of a run nothing is garbage that has to be looked for (24 objects of 700,000)
    before_kib, began = _memory_kib(), time.process_time()
    grown = Growth(SEED, size, MINUTES).measure()
    processor_s = time.process_time() - began
    each_kib = (_memory_kib() - before_kib) / grown.users
    measured = {"processor_s": round(processor_s, 1), "kib_per_user": round(each_kib, 1)}
    sys.stdout.write(json.dumps({**msgspec.to_builtins(grown), **measured}))


def _summary(row: Row) -> str:
    """One size, for who waited for it."""
    figures = (f"  {each.title}: {each.value(row):.3g} {each.unit}\n" for each in CURVES)
    head = f"{row['servers']} servers, {row['users']:,} users, {row['minutes']:g} minutes"
    law = f"  A law was broken: {row['law']}\n" if row["law"] else ""
    return f"{head}: {row['processor_s']:.0f} s of one core\n{''.join(figures)}{law}"


def _memory_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _figures() -> list[Row]:
    rows: list[Row] = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else []
    return rows


def _fitted(points: Sequence[tuple[float, float]]) -> Formula:
    """Of those sizes alone in which not everybody hears of everybody."""
    return fitted([point for point in points if point[0] >= CROWDED])


def _points(curve: Curve, rows: Sequence[Row]) -> list[tuple[float, float]]:
    return [(row["servers"], curve.value(row)) for row in rows]


# --- the page -------------------------------------------------------------------------------------

_HEAD: Final = """# What a mesh costs as it grows

Made by `script/growth` from `docs/growth.json`, which `script/growth run 5 10 20 40 100` measures with the [simulator](simulator.md): the real servers and
clients, symbolic keys, {each} users a server, {minutes:g} minutes in which each writes a direct message a minute, one post and one small file a
minute of all. After two fifths of it the servers are parted into two halves for a minute. n is the number of servers.
"""


def _page(rows: Sequence[Row]) -> str:
    minutes = rows[0]["minutes"]
    parts = [_HEAD.format(each=USERS_EACH, minutes=minutes), _table(rows)]
    for curve in CURVES:
        formula = _fitted(_points(curve, rows))
        parts.append(
            f"## {curve.title}, {curve.unit}\n\n![{curve.title}](growth/{curve.name}.svg)\n\n"
            f"{_said(formula, curve)}\n"
        )
    parts.append(MEANS.read_text(encoding="utf-8"))
    return "\n".join(parts)


def _table(rows: Sequence[Row]) -> str:
    head = ["servers", "users", *(f"{c.title.lower()}, {c.unit}" for c in CURVES), "processor, s"]
    lines = [_line(head), _line(["---"] * len(head))]
    for row in rows:
        figures = (f"{curve.value(row):.3g}" for curve in CURVES)
        lines.append(
            _line([f"{row['servers']}", f"{row['users']}", *figures, f"{row['processor_s']}"])
        )
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _said(formula: Formula, curve: Curve) -> str:
    return (
        f"**{formula}** {curve.unit}; misses no point by more than {formula.missed:.0%}. At {FAR:,} servers that"
        f" would be {formula.at(FAR):,.3g}."
    )
