"""The receiving end of a transfer (section 8; threats M4, M5)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from socp.crypto import content_sig, file_box
from socp.crypto.content_sig import Form
from socp.crypto.keys import PrivateKey, PublicKey, Unreadable
from socp.files.names import safe_name
from socp.files.pieces import HASH_BYTES, BarePieces, HybridPieces, Origin, Unfit
from socp.files.transfer import SILENCE_MS, Broken, Complete, Write, pieces
from socp.wire import base64url, limits
from socp.wire.errors import PeerFault
from socp.wire.ids import PUBLIC
from socp.wire.payloads import FileChunk, FileStart

PIECE_BYTES_MAX: Final = 512 * limits.KIB
"""Larger chunks do not fit a frame."""


class Receiver:
    """One file from one author. Made by `accept`; times are monotonic ms, `ts` the envelope's."""

    def __init__(
        self,
        payload: FileStart,
        origin: Origin,
        pieces: HybridPieces | BarePieces,
        *,
        signed: bool,
        mono: int,
    ) -> None:
        self.file_id = origin.file_id
        self.author = origin.author
        self.public = origin.to == PUBLIC
        self.name = safe_name(payload.name)
        self.size = payload.size
        self.sha256 = payload.sha256
        self.signed = signed
        """The manifest's content_sig holds under the author's pinned key; else it has none."""
        self.bound = isinstance(pieces, HybridPieces)
        """`hybrid/1`: nobody else can pass the ciphertext off as theirs (threat M4)."""
        self._pieces = pieces
        self._wrapped_digest = (
            hashlib.sha256(base64url.decode(payload.wrapped_key)).digest() if self.bound else None
        )
        self._last_ms = mono

    def chunk(self, payload: FileChunk, ts: int, mono: int) -> tuple[Write, ...] | Broken:
        """What to write now; nothing for a second copy, or a chunk that waits for another."""
        try:
            writes = self._pieces.take(payload, ts)
        except Unfit as unfit:
            return self._broken(str(unfit))
        self._last_ms = mono
        return writes

    def hold(self, count: int, mono: int) -> None:
        """The first `count` chunks lie on the disk from an earlier attempt, and are right."""
        assert isinstance(self._pieces, HybridPieces)
        self._pieces.hold(count)
        self._last_ms = mono

    def begun_again(self, mono: int) -> None:
        """Its author says the same manifest once more, and goes on from where this stands."""
        self._last_ms = mono

    @property
    def have(self) -> int:
        """How many of the first chunks are here; 0 for a bare file, which cannot go on later."""
        return self._pieces.have if isinstance(self._pieces, HybridPieces) else 0

    @property
    def same(self) -> bytes:
        """Equal for every attempt to send this file, b"" for a bare one (see HybridPieces)."""
        return self._pieces.same if isinstance(self._pieces, HybridPieces) else b""

    @property
    def layout(self) -> tuple[int, bytes]:
        """Bytes of a chunk and the hashes of all chunks; 0 and b"" for a bare file."""
        return self._pieces.layout if isinstance(self._pieces, HybridPieces) else (0, b"")

    @property
    def complete(self) -> bool:
        """Whether every byte was written."""
        return self._pieces.complete

    def end(self) -> Complete | Broken:
        """FILE_END came."""
        if not self._pieces.complete:
            return self._broken(f"it ended after {self.done} of {self.size} bytes")
        return Complete(self.name, self.size, self.sha256)

    def overdue(self, mono: int) -> Broken | None:
        """Broken where nothing came for SILENCE_MS."""
        if mono - self._last_ms < SILENCE_MS:
            return None
        return self._broken(f"nothing came for {SILENCE_MS // 1000} s")

    def digests(self) -> tuple[bytes, ...]:
        """SHA-256 of the wrapped key, or of the first bare ciphertext once that is here.

        Whoever saw one of them under another author breaks the transfer off (threat M4).
        """
        known = (self._wrapped_digest, self._pieces.digest)
        return tuple(digest for digest in known if digest is not None)

    @property
    def done(self) -> int:
        """Bytes written so far."""
        return self._pieces.written

    @property
    def form(self) -> Form | None:
        """The content_sig form in which the latest bare chunk was signed."""
        return self._pieces.form

    def _broken(self, why: str) -> Broken:
        return Broken(f"{self.name} did not arrive whole: {why}; ask for it again")


def accept(
    payload: FileStart,
    members: Mapping[str, object],
    *,
    author: str,
    author_key: PublicKey,
    to: str,
    openers: Sequence[PrivateKey],
    ts: int,
    mono: int,
    first: Form = Form.RAW,
) -> Receiver | Broken:
    """Begin to receive from `author`, whose pinned key is `author_key`, or say why not.

    `members` is the payload as received (`Envelope.members`), for the signature covers it; `to` is
    our id or "public"; `openers` our own key, or the channel's for reading, newest first.
    """
    name = safe_name(payload.name)
    try:
        signed = _signed(payload, members, author, author_key, to, ts)
        origin = Origin(payload.file_id, author, author_key, to)
        body = (
            _hybrid(payload, origin, openers, ts, signed=signed)
            if payload.wrapped_key
            else _bare(payload, origin, openers, first)
        )
    except Unfit as unfit:
        return Broken(f"{name} is refused: {unfit}")
    return Receiver(payload, origin, body, signed=signed, mono=mono)


def _signed(
    payload: FileStart,
    members: Mapping[str, object],
    author: str,
    author_key: PublicKey,
    to: str,
    ts: int,
) -> bool:
    if not payload.content_sig:
        return False  # COMPAT(section 13): shown as unsigned; size and SHA-256 are checked still
    signature = payload.content_sig
    try:
        holds = content_sig.verify_manifest(author_key, members, author, to, ts, signature)
    except PeerFault:
        holds = False
    if not holds:
        raise Unfit("the signature of its manifest does not hold")
    return True


def _hybrid(
    payload: FileStart, origin: Origin, openers: Sequence[PrivateKey], ts: int, *, signed: bool
) -> HybridPieces:
    _check_size(payload.size, limits.FILE_BYTES)
    hashes = _decoded(payload.chunk_hashes)
    fits = 0 < payload.chunk_bytes <= PIECE_BYTES_MAX
    total = pieces(payload.size, payload.chunk_bytes) if fits else -1
    if not signed or payload.total != total or len(hashes) != total * HASH_BYTES:
        raise Unfit("its manifest is not complete")
    wrapped = _decoded(payload.wrapped_key)
    for opener in openers:
        try:
            file_key = file_box.unwrap_file_key(
                opener, wrapped, from_=origin.author, to=origin.to, ts=ts
            )
        except Unreadable:
            continue
        return HybridPieces(origin, file_key, payload.size, payload.chunk_bytes, hashes)
    raise Unfit("it is not encrypted for a key that is held here")


def _bare(
    payload: FileStart, origin: Origin, openers: Sequence[PrivateKey], first: Form
) -> BarePieces:
    _check_size(payload.size, limits.FILE_BYTES_V13)
    # Each chunk has a byte at least, but for the one that an empty file may have.
    if payload.total is not None and payload.total > max(payload.size, 1):
        raise Unfit("its manifest names more chunks than bytes")
    return BarePieces(origin, openers, payload.size, payload.total, first)


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise Unfit(f"it has {size} bytes, at most {most} are taken in this form")


def _decoded(text: str) -> bytes:
    try:
        return base64url.decode(text)
    except PeerFault:
        raise Unfit("its manifest is damaged") from None
