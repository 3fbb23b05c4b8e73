"""How soon a command is there (goal 11)."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from statistics import median
from urllib.request import urlopen

from socp.bench import goals, sample
from socp.bench.figures import Figure
from socp.bench.pairs import Measure
from socp.bench.sample import CLOCK, Named, Sample
from socp.bench.serving import serving
from socp.bench.setting import Setting

PASS = ("-c", "pass")
IMPORT = ("-c", "import aiohttp.web")
HELP = ("-m", "socp.cli.main", "--help")
RUNS = 5  # in a row, of one measurement
ANSWER_S = 60


async def measure(setting: Setting) -> AsyncIterator[Figure]:
    """Goal 11, whose two parts start processes of their own."""
    setting.needs_own()
    pairs = await setting.in_turn(_ran(PASS), _ran(HELP), Sample.clock_rate)
    named = Named("help", "socp --help", "starts", "python -c pass", CLOCK, costs=True)
    yield sample.figure(named, pairs, goals.HELP)
    folder = setting.folder / "start"
    with serving(folder):
        pass  # makes the key, which later starts only load

    answered_s: list[float] = []

    async def started() -> Sample:
        return await asyncio.to_thread(_started, setting, answered_s)

    pairs = await setting.in_turn(_ran(IMPORT), started, Sample.clock_rate)
    named = Named(
        "start", "socp serve, to listening", "starts", "python -c 'import aiohttp.web'", costs=True
    )
    note = f"its first answer came after {sample.time_text(median(answered_s) * 1e6)}"
    yield sample.figure(named, pairs, goals.START, note=note)


def _ran(words: Sequence[str]) -> Measure[Sample]:
    def run() -> Sample:
        began_s = time.perf_counter()
        for _ in range(RUNS):
            subprocess.run(  # noqa: S603 - ourselves
                [sys.executable, *words], stdout=subprocess.DEVNULL, check=True
            )
        return Sample(RUNS, time.perf_counter() - began_s)

    async def ran() -> Sample:
        return await asyncio.to_thread(run)

    return ran


def _started(setting: Setting, answered_s: list[float]) -> Sample:
    """To the line that says so; who connects then may have to wait for the store."""
    clock_s = 0.0
    for _ in range(RUNS):
        began_s = time.perf_counter()
        with serving(setting.folder / "start") as server:
            clock_s += time.perf_counter() - began_s
            with urlopen(f"http{server.url.removeprefix('ws')}/healthz", timeout=ANSWER_S):  # noqa: S310 - ours
                answered_s.append(time.perf_counter() - began_s)
    return Sample(RUNS, clock_s)
