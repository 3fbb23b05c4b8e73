"""Return when a process has done what it was asked to."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from socp.bench.serving import Server

LOOK_S: Final = 0.25
BUSY: Final = 0.06  # of a core: a server at rest looks at its clock a few times a second
PATIENCE_S: Final = 120


async def settled(server: Server) -> None:
    """When it hardly has any of the processor any more; after 120 s in any case."""
    until_s = time.monotonic() + PATIENCE_S
    before = server.processor_s()
    while before is not None and time.monotonic() < until_s:
        await asyncio.sleep(LOOK_S)
        now = server.processor_s()
        if now is None or now - before < BUSY * LOOK_S:
            return
        before = now
