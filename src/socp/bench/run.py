"""Runs the benches that were asked for, one after the other, and gathers what they found."""

from __future__ import annotations

import gc
import importlib
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from socp.bench.figures import Figure, Report
from socp.bench.machine import whole_machine
from socp.bench.pairs import PAIRS
from socp.bench.setting import QUICK_PAIRS, QUICK_SCALE, Setting
from socp.bench.trouble import CannotMeasure


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for."""

    benches: Sequence[str]
    url: str = ""
    scale: float | None = None
    pairs: int | None = None
    quick: bool = False


def run(order: Order, say: Callable[[str], None], found: Callable[[Figure], None]) -> Report:
    """Measure; `say` what is being done and `found` what comes of it, meanwhile."""
    scale = order.scale or (QUICK_SCALE if order.quick else 1.0)
    pairs = order.pairs or (QUICK_PAIRS if order.quick else PAIRS)
    sizes = f"scale {scale:g}, {pairs} pairs, {order.url or 'servers of its own'}"
    started = datetime.now(UTC).isoformat(timespec="seconds")
    machine = whole_machine()
    say(machine)
    say(sizes)
    figures: list[Figure] = []
    skipped: dict[str, str] = {}

    def keep(figure: Figure) -> None:
        figures.append(figure)
        found(figure)

    _settle_memory()
    with tempfile.TemporaryDirectory(prefix="socp-bench-") as place:
        for name in order.benches:
            setting = Setting(Path(place) / name, say, order.url, scale, pairs, order.quick)
            began_s = time.monotonic()
            try:
                uvloop.run(_measured(name, setting, keep))
            except CannotMeasure as fault:
                skipped[name] = str(fault)
                say(f"{name}: not measured: {fault}")
            say(f"  {name} took {time.monotonic() - began_s:.0f} s")
    return Report(machine, started, sizes, tuple(figures), skipped, order.quick)


async def _measured(name: str, setting: Setting, keep: Callable[[Figure], None]) -> None:
    """Raises CannotMeasure; what was found before that is kept."""
    measure = importlib.import_module(f"socp.bench.{name}").measure
    async with aclosing(measure(setting)) as figures:
        async for figure in figures:
            keep(figure)


def _settle_memory() -> None:
    """Looking for rubbish among a hundred thousand frames would take time from what is measured."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
