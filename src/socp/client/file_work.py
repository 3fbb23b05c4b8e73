"""What the brain asks of the disk in transfers: each file's steps one by one, in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Final

from socp.client import sources
from socp.client.bound import Bound
from socp.client.errors import FileUnsendable, FileUnstorable, FileWrong
from socp.client.sinks import Downloads, Sink
from socp.client.sources import Reader, Source
from socp.client.unstoppable import finished
from socp.member.events import (
    ChunkRead,
    Event,
    FileStored,
    ReadFailed,
    SinkOpened,
    StoreFailed,
)
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
from socp.wire import limits

WRITING_BYTES_MAX: Final = 16 * limits.MIB
_NAMING_BYTES: Final = limits.MIB  # what a file to be checked and named counts for: it takes long

Step = WriteChunk | FinishSink | LeaveSink | DropSink
Work = ReadChunk | OpenSource | OpenSink | DropPart | Step
Steps = asyncio.Queue[Step]
Reads = asyncio.Queue[ReadChunk | None]


class FileWork:
    """Carries out the file effects; the outcomes go back as events."""

    def __init__(
        self,
        downloads: Downloads,
        start: Callable[[Coroutine[None, None, None]], None],
        feed: Callable[[Event], object],
        outgoing_room: Callable[[], Awaitable[None]],
    ) -> None:
        """`outgoing_room` returns when the link takes more: nothing is read faster than that."""
        self._downloads = downloads
        self._start = start
        self._feed = feed
        self._outgoing_room = outgoing_room
        self._receiving: dict[str, Steps] = {}  # bounded by the brain: it accepts so many at a time
        self._closed: dict[str, asyncio.Event] = {}  # of the latest attempt to receive each file
        self._sending: dict[str, Reads] = {}  # bounded by the brain too
        self.writing = Bound(WRITING_BYTES_MAX)

    def offer(self, file_id: str, source: Source) -> None:
        """The source that ReadChunk will ask for; closed at `sent`."""
        self._read_from(file_id, lambda: source)

    def _read_from(self, file_id: str, opened: Callable[[], Reader]) -> None:
        reads: Reads = asyncio.Queue()
        self._sending[file_id] = reads
        self._start(self._read_all(file_id, opened, reads))

    def sent(self, file_id: str) -> None:
        """The transfer is over, well or not."""
        if reads := self._sending.pop(file_id, None):
            reads.put_nowait(None)

    def carry_out(self, effect: Work) -> None:
        """Queue one step. What belongs to a transfer that is over is left."""
        match effect:
            case OpenSink():
                steps: Steps = asyncio.Queue()
                self._receiving[effect.file_id] = steps
                self._start(self._receive(effect, steps))
            case OpenSource():
                if effect.file_id not in self._sending:
                    path, size, modified_ns = Path(effect.path), effect.size, effect.modified_ns
                    self._read_from(effect.file_id, lambda: sources.reopen(path, size, modified_ns))
            case DropPart():
                self._start(asyncio.to_thread(self._downloads.drop_part, effect.part))
            case ReadChunk():
                if reads := self._sending.get(effect.file_id):
                    reads.put_nowait(effect)
            case _:
                if found := self._receiving.get(effect.file_id):
                    self.writing.take(_weight(effect))
                    found.put_nowait(effect)

    async def _read_all(self, file_id: str, opened: Callable[[], Reader], reads: Reads) -> None:
        source: Reader | None = None
        try:
            source = await finished(asyncio.to_thread(opened), lambda late: late.close())
            while want := await reads.get():
                await self._outgoing_room()
                data = await asyncio.to_thread(source.read, want.offset, want.size)
                self._feed(ChunkRead(file_id, want.index, data))
        except FileUnsendable as fault:
            self._feed(ReadFailed(file_id, str(fault)))
        finally:
            if self._sending.get(file_id) is reads:
                del self._sending[file_id]
            if source:
                source.close()

    async def _receive(self, opening: OpenSink, steps: Steps) -> None:
        file_id = opening.file_id
        sink: Sink | None = None
        before, mine = self._closed.get(file_id), asyncio.Event()
        self._closed[file_id] = mine
        try:
            if before:
                await before.wait()  # the temporary file of the attempt before is its own
            sink = await finished(
                asyncio.to_thread(self._downloads.open_sink, opening.size, opening.part),
                lambda late: late.leave(),
            )
            if opening.part:
                look = (opening.chunk_bytes, opening.chunk_hashes)
                have = await asyncio.to_thread(sink.look_through, *look)
                self._feed(SinkOpened(file_id, have))
            while await self._step(sink, await steps.get()):
                pass
        except FileUnstorable as fault:
            wrong = isinstance(fault, FileWrong)
            self._feed(StoreFailed(file_id, str(fault), wrong=wrong))
        finally:
            if self._receiving.get(file_id) is steps:
                del self._receiving[file_id]
            while not steps.empty():
                self.writing.give(_weight(steps.get_nowait()))
            if sink:
                sink.leave()
            mine.set()
            if self._closed.get(file_id) is mine:
                del self._closed[file_id]

    async def _step(self, sink: Sink, step: Step) -> bool:
        """Do one; False when it was the last."""
        try:
            match step:
                case WriteChunk():
                    await asyncio.to_thread(sink.write, step.offset, step.data)
                    return True
                case FinishSink():
                    path = await asyncio.to_thread(sink.finish, step.name, step.size, step.sha256)
                    self._feed(FileStored(step.file_id, str(path)))
                    return False
                case LeaveSink():
                    return False
                case DropSink():
                    await asyncio.to_thread(sink.drop)
                    return False
        finally:
            self.writing.give(_weight(step))


def _weight(step: Step) -> int:
    match step:
        case WriteChunk():
            return len(step.data)
        case FinishSink():
            return _NAMING_BYTES
        case LeaveSink() | DropSink():
            return 0
