"""The bar beside a list of rows, which is drawn anew whenever they move."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual import scrollbar
from textual.geometry import Region
from textual.strip import Strip

_CELLS_MAX: Final = 256


class ScrollBar(scrollbar.ScrollBar):
    """Upright, one column wide. Its cells are of a few kinds, and each is made once: made anew for
    each picture of it, they were most of the rubbish that had to be looked for."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """These rows of it."""
        bar = self.render()
        assert isinstance(bar, scrollbar.ScrollBarRender)
        style = self.app.console.get_style(bar.style)
        assert style.bgcolor is not None
        assert style.color is not None
        drawn = bar.render_bar(
            self.size.height,
            bar.virtual_size,
            bar.window_size,
            bar.position,
            back_color=style.bgcolor,
            bar_color=style.color,
        )
        base = self.rich_style
        cells = [_cell(base, segment) for segment in drawn.segments[crop.y : crop.bottom]]
        for each in self.get_line_filters():
            cells = [cell.apply_filter(each, self.background_colors[1]) for cell in cells]
        return cells


@lru_cache(_CELLS_MAX)
def _cell(base: Style, segment: Segment) -> Strip:
    return Strip(Segment.apply_style((segment,), base), 1)
