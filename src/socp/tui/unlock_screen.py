"""The passphrase of a profile: at the start, and when nobody typed for long (threat P4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Input, Static

from socp.client.errors import ClientError
from socp.tui.field import Field
from socp.tui.profiles_screen import ProfilesScreen
from socp.tui.waiting import Waiting

_LOOKING: Final = "looking"
_AGAIN: Final = "looking; after wrong ones this takes longer each time, 30 seconds at most"
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
        self._next = ""  # entered while the one before is looked at
        self._looking = _LOOKING

    def compose(self) -> ComposeResult:
        """One line to type in."""
        with Vertical() as form:
            form.border_title = Text(self._title)
            yield Static(Text(self._why), classes="hint")
            yield Field(password=True, placeholder="passphrase")
            yield Static(id="fault", classes="fault")
            yield Waiting()
            yield Static(Text("Enter opens it   Ctrl-Q leaves"), classes="hint")

    def action_back(self) -> None:
        """Be somebody else, where that was the question; a locked screen stays locked."""
        if isinstance(self.app.screen_stack[-2], ProfilesScreen):
            _closed = self.dismiss(None)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        """What is typed from now on is another one."""
        if not event.value:
            return
        event.input.value = ""
        idle = not self._next and not self.query_one(Waiting).display
        self._next = event.value
        if idle:
            self.run_worker(self._try_all())

    async def _try_all(self) -> None:
        waiting, fault = self.query_one(Waiting), self.query_one("#fault", Static)
        while text := self._next:
            self._next = ""
            fault.update("")
            waiting.begin(self._looking)
            try:
                right = await self._check(text)
            except ClientError as why:
                fault.update(Text(str(why)))
                break
            if right:
                _closed = self.dismiss(text)
                return
            fault.update(Text("that is not it; try again"))
            self._looking = _AGAIN
        waiting.end()
