"""Being sure of somebody: the safety number of both, as digits and as a QR code (threat I9)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import Resize
from textual.widgets import Button, Input, Static

from socp.client.errors import ClientError, NothingClaimed
from socp.crypto.safety_number import qr_text
from socp.member.records import TrustState
from socp.talk import qr
from socp.talk.deciding import in_rows
from socp.tui.dialog import Dialog
from socp.tui.field import Field
from socp.tui.session import Session
from socp.tui.sure_button import SureButton

_DIGITS_MAX: Final = 200
CODE_COLUMNS: Final = 80  # of the terminal, for the code beside the words
CODE_ROWS: Final = 23


class VerifyScreen(Dialog[None]):
    """Of one person; where their key changed, both numbers."""

    DEFAULT_CSS = """
    VerifyScreen {
        & > .dialog { width: 100%; max-width: 82; scrollbar-size-vertical: 1; }
        & Horizontal { height: auto; }
        & #code { width: auto; height: auto; margin-right: 2; color: #ffffff; background: #000000; }
        & #words { width: 1fr; height: auto; }
        & #state { text-style: bold; }
        & #state.-verified { color: $success; }
        & #state.-changed { color: $error; text-style: bold reverse; }
        & #claimed { color: $error; }
        & .digits { text-style: bold; margin: 1 0 0 0; }
        & #how { margin: 1 0 0 0; }
        & Button { margin-right: 1; min-width: 0; }
        &.-narrow #code { display: none; }
    }
    """

    def __init__(self, session: Session, user_id: str) -> None:
        super().__init__()
        self._session = session
        self._user_id = user_id

    def compose(self) -> ComposeResult:
        """The code at the left, the words at the right."""
        with VerticalScroll(classes="dialog"), Horizontal():
            yield Static(id="code")
            with Vertical(id="words"):
                yield Static(id="state")
                yield Static(id="number", classes="digits")
                yield Static(id="claimed", classes="digits")
                yield Static(id="how", classes="hint")
                yield Static(id="fault", classes="fault")
                yield Field(placeholder="what they read out", max_length=_DIGITS_MAX)
                with Horizontal():
                    yield Button("Compare", id="compare", variant="primary", compact=True)
                    yield Button("Close", id="close", compact=True)
                    yield Button("Not sure", id="unsure", compact=True)
                with Horizontal():
                    yield Button("Keep known", id="keep", compact=True)
                    yield SureButton("Take claimed", "Input", id="take")

    def on_mount(self) -> None:
        """Where the numbers are not known yet, the server may know the key."""
        self.query_one(".dialog").border_title = Text("safety number")
        self.query_one(Input).focus()
        self.run_worker(self._begin(), exclusive=True)

    def on_resize(self, event: Resize) -> None:
        """The digits say the same as the code: it goes where there is not room for both."""
        self.set_class(event.size.width < CODE_COLUMNS or event.size.height < CODE_ROWS, "-narrow")

    async def _begin(self) -> None:
        await self._tried(self._session.me.look_up(self._user_id))
        self._show()

    def _show(self) -> None:
        me, user_id = self._session.me, self._user_id
        name, state = self._session.called(user_id), me.trust_of(user_id)
        changed = state is TrustState.CHANGED
        said = self.query_one("#state", Static)
        said.update(Text(f"{name} is {state}"))
        said.set_class(state is TrustState.VERIFIED, "-verified")
        said.set_class(changed, "-changed")
        try:
            number = me.safety_number(user_id)
            claimed = me.claimed_number(user_id) if changed else ""
        except NothingClaimed:  # decided in this very moment
            claimed = ""
        except ClientError as fault:
            self._complain(str(fault))
            return
        code = qr.drawn(qr_text(number), qr.Ink.BLOCKS)
        self.query_one("#code", Static).update(Text("\n".join(code), no_wrap=True))
        head = "with the key you know\n" if claimed else ""
        self.query_one("#number", Static).update(Text(head + in_rows(number)))
        known = self.query_one("#claimed", Static)
        known.display = bool(claimed)
        known.update(Text(f"with the claimed key\n{in_rows(claimed)}"))
        self.query_one("#how", Static).update(Text(_how(name, changed=bool(claimed))))
        for button, there in (
            ("keep", changed),
            ("take", changed),
            ("unsure", state is TrustState.VERIFIED),
        ):
            self.query_one(f"#{button}", Button).display = there

    @on(Input.Submitted)
    @on(Button.Pressed, "#compare")
    async def _compare(self) -> None:
        digits = self.query_one(Input).value
        await self._decided(self._session.me.verify(self._user_id, digits))

    @on(Button.Pressed, "#keep")
    async def _keep(self) -> None:
        await self._decided(self._session.me.keep_key(self._user_id))

    @on(Button.Pressed, "#take")
    async def _take(self) -> None:
        """With digits only if they are its own."""
        digits = self.query_one(Input).value
        await self._decided(self._session.me.accept_key(self._user_id, digits))

    @on(Button.Pressed, "#unsure")
    async def _unsure(self) -> None:
        await self._decided(self._session.me.unverify(self._user_id))

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.give(None)

    async def _decided(self, work: Awaitable[None]) -> None:
        if await self._tried(work):
            self.query_one(Input).value = ""
            self._show()

    async def _tried(self, work: Awaitable[object]) -> bool:
        try:
            await work
        except ClientError as fault:
            self._complain(str(fault))
            return False
        self._complain("")
        return True

    def _complain(self, text: str) -> None:
        self.query_one("#fault", Static).update(Text(text))


def _how(name: str, *, changed: bool) -> str:
    if changed:
        return (
            f"Ask {name} by another way than this chat which number they see. The first: keep the"
            " key you know. The second: take the claimed one. Neither: do not decide."
        )
    return (
        f"{name} sees the same at F3, or somebody stands between you. Compare by another way than"
        " this chat, and type what they read out."
    )
