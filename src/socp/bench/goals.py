"""The table of goals: what each figure must reach, and by what it is judged. Its numbers are those
of docs/performance.md."""

from __future__ import annotations

from typing import Final

from socp.bench.figures import Goal

SIGNING: Final = {1: Goal("1", 0.93), 2: Goal("1", 0.82)}
"""By threads."""
SIGNATURES_A_DIRECT: Final = Goal("1", 2.0, at_least=False, unit="signatures")
ROUTING: Final = Goal("2", 0.40)
FAST_SIG: Final = Goal("3", 15.0)
HALF_LOAD: Final = Goal("3", 5.0, at_least=False, unit="ms")
PUBLIC: Final = Goal("4", 0.90, at_least=False)
PUBLIC_LONG: Final = Goal("4", 1.6)
DEAD_RATE: Final = Goal("5", 0.9)
DEAD_CUT: Final = Goal("5", 1.0)
DEAD_MEMORY: Final = Goal("5", 0.10, at_least=False)
IDLE_MEMORY: Final = Goal("6", 1.5, at_least=False)
HELLO: Final = Goal("7", 1.25, at_least=False)
JOINING: Final = Goal("8", 2.4, at_least=False)
BATCHING: Final = Goal("8", 4.0)
NOBODY_CUT: Final = Goal("8", 0.0, at_least=False, unit="cut")
MAILBOX: Final = Goal("9", 0.40)
STALL_REFUSED: Final = Goal("10", 0.10, at_least=False)
STALL_ACCEPTED: Final = Goal("10", 1.5, at_least=False)
HOSTILE_MEMORY: Final = Goal("10", 4.0, at_least=False)
NEIGHBOURS_DROPPED: Final = Goal("10", 0.0, at_least=False, unit="dropped")
SIEGE_MEMORY: Final = Goal("10", 1.0, at_least=False)
HELP: Final = Goal("11", 4.5, at_least=False)
START: Final = Goal("11", 1.6, at_least=False)
FILES: Final = Goal("13", 0.25)
FEDERATED: Final = Goal("14", 0.35)
