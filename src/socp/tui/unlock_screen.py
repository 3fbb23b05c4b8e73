"""The passphrase of a profile: at the start, and when nobody typed for long (threat P4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Input, Static

from socp.client.errors import ClientError
from socp.tui.profiles_screen import ProfilesScreen

_LOOKING = "looking; after a wrong one this takes longer each time, 30 seconds at most ..."
Check = Callable[[str], Awaitable[bool]]


class UnlockScreen(Screen[str | None]):
    """Its result is the right passphrase."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "app.quit", show=False, priority=True),
        Binding("escape", "back", show=False),
    ]

    DEFAULT_CSS = """
    UnlockScreen {
        align: center middle;
        & > Vertical {
            width: 60;
            max-width: 100%;
            height: auto;
            border: round $primary;
            padding: 0 1;
        }
    }
    """

    def __init__(self, title: str, why: str, check: Check) -> None:
        """`check`: whether this is the passphrase; it may take its time after wrong ones."""
        super().__init__()
        self._title = title
        self._why = why
        self._check = check

    def compose(self) -> ComposeResult:
        """One line to type in."""
        with Vertical() as form:
            form.border_title = Text(self._title)
            yield Static(Text(self._why), classes="hint")
            yield Input(password=True, placeholder="passphrase")
            yield Static(id="fault", classes="fault")
            yield Static(Text("Enter opens it   Ctrl-Q leaves"), classes="hint")

    def action_back(self) -> None:
        """Be somebody else, where that was the question; a locked screen stays locked."""
        if isinstance(self.app.screen_stack[-2], ProfilesScreen):
            _closed = self.dismiss(None)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        if event.value:
            self.query_one("#fault", Static).update(Text(_LOOKING))
            self.run_worker(self._tried(event.value), exclusive=True)

    async def _tried(self, text: str) -> None:
        try:
            right = await self._check(text)
        except ClientError as fault:
            self.query_one("#fault", Static).update(Text(str(fault)))
            return
        if right:
            _closed = self.dismiss(text)
            return
        self.query_one(Input).value = ""
        self.query_one("#fault", Static).update(Text("that is not it; try again"))
