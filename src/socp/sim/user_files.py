"""The files of a user of the simulation, in memory: those they send, and those that come."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import assert_never

from socp.member.events import (
    ChunkRead,
    Event,
    FileStored,
    OfferFile,
    ReadFailed,
    SinkOpened,
    StoreFailed,
)
from socp.member.file_effects import (
    DropPart,
    DropSink,
    FileEffect,
    FinishSink,
    LeaveSink,
    OpenSink,
    OpenSource,
    ReadChunk,
    WriteChunk,
)
from socp.wire import limits


class UserFiles:
    """Does what the brain asks; `soon` has it told what came of that."""

    def __init__(self, soon: Callable[[Event], None]) -> None:
        self._soon = soon
        self.received: dict[str, bytes] = {}  # name -> content, once checked
        self.parts: dict[str, bytearray] = {}  # on the disk: what may be gone on with
        self._offered: dict[str, bytes] = {}
        self._sinks: dict[str, bytearray] = {}
        self._named: dict[str, str] = {}  # file_id -> the name of its part

    def offer(self, file_id: str, to: str, name: str, content: bytes) -> OfferFile:
        """One of ours, to a user id or "public"."""
        self._offered[file_id] = content
        size = limits.FILE_CHUNK_BYTES
        pieces = [content[start : start + size] for start in range(0, len(content), size)]
        return OfferFile(
            file_id=file_id,
            to=to,
            name=name,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            chunk_hashes=b"".join(hashlib.sha256(piece).digest() for piece in pieces),
        )

    def cut_off(self) -> None:
        """The process is dead: `parts` are there still."""
        self._sinks.clear()

    def do(self, effect: FileEffect) -> None:
        """What the brain asks."""
        match effect:
            case ReadChunk():
                data = self._offered[effect.file_id][effect.offset : effect.offset + effect.size]
                self._soon(ChunkRead(effect.file_id, effect.index, data))
            case OpenSource():
                if effect.file_id not in self._offered:
                    self._soon(ReadFailed(effect.file_id, "there is no such file"))
            case OpenSink():
                self._open(effect)
            case WriteChunk():
                end = effect.offset + len(effect.data)
                self._sinks[effect.file_id][effect.offset : end] = effect.data
            case FinishSink():
                self._finish(effect)
            case LeaveSink():
                self._sinks.pop(effect.file_id, None)  # `parts` has it still
            case DropSink():
                self._sinks.pop(effect.file_id, None)
                self.parts.pop(self._named.pop(effect.file_id, ""), None)
            case DropPart():
                self.parts.pop(effect.part, None)
            case _:
                assert_never(effect)

    def _open(self, effect: OpenSink) -> None:
        """A temporary file, or the one of an earlier attempt."""
        if not effect.part:
            self._sinks[effect.file_id] = bytearray(effect.size)
            return
        sink = self.parts.setdefault(effect.part, bytearray(effect.size))
        self._sinks[effect.file_id], self._named[effect.file_id] = sink, effect.part
        have, piece = 0, effect.chunk_bytes
        for at in range(0, effect.size, piece):
            right = effect.chunk_hashes[have * 32 : have * 32 + 32]
            if hashlib.sha256(sink[at : at + piece]).digest() != right:
                break
            have += 1
        self._soon(SinkOpened(effect.file_id, have))

    def _finish(self, effect: FinishSink) -> None:
        content = bytes(self._sinks.pop(effect.file_id))
        self.parts.pop(self._named.pop(effect.file_id, ""), None)
        whole = len(content) == effect.size
        if whole and hashlib.sha256(content).hexdigest() == effect.sha256:
            self.received[effect.name] = content
            self._soon(FileStored(effect.file_id, effect.name))
        else:
            why = "its SHA-256 is not the one announced"
            self._soon(StoreFailed(effect.file_id, why, wrong=True))
