"""How wide characters are drawn: what Textual measures with has to agree with terminals.

Rich takes the marks of Indic scripts that have a place of their own for nothing. C libraries, tmux
and terminals give them a column, and what stands beside them in a row would be moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from rich import cells
from rich._unicode_data import load

from socp.wire.text import columns_of


def agree() -> None:
    """From now on, in all of this process."""
    table = load()
    ours = table._replace(widths=[span for each in table.widths for span in _as_drawn(*each)])
    vars(cells)["load_cell_table"] = lambda *_: ours  # asked by all that measure there
    cells.get_character_cell_size.cache_clear()
    cells.cached_cell_len.cache_clear()


def _as_drawn(first: int, last: int, width: int) -> Iterator[tuple[int, int, int]]:
    """A row of Rich's table; of what it takes for nothing, as we measure it."""
    if width:
        yield first, last, width
        return
    for columns, found in groupby(range(first, last + 1), lambda each: columns_of(chr(each))):
        same = list(found)
        yield same[0], same[-1], columns
