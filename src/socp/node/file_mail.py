"""Files for somebody who is away: their frames lie in the mailbox, as far as it holds them
(sections 8 and 11)."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from socp.node.events import LinkId, Now
from socp.node.letters import Letters, part_of
from socp.node.links import Link, Stage
from socp.node.mailbox import Mailbox
from socp.node.records import MAIL_OVERHEAD_BYTES, MAIL_PART_LAST, Mail, MailState
from socp.wire import limits
from socp.wire.envelope import Envelope
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import FileEnd, FileFrame, FileStart

KEPT_MAX = 1_000  # files on their way into mailboxes
KEPT_PER_LINK_MAX = 64
SILENCE_MS = 120_000
_CHUNK_FRAME_BYTES = 400  # ids, index and total around a chunk's ciphertext
_CHUNK_FRAME_BYTES_V13 = 2_400  # ciphertext, key and signature for 400 bytes


@dataclass(slots=True)
class Kept:
    """One file that is being put into a mailbox."""

    reader: str
    sender: str
    link: LinkId
    until_ms: int  # monotonic
    count: int = 0
    size: int = 0  # bytes
    parts: set[int] = field(default_factory=set)
    dropped: bool = False
    whole: bool = False  # all of it was here before it began again


class FileMail:
    """By author and file id. What is not whole when its author goes is forgotten.

    An author who does not know what became of a file begins it again: what is here of it is
    acknowledged, and not kept twice.
    """

    def __init__(self, letters: Letters, mailbox: Mailbox) -> None:
        self._letters = letters
        self._mailbox = mailbox
        self._kept: OrderedDict[tuple[str, str], Kept] = OrderedDict()
        self._past: OrderedDict[tuple[str, str], Kept] = OrderedDict()  # whole, or dropped

    def holds(self, sender: str, file_id: str, link: Link) -> bool:
        """Whether this file's frames, from this link, go into the mailbox."""
        kept = self._kept.get((sender, file_id))
        return kept is not None and kept.link == link.id

    def begin(self, link: Link, sender: str, reader: str, start: FileStart, now: Now) -> None:
        """FILE_START. Raises PeerFault where the whole file would not fit."""
        key = (sender, start.file_id)
        past = self._past.get(key)
        if any(each is not None and each.reader != reader for each in (self._kept.get(key), past)):
            raise PeerFault(
                Code.BAD_FRAME,
                "file_id: you sent somebody else a file by this name; make a new one",
                msg_ref=start.file_id,
            )
        if self.holds(sender, start.file_id, link):
            return  # begun again, on the same link: it goes on
        if past is not None and self._is_here(past, start.file_id):
            until_ms = now.mono + SILENCE_MS
            parts = set(past.parts)
            self._kept[key] = Kept(reader, sender, link.id, until_ms, parts=parts, whole=True)
            return
        self._check_room(sender, reader, start)
        if not self._has_room_for(link):
            raise PeerFault(
                Code.RATE_LIMITED,
                "too many files are on their way into mailboxes; send it again later",
                msg_ref=start.file_id,
            )
        if key not in self._kept:
            self._kept[key] = Kept(reader, sender, link.id, now.mono + SILENCE_MS)

    def _has_room_for(self, link: Link) -> bool:
        """In a full table the oldest file of the link that has most of them gives way to one of a
        link that has fewer: no user and no server takes all of it."""
        held = Counter(kept.link for kept in self._kept.values())
        mine = held[link.id]
        if mine >= KEPT_PER_LINK_MAX and link.stage is Stage.USER:
            return False
        if len(self._kept) < KEPT_MAX:
            return True
        most = max(held, key=lambda each: held[each])
        if held[most] <= mine + 1:
            return False
        oldest = next(key for key, kept in self._kept.items() if kept.link == most)
        self._left(oldest, self._kept[oldest])
        return True

    def _is_here(self, past: Kept, file_id: str) -> bool:
        """Whether all of a file was kept, and nobody said since that its reader is through with
        it: who asks for it once more gets it once more."""
        whole = past.whole or MAIL_PART_LAST in past.parts
        state = self._mailbox.settled_lately(past.reader, file_id)
        return whole and not past.dropped and state in (None, MailState.FORWARDED)

    def again(self, link: Link, frame: FileFrame, now: Now) -> None:
        """A part that is here already, from before a restart: what is missing may follow it."""
        key = (frame.sender, frame.file_id)
        kept = self._kept.get(key)
        if kept is None or kept.link != link.id:
            if len(self._kept) >= KEPT_MAX or not isinstance(frame, FileStart):
                return
            kept = Kept(frame.user_id, frame.sender, link.id, 0)
            self._kept[key] = kept
        kept.parts.add(part_of(frame))
        kept.until_ms = now.mono + SILENCE_MS
        if isinstance(frame, FileEnd):
            self._end(key)

    def _check_room(self, sender: str, reader: str, start: FileStart) -> None:
        pieces, size = _needed(start)
        bounds = self._mailbox.boxes.bounds
        if pieces > bounds.messages // 2 or size > bounds.size // 2:
            raise PeerFault(
                Code.TOO_LARGE,
                f"{reader} is away and their mailbox takes files of about"
                f" {bounds.size // 2 * 3 // 4 // limits.MIB} MiB; send it when they are online",
                msg_ref=start.file_id,
            )
        room_pieces, room_size = self._mailbox.boxes.room(reader, sender)
        if pieces > room_pieces or size > room_size:
            raise PeerFault(
                Code.MAILBOX_FULL,
                f"{reader} is away and their mailbox has no room for the file;"
                " send it when they are online",
                msg_ref=start.file_id,
            )

    def take(self, envelope: Envelope, frame: FileFrame, sender: str, via: str, now: Now) -> None:
        """One frame of a file that `begin` took. Raises PeerFault(MAILBOX_FULL)."""
        key = (sender, frame.file_id)
        kept = self._kept[key]
        part = part_of(frame)
        if part not in kept.parts:
            mail = self._letters.file(envelope, frame, sender, kept.reader, via, now)
            try:
                self._mailbox.deposit(mail, now)
            except PeerFault:
                self._drop(key)
                raise
            kept.parts.add(part)
            kept.count, kept.size = kept.count + 1, kept.size + mail.size
        kept.until_ms = now.mono + SILENCE_MS
        if isinstance(frame, FileEnd):
            self._end(key)

    def goes_live(self, sender: str, file_id: str) -> None:
        """Its author begins it anew for a reader who is here: what lay here of it is in the way."""
        key = (sender, file_id)
        if key in self._kept:
            self._left(key, self._kept[key])

    def reader_of(self, sender: str, file_id: str) -> str:
        kept = self._kept.get((sender, file_id))
        return "" if kept is None else kept.reader

    def not_stored(self, mail: Mail) -> None:
        """The disk did not take a part: all of the file goes, and is taken off what is counted
        once."""
        key = (mail.sender, mail.msg_ref)
        if key in self._kept:
            return self._drop(key)
        past = self._past.get(key)
        if past is None or mail.part not in past.parts:
            return self._mailbox.not_stored(mail)
        if not past.dropped:
            self._forget(key, past)

    def link_lost(self, link: Link) -> None:
        """Files of that link's author that are not whole. Those that another server hands over
        come again from their beginning."""
        for key, kept in tuple(self._kept.items()):
            if kept.link == link.id:
                self._left(key, kept)

    def due(self, now: Now) -> None:
        for key, kept in tuple(self._kept.items()):
            if kept.until_ms <= now.mono:
                self._left(key, kept)
        for reader, file_id, half in self._mailbox.halves(now.mono - SILENCE_MS):
            if (half.sender, file_id) not in self._kept:  # begun before a restart, and not since
                self._mailbox.drop(reader, file_id, half.sender, half.count, half.size)

    def _left(self, key: tuple[str, str], kept: Kept) -> None:
        """Its author does not go on with it."""
        if kept.whole:
            self._end(key)
        else:
            self._drop(key)

    def _drop(self, key: tuple[str, str]) -> None:
        self._forget(key, self._end(key))

    def _forget(self, key: tuple[str, str], kept: Kept) -> None:
        kept.dropped = True
        self._mailbox.drop(kept.reader, key[1], kept.sender, kept.count, kept.size)

    def _end(self, key: tuple[str, str]) -> Kept:
        """No more of it comes; what the disk says of it still may."""
        kept = self._past[key] = self._kept.pop(key)
        self._past.move_to_end(key)
        if len(self._past) > KEPT_MAX:
            self._past.popitem(last=False)
        return kept


def _needed(start: FileStart) -> tuple[int, int]:
    """Pieces and bytes of all its frames in the store."""
    if start.wrapped_key and start.chunk_bytes:
        chunks = -(-start.size // start.chunk_bytes)
        size = start.size * 4 // 3 + chunks * (_CHUNK_FRAME_BYTES + MAIL_OVERHEAD_BYTES)
    else:
        chunks = start.total or -(-start.size // limits.FILE_CHUNK_BYTES_V13)
        size = chunks * (_CHUNK_FRAME_BYTES_V13 + MAIL_OVERHEAD_BYTES)
    manifest = len(start.chunk_hashes) + 4_000
    return chunks + 2, size + manifest + 2 * MAIL_OVERHEAD_BYTES
