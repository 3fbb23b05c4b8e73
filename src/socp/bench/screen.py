"""How soon a key press is seen while messages pour in, and what a long history adds to opening.

`script/bench screen [LINES]` runs the full screen in a terminal of its own, with a real server and
people who talk to it. The goals: with 100,000 lines opening takes under 1 s more than with none; a
key press is on the screen within 50 ms at the 95th percentile while 200 messages a second arrive.
The server and the people, who would be on other machines, give way to the screen (nice 15).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from socp.bench.corpus import Corpus
from socp.bench.history import COMMIT_ROWS, LINES, machine, verdict
from socp.client.client import Client
from socp.client.errors import UnknownPerson
from socp.client.unlocking import Plain, unlock
from socp.member.effects import Online
from socp.storage.profile_store import ProfileStore

OPEN_S_MAX: Final = 1.0
KEY_MS_MAX: Final = 50
A_SECOND: Final = 200
SPEAKERS: Final = 8  # a server takes 30 frames a second from each
PAIRS: Final = 5
GIVING_WAY: Final = 15
ROUNDS: Final = 4
KEYS: Final = "αβγδεζηθικλμνξπρστυφχψωбвгджзийлптфцчшщъыьэюя"  # which no message has
PAUSE_S: Final = 0.15
PATIENCE_S: Final = 60
ROWS, COLUMNS = 40, 120
_READY: Final = "Ctrl-K"
_LISTENING: Final = re.compile(r"Listening on (ws://127\.0\.0\.1:\d+)")


def main() -> None:
    """Measure and print; `speak FOLDER URL` is what the people do, in a process of their own."""
    if sys.argv[1:2] == ["speak"]:
        os.nice(GIVING_WAY)
        asyncio.run(_speak(Path(sys.argv[2]), sys.argv[3]))
        return
    corpus = Corpus(int(sys.argv[1]) if len(sys.argv) > 1 else LINES)
    with tempfile.TemporaryDirectory() as place, _server(Path(place)) as url:
        print(machine())
        asyncio.run(_measure(Path(place), url, corpus))


async def _measure(folder: Path, url: str, corpus: Corpus) -> None:
    empty, full = folder / "empty", folder / "full"
    async with Client.open(empty, url, name="reader", downloads=folder, lock=Plain()) as me:
        async for notice in me.events():
            if isinstance(notice, Online):  # from now on the profile knows its server
                break
    shutil.copytree(empty, full)
    await asyncio.to_thread(_fill, full, corpus)
    pairs = [
        (
            await asyncio.to_thread(_opened_s, empty, ""),
            await asyncio.to_thread(_opened_s, full, "0000000"),
        )
        for _ in range(PAIRS)
    ]
    more = median(b - a for a, b in pairs)
    without, with_ = (median(times) for times in zip(*pairs, strict=True))
    print(
        f"opened            empty {without:.2f} s, {len(corpus.texts)} lines {with_:.2f} s,"
        f" {more:.2f} s more (median of {PAIRS} pairs); goal under {OPEN_S_MAX} s:"
        f" {verdict(more < OPEN_S_MAX)}"
    )
    with _screen(full) as screen:
        await asyncio.to_thread(screen.shows, _READY, time.perf_counter())
        quiet = await asyncio.to_thread(_pressed_ms, screen)
        with _speaking(folder, url) as said:
            at_first, before = await asyncio.to_thread(said), time.perf_counter()
            busy = await asyncio.to_thread(_pressed_ms, screen)
            rate = (await asyncio.to_thread(said) - at_first) / (time.perf_counter() - before)
    print(f"key press, quiet  p50 {median(quiet):5.1f} ms  p95 {_p95(quiet):5.1f} ms")
    print(
        f"key press, busy   p50 {median(busy):5.1f} ms  p95 {_p95(busy):5.1f} ms,"
        f" {rate:.0f} messages a second; goal under {KEY_MS_MAX} ms:"
        f" {verdict(_p95(busy) < KEY_MS_MAX)}"
    )


def _p95(times: list[float]) -> float:
    return quantiles(times, n=100)[94]


def _fill(folder: Path, corpus: Corpus) -> None:
    with ProfileStore.open(folder, lambda: unlock(folder, None)) as store:
        rows = list(corpus.rows())
        for at in range(0, len(rows), COMMIT_ROWS):
            store.write(rows[at : at + COMMIT_ROWS]).result()


@dataclass
class Speaker:
    """Somebody who says something, again and again."""

    me: Client
    said: int = 0
    began: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        """Nothing is left lying about."""
        async for _ in self.me.events():
            pass

    async def speak(self) -> None:
        """So often that all of them make `A_SECOND`."""
        while not (reader := self._reader()):  # noqa: ASYNC110 - it is told to `listen`
            await asyncio.sleep(PAUSE_S)
        due = time.perf_counter()
        while True:
            text = f"message {self.said} of {self.me.name}, as long as people write them"
            await self.me.send(reader, text)
            self.said += 1
            self.began.set()
            due = max(due + SPEAKERS / A_SECOND, time.perf_counter() - 1)
            await asyncio.sleep(max(due - time.perf_counter(), 0))

    def _reader(self) -> str:
        with suppress(UnknownPerson):
            return self.me.find("reader")
        return ""


async def _speak(folder: Path, url: str) -> None:
    """All of them; how much they said is written for each line that is read, until the last."""
    async with AsyncExitStack() as stack:
        speakers = []
        for number in range(SPEAKERS):
            place, name = folder / f"speaker-{number}", f"speaker {number}"
            opening = Client.open(place, url, name=name, downloads=folder, lock=Plain())
            speakers.append(Speaker(await stack.enter_async_context(opening)))
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(work)
                for each in speakers
                for work in (each.listen(), each.speak())
            ]
            async with asyncio.timeout(PATIENCE_S):
                for each in speakers:
                    await each.began.wait()
            while await asyncio.to_thread(sys.stdin.readline):
                print(sum(each.said for each in speakers), flush=True)
            for task in running:
                task.cancel()


@contextmanager
def _speaking(folder: Path, url: str) -> Iterator[Callable[[], int]]:
    """While people speak: what tells how often they did so far."""
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", "socp.bench.screen", "speak", str(folder), url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    asked, answered = process.stdin, process.stdout
    assert asked is not None
    assert answered is not None

    def said() -> int:
        print(file=asked, flush=True)
        return int(answered.readline())

    try:
        yield said
    finally:
        asked.close()
        answered.close()
        process.wait()


class Screen:
    """A terminal: what is pressed, and what was drawn since."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._drawn = b""
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def press(self, keys: str) -> None:
        """As a terminal sends them."""
        with self._changed:
            self._drawn = b""
        os.write(self._terminal, keys.encode())

    def shows(self, text: str, since: float) -> float:
        """How long after `since` it was drawn, s."""
        with self._changed:
            seen = self._changed.wait_for(lambda: text.encode() in self._drawn, PATIENCE_S)
        if not seen:
            raise TimeoutError(f"{text!r} was never drawn")
        return time.perf_counter() - since

    def _read(self) -> None:
        with suppress(OSError):  # the program is gone
            while piece := os.read(self._terminal, 65_536):
                with self._changed:
                    self._drawn = (self._drawn + piece)[-4_000_000:]
                    self._changed.notify_all()


def _pressed_ms(screen: Screen) -> list[float]:
    """How long each of many key presses takes to be drawn."""
    times = []
    for _ in range(ROUNDS):
        for key in KEYS:
            screen.press(key)
            times.append(screen.shows(key, time.perf_counter()) * 1e3)
            time.sleep(PAUSE_S / 3)
        screen.press("\x15")  # Ctrl-U: an empty line again
        time.sleep(PAUSE_S * 2)
    return times


def _opened_s(folder: Path, shown: str) -> float:
    start = time.perf_counter()
    with _screen(folder) as screen:
        screen.shows(_READY, start)
        return screen.shows(shown, start)


@contextmanager
def _screen(folder: Path) -> Iterator[Screen]:
    words = [sys.executable, "-m", "socp.cli.main", "tui", "--profile-dir", str(folder)]
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.execvpe(words[0], words, environment)  # noqa: S606 - ourselves
    try:
        yield Screen(terminal)
    finally:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        os.close(terminal)


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    words = ["serve", "--port", "0", "--ephemeral", "--bootstrap", "none"]
    process = subprocess.Popen(  # noqa: S603 - ourselves
        ["nice", "-n", str(GIVING_WAY), sys.executable, "-m", "socp.cli.main", *words],  # noqa: S607
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if found := _LISTENING.search(line):
                threading.Thread(target=process.stderr.read, daemon=True).start()
                yield found[1]
                break
        else:
            raise RuntimeError("the server did not start")
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
