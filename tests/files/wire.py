"""A sender and a receiver on one table, and the frames between them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from socp.crypto.keys import PrivateKey, Suite
from socp.crypto.symbolic import SymbolicSuite
from socp.files.receiver import Receiver, accept
from socp.files.sender import Offer, Sender
from socp.files.transfer import Broken, Write
from socp.wire import limits
from socp.wire.canonical import to_members
from socp.wire.payloads import FileChunk, FileEnd, FileStart

ALICE = "a11ce000-0000-4000-8000-000000000001"
BOB = "b0b00000-0000-4000-8000-000000000002"
MALLORY = "3a110000-0000-4000-8000-000000000003"
FILE = "f11e0000-0000-4000-8000-000000000005"
TS = 1_760_000_000_000
START = 1_000_000


def hashes(data: bytes) -> bytes:
    step = limits.FILE_CHUNK_BYTES
    return b"".join(
        hashlib.sha256(data[at : at + step]).digest() for at in range(0, len(data), step)
    )


def content(size: int) -> bytes:
    """`size` bytes, no two pieces of which are alike."""
    return hashlib.shake_128(b"content").digest(size)


@dataclass
class Table:
    """Alice sends `data` to Bob, or to `public`, whose channel key Bob holds too."""

    data: bytes
    hybrid: bool = True
    to: str = BOB
    name: str = "plan.txt"
    suite: Suite = field(default_factory=lambda: SymbolicSuite(5))
    mono: int = START
    ts: int = TS
    alice: PrivateKey = field(init=False)
    bob: PrivateKey = field(init=False)

    def __post_init__(self) -> None:
        self.alice = self.suite.generate()
        self.bob = self.suite.generate()

    def offer(self) -> Offer:
        sha256 = hashlib.sha256(self.data).hexdigest()
        return Offer(FILE, self.to, self.name, len(self.data), sha256, hashes(self.data))

    def sender(self) -> Sender:
        return Sender(
            self.suite, self.alice, ALICE, self.offer(), self.bob.public, hybrid=self.hybrid
        )

    def sent(self, sender: Sender | None = None) -> tuple[FileStart, list[FileChunk]]:
        """The manifest and all chunks, as fast as the pace allows."""
        sender = sender or self.sender()
        start = sender.start(self.ts, self.mono)
        sender.acked(FileStart.TYPE, self.mono)
        chunks = []
        while (end := sender.end(self.mono)) is None:
            self.mono += 100
            while (want := sender.wants(self.mono)) is not None:
                piece = self.data[want.offset : want.offset + want.size]
                chunk = sender.chunk(want.index, piece, self.ts)
                assert isinstance(chunk, FileChunk)
                chunks.append(chunk)
        assert isinstance(end, FileEnd)
        return start, chunks

    def accepted(
        self, start: FileStart, *, openers: Sequence[PrivateKey] | None = None, author: str = ALICE
    ) -> Receiver:
        receiver = self.tried(start, openers=openers, author=author)
        assert isinstance(receiver, Receiver), receiver
        return receiver

    def tried(
        self,
        start: FileStart,
        *,
        openers: Sequence[PrivateKey] | None = None,
        author: str = ALICE,
        author_key: PrivateKey | None = None,
        members: dict[str, object] | None = None,
    ) -> Receiver | Broken:
        return accept(
            start,
            to_members(start) if members is None else members,
            author=author,
            author_key=(author_key or self.alice).public,
            to=self.to,
            openers=openers or (self.bob,),
            ts=self.ts,
            mono=self.mono,
        )

    def stored(self, receiver: Receiver, chunks: Sequence[FileChunk]) -> bytes:
        """What the writes amount to; every chunk must be taken."""
        sink = bytearray(receiver.size)
        for chunk in chunks:
            writes = receiver.chunk(chunk, self.ts, self.mono)
            assert not isinstance(writes, Broken), writes
            written(sink, writes)
        return bytes(sink)


def written(sink: bytearray, writes: Sequence[Write]) -> None:
    for write in writes:
        assert write.offset + len(write.data) <= len(sink)
        sink[write.offset : write.offset + len(write.data)] = write.data
