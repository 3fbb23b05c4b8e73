"""The chunks of a file that comes, turned into bytes and their place (section 8; threat M5)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from socp.crypto import content_sig, file_box
from socp.crypto.content_sig import Form
from socp.crypto.keys import PrivateKey, PublicKey, Unreadable
from socp.files.transfer import Write
from socp.wire import base64url
from socp.wire.errors import PeerFault
from socp.wire.payloads import FileChunk

AHEAD_MAX: Final = 64
"""So many bare chunks are kept for one that is missing; 400 bytes each, mostly."""
HASH_BYTES: Final = 32


class Unfit(Exception):
    """A chunk that breaks the transfer; its text says why, for the person."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose file it is and to whom it goes: what signatures cover."""

    file_id: str
    author: str
    author_key: PublicKey  # pinned
    to: str  # our id, or "public"


class HybridPieces:
    """`hybrid/1`: chunks of one size under the file's key, their hashes in the signed manifest."""

    def __init__(
        self, origin: Origin, file_key: bytes, size: int, piece: int, hashes: bytes
    ) -> None:
        self._origin = origin
        self._file_key = file_key
        self._size = size
        self._piece = piece
        self._hashes = hashes
        self._total = len(hashes) // HASH_BYTES
        self._seen: set[int] = set()
        self._have = 0
        self.written = 0
        self.form: Form | None = None
        self.same = hashlib.sha256(
            b"|".join((file_key, origin.file_id.encode(), origin.author.encode(), hashes))
            + f"|{size}|{piece}".encode()
        ).digest()
        """Of one file by one author, whenever they begin again to send it; who lacks its key cannot
        guess it."""

    def hold(self, count: int) -> None:
        """The first `count` chunks are on the disk, and are what the manifest says."""
        for index in range(min(count, self._total)):
            if index not in self._seen:
                self._seen.add(index)
                self.written += self._length(index)

    @property
    def have(self) -> int:
        """How many of the first chunks are here."""
        while self._have in self._seen:
            self._have += 1
        return self._have

    @property
    def layout(self) -> tuple[int, bytes]:
        """Bytes of a chunk, and the hashes of all: what to check a part on the disk against."""
        return self._piece, self._hashes

    def take(self, chunk: FileChunk, _ts: int) -> tuple[Write, ...]:
        """Where its bytes belong; nothing for a second copy. Raises Unfit."""
        index = chunk.index
        if index >= self._total or chunk.total not in (None, self._total):
            raise Unfit(f"chunk {index} stands outside of the {self._total} in the manifest")
        if index in self._seen:
            return ()
        offset = index * self._piece
        data = self._opened(chunk)
        right = hashlib.sha256(data).digest() == self._hash(index)
        if not right or len(data) != self._length(index):
            raise Unfit(f"chunk {index} is not what the manifest says")
        self._seen.add(index)
        self.written += len(data)
        return (Write(offset, data),)

    @property
    def complete(self) -> bool:
        """Whether all of them are here."""
        return len(self._seen) == self._total

    @property
    def digest(self) -> bytes | None:
        """Nothing beside the wrapped key needs to be remembered: no chunk opens without it."""
        return None

    def _length(self, index: int) -> int:
        return min(self._piece, self._size - index * self._piece)

    def _opened(self, chunk: FileChunk) -> bytes:
        try:
            sealed = base64url.decode(chunk.ciphertext)
            return file_box.open_chunk(
                self._file_key, sealed, self._origin.file_id, chunk.index, self._total
            )
        except (PeerFault, Unreadable):
            raise Unfit(f"chunk {chunk.index} does not open") from None

    def _hash(self, index: int) -> bytes:
        return self._hashes[index * HASH_BYTES : (index + 1) * HASH_BYTES]


class BarePieces:
    """v1.3: one RSA block each, of whatever size their author chose: only order places them."""

    def __init__(
        self,
        origin: Origin,
        openers: Sequence[PrivateKey],
        size: int,
        total: int | None,
        first: Form,
    ) -> None:
        self._origin = origin
        self._openers = tuple(openers)
        self._size = size
        self._total = total
        self._first = first
        self._signed: bool | None = None  # as the first chunk was; all others must be the same
        self._next = 0
        self._ahead: dict[int, bytes] = {}
        self.written = 0
        self.form: Form | None = None
        self.digest: bytes | None = None
        """SHA-256 of the first ciphertext."""

    def take(self, chunk: FileChunk, ts: int) -> tuple[Write, ...]:
        """What can be written now; nothing for a copy or one that must wait. Raises Unfit."""
        index = chunk.index
        self._check_total(chunk)
        if index < self._next or index in self._ahead:
            return ()
        if index > self._next + AHEAD_MAX:
            raise Unfit(f"chunk {self._next} is missing; chunk {index} came in its place")
        self._check_author(chunk, ts)
        self._ahead[index] = self._opened(chunk)
        return self._in_order()

    @property
    def complete(self) -> bool:
        """Whether all of them are here."""
        if self.written != self._size or self._ahead:
            return False
        return self._total is None or self._next == self._total or self._size == 0

    def _check_total(self, chunk: FileChunk) -> None:
        if self._total is None:
            self._total = chunk.total  # COMPAT(section 13): manifests without it
        if chunk.total not in (None, self._total):
            raise Unfit(f"chunk {chunk.index} names {chunk.total} chunks, not {self._total}")
        if self._total is not None and chunk.index >= self._total:
            raise Unfit(f"chunk {chunk.index} stands outside of the {self._total} chunks")

    def _check_author(self, chunk: FileChunk, ts: int) -> None:
        # Without a total, a foreign signature covers we know not what: it counts as none.
        signed = bool(chunk.content_sig) and self._total is not None
        if self._signed is None:
            self._signed = signed
        if signed is not self._signed:
            raise Unfit(f"chunk {chunk.index} is not signed as the others are")
        if signed and not self._verified(chunk, ts):
            raise Unfit(f"the signature of chunk {chunk.index} does not hold")

    def _verified(self, chunk: FileChunk, ts: int) -> bool:
        origin = self._origin
        try:
            form = content_sig.verify_chunk(
                origin.author_key,
                chunk.ciphertext,
                origin.author,
                origin.to,
                ts,
                origin.file_id,
                chunk.index,
                self._total or 0,
                chunk.content_sig,
                first=self.form or self._first,
            )
        except PeerFault:
            return False
        self.form = form
        return form is not None

    def _opened(self, chunk: FileChunk) -> bytes:
        for opener in self._openers:
            try:
                sealed = base64url.decode(chunk.ciphertext)
                data = opener.open(sealed)
            except (PeerFault, Unreadable):
                continue
            self._openers = (opener,)
            self.digest = self.digest or hashlib.sha256(sealed).digest()
            return data
        raise Unfit(f"chunk {chunk.index} does not open")

    def _in_order(self) -> tuple[Write, ...]:
        writes = []
        while (data := self._ahead.pop(self._next, None)) is not None:
            if self.written + len(data) > self._size or not (data or self._size == 0):
                raise Unfit(f"chunk {self._next} does not fit the size in the manifest")
            writes.append(Write(self.written, data))
            self.written += len(data)
            self._next += 1
        return tuple(writes)
