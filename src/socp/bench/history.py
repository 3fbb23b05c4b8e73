"""How long a word takes to be found in a long history, and what that history adds to the start.

`script/bench history [LINES]` prints it, through the library, as a program would ask. The goals for
100,000 lines: a word in under 100 ms at the 95th percentile; under 0.5 s more to open than an empty
profile.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from socp.bench.corpus import Corpus
from socp.bench.machine import machine, verdict
from socp.client.client import Client
from socp.client.unlocking import Plain, unlock
from socp.crypto.vault import Vault, new_master
from socp.storage.folded import fold
from socp.storage.history_segments import SEGMENT_LINES
from socp.storage.profile_store import ProfileStore

LINES: Final = 100_000
ASKED: Final = 300
PAIRS: Final = 7
COMMIT_ROWS: Final = 1_000
FIND_MS_MAX: Final = 100
OPEN_S_MAX: Final = 0.5
NOWHERE: Final = "ws://127.0.0.1:9"  # nobody is there: opening does not wait for a server


@dataclass(frozen=True, slots=True)
class Times:
    """How long a question took, ms."""

    p50: float
    p95: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Times:
        """From measured ones."""
        return cls(median(seconds) * 1e3, quantiles(seconds, n=100)[94] * 1e3)

    def __str__(self) -> str:
        return f"p50 {self.p50:6.1f} ms  p95 {self.p95:6.1f} ms"


def main() -> None:
    """Measure and print."""
    corpus = Corpus(int(sys.argv[1]) if len(sys.argv) > 1 else LINES)
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(_measure(Path(place), corpus))


async def _measure(folder: Path, corpus: Corpus) -> None:
    empty, full = folder / "empty", folder / "full"
    await _opened_s(empty)  # makes the key
    shutil.copytree(empty, full)
    seconds = _timed_s(lambda: _fill(full, corpus))
    lines, size = len(corpus.texts), (full / "socp.db").stat().st_size
    print(machine())
    print(f"{lines} lines, {size / lines:.0f} bytes each on the disk")
    print(f"stored            {lines / seconds:8.0f} lines a second, {COMMIT_ROWS // 2} a commit")
    await _print_opening(empty, full)
    async with _client(full) as me:
        await me.search("warm")
        await _print_finding(me, corpus)
        last = [await _asked_s(me.history(corpus.people[0], limit=50)) for _ in range(50)]
        print(f"last 50 lines     {Times.of(last)}")
        talks = [await _asked_s(me.conversations()) for _ in range(50)]
        print(f"conversations     {Times.of(talks)}")
    _print_references(folder / "reference.db", corpus)


async def _print_opening(empty: Path, full: Path) -> None:
    pairs = [(await _opened_s(empty), await _opened_s(full)) for _ in range(PAIRS)]
    without, with_ = (median(times) for times in zip(*pairs, strict=True))
    more = median(b - a for a, b in pairs)
    print(
        f"opened            empty {without:.3f} s, full {with_:.3f} s, {more:.3f} s more"
        f" (median of {PAIRS} pairs); goal under {OPEN_S_MAX} s: {verdict(more < OPEN_S_MAX)}"
    )


async def _print_finding(me: Client, corpus: Corpus) -> None:
    asked = corpus.asked(ASKED)
    any_ = Times.of([await _asked_s(me.search(word)) for word in asked])
    print(
        f"any word          {any_}  goal under {FIND_MS_MAX} ms: {verdict(any_.p95 < FIND_MS_MAX)}"
    )
    often = [await _asked_s(me.search(word)) for word in corpus.words[:ASKED]]
    print(f"a common word     {Times.of(often)}")
    never = [await _asked_s(me.search(f"{word}qxq")) for word in asked]
    print(f"a word never said {Times.of(never)}")
    theirs = [await _asked_s(me.search(word, who=corpus.people[0])) for word in asked]
    print(f"with one of {len(corpus.people)}    {Times.of(theirs)}")


def _print_references(file: Path, corpus: Corpus) -> None:
    """What can be had without sealing anything, and what unsealing alone costs."""
    asked = corpus.asked(ASKED)
    with closing(sqlite3.connect(file)) as clear:
        clear.execute("CREATE TABLE said (number INTEGER PRIMARY KEY, text TEXT)")
        rows = ((number, fold(text)) for number, text in enumerate(corpus.texts, 1))
        clear.executemany("INSERT INTO said VALUES (?, ?)", rows)
        clear.commit()
        like = "SELECT number FROM said WHERE text LIKE ? ORDER BY number DESC LIMIT 100"
        found = [_timed_s(partial(_all, clear, like, f"%{word}%")) for word in asked]
    print(f"reference: sqlite3's LIKE over the same text in clear  {Times.of(found)}")
    vault, parts = Vault(new_master()), []
    for start in range(0, len(corpus.texts), SEGMENT_LINES):
        text = "\n".join(corpus.texts[start : start + SEGMENT_LINES]).encode()
        parts.append(vault.seal("said_words", b"", text))
    opened = [
        _timed_s(lambda: [vault.open("said_words", b"", part) for part in parts]) for _ in range(50)
    ]
    print(f"reference: AES-256-GCM alone, over as many bytes       {Times.of(opened)}")


def _client(folder: Path) -> AbstractAsyncContextManager[Client]:
    downloads = folder / "downloads"
    return Client.open(folder, NOWHERE, name="somebody", downloads=downloads, lock=Plain())


async def _opened_s(folder: Path) -> float:
    start = time.perf_counter()
    async with _client(folder):
        return time.perf_counter() - start


def _fill(folder: Path, corpus: Corpus) -> None:
    with ProfileStore.open(folder, lambda: unlock(folder, None)) as store:
        batch = []
        for row in corpus.rows():
            batch.append(row)
            if len(batch) == COMMIT_ROWS:
                store.write(batch).result()
                batch.clear()
        store.write(batch).result()


async def _asked_s(question: Awaitable[object]) -> float:
    start = time.perf_counter()
    await question
    return time.perf_counter() - start


def _all(connection: sqlite3.Connection, query: str, value: str) -> list[object]:
    return connection.execute(query, [value]).fetchall()


def _timed_s(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
