"""The sending end of a transfer (section 8): asks for bytes at its pace, gives frames."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from socp.crypto import content_sig, file_box
from socp.crypto.keys import PrivateKey, PublicKey, Suite
from socp.files.pace import Pace
from socp.files.transfer import (
    BYTES_PER_S_LIVE,
    SILENCE_MS,
    WINDOW_BYTES,
    WINDOW_LIVE_BYTES,
    Broken,
    Sent,
    Stuck,
    Want,
    pieces,
)
from socp.wire import base64url, limits
from socp.wire.canonical import to_members
from socp.wire.errors import Misuse
from socp.wire.ids import PUBLIC
from socp.wire.payloads import FileChunk, FileEnd, FileStart

BYTES_PER_S: Final = limits.FILE_BYTES_PER_S
"""Where the reader does not say how far it is: no faster than one on a slow line takes it."""
BYTES_PER_S_V13: Final = limits.FILE_CHUNK_BYTES_V13 * 1000 // 3
"""One chunk in 3 ms: sealing and signing it takes half of that, the other half is the person's."""
BURST_BYTES: Final = limits.MIB
BURST_BYTES_V13: Final = 64 * limits.FILE_CHUNK_BYTES_V13
ANSWER_MS: Final = 2_000
"""FILE_START waits so long for its ACK or ERROR: v1.3 servers give none."""
ANSWER_MAILBOX_MS: Final = 30_000
"""A server with `mailbox/1` answers when it has committed, or says why not."""
END_ANSWER_MS: Final = 5_000
FIRST_WORD_MS: Final = 30_000
"""A reader who says where it stands has looked through what it had before by then."""
HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Offer:
    """What is sent. `chunk_hashes`: SHA-256 of each 256 KiB piece, concatenated."""

    file_id: str
    to: str  # user id, or "public"
    name: str
    size: int  # bytes
    sha256: str  # hex
    chunk_hashes: bytes


def estimate_s(size: int, *, hybrid: bool, reports: bool = False) -> int:
    """How long sending takes at the least, in seconds: the person is told first."""
    return -(-size // (BYTES_PER_S_LIVE if reports else _bytes_per_s(hybrid=hybrid)))


def refusal(size: int, *, hybrid: bool) -> str | None:
    """Why a file of this size is not offered, for the person; None where it can be."""
    if hybrid:
        most, why = limits.FILE_BYTES, ""
    else:
        most, why = limits.FILE_BYTES_V13, ", since not everyone it goes to has hybrid/1"
    if size <= most:
        return None
    return f"the file has {size} bytes, at most {most} can be sent here{why}"


class Sender:
    """One attempt to send one file to one recipient. Each `ts` must be the one in the envelope:
    signatures cover it.

    A reader who `reports` says where it stands (`heard`): nothing goes before its first word, and
    what it has is not sent again. Another attempt, with the same offer and key, goes on from there.
    """

    def __init__(
        self,
        suite: Suite,
        me: PrivateKey,
        my_id: str,
        offer: Offer,
        recipient: PublicKey,  # the user's pinned key, or the channel's
        *,
        hybrid: bool,
        file_key: bytes = b"",
        pace: Pace | None = None,
        reports: bool = False,
        have: int = 0,
    ) -> None:
        """`file_key`: of an earlier attempt, b"" for a new one; `pace`: shared with others; `have`:
        the reader has so many of the first chunks, as it said in an earlier attempt."""
        self.offer = offer
        self._suite = suite
        self._me = me
        self._my_id = my_id
        self._recipient = recipient
        self._file_key = (file_key or file_box.new_file_key(suite)) if hybrid else None
        self._piece = limits.FILE_CHUNK_BYTES if hybrid else limits.FILE_CHUNK_BYTES_V13
        self._total = pieces(offer.size, self._piece)
        hashes = HASH_BYTES * pieces(offer.size, limits.FILE_CHUNK_BYTES)
        if refusal(offer.size, hybrid=hybrid) or len(offer.chunk_hashes) != hashes:
            raise Misuse("an offer that was not measured, or not asked about by `refusal`")
        self._pace = pace or own_pace(hybrid=hybrid)
        self._seen = hashlib.sha256()
        self._reports = reports
        self._first = min(have, self._total)  # what comes before is there already
        self._next = self._first  # index of the chunk to send
        self._heard = False  # the reader said where it stands
        self._have = self._first
        self._since_ms = 0  # nothing is heard of what is on its way since then (mono)
        self._reading = False
        self._go_ms: int | None = None  # chunks may follow from then on; None before the start
        self._ended_ms: int | None = None
        self._end_acked = False
        self._kept_ms: int | None = None  # the server keeps it, and said so last then (mono)
        self._chunks_acked = 0

    def start(self, ts: int, mono: int, answer_ms: int = ANSWER_MS) -> FileStart:
        """The manifest, signed. Without an answer chunks follow after `answer_ms`."""
        self._go_ms = mono + answer_ms
        self._since_ms = mono
        offer = self.offer
        manifest = FileStart(
            file_id=offer.file_id,
            name=offer.name,
            size=offer.size,
            sha256=offer.sha256,
            mode="public" if offer.to == PUBLIC else "dm",
            total=self._total,
            sender_pub=self._me.public.text,
        )
        if self._file_key is not None:
            wrapped = file_box.wrap_file_key(
                self._suite,
                self._recipient,
                self._file_key,
                from_=self._my_id,
                to=offer.to,
                ts=ts,
            )
            manifest = replace(
                manifest,
                wrapped_key=base64url.encode(wrapped),
                chunk_bytes=self._piece,
                chunk_hashes=base64url.encode(offer.chunk_hashes),
            )
        members = to_members(manifest)
        signature = content_sig.sign_manifest(self._me, members, self._my_id, offer.to, ts)
        return replace(manifest, content_sig=signature)

    def wants(self, mono: int, window: int = WINDOW_LIVE_BYTES) -> Want | None:
        """The piece to read now, one at a time; None where one is being read or the pace says wait.

        `window`: how many bytes may be on their way to a reader who reports. Ask on every tick,
        after `chunk`, `acked` and `heard`.
        """
        if self._reading or self._next == self._total or not self._may_go(mono):
            return None
        if not self._fits(window):
            return None
        want = self._want()
        if not self._pace.take(want.size, mono):
            return None
        if self._next == self._have:
            self._since_ms = mono
        self._reading = True
        return want

    def awaits(self, index: int) -> bool:
        """Whether this piece is being read: one of an earlier attempt may come late."""
        return self._reading and index == self._next

    def chunk(self, index: int, data: bytes, ts: int) -> FileChunk | Broken:
        """The frame for the piece that was read."""
        if not self.awaits(index):
            raise Misuse(f"piece {index} was not asked for")
        self._reading = False
        if len(data) != self._want().size or self._has_changed(data):
            return self._changed()
        self._next += 1
        return self._frame(index, data, ts)

    def end(self, mono: int) -> FileEnd | Broken | None:
        """Once, after the last chunk; else None. Ask after `chunk`, `acked`, `heard` and on every
        tick."""
        if self._next < self._total or self._ended_ms is not None or not self._may_go(mono):
            return None
        # With hybrid/1 each piece was compared, and some may have gone in an earlier attempt.
        if self._file_key is None and self._seen.hexdigest() != self.offer.sha256:
            return self._changed()
        self._ended_ms = self._since_ms = mono
        return FileEnd(file_id=self.offer.file_id)

    def heard(self, have: int, mono: int) -> bool:
        """The reader has the first `have` chunks. The first time that says where to begin; whether
        it moves: a word that says nothing new does not keep the transfer alive."""
        have = min(have, self._total)
        before = self._have if self._heard else -1
        if not self._heard and not self.kept:
            self._heard = True
            self._first = self._next = self._have = have
        else:
            if not (
                self._reading or self.kept
            ):  # its first word may have been an old one, said before a break
                self._next = max(self._next, have)
            self._have = max(self._have, min(have, self._next))
        moves = self._have > before
        if moves:
            self._since_ms = mono
        return moves

    def acked(self, of: str, mono: int) -> None:
        """ACK with our file_id: `of` FILE_START or FILE_END, or "" for whichever is unanswered; of
        a FILE_CHUNK where the server keeps the file."""
        if self.kept:
            self._kept_ms = mono
        if of == FileChunk.TYPE:
            self._chunks_acked = min(self._chunks_acked + 1, self._next - self._first)
        elif self._ended_ms is not None and of != FileStart.TYPE:
            self._end_acked = True
        elif self._go_ms is not None and of != FileEnd.TYPE:
            self._go_ms = min(self._go_ms, mono)

    def keeps(self, mono: int) -> None:
        """The server answered FILE_START with `queued`: it keeps the file for its reader, and
        acknowledges each chunk."""
        self._kept_ms = mono

    @property
    def kept(self) -> bool:
        """Whether the server keeps it."""
        return self._kept_ms is not None

    @property
    def started(self) -> bool:
        """Whether a chunk was asked for."""
        return self._reading or self._next > self._first

    @property
    def file_key(self) -> bytes:
        """What another attempt needs; b"" without hybrid/1."""
        return self._file_key or b""

    @property
    def have(self) -> int:
        """So many of the first chunks are with the reader, as far as it said."""
        return self._have

    @property
    def on_its_way(self) -> int:
        """Bytes that went out, or are being read, and that a reader who reports has not named."""
        if not self._reports or self.kept:
            return 0
        return (self._next + self._reading - self._have) * self._piece

    def stuck(self, mono: int) -> Stuck | None:
        """Where a server that keeps it, or a reader who reports, says nothing for too long."""
        if self.kept:
            waits = self._chunks_acked < self._next - self._first or self._ended_ms is not None
            if waits and mono - (self._kept_ms or 0) >= SILENCE_MS:
                return Stuck("your server takes no more of it")
        elif self._reports and self._may_go(mono):
            waits = not self._heard or self._have < self._next or self._ended_ms is not None
            patience_ms = SILENCE_MS if self._heard else FIRST_WORD_MS
            if waits and mono - self._since_ms >= patience_ms:
                return Stuck("their client does not say that it gets it")
        return None

    def settled(self, mono: int) -> Sent | None:
        """Sent, once the end was acknowledged or nobody answered it for END_ANSWER_MS; what is kept
        must be acknowledged, and of a reader who reports only its own word counts."""
        if self._ended_ms is None or (self._reports and not self.kept):
            return None
        if self.kept:
            return Sent(acked=True) if self._end_acked else None
        silent = mono - self._ended_ms >= END_ANSWER_MS
        return Sent(self._end_acked) if self._end_acked or silent else None

    @property
    def done(self) -> int:
        """Bytes handed over so far; those that the reader has, where it reports."""
        reported = self._reports and not self.kept
        return min((self._have if reported else self._next) * self._piece, self.offer.size)

    def _may_go(self, mono: int) -> bool:
        return self._go_ms is not None and mono >= self._go_ms

    def _fits(self, window: int) -> bool:
        """Whether one more piece may be on its way."""
        if self.kept:
            unacked = self._next + 1 - self._first - self._chunks_acked
            return unacked * self._piece <= WINDOW_BYTES
        if self._reports:
            return self._heard and self.on_its_way + self._piece <= window
        return True

    def _want(self) -> Want:
        offset = self._next * self._piece
        return Want(self._next, offset, min(self._piece, self.offer.size - offset))

    def _has_changed(self, data: bytes) -> bool:
        self._seen.update(data)
        if self._file_key is None:
            return False  # the hashes are those of larger pieces; `end` compares the whole
        place = self._next * HASH_BYTES
        expected = self.offer.chunk_hashes[place : place + HASH_BYTES]
        return hashlib.sha256(data).digest() != expected

    def _changed(self) -> Broken:
        return Broken(f"{self.offer.name} changed while it was being sent; send it again")

    def _frame(self, index: int, data: bytes, ts: int) -> FileChunk:
        file_id, total = self.offer.file_id, self._total
        if self._file_key is not None:
            sealed = file_box.seal_chunk(self._suite, self._file_key, data, file_id, index, total)
            return FileChunk(
                file_id=file_id, index=index, ciphertext=base64url.encode(sealed), total=total
            )
        sealed = self._recipient.seal(data)
        return FileChunk(
            file_id=file_id,
            index=index,
            ciphertext=base64url.encode(sealed),
            total=total,
            sender_pub=self._me.public.text,
            content_sig=content_sig.sign_chunk(
                self._me, sealed, self._my_id, self.offer.to, ts, file_id, index, total
            ),
        )


def own_pace(*, hybrid: bool) -> Pace:
    """Of one transfer to a reader who does not report."""
    burst = BURST_BYTES if hybrid else BURST_BYTES_V13
    return Pace(_bytes_per_s(hybrid=hybrid), burst)


def shared_pace() -> Pace:
    """Of all transfers to readers who report."""
    return Pace(BYTES_PER_S_LIVE, BURST_BYTES)


def _bytes_per_s(*, hybrid: bool) -> int:
    return BYTES_PER_S if hybrid else BYTES_PER_S_V13
