"""What the member brain asks of its shell about files. A source is a file of ours, read to be
sent; a sink is the temporary file of one that comes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ReadChunk:
    """Read `size` bytes at `offset` of the file being sent; ChunkRead or ReadFailed follows."""

    file_id: str
    index: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class OpenSource:
    """The file of a transfer that goes on is about to be read. Nothing to do where it is open."""

    file_id: str
    path: str
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class OpenSink:
    """Make a private temporary file for a transfer that begins (size in bytes).

    With `part`, a name: one that may be there from an earlier attempt. SinkOpened says how many of
    its first pieces of `chunk_bytes` have their SHA-256 in `chunk_hashes`.
    """

    file_id: str
    size: int
    part: str = ""
    chunk_bytes: int = 0
    chunk_hashes: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class WriteChunk:
    file_id: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class FinishSink:
    """All chunks are there: check size and SHA-256, then name it; FileStored or StoreFailed
    follows."""

    file_id: str
    name: str  # safe basename
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DropSink:
    """The transfer is over without success: remove the temporary file."""

    file_id: str


@dataclass(frozen=True, slots=True)
class LeaveSink:
    """The transfer may go on later: close its temporary file, which has a `part` name, and leave
    it."""

    file_id: str


@dataclass(frozen=True, slots=True)
class DropPart:
    """A temporary file that nobody goes on with: remove it."""

    part: str


FileEffect = (
    ReadChunk | OpenSource | OpenSink | WriteChunk | FinishSink | LeaveSink | DropSink | DropPart
)
