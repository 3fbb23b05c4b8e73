"""When it is looked for rubbish that holds itself: the loop waits meanwhile."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Final

from socp.talk.idle import clock_s

_SELDOM: Final = (2_000, 3, 1_000_000)
"""As gc.set_threshold has it: of things made lately so many are looked through at a time, which
takes 3 ms, 10 ms where it is the turn of those of some times. All there is, which takes 50 ms, has
no turn of its own."""
NOBODY_S: Final = 20.0
"""Who did nothing for so long does not notice."""
PAUSE_S: Final = 600.0
"""Between one look at all there is and the next."""


def look_seldom() -> None:
    """From now on. What is there already is no rubbish, and is never looked at again."""
    gc.freeze()
    gc.set_threshold(*_SELDOM)


class Rubbish:
    """All there is, is looked through while nobody is there, and not often."""

    def __init__(self, collect: Callable[[], object] = gc.collect) -> None:
        self._collect = collect
        self._looked_s = clock_s()

    def look(self, idle_s: float) -> None:
        """Nobody typed or pointed for so long."""
        now_s = clock_s()
        if idle_s >= NOBODY_S and now_s - self._looked_s >= PAUSE_S:
            self._looked_s = now_s
            self._collect()
