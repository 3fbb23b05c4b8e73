"""A terminal that somebody left shows nothing: after idle minutes the screen is cleared, and the
passphrase is asked for again (threat P4). What comes meanwhile is stored, and shown afterwards."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from prompt_toolkit import PromptSession

from socp.cli.unseen import unseen
from socp.talk import idle
from socp.talk.entries import Entry

Check = Callable[[str], Awaitable[bool]]

_LOOKS_S: Final = 1.0


class Locked(Exception):
    """The line being typed is put away: nobody is there."""


class ScreenLock:
    """Watches for keys, and ends the prompt with `Locked` when none came for `idle_s`; 0: never."""

    def __init__(self, session: PromptSession[str], idle_s: float, check: Check) -> None:
        """`check`: whether this is the passphrase; it may take its time after wrong ones."""
        self._session = session
        self._idle_s = idle_s
        self._check = check
        self._open = asyncio.Event()
        self._open.set()
        self._touched_s = idle.clock_s()
        self.typed = ""  # what stood in the line when it was locked
        session.app.key_processor.before_key_press += lambda _: self.touched()

    def touched(self) -> None:
        """Somebody is there."""
        self._touched_s = idle.clock_s()

    async def open(self) -> None:
        """Return while, or as soon as, the screen may be looked at."""
        await self._open.wait()

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Within it, the prompt may end with `Locked`."""
        watch = asyncio.create_task(self._watch()) if self._idle_s else None
        try:
            yield
        finally:
            if watch:
                watch.cancel()

    async def _watch(self) -> None:
        while True:
            left_s = self._touched_s + self._idle_s - idle.clock_s()
            if left_s > 0:
                await asyncio.sleep(min(left_s, _LOOKS_S))  # not counted while a machine sleeps
            elif self._session.app.is_running:
                self._lock()
            else:  # between two lines
                self.touched()

    def _lock(self) -> None:
        self._open.clear()
        self.typed = self._session.default_buffer.text
        self.touched()
        self._session.app.exit(exception=Locked())

    async def unlocked(self, say: Callable[[Entry], None]) -> None:
        """Clear the screen, and return when the passphrase was typed. EOFError: they want to go."""
        self._clear()
        say(Entry((("class:mark", "locked, for nobody was there; what comes is kept"),)))
        asking: PromptSession[str] = PromptSession(
            is_password=True, erase_when_done=True, output=self._session.output
        )
        while True:
            try:
                text = await asking.prompt_async("passphrase: ")
            except KeyboardInterrupt:
                say(Entry((("class:warn", "? Ctrl-D leaves"),)))
                continue
            if not text:
                continue
            with unseen():  # it may be the passphrase, typed before it is asked for
                right = await self._check(text)
            if right:
                break
            say(Entry((("class:warn", "? that is not it; try again"),)))
        self._clear()
        self.touched()
        self._open.set()

    def _clear(self) -> None:
        output = self._session.output
        output.erase_screen()
        output.write_raw("\x1b[3J")  # what was scrolled away, too
        output.cursor_goto(0, 0)
        output.flush()
