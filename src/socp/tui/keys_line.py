"""The last row of the screen: the keys that one needs most, to be read or clicked."""

from __future__ import annotations

from collections.abc import Iterator

from rich.style import Style
from rich.text import Text
from textual.widgets import Static

from socp.tui import keys
from socp.tui.keys import Key, Keymap
from socp.wire.text import columns


class KeysLine(Static):
    """Made from the keys there really are."""

    DEFAULT_CSS = """
    KeysLine { height: 1; padding: 0 1; background: $panel; color: $muted; link-style: none; }
    KeysLine { link-color: $foreground; link-background: transparent; }
    """

    def __init__(self, mine: Keymap) -> None:
        super().__init__()
        self._mine = mine
        self._where = "everywhere"
        self._unread = False  # something is, elsewhere

    def on_mount(self) -> None:
        """Begin with what works everywhere."""
        self.tell("everywhere")

    def on_resize(self) -> None:
        """There is more room, or less."""
        self.tell(self._where)

    def tell_unread(self, unread: bool) -> None:
        """Whether there is something to turn to."""
        if unread != self._unread:
            self._unread = unread
            self.tell(self._where)

    def tell(self, where: str) -> None:
        """The keys that work where one is now."""
        self._where = where
        words = Text(no_wrap=True, overflow="ellipsis")
        for key, action in _keys(where):
            if key.short and (self._unread or key.name != "next-unread"):
                click = Style(meta={"@click": action})
                first = keys.shown(key, self._mine).split(" or ", maxsplit=1)[0]
                needed = columns(f"{words.plain}{first} {key.short}")
                if needed > self.content_size.width:  # rather none than a part of it
                    break
                words.append(first, click + Style(bold=True))
                words.append(f" {key.short}", click)
                words.append("  ")
        self.update(words)


def _keys(where: str) -> Iterator[tuple[Key, str]]:
    """Those that work there, and what a click on each does. While one types all of them do that
    work everywhere."""
    for key in keys.TABLE["messages" if where == "messages" else "everywhere"]:
        message = where == "messages"
        yield key, f"screen.with_message('{key.action}')" if message else f"screen.{key.action}"
    for key in keys.TABLE["composer"] if where == "composer" else ():
        yield key, f"screen.with_composer('{key.action}')"
