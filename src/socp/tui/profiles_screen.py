"""Whose profile, where there are several, and where the one that was meant is in use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final
from urllib.parse import unquote

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from socp.client import unlocking
from socp.client.errors import ClientError
from socp.keystore.vault_file import Locked
from socp.talk import places
from socp.tui.row_view import RowView
from socp.tui.rows import Block, Piece, Row, spread

LOOKS_S: Final = 1.0
SHOWN_MAX: Final = 200
NEW: Final = "/new"
"""Stands for somebody new; no profile's folder has a slash in its name."""
_LOCKS: Final = {
    Locked.PASSPHRASE: "passphrase",
    Locked.KEYRING: "keyring",
    Locked.PLAIN: "not sealed",
    None: "",
}


class ProfilesScreen(Screen[None]):
    """The last used comes first; those in use can be seen, and become free while one looks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "app.quit", show=False, priority=True)
    ]
    DEFAULT_CSS = """
    ProfilesScreen {
        align: center middle;
        & > Vertical {
            width: 64;
            max-width: 100%;
            height: auto;
            max-height: 100%;
            border: round $primary;
            padding: 0 1;
        }
        & RowView { height: auto; max-height: 14; }
    }
    """

    class Chosen(Message):
        """The folder's name, or NEW."""

        def __init__(self, profile: str) -> None:
            super().__init__()
            self.profile = profile

    def __init__(self, why: str = "") -> None:
        """`why` one is asked, where one said who one is."""
        super().__init__()
        self._why = why

    def compose(self) -> ComposeResult:
        """Who there is, and somebody new."""
        with Vertical() as form:
            form.border_title = Text("socp: who are you?")
            yield Static(Text(self._why), classes="fault")
            yield RowView()
            yield Static(Text("Enter takes it   Up, Down move   Ctrl-Q leaves"), classes="hint")

    def on_mount(self) -> None:
        """Begin with whoever was here last and can be."""
        self.query_one(RowView).focus()
        self.query_one(".fault").display = bool(self._why)
        self.call_after_refresh(self._begin)
        self.set_interval(LOOKS_S, self._look)

    def _begin(self) -> None:
        self._look()
        free = places.free_profiles()
        self.query_one(RowView).mark(free[0] if free else NEW)

    def complain(self, why: str) -> None:
        """Say why one is asked again."""
        fault = self.query_one(".fault", Static)
        fault.update(Text(why))
        fault.display = bool(why)

    def _look(self) -> None:
        view = self.query_one(RowView)
        view.put(tuple(Block(name, (row,)) for name, row in self._rows(view.room)))

    def _rows(self, width: int) -> Iterator[tuple[str, Row]]:
        for name in places.all_profiles()[:SHOWN_MAX]:
            head = (Piece("name", f" {unquote(name)}"),)
            yield name, spread(head, (Piece("mark", _state(name)),), width)
        yield NEW, (Piece("own", " + somebody new"),)

    @on(RowView.Chosen)
    def _picked(self, event: RowView.Chosen) -> None:
        event.stop()
        why = "" if event.key == NEW else places.why_taken(places.profiles() / event.key)
        self.complain(why)
        if not why:
            self.post_message(self.Chosen(event.key))


def _state(name: str) -> str:
    folder = places.profiles() / name
    if not places.is_free(folder):
        return "in use"
    try:
        return _LOCKS[unlocking.locked(folder)]
    except ClientError:
        return "cannot be read"
