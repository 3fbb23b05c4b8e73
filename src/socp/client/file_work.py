"""What the brain asks of the disk in transfers: each file's steps one by one, in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final

from socp.client.bound import Bound
from socp.client.errors import FileUnsendable, FileUnstorable, FileWrong
from socp.client.sinks import Downloads, Sink
from socp.client.sources import Source
from socp.client.unstoppable import finished
from socp.member.effects import DropSink, FinishSink, OpenSink, ReadChunk, WriteChunk
from socp.member.events import ChunkRead, Event, FileStored, ReadFailed, StoreFailed
from socp.wire import limits

WRITING_BYTES_MAX: Final = 16 * limits.MIB
_NAMING_BYTES: Final = limits.MIB  # what a file to be checked and named counts for: it takes long

Step = WriteChunk | FinishSink | DropSink
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
        self._sending: dict[str, Reads] = {}
        self.writing = Bound(WRITING_BYTES_MAX)

    def offer(self, file_id: str, source: Source) -> None:
        """The source that ReadChunk will ask for; closed at `sent`."""
        reads: Reads = asyncio.Queue()
        self._sending[file_id] = reads
        self._start(self._read_all(file_id, source, reads))

    def sent(self, file_id: str) -> None:
        """The transfer is over, well or not."""
        if reads := self._sending.pop(file_id, None):
            reads.put_nowait(None)

    def carry_out(self, effect: ReadChunk | OpenSink | Step) -> None:
        """Queue one step. What belongs to a transfer that is over is left."""
        match effect:
            case OpenSink():
                steps: Steps = asyncio.Queue()
                self._receiving[effect.file_id] = steps
                self._start(self._receive(effect, steps))
            case ReadChunk():
                if reads := self._sending.get(effect.file_id):
                    reads.put_nowait(effect)
            case _:
                if found := self._receiving.get(effect.file_id):
                    self.writing.take(_weight(effect))
                    found.put_nowait(effect)

    async def _read_all(self, file_id: str, source: Source, reads: Reads) -> None:
        try:
            while want := await reads.get():
                await self._outgoing_room()
                data = await asyncio.to_thread(source.read, want.offset, want.size)
                self._feed(ChunkRead(file_id, want.index, data))
        except FileUnsendable as fault:
            self._feed(ReadFailed(file_id, str(fault)))
        finally:
            self._sending.pop(file_id, None)
            source.close()

    async def _receive(self, opening: OpenSink, steps: Steps) -> None:
        file_id = opening.file_id
        sink: Sink | None = None
        try:
            sink = await finished(
                asyncio.to_thread(self._downloads.open_sink, opening.size),
                lambda late: late.drop(),
            )
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
                sink.drop()

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
                case DropSink():
                    return False
        finally:
            self.writing.give(_weight(step))


def _weight(step: Step) -> int:
    match step:
        case WriteChunk():
            return len(step.data)
        case FinishSink():
            return _NAMING_BYTES
        case DropSink():
            return 0
