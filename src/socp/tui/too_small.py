"""What is shown where the terminal has no room for a talk. What is typed is not lost by it."""

from __future__ import annotations

from typing import Final

from textual.widgets import Static

TINY_COLUMNS: Final = 36
TINY_ROWS: Final = 9


class TooSmall(Static):
    """Over all else; whose `layer` it is says when."""

    DEFAULT_CSS = """
    TooSmall {
        width: 100%;
        height: 100%;
        content-align: center middle;
        text-align: center;
        background: $background;
        color: $warning;
    }
    """

    def __init__(self) -> None:
        words = f"This window is too small; make it {TINY_COLUMNS} by {TINY_ROWS} or larger."
        super().__init__(words, markup=False)
