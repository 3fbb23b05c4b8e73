"""The full screen: opens the profile, asks for what is missing, shows the talk until one leaves."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import ClassVar, Final
from urllib.parse import unquote

from textual import on
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.events import AppBlur, AppFocus, Event, Key, MouseEvent, Paste
from textual.markup import escape
from textual.screen import Screen

from socp.client import unlocking
from socp.client.errors import ClientError, ProfileBusy, WrongPassphrase
from socp.client.own_passphrase import OwnPassphrase
from socp.client.unlocking import Passphrase
from socp.crypto.keys import Suite
from socp.keystore.vault_file import Locked
from socp.member.draft import Draft
from socp.talk import commands, idle, places
from socp.tui import keys, themes, widths
from socp.tui.choices_file import Choices
from socp.tui.dialog import Dialog
from socp.tui.first_start import FirstStart
from socp.tui.notifying import Notifying
from socp.tui.opening import Opening
from socp.tui.parts import Part
from socp.tui.profiles_screen import NEW, ProfilesScreen
from socp.tui.rubbish import Rubbish, look_seldom
from socp.tui.session import Session
from socp.tui.talk_screen import TalkScreen
from socp.tui.typed_ahead import Refused, TypedAhead
from socp.tui.unlock_screen import UnlockScreen
from socp.tui.waiting import Waiting

LOCK_LOOKS_S: Final = 1.0
TERMINAL_LOOKS_S: Final = 1.0
_MAKING: Final = "making your key, this once: some seconds, on a slow machine a minute"
_SEALED: Final = "This profile is sealed by a passphrase."


class SocpApp(App[int], inherit_bindings=False):
    """Its result is the exit code."""

    TITLE = "socp"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        keys.binding("quit", "quit"),
        keys.binding("palette", "command_palette"),
        Binding("ctrl+c", "help_quit", show=False, system=True),
    ]
    CSS = """
    Screen { background: $background; color: $foreground; }
    Dialog { background: $background 60%; }
    #opening { width: 100%; height: 100%; content-align: center middle; color: $muted; }
    ToastRack { dock: top; align: right top; margin: 1 0 0 0; }
    Toast { max-width: 60; }
    Button {
        color: $foreground;
        background: $panel;
        text-style: bold;
        &.-primary { color: $primary; background: $panel; }
        &.-error { color: $error; background: $panel; }
        &:hover { color: $foreground; background: $marked; }
        &.-active { border: none !important; }
        &:focus { color: $background; background: $foreground; text-style: bold; }
        &.-primary:focus { color: $background; background: $primary; text-style: bold; }
        &.-error:focus { color: $background; background: $error; text-style: bold; }
        &:ansi { background: ansi_default; }
        &:ansi:focus {
            color: ansi_default;
            background: ansi_default;
            text-style: bold reverse;
        }
    }
    Input {
        border: round $line;
        border-title-color: $muted;
        background: transparent;
        height: 3;
        padding: 0 1;
        &:focus { border: round $primary; border-title-color: $primary; background: transparent; }
        & > .input--placeholder { color: $muted; }
    }
    .hint { color: $muted; height: auto; }
    .fault { color: $error; height: auto; }
    """

    def __init__(
        self, opening: Opening, choices: Choices, *, login: str = "", suite: Suite | None = None
    ) -> None:
        """`login`: what the system calls the person; `suite`: of which kind the keys are."""
        widths.agree()
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self._opening = opening
        self._choices = choices
        self._login = login
        self._suite = suite
        self._touched_s = idle.clock_s()
        self._rubbish = Rubbish()
        self.typed_ahead = TypedAhead(self)
        self._notifying = Notifying(choices.notify, self._said_to_terminal)
        self.session: Session | None = None
        self.talk: TalkScreen | None = None
        self.fault = ""  # why it ended, to be said when the screen is as before
        for theme in (*themes.OURS, themes.OF_THE_TERMINAL):
            self.register_theme(theme)
        few = self.no_color or self.console.color_system == "standard"
        self.theme = themes.OF_THE_TERMINAL.name if few else themes.NAMES[choices.theme]
        self.set_keymap(dict(choices.keys))

    def get_driver_class(self) -> type[Driver]:
        """Where there are POSIX terminals, one that may go away."""
        if os.name != "posix":
            return super().get_driver_class()
        from socp.tui.terminal import Terminal  # nowhere else can it be imported

        return Terminal

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """For themes that are not ours."""
        return dict(themes.VARIABLES)

    # --- the beginning --------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """What is seen until there is something to be seen."""
        yield Waiting(id="opening")

    def on_mount(self) -> None:
        """Ask for what is not known."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._ended)
        self.set_interval(LOCK_LOOKS_S, self._look_for_somebody)
        self.set_interval(TERMINAL_LOOKS_S, self._look_at_terminal)
        try:
            self._begin()
        except ClientError as fault:
            self._give_up(str(fault))

    def _begin(self) -> None:
        if self._opening.folder is not None:
            self._open(self._opening)
        elif places.all_profiles():
            _mounting = self.push_screen(ProfilesScreen())
        else:
            _mounting = self.push_screen(FirstStart(self._opening, self._login))

    def _open(self, opening: Opening) -> None:
        """A profile, be it there or not. ClientError."""
        assert opening.folder is not None
        locked = unlocking.locked(opening.folder)
        if locked is None:
            _mounting = self.push_screen(FirstStart(opening, self._login))
        elif why := places.why_taken(opening.folder):
            self._ask_again(why)
        elif locked is Locked.PASSPHRASE and opening.lock is None:
            title = f"socp: {unquote(opening.folder.name)}"
            asking = UnlockScreen(title, _SEALED, OwnPassphrase(opening.folder).is_right)
            _mounting = self.push_screen(asking, lambda text: self._unlocked(opening, text))
        else:
            self._begin_talk(opening)

    def _unlocked(self, opening: Opening, passphrase: str | None) -> None:
        if passphrase is not None:
            self._begin_talk(replace(opening, lock=Passphrase(lambda: passphrase)))

    @on(ProfilesScreen.Chosen)
    def _profile_chosen(self, event: ProfilesScreen.Chosen) -> None:
        if event.profile == NEW:
            somebody = replace(self._opening, folder=None, name="")
            _mounting = self.push_screen(FirstStart(somebody, self._new_name()))
            return
        try:
            self._open(replace(self._opening, folder=places.profiles() / event.profile))
        except ClientError as fault:
            self._ask_again(str(fault))

    def _new_name(self) -> str:
        """What the system calls the person, where nobody is called that here."""
        taken = unlocking.locked(places.profile_folder(self._login)) is not None
        return "" if taken else self._login

    @on(FirstStart.Back)
    def _back(self) -> None:
        if isinstance(self.screen_stack[-2], ProfilesScreen):
            _closed = self.pop_screen()

    @on(FirstStart.Ready)
    def _first_start_ready(self, event: FirstStart.Ready) -> None:
        self._begin_talk(event.opening)

    def _begin_talk(self, opening: Opening) -> None:
        self._wait_for("opening your profile")
        self.run_worker(self._talk(opening), exclusive=True, group="talk")

    def _wait_for(self, what: str) -> None:
        """Say it where the person looks."""
        screen = self.screen
        if isinstance(screen, FirstStart):
            screen.wait_for(what)
        else:
            self._opening_line.begin(what)

    @property
    def _opening_line(self) -> Waiting:
        """Under all screens, where it would be drawn for as long as somebody waits for it."""
        return self.screen_stack[0].query_one(Waiting)

    def _ask_again(self, why: str) -> None:
        """Who else one is, where the one that was meant cannot be."""
        self._opening_line.end()
        if isinstance(self.screen, ProfilesScreen):
            self.screen.complain(why)
        else:
            _mounting = self.push_screen(ProfilesScreen(why))

    # --- the talk -------------------------------------------------------------------------------

    async def _talk(self, opening: Opening) -> None:
        """The whole life of a client: it is opened and closed in one task."""
        began = False
        try:
            async with opening.client(self._making_key, self._suite) as me:
                began = True
                session = Session(me, self._changed, self._notifying.arrived)
                await session.begin()
                await self._show(session)
                await session.run()
        except WrongPassphrase as fault:
            self._give_up(str(fault))
            return
        except ProfileBusy as fault:
            self._ask_again(str(fault))
            return
        except ClientError as fault:
            self._failed(str(fault), began=began)
            return
        self.exit(0 if self.session is None or not self.session.link.over else 1)

    async def _show(self, session: Session) -> None:
        self.session = session
        self.talk = talk = TalkScreen(session, self._choices.keys)
        self._notifying.called = session.called
        self._notifying.looking = lambda who: (
            self.app_focus and self.screen is talk and who == session.turned_to
        )
        self._opening_line.end()
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        await self.push_screen(talk)
        look_seldom()  # at what there is now neither

    def _making_key(self) -> None:
        self.call_from_thread(self._wait_for, _MAKING)

    def _failed(self, why: str, *, began: bool) -> None:
        screen = self.screen
        if not began and isinstance(screen, FirstStart):
            screen.complain(why)
        else:
            self._give_up(why)

    def _give_up(self, why: str) -> None:
        self.fault = why
        self.exit(2 if self.session is None else 1)

    def _changed(self, parts: Part) -> None:
        if self.talk is not None:
            self.talk.changed(parts)

    def _ended(self) -> None:
        if self.session is None:
            self.exit(0)
            return
        if self.talk is not None:
            self.talk.keep_draft()
        self.session.leave()

    def action_help_quit(self) -> None:
        """Ctrl-C elsewhere ends a program; here it copies, and says how one leaves."""
        leave = keys.shown(keys.named("quit"), self._choices.keys)
        above = isinstance(self.screen, Dialog)
        said = f"Esc closes this, {leave} leaves" if above else f"{leave} leaves"
        self.notify(said, timeout=3, markup=False)

    async def action_quit(self) -> None:
        """Wherever one is; in the middle of a transfer only when asked twice."""
        if self.talk is None or isinstance(self.screen, UnlockScreen):
            self._ended()
        else:
            self.talk.leave()

    # --- somebody is there ----------------------------------------------------------------------

    async def on_event(self, event: Event) -> None:
        """Whoever types or points is there; what is typed has its turn."""
        if isinstance(event, Key | Paste | MouseEvent):
            self._touched_s = idle.clock_s()
            if not event.is_forwarded and self.typed_ahead.keeps(event):
                return
        await super().on_event(event)

    @on(Refused)
    def _refused(self) -> None:
        self.typed_ahead.forget()

    def _look_for_somebody(self) -> None:
        idle_s = idle.clock_s() - self._touched_s
        self._rubbish.look(idle_s)
        self._lock_if_idle(idle_s)

    def _lock_if_idle(self, idle_s: float) -> None:
        limit, session = self._opening.lock_after_s, self.session
        if not limit or session is None or idle_s < limit:
            return
        if isinstance(self.screen, UnlockScreen) or not session.me.passphrase.is_set:
            return
        why = "Locked, for nobody was there; what comes is kept."
        self.clear_selection()
        session.go_away()
        locked = UnlockScreen("socp", why, session.me.passphrase.is_right)
        _mounting = self.push_screen(locked, lambda _: session.come_back())

    @on(AppBlur)
    def _unfocused(self) -> None:
        """The person looks at something else."""
        if self.session is not None:
            self.session.go_away()

    def _look_at_terminal(self) -> None:
        """It may be gone for good, or have taken nothing for a while."""
        if getattr(self._driver, "gone", False):
            self._ended()
        elif getattr(self._driver, "caught_up", bool)():
            self.screen.refresh()

    @on(AppFocus)
    def _focused(self) -> None:
        """What came meanwhile is in sight now."""
        if self.session is not None:
            self.session.come_back()

    # --- commands -------------------------------------------------------------------------------

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The keys that work everywhere, and every command that one could type."""
        talk = self.talk
        if talk is None or screen is not talk:
            yield SystemCommand("Quit", "leave", self._ended)
            return
        for key in keys.TABLE["everywhere"]:
            if key.action != "command_palette":
                title = key.purpose.capitalize()
                pressed = keys.shown(key, self._choices.keys)
                yield SystemCommand(title, escape(pressed), self._acted(talk, key.action))
        for word, arguments, purpose in commands.TABLE:
            if word != "wait":
                title = f"/{word} {arguments}".rstrip()
                yield SystemCommand(escape(title), purpose, self._typed(talk, word, arguments))

    @staticmethod
    def _acted(talk: TalkScreen, action: str) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            await talk.run_action(f"screen.{action}")

        return act

    @staticmethod
    def _typed(talk: TalkScreen, word: str, arguments: str) -> Callable[[], None]:
        def type_it() -> None:
            talk.composer.take_instead(Draft(f"/{word} " if arguments else f"/{word}"))
            talk.composer.focus()

        return type_it

    def copy_to_clipboard(self, text: str) -> None:
        """By the terminal, and said: nobody sees it happen."""
        super().copy_to_clipboard(text)
        self.notify("copied", timeout=2, markup=False)

    def _said_to_terminal(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)
