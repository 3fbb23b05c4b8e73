"""The last row of the screen: the keys that one needs most, to be read or clicked."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text
from textual.widgets import Static

from socp.tui import keys
from socp.tui.keys import Keymap


class KeysLine(Static):
    """Made from the keys there really are."""

    DEFAULT_CSS = """
    KeysLine { height: 1; padding: 0 1; background: $panel; color: $muted; }
    """

    def __init__(self, mine: Keymap) -> None:
        words = Text(no_wrap=True, overflow="ellipsis")
        for key in keys.TABLE["everywhere"]:
            if key.footer:
                click = Style(meta={"@click": f"screen.{key.action}"})
                first = keys.shown(key, mine).split(" or ", maxsplit=1)[0]
                words.append(first, click + Style(bold=True))
                words.append(f" {key.purpose}", click)
                words.append("  ")
        super().__init__(words)
