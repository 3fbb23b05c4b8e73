"""A screen that is drawn a slice at a time where there is much to be drawn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Final, TypeVar

from textual.geometry import Region
from textual.screen import Screen

CELLS_AT_ONCE: Final = 3_000
"""So much is drawn at once: more than what moves where somebody says something."""
_SLICE_S: Final = 0.005  # of the processor
_ROWS: Final = 8  # of a widget, which are made without a look at the clock
_LATEST_S: Final = 0.06
"""What changes for so long keeps nobody from seeing it."""

R = TypeVar("R")


class Sliced(Screen[R]):
    """Textual makes all rows that changed without letting the loop go, which takes 30 ms of a large
    window. Here they are made before, as every widget keeps them, some at a time; then the picture
    is put together of them, and shown as a whole."""

    _making: Iterator[None] | None = None
    _begun_s = 0.0

    def _compositor_refresh(self) -> None:
        """Draw what changed, once its rows are made. What changes meanwhile has its turn too."""
        is_under = self is not self.app.screen  # and is drawn by what lies over it
        if is_under or (self._making is None and not self._has_much()):
            super()._compositor_refresh()
            return
        self._compositor.update_widgets(self._dirty_widgets)
        self._dirty_widgets.clear()
        if self._making is None:
            self._begun_s = time.monotonic()
            self._making = self._made()
            self.call_later(self._make)
        elif time.monotonic() - self._begun_s < _LATEST_S:
            self._making = self._made()

    def _has_much(self) -> bool:
        dirty = self._compositor._dirty_regions
        return sum(region.area for region in dirty) > CELLS_AT_ONCE

    async def _make(self) -> None:
        """A slice, when others had their turn."""
        await asyncio.sleep(0)
        until = time.thread_time() + _SLICE_S
        for _ in self._making or ():
            if time.thread_time() >= until:
                self.call_later(self._make)
                return
        await asyncio.sleep(0)  # what comes now takes as long as two slices
        self._making = None
        super()._compositor_refresh()
        await asyncio.sleep(0)

    def _made(self) -> Iterator[None]:
        """Make the rows in sight of all that is higher than a few rows, a few at a time."""
        for widget, (region, clip) in list(self._compositor.visible_widgets.items()):
            seen = region.intersection(clip).translate((-region.x, -region.y))
            if widget is self or seen.height <= _ROWS:
                continue
            for y in range(seen.y, seen.bottom, _ROWS):
                rows = min(_ROWS, seen.bottom - y)
                widget.render_lines(Region(seen.x, y, seen.width, rows))
                yield
