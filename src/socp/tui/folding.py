"""How the parts of the screen give way where there is no room for all of them."""

from __future__ import annotations

from typing import Final

from textual.geometry import Size
from textual.widget import Widget

from socp.tui.too_small import TINY_COLUMNS, TINY_ROWS

WIDE_COLUMNS: Final = 110
VAST_COLUMNS: Final = 160
NARROW_COLUMNS: Final = 64


def fold(part: Widget, size: Size, *, there: bool = True) -> None:
    """Say to one that depends on it how large the screen is: were it said to the screen, all that
    is in it would be styled anew. `there`: it is styled already."""
    columns, rows = size
    part.set_class(columns >= WIDE_COLUMNS, "-wide", update=there)
    part.set_class(columns >= VAST_COLUMNS, "-vast", update=there)
    part.set_class(columns < NARROW_COLUMNS, "-narrow", update=there)
    part.set_class(columns < TINY_COLUMNS or rows < TINY_ROWS, "-tiny", update=there)
