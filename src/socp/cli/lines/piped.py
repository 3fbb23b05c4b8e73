"""Talking from a script: commands on standard input, one a line; talk on standard output."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Final, TextIO

from socp.cli.exits import Unwritable
from socp.client.client import Client
from socp.client.errors import ClientError
from socp.files.transfer import SENDING_MAX
from socp.talk.commands import Unclear
from socp.talk.desk import Desk
from socp.talk.entries import Entry, Kind, layout, plain
from socp.talk.obeying import Left
from socp.wire import limits

LINE_BYTES_MAX: Final = limits.MIB
_PATIENCE_S: Final = 20.0  # the public channel takes a newcomer some ten seconds to get into
_LINES_AHEAD: Final = 500
_STUCK_S: Final = 10.0
_LOOK_AGAIN_S: Final = 0.05
_PIECE_BYTES: Final = 64 * limits.KIB


class Reader(threading.Thread):
    """Reads in a thread of its own: a file is no pipe, and neither may keep us from ending.

    From the descriptor itself: a thread inside a buffered reader would hold its lock at exit.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(name="socp-stdin", daemon=True)
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self._wanted = threading.Semaphore(0)

    def run(self) -> None:
        """One piece for each one asked for; b"" at the end."""
        while True:
            self._wanted.acquire()
            try:
                piece = os.read(self._descriptor, _PIECE_BYTES)
            except OSError:
                piece = b""
            try:
                self._loop.call_soon_threadsafe(self._pieces.put_nowait, piece)
            except RuntimeError:  # the loop has ended meanwhile
                return
            if not piece:
                return

    async def lines(self) -> AsyncIterator[bytes]:
        """To the end of the input, without line ends; what is too long ends up too long."""
        self.start()
        rest = b""
        while True:
            self._wanted.release()
            piece = await self._pieces.get()
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                yield line
            if not piece:
                break
            rest = rest[: LINE_BYTES_MAX + 1]
        if rest:
            yield rest


class Printer:
    """Entries as plain text, one or more rows each."""

    def __init__(self, talk: TextIO, aside: TextIO) -> None:
        self._streams = {Kind.TALK: talk, Kind.ASIDE: aside}
        for stream in (talk, aside):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace", line_buffering=True)

    def show(self, entry: Entry) -> None:
        """Print it now."""
        for row in layout(entry, None):
            self._write(entry.kind, plain(row))

    def aside(self, entry: Entry) -> None:
        """Print it on standard error, whatever it is."""
        for row in layout(entry, None):
            self._write(Kind.ASIDE, plain(row))

    def line(self, text: str) -> None:
        """Print this line of ours on standard output."""
        self._write(Kind.TALK, text)

    def once_shown(self, done: Callable[[], None]) -> None:
        """Whole lines were handed to the system when they were printed."""
        done()

    def complain(self, text: str) -> None:
        """Say what was wrong with a line."""
        self._write(Kind.ASIDE, f"socp: {text}")

    def _write(self, kind: Kind, row: str) -> None:
        try:
            self._streams[kind].write(row + "\n")
        except BrokenPipeError:
            raise
        except OSError as fault:
            name = "output" if kind is Kind.TALK else "error"
            raise Unwritable(f"nothing more fits on standard {name}: {fault.strerror}") from None


async def talk(me: Client, wait_s: float) -> int:
    """Read, obey, then wait up to `wait_s` for what is outstanding. 0 if all went well, else 1."""
    printer = Printer(sys.stdout, sys.stderr)
    desk = Desk(
        me,
        printer.show,
        printer.once_shown,
        hold_s=0.5,
        patience_s=_PATIENCE_S,
        has_toolbar=False,
    )
    following = asyncio.create_task(desk.follow())
    reading = asyncio.create_task(_read(desk, printer))
    await asyncio.wait({following, reading}, return_when=asyncio.FIRST_COMPLETED)
    if following.done():
        reading.cancel()
        await following
        return 0 if desk.id_revoked else 1
    understood = await reading
    await desk.finished(wait_s)
    following.cancel()
    left = desk.outstanding()
    for phrase in left:
        printer.complain(f"not sent yet: {phrase}")
    if left:
        printer.complain("lines that wait are kept, and go out when this profile is used again")
    return 0 if understood and not left and not desk.failed else 1


async def _read(desk: Desk, printer: Printer) -> bool:
    """Obey every line; whether all were understood and carried out."""
    understood, number = True, 0
    async for data in Reader(sys.stdin.fileno()).lines():
        number += 1
        await _room(desk)
        try:
            await desk.obey(_text(data))
        except Left:
            break
        except (Unclear, ClientError) as fault:
            understood = False
            printer.complain(f"line {number}: {fault}")
    return understood


async def _room(desk: Desk) -> None:
    """A script says more at once than may wait, and sends more files than go at a time.

    Where nothing moves for long, somebody is away: what is too much then is refused.
    """
    least, until = sys.maxsize, 0.0
    while (ahead := desk.lines.open) >= _LINES_AHEAD or desk.transfers.sending >= SENDING_MAX:
        if ahead < least or desk.transfers.sending >= SENDING_MAX:  # a file moves, or ends
            least, until = ahead, time.monotonic() + _STUCK_S
        if time.monotonic() >= until:
            return
        await asyncio.sleep(_LOOK_AGAIN_S)


def _text(data: bytes) -> str:
    if len(data) > LINE_BYTES_MAX:
        raise Unclear("the line is too long; send it as a file")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Unclear("the line is not UTF-8") from None
