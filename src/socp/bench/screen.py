"""How soon a key press is seen while messages pour in, what holds the interface's loop up, what a
long talk costs.

`script/bench screen [LINES]` runs the full screen in a terminal of its own, with a real server
whose limits are on, and people who talk to it, in processes of their own with RSA keys: a tenth of
what they say is in the open talk, a tenth for everybody. Those, who would be on other machines,
give way to the screen (nice 15), and have sealed and signed what they say beforehand; how much of
it came is counted in the reader's profile.

The goals: with 100,000 lines opening takes under 1 s more than with none; a key press is on the
screen within 50 ms at the 95th percentile while 200 messages a second arrive; nothing holds the
loop for 16 ms of the processor. References of the same run: a bare text area of Textual, and this
screen while nobody talks.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from socp.bench.corpus import Corpus
from socp.bench.history import COMMIT_ROWS, LINES
from socp.bench.loop_watch import NOTED_MS, read
from socp.bench.machine import machine, verdict
from socp.bench.serving import Server, serving
from socp.bench.speakers import A_SECOND, READER, crowd
from socp.bench.terminal import COLUMNS, ROWS, Terminal, terminal
from socp.client.client import Client
from socp.client.unlocking import Plain, unlock
from socp.member.effects import Online
from socp.storage.profile_store import ProfileStore
from socp.storage.sqlite import FILE_NAME

OPEN_S_MAX: Final = 1.0
KEY_MS_MAX: Final = 50
HELD_MS_MAX: Final = 16
PAIRS: Final = 5
CALLED: Final = ("ann", "bob", "eve")  # who talks, in each run
ROUNDS: Final = 2
NEARLY: Final = 0.95  # of the messages came, or nothing is said of so many
SPEAKING_S: Final = 20  # of messages are made: longer than all keys are pressed
KEYS: Final = "αβγδεζηθικλμνξπρστυφχψωбвгджзийлптфцчшщъыьэюя"  # which no message has
PAUSE_S: Final = 0.15
CHANNEL_S: Final = 3
"""Until then the reader has made the channel's key: one that a speaker made, who hears nothing any
more while they speak, the reader might never get."""
PASTED_BYTES: Final = 65_536
PAGES_AT_ONCE: Final = 10
FIRST_WORDS: Final = 3
_READY: Final = "Ctrl-K"
_JUMP: Final = "\x0b"  # Ctrl-K
_NEXT_TALK: Final = "\x0e"  # Ctrl-N
_PAGE_UP: Final = "\x1b[5~"


def main() -> None:
    """Measure and print."""
    corpus = Corpus(int(sys.argv[1]) if len(sys.argv) > 1 else LINES, people=1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        print(f"{machine()}, load {os.getloadavg()[0]:.1f}; {COLUMNS} x {ROWS} cells", flush=True)
        with _server(folder) as server:
            empty, full = asyncio.run(_profiles(folder, server.url, corpus))
            _print_opening(empty, full, corpus)
            _print_holding(folder, full, corpus)
        _print_pressing(folder)


async def _profiles(folder: Path, url: str, corpus: Corpus) -> tuple[Path, Path]:
    """One without a line, one with all of them in one talk."""
    empty, full = await _new_profile(folder / "empty", url), folder / "full"
    shutil.copytree(empty, full)
    await asyncio.to_thread(_fill, full, corpus)
    return empty, full


async def _new_profile(profile: Path, url: str) -> Path:
    """Of somebody who was with this server once."""
    async with Client.open(profile, url, name=READER, downloads=profile.parent, lock=Plain()) as me:
        async for notice in me.events():
            if isinstance(notice, Online):  # from now on the profile knows its server
                break
    return profile


def _fill(folder: Path, corpus: Corpus) -> None:
    with ProfileStore.open(folder, lambda: unlock(folder, None)) as store:
        rows = list(corpus.rows())
        for at in range(0, len(rows), COMMIT_ROWS):
            store.write(rows[at : at + COMMIT_ROWS]).result()


# --- opening ------------------------------------------------------------------------------------


def _print_opening(empty: Path, full: Path, corpus: Corpus) -> None:
    pairs = [(_opened_s(empty, ""), _opened_s(full, _late(corpus))) for _ in range(PAIRS)]
    more = median(b - a for a, b in pairs)
    without, with_ = (median(times) for times in zip(*pairs, strict=True))
    print(
        f"opened            empty {without:.2f} s, {len(corpus.texts)} lines {with_:.2f} s,"
        f" {more:.2f} s more (median of {PAIRS} pairs); goal under {OPEN_S_MAX} s:"
        f" {verdict(more < OPEN_S_MAX)}",
        flush=True,
    )


def _opened_s(folder: Path, shown: str) -> float:
    start = time.perf_counter()
    with _screen(folder) as screen:
        screen.shows(_READY, start)
        return screen.shows(shown, start)


def _server(folder: Path) -> AbstractContextManager[Server]:
    """Keeps nothing: what a disk costs it is not asked here."""
    return serving(folder / "server", "--ephemeral", gives_way=True)


def _screen(folder: Path) -> AbstractContextManager[Terminal]:
    return terminal("-m", "socp.cli.main", "tui", "--profile-dir", str(folder))


# --- what holds the loop up ---------------------------------------------------------------------


def _print_holding(folder: Path, full: Path, corpus: Corpus) -> None:
    """Step by step, in one run of the screen."""
    file = folder / "held"
    begun = time.time()
    words = ("-m", "socp.bench.loop_watch", str(file), "tui", "--profile-dir", str(full))
    with terminal(*words) as screen:
        screen.shows(_READY, time.perf_counter())
        screen.still(PAUSE_S * 2)
        _print_held(file, "opening", begun)
        before = screen.resident_mib
        steps: tuple[tuple[str, Callable[[Terminal], None]], ...] = (
            ("turn to the long talk", lambda it: _turn_to_it(it, corpus)),
            ("page up, 10 times", _page_up),
            ("turn the wheel, 50 times", _turn_the_wheel),
            ("search while typing", lambda it: _search(it, corpus)),
            ("paste 64 KiB", _paste),
            ("resize, 8 times", _resize),
        )
        for name, step in steps:
            begun = time.time()
            step(screen)
            screen.still(PAUSE_S * 2)
            _print_held(file, name, begun)
        begun, pages = time.time(), _scroll_through(screen, corpus)
        _print_held(file, f"all {pages} pages", begun)
        print(
            f"memory            {before:.0f} MiB opened, {screen.resident_mib:.0f} MiB at its end"
        )


def _print_held(file: Path, name: str, since_s: float) -> None:
    held = read(file, since_s, time.time())
    processor = sorted((each.processor_ms for each in held), reverse=True)[:1] or [0.0]
    clock = max((each.clock_ms for each in held), default=0.0)
    long = sum(each.processor_ms > HELD_MS_MAX for each in held)
    print(
        f"loop held         {name:25} {processor[0]:5.1f} ms of the processor at most,"
        f" {clock:5.1f} ms by the clock; {long} over {HELD_MS_MAX} ms, {len(held)} over"
        f" {NOTED_MS} ms",
        flush=True,
    )


def _turn_to_it(screen: Terminal, corpus: Corpus) -> None:
    """One begins in it: away from there, and back."""
    for _ in range(2):
        screen.press(_NEXT_TALK)
        screen.still(PAUSE_S)
    screen.shows(_late(corpus), time.perf_counter())


def _page_up(screen: Terminal) -> None:
    for _ in range(PAGES_AT_ONCE):
        screen.press(_PAGE_UP)
        screen.still(PAUSE_S)


def _turn_the_wheel(screen: Terminal) -> None:
    for _ in range(50):
        screen.press("\x1b[<64;60;10M")
        time.sleep(PAUSE_S / 10)


def _search(screen: Terminal, corpus: Corpus) -> None:
    screen.press("\x06")
    screen.still(PAUSE_S)
    for letter in corpus.words[0]:
        screen.press(letter)
        screen.still(PAUSE_S)
    screen.press("\x1b")
    screen.still(PAUSE_S)


def _paste(screen: Terminal) -> None:
    line = "words that somebody copied from somewhere else, again and again\n"
    text = (line * (PASTED_BYTES // len(line) + 1))[:PASTED_BYTES]
    screen.press(f"\x1b[200~{text}\x1b[201~")
    screen.still(PAUSE_S * 2)
    screen.press("\x15")
    for _ in range(3):
        screen.press("x")
        screen.still(PAUSE_S)


def _resize(screen: Terminal) -> None:
    for rows, columns in ((24, 80), (60, 200), (30, 100), (ROWS, COLUMNS)) * 2:
        screen.resize(rows, columns)
        screen.still(PAUSE_S)


def _scroll_through(screen: Terminal, corpus: Corpus) -> int:
    """To the very first line; how many pages that were."""
    pages, first = 0, _begin(corpus.texts[0])
    while not screen.drew(first) and pages < len(corpus.texts):
        screen.press(_PAGE_UP * PAGES_AT_ONCE)
        pages += PAGES_AT_ONCE
        screen.still(PAUSE_S / 3)
    if not screen.drew(first):
        raise RuntimeError(f"the first line was not drawn in {pages} pages")
    return pages


def _begin(text: str) -> str:
    return " ".join(text.split()[:FIRST_WORDS])


def _late(corpus: Corpus) -> str:
    """What is in sight where the talk is at its end; its last line is in the list of talks too."""
    return _begin(corpus.texts[-2])


# --- key presses --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pressed:
    """One run: how long key presses took, ms, in each of the three."""

    bare: list[float]
    quiet: list[float]
    busy: list[float]
    a_second: float  # messages that came and were kept while it was busy


def _print_pressing(folder: Path) -> None:
    """Run after run, the references and the same with people talking; then all of them."""
    runs = []
    for called in CALLED:
        with _server(folder) as server:  # of its own: no key of the channel is left of another's
            profile = asyncio.run(_new_profile(folder / called, server.url))
            runs.append(_pressed(profile, server.url, called))
    bare, quiet, busy = (
        [_p95(times) for times in (getattr(run, name) for run in runs)]
        for name in ("bare", "quiet", "busy")
    )
    came = [run.a_second for run in runs]
    print(
        f"key press p95     bare text area {_spread(bare)}; nobody talks {_spread(quiet)};"
        f" {_spread(came, '')} messages a second {_spread(busy)}"
        f" (median and spread of {len(runs)}); goal under {KEY_MS_MAX} ms at {A_SECOND}:"
        f" {verdict(median(busy) < KEY_MS_MAX and median(came) > A_SECOND * NEARLY)}"
    )


def _spread(values: list[float], unit: str = " ms") -> str:
    return f"{median(values):.1f} ({min(values):.1f} to {max(values):.1f}){unit}"


def _pressed(profile: Path, url: str, called: str) -> Pressed:
    """One run."""
    with terminal("-m", "socp.bench.bare_input") as bare_screen:
        bare_screen.shows("ready", time.perf_counter())
        bare = _pressed_ms(bare_screen)
    with ExitStack() as stack:
        screen = stack.enter_context(_screen(profile))
        screen.shows(_READY, time.perf_counter())
        time.sleep(CHANNEL_S)
        people = stack.enter_context(crowd(url, called, SPEAKING_S))
        screen.still(PAUSE_S * 2)
        drawn, held = screen.bytes_drawn, screen.loop_ms
        quiet = _pressed_ms(screen)
        keys_ms = screen.loop_ms - held
        a_key = (screen.bytes_drawn - drawn) / len(quiet)
        people.begin()
        screen.shows(f"{called} 0", time.perf_counter())
        for keys in (_JUMP, f"{called} 0", "\r"):
            screen.press(keys)
            time.sleep(PAUSE_S * 2)
        screen.shows(f"to {called} 0", time.perf_counter())
        time.sleep(PAUSE_S * 4)
        at_first, before, processor = _kept(profile), time.perf_counter(), screen.processor_ms
        drawn, held = screen.bytes_drawn, screen.loop_ms
        busy = _pressed_ms(screen)
        held = screen.loop_ms - held - keys_ms
        count, took_s = _kept(profile) - at_first, time.perf_counter() - before
        processor = screen.processor_ms - processor
        a_message = max(screen.bytes_drawn - drawn - a_key * len(busy), 0) / max(count, 1)
    pressed = Pressed(bare, quiet, busy, count / took_s)
    print(
        f"key press         bare text area {_halves(bare)}; nobody talks {_halves(quiet)};"
        f" {pressed.a_second:.0f} messages a second {_halves(busy)};"
        f" {a_key:.0f} bytes drawn a key press, {a_message:.0f} a message;"
        f" the loop has the processor {keys_ms / len(quiet):.1f} ms a key press and"
        f" {held / max(count, 1):.2f} ms a message, its drawing included, all threads"
        f" {(processor - keys_ms) / max(count, 1):.2f} ms; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    return pressed


def _kept(profile: Path) -> int:
    """How many lines are in its history by now."""
    with closing(sqlite3.connect(f"file:{profile / FILE_NAME}?mode=ro", uri=True)) as database:
        (count,) = database.execute("SELECT COUNT(*) FROM said").fetchone()
        return int(count)


def _halves(times: list[float]) -> str:
    return f"p50 {median(times):.1f} p95 {_p95(times):.1f} ms"


def _p95(times: list[float]) -> float:
    return quantiles(times, n=100)[94]


def _pressed_ms(screen: Terminal) -> list[float]:
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


if __name__ == "__main__":
    main()
