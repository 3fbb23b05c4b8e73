"""What lies under a dialog: the screen there, dimmed."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.css.styles import RulesMap
from textual.renderables.background_screen import BackgroundScreen
from textual.strip import Strip
from textual.style import Style as VisualStyle
from textual.visual import RenderOptions, Visual

_STYLES_MAX: Final = 1_024


class Behind(Visual):
    """As Textual draws it, of the rows that there are already: without that it took 15 ms."""

    def __init__(self, behind: BackgroundScreen) -> None:
        self._behind = behind

    def render_strips(
        self,
        width: int,  # noqa: ARG002 - both screens are as large
        height: int | None,
        style: VisualStyle,  # noqa: ARG002 - nothing shines through
        options: RenderOptions,  # noqa: ARG002
    ) -> list[Strip]:
        """Its rows."""
        color = self._behind.color
        return [
            Strip((_dimmed(segment, color) for segment in strip), strip.cell_length)
            for strip in self._behind.screen._compositor.render_strips()[:height]
        ]

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:  # noqa: ARG002
        """All there is."""
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:  # noqa: ARG002
        """All of it."""
        return self._behind.screen.size.height


def _dimmed(segment: Segment, color: Color) -> Segment:
    style = (segment.style or Style.null()).clear_meta_and_links()
    return Segment(segment.text, _dimmed_style(style, color))


@lru_cache(_STYLES_MAX)
def _dimmed_style(style: Style, color: Color) -> Style:
    (dimmed,) = BackgroundScreen.process_segments((Segment("", style),), color)
    return dimmed.style or style
