"""What the brain asks of the disk in transfers, carried out in threads and in order."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine
from pathlib import Path
from typing import TypeVar

import pytest

from socp.client.file_work import FileWork
from socp.client.sinks import PARTS, Downloads
from socp.client.sources import measure
from socp.member.events import ChunkRead, Event, FileStored, ReadFailed, SinkOpened, StoreFailed
from socp.member.file_effects import (
    DropPart,
    DropSink,
    FinishSink,
    LeaveSink,
    OpenSink,
    OpenSource,
    ReadChunk,
    WriteChunk,
)

FILE = "f11e0000-0000-4000-8000-000000000005"
PART = "ab" * 16
PIECE = 4
DATA = b"some content"
HASHES = b"".join(hashlib.sha256(DATA[at : at + PIECE]).digest() for at in range(0, 12, PIECE))
OPEN = OpenSink(FILE, len(DATA), PART, PIECE, HASHES)
FINISH = FinishSink(FILE, "notes.txt", len(DATA), hashlib.sha256(DATA).hexdigest())

E = TypeVar("E", bound=Event)


class Bench:
    """The work on a real disk, and what it feeds to the brain."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[Event] = []
        self.news = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        self.work = FileWork(Downloads(folder), self.start, self.feed, self.room)

    def start(self, work: Coroutine[None, None, None]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    def feed(self, event: Event) -> None:
        self.events.append(event)
        self.news.set()

    async def room(self) -> None:
        """The link takes everything."""

    async def hears(self, kind: type[E], number: int = 1) -> E:
        async with asyncio.timeout(60):
            while len(found := [one for one in self.events if isinstance(one, kind)]) < number:
                self.news.clear()
                await self.news.wait()
        return found[-1]

    async def rests(self) -> None:
        """Everything that was begun is over."""
        async with asyncio.timeout(60):
            await asyncio.gather(*self.tasks)

    def content(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    @property
    def parts(self) -> list[str]:
        return [path.name for path in (self.folder / PARTS).iterdir()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "downloads")


@pytest.mark.spec("8")
async def test_a_file_that_is_left_is_opened_again_where_it_stands(bench: Bench) -> None:
    """At once: the second attempt waits for the first to let go of what it has."""
    for effect in (OPEN, WriteChunk(FILE, 0, DATA[:PIECE]), LeaveSink(FILE), OPEN):
        bench.work.carry_out(effect)
    assert await bench.hears(SinkOpened, 2) == SinkOpened(FILE, 1)
    assert bench.parts == [f"{PART}.part"]
    bench.work.carry_out(WriteChunk(FILE, PIECE, DATA[PIECE:]))
    bench.work.carry_out(FINISH)
    stored = await bench.hears(FileStored)
    await bench.rests()
    assert stored.path == str(bench.folder / "notes.txt")
    assert bench.content("notes.txt") == DATA
    assert bench.parts == []
    assert not [event for event in bench.events if isinstance(event, StoreFailed)]


@pytest.mark.spec("8")
async def test_who_is_killed_or_leaves_in_the_middle_leaves_what_is_there(bench: Bench) -> None:
    bench.work.carry_out(OPEN)
    bench.work.carry_out(WriteChunk(FILE, 0, DATA[:PIECE]))
    await bench.hears(SinkOpened)
    bench.work.carry_out(OpenSink("other", 5))
    bench.work.carry_out(FinishSink("other", "short", 5, "0" * 64))
    assert (await bench.hears(StoreFailed)).wrong
    for task in bench.tasks:
        task.cancel()
    await asyncio.gather(*bench.tasks, return_exceptions=True)
    assert bench.parts == [f"{PART}.part"]


@pytest.mark.spec("8")
@pytest.mark.parametrize("how", [DropSink(FILE), DropPart(PART)])
async def test_what_is_not_wanted_is_removed(bench: Bench, how: DropSink | DropPart) -> None:
    bench.work.carry_out(OPEN)
    await bench.hears(SinkOpened)
    if isinstance(how, DropPart):
        bench.work.carry_out(LeaveSink(FILE))
        await bench.rests()
    bench.work.carry_out(how)
    await bench.rests()
    assert bench.parts == []


@pytest.mark.spec("8")
async def test_a_file_of_an_earlier_run_is_read_again(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(DATA)
    source = measure(path)
    source.close()
    bench.work.carry_out(OpenSource(FILE, str(source.path), source.size, source.modified_ns))
    bench.work.carry_out(OpenSource(FILE, "/not/asked/twice", 1, 1))
    bench.work.carry_out(ReadChunk(FILE, 1, PIECE, PIECE))
    assert (await bench.hears(ChunkRead)).data == DATA[PIECE : 2 * PIECE]
    bench.work.sent(FILE)
    await bench.rests()


@pytest.mark.spec("8")
@pytest.mark.parametrize("what", ["gone", "another"])
async def test_a_file_that_is_not_the_one_of_then_is_not_read(
    bench: Bench, tmp_path: Path, what: str
) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(DATA)
    source = measure(path)
    source.close()
    path.unlink()
    if what == "another":
        path.write_bytes(DATA + b"!")
    bench.work.carry_out(OpenSource(FILE, str(path), source.size, source.modified_ns))
    failed = await bench.hears(ReadFailed)
    assert "notes.txt" in failed.reason
    await bench.rests()
