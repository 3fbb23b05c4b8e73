"""The first minute: a name, a server, a passphrase, and one is talking."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Final
from urllib.parse import quote

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Button, Input, Static

from socp.client import nearby, server_url, unlocking
from socp.client.errors import BadAddress, WeakPassphrase
from socp.client.nearby import Found, NothingThere
from socp.client.unlocking import Passphrase, Plain
from socp.talk import places
from socp.talk.places import BadName
from socp.tui.field import Field
from socp.tui.opening import Opening
from socp.tui.waiting import Waiting

TYPED_S: Final = 0.4
"""Nothing is asked of an address that is being typed."""
AGAIN_S: Final = 2.0
_WELCOME: Final = (
    "Say who you are, and you are talking in a minute: your key is made on this machine and stays"
    " here."
)
_SEALING: Final = (
    "It seals all of yours on this disk, and is asked for at each start. Ten characters or more,"
    " better four random words; nobody can reset it. Empty: none."
)
_PLAIN: Final = (
    "without a passphrase whoever can read your folder can read all that is in it, and speak as"
    " you; press Enter once more if that is what you want"
)
_KEYS: Final = "Enter goes on   Tab, Shift-Tab move   Ctrl-Q leaves"
_DIFFERENT: Final = "the two passphrases are not the same; type both once more"
_UNINVITED: Final = (
    "this server wants an invitation; ask its operator for the code, or choose another server"
)
_REGISTRATIONS: Final = {
    "open": "✓ a server is there, and takes everybody",
    "invite": "✓ a server is there, and wants an invitation from its operator",
    "closed": "! a server is there, and takes nobody new; choose another, or ask its operator",
    "": "✓ something answers there",
}


class _BadCode(Exception):
    """No invitation, where one is wanted."""


class FirstStart(Screen[None]):
    """Asks for what is not known yet."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # Before any field sees the next key: what is typed ahead stands where it is meant to.
        Binding("enter", "enter", show=False, priority=True),
        Binding("escape", "back", show=False),
        Binding("ctrl+c", "app.quit", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    FirstStart {
        align: center middle;
        & > VerticalScroll {
            width: 78;
            max-width: 100%;
            height: auto;
            max-height: 100%;
            border: round $primary;
            padding: 0 1;
        }
        & Input { width: 1fr; }
        & #lines, & Horizontal { height: auto; }
        & #server-state { height: 2; }
        & #fault { min-height: 2; }
        & #code { display: none; }
        & Button { margin: 0 2 0 0; }
    }
    """

    class Ready(Message):
        """All is known."""

        def __init__(self, opening: Opening) -> None:
            super().__init__()
            self.opening = opening

    class Back(Message):
        """Not somebody new after all."""

    def __init__(self, opening: Opening, name: str) -> None:
        """`name`: what the system calls the person."""
        super().__init__()
        self._opening = opening
        self._name = opening.name or name
        self._found: Found | None = None
        self._absent = ""  # why no server was found where one is meant to be
        self._sure: set[str] = set()  # doubts that were said, and one went on

    def compose(self) -> ComposeResult:
        """Lines to fill in, of which the first two may stay as they are."""
        with VerticalScroll() as form:
            form.border_title = Text("socp")
            with Vertical(id="lines"):
                yield Static(Text(_WELCOME), classes="hint")
                yield Field(self._name, id="name", max_length=places.NAME_CHARS_MAX)
                yield Field(self._opening.server or places.SERVER, id="server")
                yield Static(id="server-state", classes="hint")
                yield Field(self._opening.invitation, id="code")
                with Horizontal(id="sealing"):
                    yield Field(password=True, id="passphrase", placeholder="none")
                    yield Field(password=True, id="again")
                yield Static(Text(_SEALING), id="why", classes="hint")
                with Horizontal():
                    yield Button("Begin", id="begin", variant="primary", compact=True)
                    yield Static(Text(_KEYS), classes="hint")
                yield Static(id="fault", classes="fault")  # below: no button moves
            yield Waiting()

    def on_mount(self) -> None:
        """Titles are in the frames, where they take no room."""
        titles = {
            "name": "your name, as others will see it",
            "server": "server",
            "code": "invitation",
            "passphrase": "passphrase",
            "again": "the passphrase once more",
        }
        for name, title in titles.items():
            self._field(name).border_title = Text(title)
        for name in ("#sealing", "#why"):
            self.query_one(name).display = self._opening.lock is None
        self._field("name").focus()
        # Somebody who names a server means that one.
        first = self._looks() if self._opening.server else self._finds()
        self.run_worker(first, exclusive=True, group="look")

    def _field(self, name: str) -> Input:
        return self.query_one(f"#{name}", Input)

    # --- which server ---------------------------------------------------------------------------

    @on(Input.Changed, "#server")
    def _server_changed(self, event: Input.Changed) -> None:
        if event.value not in (places.SERVER, self._found and self._found.url):
            self.run_worker(self._looks(), exclusive=True, group="look")

    async def _finds(self) -> None:
        """The first server on this machine; one that is started meanwhile is found too."""
        while not (found := await nearby.on_this_machine(places.server_ports())):
            self._absent = "no server is running on this machine"
            self._say(
                f"{self._absent}; type the address of another, or start one:"
                f" {places.start_server()}, in a terminal of its own"
            )
            await asyncio.sleep(AGAIN_S)
        self._tell(found[0])
        self._field("server").value = found[0].url
        if others := [one.url for one in found[1:]]:
            self._say(f"{_REGISTRATIONS[found[0].registration]}; so does {', '.join(others)}")

    async def _looks(self) -> None:
        """Say whether anything is there: nobody shall wait for a typing mistake to be noticed."""
        self._found, self._absent = None, ""
        self._say("...")
        await asyncio.sleep(TYPED_S)
        try:
            url = server_url.meant(self._field("server").value)
        except BadAddress as fault:
            self._say(str(fault))
            return
        how = f"{places.start_server()} starts one here" if url.loopback else "is it spelled so?"
        while self._found is None:
            try:
                self._tell(await nearby.look(url))
            except NothingThere as fault:
                self._absent = str(fault)
                self._say(f"! {fault}; {how}")
                await asyncio.sleep(AGAIN_S)

    def _tell(self, found: Found) -> None:
        self._found, self._absent = found, ""
        self._say(_REGISTRATIONS.get(found.registration, _REGISTRATIONS[""]))
        self._field("code").display = found.registration == "invite"

    def _say(self, text: str) -> None:
        self.query_one("#server-state", Static).update(Text(text))

    # --- going on -------------------------------------------------------------------------------

    def action_enter(self) -> None:
        """The next line, and after the last one it begins."""
        at = self.focused
        if isinstance(at, Button):
            at.press()
        elif not isinstance(at, Input):
            self.focus_next()
        elif at is self._last():
            at.post_message(Input.Submitted(at, at.value))  # behind the keys it was sent already
        else:
            self.focus_next(Input)

    def _last(self) -> Input:
        return [field for field in self.query(Input) if field in self.focus_chain][-1]

    def action_back(self) -> None:
        """Be somebody who is there already."""
        self.post_message(self.Back())

    @on(Input.Submitted)
    @on(Button.Pressed, "#begin")
    def _begin(self) -> None:
        try:
            opening = self._said()
        except BadName as fault:
            self._mend("name", str(fault))
        except BadAddress as fault:
            self._mend("server", str(fault))
        except _BadCode as fault:
            self._mend("code", str(fault))
        except WeakPassphrase as fault:
            self._mend("passphrase", str(fault))
        else:
            if doubt := next((one for one in self._doubts(opening) if one not in self._sure), ""):
                self._sure.add(doubt)
                self.complain(doubt)
                return
            self.complain("")
            self.query_one("#lines").disabled = True  # it begins once
            self.wait_for("opening your profile")
            self.post_message(self.Ready(opening))

    def _doubts(self, opening: Opening) -> Iterator[str]:
        """What one is asked about once, before it is done."""
        if self._absent:
            yield f"{self._absent} ({opening.server}); press Enter once more to begin all the same"
        if isinstance(opening.lock, Plain) and self._opening.lock is None:
            yield _PLAIN

    @on(Input.Changed, "#passphrase")
    def _passphrase_changed(self) -> None:
        self._sure.discard(_PLAIN)

    def wait_for(self, what: str) -> None:
        """It began, and takes a while."""
        self.query_one("#lines").display = False
        self.query_one(Waiting).begin(what)

    def _mend(self, name: str, text: str) -> None:
        """Say what is wrong where it is to be mended."""
        if name == "passphrase":
            self._field("passphrase").value = self._field("again").value = ""
        self._field(name).focus()
        self.complain(text)

    def complain(self, text: str) -> None:
        """Say what is wrong."""
        lines = self.query_one("#lines")
        lines.disabled, lines.display = False, True
        self.query_one(Waiting).end()
        self.query_one("#fault", Static).update(Text(text))
        self.call_after_refresh(self.query_one("#fault").scroll_visible, animate=False)

    def _invitation(self) -> str:
        code = self._field("code")
        if not code.display:
            return self._opening.invitation
        try:
            said = places.checked_invitation(code.value.strip())
        except BadName as fault:
            raise _BadCode(str(fault)) from None
        if not said:
            raise _BadCode(_UNINVITED)
        return said

    def _said(self) -> Opening:
        """BadName, BadAddress, _BadCode, WeakPassphrase."""
        name = places.checked_name(self._field("name").value)
        server = server_url.meant(self._field("server").value).text
        invitation = self._invitation()
        folder = self._opening.folder or places.profile_folder(name)
        if unlocking.locked(folder) is not None:
            raise BadName(
                f"there is somebody called {name} on this machine already; take another name, or"
                f" leave and begin with socp tui --profile {quote(name)}"
            )
        said = replace(
            self._opening,
            folder=folder,
            name=name,
            server=server,
            invitation=invitation,
        )
        if said.lock is not None:
            return said
        text = self._field("passphrase").value
        if text != self._field("again").value:
            raise WeakPassphrase(_DIFFERENT)
        if not text:
            return replace(said, lock=Plain())
        unlocking.check_new(text)
        return replace(said, lock=Passphrase(lambda: text))
