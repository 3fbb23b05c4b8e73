"""Talking at a terminal: one line to type in, which what arrives never breaks (prompt_toolkit)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from prompt_toolkit import PromptSession
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.shortcuts import print_formatted_text
from prompt_toolkit.styles import Style

from socp.cli.lines.completion import Completions
from socp.cli.lines.screen_lock import Locked, ScreenLock
from socp.client.client import Client
from socp.client.clock import now_ms
from socp.client.errors import ClientError
from socp.talk.commands import Unclear
from socp.talk.desk import Desk
from socp.talk.entries import Entry, Row, layout
from socp.talk.obeying import Left

STYLE: Final = Style.from_dict(
    {
        "private": "ansimagenta",
        "public": "ansicyan",
        "name": "bold",
        "good": "ansigreen",
        "warn": "ansiyellow",
        "loud": "bold ansiwhite bg:ansired",
        "code": "#ffffff bg:#000000",
    }
)
_HOLD_S: Final = 0.7
_GATHER_S: Final = 0.02  # what arrives together is printed together: the prompt is drawn once
_REFRESH_S: Final = 0.5
_COLUMNS_MIN: Final = 24


class Screen:
    """Prints above the line being typed."""

    def __init__(self, session: PromptSession[str]) -> None:
        self._session = session
        self._rows: list[Row] = []
        self._shown: list[Callable[[], None]] = []  # to be called when the rows are printed
        self._timer: asyncio.TimerHandle | None = None
        self._held = False

    def hold(self) -> None:
        """Print nothing until `release`: nobody may read it."""
        self.flush()
        self._held = True

    def release(self) -> None:
        """Print again, what was held first."""
        self._held = False
        self.flush()

    def say(self, entry: Entry) -> None:
        """Print this now, held or not."""
        fragments = [part for row in layout(entry, self._width) for part in (*row, ("", "\n"))]
        self._print(fragments)

    @property
    def _width(self) -> int:
        return max(self._session.output.get_size().columns - 1, _COLUMNS_MIN)

    def show(self, entry: Entry) -> None:
        """Print it in a moment, with what comes beside it."""
        self._rows += layout(entry, self._width)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_GATHER_S, self.flush)

    def once_shown(self, done: Callable[[], None]) -> None:
        """Call it when everything up to here is printed."""
        self._shown.append(done)
        if self._timer is None:
            self.flush()

    def flush(self) -> None:
        """Print what was gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._held:
            return
        rows, self._rows = self._rows, []
        if rows:
            self._print([part for row in rows for part in (*row, ("", "\n"))])
        shown, self._shown = self._shown, []
        for done in shown:
            done()

    def _print(self, fragments: Row) -> None:
        print_formatted_text(
            FormattedText(fragments), end="", style=STYLE, output=self._session.output
        )

    def complain(self, text: str) -> None:
        """Say what was wrong with a line."""
        self.show(Entry((("class:warn", "? "),), text, body_style="class:warn"))


def new_session() -> PromptSession[str]:
    """History stays in memory: what one said is nobody's business on the disk."""
    depth = ColorDepth.from_env()
    return PromptSession(
        history=InMemoryHistory(),
        erase_when_done=True,
        complete_while_typing=False,
        enable_history_search=True,
        style=STYLE,
        color_depth=depth,
        refresh_interval=_REFRESH_S,
    )


async def talk(me: Client, greeting: list[Entry], *, lock_after_s: float = 0) -> int:
    """Until the person leaves: 0; or the server has turned us away for good: 1.

    `lock_after_s`: the passphrase is asked for when nobody typed for so long; 0: never.
    """
    session = new_session()
    screen = Screen(session)
    lock = ScreenLock(session, lock_after_s, me.passphrase.is_right)
    desk = Desk(
        me,
        screen.show,
        screen.once_shown,
        hold_s=_HOLD_S,
        patience_s=0,
        has_toolbar=True,
        ready=lock.open,
    )
    session.completer = Completions(me.contacts)
    session.bottom_toolbar = lambda: toolbar(desk)
    for entry in greeting:
        screen.show(entry)
    screen.flush()
    for entry in await desk.looking_back.begun(now_ms()):
        screen.show(entry)
    screen.flush()
    with patch_stdout():
        following = asyncio.create_task(desk.follow())
        typing = asyncio.create_task(_type(session, desk, screen, lock))
        done, _ = await asyncio.wait({following, typing}, return_when=asyncio.FIRST_COMPLETED)
        for task in {following, typing} - done:
            task.cancel()
        await asyncio.gather(following, typing, return_exceptions=True)
        screen.flush()
        for task in done:
            task.result()
    for phrase in desk.outstanding():
        screen.show(Entry((("class:warn", "not sent yet, "),), phrase))
    screen.flush()
    return 1 if desk.given_up and not desk.id_revoked else 0


async def _type(session: PromptSession[str], desk: Desk, screen: Screen, lock: ScreenLock) -> None:
    """Take lines; each is carried out on its own, so that one which takes long holds up nothing."""
    leaving = Leaving(desk, screen.complain)
    async with asyncio.TaskGroup() as tasks, lock.watching():
        running: set[asyncio.Task[bool]] = set()
        while True:
            try:
                line = await _line(session, desk, screen, lock)
            except KeyboardInterrupt:
                screen.complain("Ctrl-D or /quit leaves")
                continue
            except EOFError:
                line = "/quit"
            obeying = tasks.create_task(_obey(desk, screen, line))
            running.add(obeying)
            obeying.add_done_callback(running.discard)
            await asyncio.sleep(0)  # it has decided now, in the order of the lines
            if obeying.done() and obeying.result() and leaving.sure():
                break
        for task in running:
            task.cancel()


async def _line(session: PromptSession[str], desk: Desk, screen: Screen, lock: ScreenLock) -> str:
    """One line, once somebody is there to type it."""
    typed = ""
    while True:
        try:
            return await session.prompt_async(lambda: prompt(desk), default=typed)
        except Locked:
            screen.hold()
            await lock.unlocked(screen.say)
            for entry in await desk.looking_back.begun(now_ms()):
                screen.say(entry)
            screen.release()
            typed = lock.typed


async def _obey(desk: Desk, screen: Screen, line: str) -> bool:
    """True if the person wants to go."""
    try:
        await desk.obey(line)
    except Left:
        return True
    except (Unclear, ClientError) as fault:
        screen.complain(str(fault))
    return False


class Leaving:
    """Who leaves in the middle of a transfer is asked once."""

    def __init__(self, desk: Desk, complain: Callable[[str], None]) -> None:
        self._desk = desk
        self._complain = complain
        self._asked = False

    def sure(self) -> bool:
        """Whether to go now."""
        running = self._desk.transfers.outstanding()
        if not running or self._asked:
            return True
        self._asked = True
        self._complain(
            f"{', '.join(running)} is on its way, and goes on when you are back if their client"
            " can; /quit again to leave"
        )
        return False


def prompt(desk: Desk) -> FormattedText:
    """Whom plain text goes to."""
    who = desk.phrases.name(desk.turned_to) if desk.turned_to else ""
    return FormattedText([("class:name", who), ("", "> ")])


def toolbar(desk: Desk) -> FormattedText:
    """Who and where one is, and files on their way."""
    me = desk.me
    state = f"{len(desk.here)} more here" if me.attached else "not connected"
    if told := desk.lines.latest(desk.turned_to):
        state += f"; your last line to {desk.phrases.name(desk.turned_to)}: {told}"
    rows = [f" {me.name} at {me.url}: {state}", *(f" {line}" for line in desk.transfers.running())]
    return FormattedText([("", "\n".join(rows))])
