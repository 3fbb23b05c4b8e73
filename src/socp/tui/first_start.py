"""The first minute: a name, a server, a passphrase, and one is talking."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Button, Input, Static

from socp.client import server_url, unlocking
from socp.client.errors import BadAddress, WeakPassphrase
from socp.client.unlocking import Passphrase, Plain
from socp.talk import places
from socp.talk.places import BadName
from socp.tui.opening import Opening

_LOOK_S: Final = 1.0
PLAIN: Final = "plain"
_WELCOME: Final = (
    "Nobody knows you here yet. Say who you are, and you are talking in a minute: a key is made on"
    " this machine, and no server can read what you say."
)
_SEALING: Final = (
    "A passphrase seals everything of yours on this disk. Four words that nobody would guess are"
    " good. Nobody can reset it. Leave it empty for none."
)


class FirstStart(Screen[None]):
    """Asks for what is not known yet."""

    DEFAULT_CSS = """
    FirstStart {
        align: center middle;
        & > VerticalScroll {
            width: 76;
            max-width: 100%;
            height: auto;
            max-height: 100%;
            border: round $primary;
            padding: 0 2;
        }
        & #sealing { height: auto; }
        & Button { margin: 1 0 0 0; }
    }
    """

    class Ready(Message):
        """All is known."""

        def __init__(self, opening: Opening) -> None:
            super().__init__()
            self.opening = opening

    def __init__(self, opening: Opening, name: str) -> None:
        """`name`: what the system calls the person."""
        super().__init__()
        self._opening = opening
        self._name = opening.name or name
        self._sure_plain = False

    def compose(self) -> ComposeResult:
        """Four lines to fill in, of which two may stay as they are."""
        with VerticalScroll() as form:
            form.border_title = Text("socp")
            yield Static(Text(_WELCOME), classes="hint")
            yield Input(self._name, id="name", max_length=places.NAME_CHARS_MAX)
            yield Input(self._opening.server or places.SERVER, id="server")
            yield Static(id="server-state", classes="hint")
            with Vertical(id="sealing"):
                yield Input(password=True, id="passphrase", placeholder="none")
                yield Input(password=True, id="again")
                yield Static(Text(_SEALING), classes="hint")
            yield Static(id="fault", classes="fault")
            yield Button("Begin", id="begin", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Titles are in the frames, where they take no room."""
        titles = {
            "name": "your name, as others will see it",
            "server": "server",
            "passphrase": "passphrase",
            "again": "the passphrase once more",
        }
        for name, title in titles.items():
            self.query_one(f"#{name}", Input).border_title = Text(title)
        self.query_one("#sealing").display = self._opening.lock is None
        self.query_one("#name").focus()
        self._look_for_server()

    @on(Input.Changed, "#server")
    def _server_changed(self) -> None:
        self._look_for_server()

    def _look_for_server(self) -> None:
        self.run_worker(self._answers(self.query_one("#server", Input).value), exclusive=True)

    async def _answers(self, address: str) -> None:
        """Say whether anything is there: nobody shall wait for a typing mistake to be noticed."""
        state = self.query_one("#server-state", Static)
        try:
            url = server_url.parse(address)
        except BadAddress as fault:
            state.update(Text(str(fault)))
            return
        state.update(Text("looking whether it is there ..."))
        try:
            async with asyncio.timeout(_LOOK_S):
                _, writer = await asyncio.open_connection(*server_url.endpoint(url))
            writer.close()
            state.update(Text("✓ something answers there"))
        except (OSError, TimeoutError):
            state.update(Text("nothing answers there now; one can begin all the same"))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        if event.input.id == "again" or (event.input.id == "server" and self._opening.lock):
            self._begin()
        else:
            self.focus_next()

    @on(Button.Pressed, "#begin")
    def _begin(self) -> None:
        try:
            opening = self._said()
        except (BadName, BadAddress, WeakPassphrase) as fault:
            self.complain(str(fault))
            return
        self.complain("")
        self.post_message(self.Ready(opening))

    def complain(self, text: str) -> None:
        """Say what is wrong."""
        self.query_one("#fault", Static).update(Text(text))

    def _said(self) -> Opening:
        name = places.checked_name(self.query_one("#name", Input).value)
        server = server_url.parse(self.query_one("#server", Input).value).text
        folder = self._opening.folder or places.profile_folder(name)
        if unlocking.locked(folder) is not None:
            raise BadName(
                f"there is somebody called {name} on this machine already; take another name, or"
                f" begin with socp tui --profile {quote(name)}"
            )
        said = replace(self._opening, folder=folder, name=name, server=server)
        if said.lock is not None:
            return said
        text = self.query_one("#passphrase", Input).value
        if text != self.query_one("#again", Input).value:
            raise WeakPassphrase("the two passphrases are not the same; type both once more")
        if text:
            unlocking.check_new(text)
            return replace(said, lock=Passphrase(lambda: text))
        if not self._sure_plain:
            self._sure_plain = True
            raise WeakPassphrase(
                "without a passphrase whoever can read your folder can read all that is in it, and"
                " speak as you; press Begin once more if that is what you want"
            )
        return replace(said, lock=Plain())
