"""`socp` as it is, with a watch on its event loop: what held it up is written down.

`python -m socp.bench.loop_watch FILE ARGUMENTS...`; each line of FILE is one callback: when it
ended (Unix s), how long it took by the clock and by the processor (ms). The two differ where others
had the processor, or the GIL.
"""

from __future__ import annotations

import asyncio
import runpy
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NOTED_MS: Final = 4


@dataclass(frozen=True, slots=True)
class Held:
    """The loop was held for so long by one callback."""

    ended_s: float  # Unix
    clock_ms: float
    processor_ms: float


def read(file: Path, since_s: float, until_s: float) -> list[Held]:
    """What was noted between the two, Unix s."""
    lines = (line.split() for line in file.read_text().splitlines() if line.count(" ") == 2)
    held = (Held(*map(float, words)) for words in lines)
    return [each for each in held if since_s <= each.ended_s <= until_s]


def main() -> None:
    """Run `socp` so."""
    file = Path(sys.argv[1]).open("w", buffering=1)  # noqa: SIM115 - until the process ends
    run = asyncio.Handle._run

    def watched(handle: asyncio.Handle) -> None:
        clock, processor = time.perf_counter(), time.thread_time()
        run(handle)
        clock_ms = (time.perf_counter() - clock) * 1e3
        if clock_ms >= NOTED_MS:
            processor_ms = (time.thread_time() - processor) * 1e3
            file.write(f"{time.time():.4f} {clock_ms:.2f} {processor_ms:.2f}\n")

    asyncio.Handle._run = watched  # type: ignore[method-assign, assignment]
    sys.argv[:] = ["socp", *sys.argv[2:]]
    runpy.run_module("socp.cli.main", run_name="__main__")


if __name__ == "__main__":
    main()
