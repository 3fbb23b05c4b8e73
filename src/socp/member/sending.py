"""Files of ours on their way out: drives one Sender each (section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from socp.crypto.keys import PublicKey, Suite
from socp.files.sender import (
    ANSWER_MAILBOX_MS,
    ANSWER_MS,
    Offer,
    Sender,
    estimate_s,
    refusal,
)
from socp.files.transfer import SENDING_BYTES_MAX, SENDING_MAX, Broken, Sent
from socp.member.contacts import Contacts
from socp.member.delivery import Destinations
from socp.member.effects import FileDone, FileFailed, FileProgress, ReadChunk
from socp.member.emitter import Emitter
from socp.member.events import ChunkRead, Now, OfferFile, ReadFailed
from socp.member.handed import QUEUED_STATUS, refusal_text
from socp.member.history import FILE, History
from socp.member.public import Room
from socp.member.records import LineState
from socp.wire.errors import Code
from socp.wire.ids import PUBLIC
from socp.wire.payloads import FileChunk, FileEnd, FileStart
from socp.wire.text import printable

PROGRESS_MS: Final = 250
SLOW_S: Final = 5
"""The person is told beforehand of a transfer that takes longer."""
DETAIL_COLUMNS: Final = 200
LATELY_MAX: Final = 64


@dataclass(slots=True)
class Outgoing:
    sender: Sender
    told_ms: int  # monotonic, when progress was told last
    answer_by_ms: int | None  # monotonic; None once it was answered, or where none is to be had
    said: int  # its number in the history

    @property
    def offer(self) -> Offer:
        return self.sender.offer


class Sending:
    """At most SENDING_MAX at a time."""

    def __init__(
        self,
        suite: Suite,
        emitter: Emitter,
        contacts: Contacts,
        room: Room,
        destinations: Destinations,
        history: History,
    ) -> None:
        self._suite = suite
        self._emit = emitter
        self._contacts = contacts
        self._room = room
        self._destinations = destinations
        self._history = history
        self._running: dict[str, Outgoing] = {}
        self._lately: dict[str, None] = {}  # the latest that are over: answers to them may follow

    def __contains__(self, file_id: str) -> bool:
        return file_id in self._running or file_id in self._lately

    @property
    def idle(self) -> bool:
        """Nothing is being sent."""
        return not self._running

    # --- the person -----------------------------------------------------------------------------

    def offer(self, event: OfferFile, now: Now) -> None:
        """Begin, or say why not."""
        why = self._refusal(event, now)
        key = self._recipient(event.to)
        if why is not None or key is None:
            return self._failed(event.file_id, event.to, event.name, why or "its key is not known")
        hybrid = self._bound(event.to)
        offer = Offer(
            event.file_id, event.to, event.name, event.size, event.sha256, event.chunk_hashes
        )
        if event.to == PUBLIC:
            self._room.before_post()
        self._tell_estimate(offer, hybrid=hybrid)
        sender = Sender(self._suite, self._emit.key, self._emit.user_id, offer, key, hybrid=hybrid)
        mailbox = self._destinations.mailbox
        answer_ms = ANSWER_MAILBOX_MS if mailbox else ANSWER_MS
        answer_by_ms = now.mono + answer_ms if mailbox else None
        said = self._history.said(event.to, event.name, now, kind=FILE, file_id=event.file_id)
        self._history.moved(said, LineState.SENT)
        self._running[event.file_id] = Outgoing(sender, now.mono, answer_by_ms, said)
        self._transmit(offer, sender.start(now.wall, now.mono, answer_ms), now)

    def _refusal(self, event: OfferFile, now: Now) -> str | None:
        if event.to == self._emit.user_id:
            return "that is you"
        waits = self._destinations.not_yet(event.to, now)
        if waits is not None:
            return f"{waits.partition(';')[0]}; files do not wait, send it again then"
        if event.file_id in self._running:
            return "it is being sent already"
        if len(self._running) >= SENDING_MAX:
            return f"{SENDING_MAX} files are being sent; send it again when one is done"
        under_way = sum(running.offer.size for running in self._running.values())
        if under_way and under_way + event.size > SENDING_BYTES_MAX:
            return "other large files are being sent; send it again when they are done"
        return refusal(event.size, hybrid=self._bound(event.to))

    def _recipient(self, to: str) -> PublicKey | None:
        if to != PUBLIC:
            return self._contacts.key(to)
        held = self._room.sending_key()
        return None if held is None else held.public

    def _bound(self, to: str) -> bool:
        return self._room.all_bound() if to == PUBLIC else self._contacts.has_hybrid(to)

    def _tell_estimate(self, offer: Offer, *, hybrid: bool) -> None:
        seconds = estimate_s(offer.size, hybrid=hybrid)
        if seconds > SLOW_S:
            form = "" if hybrid else " (plain v1.3 clients take small pieces alone)"
            self._emit.warn(f"{printable(offer.name)} takes about {seconds} s to send{form}")

    def cancel(self, file_id: str) -> bool:
        """The person stops it; False where it is none of these."""
        if file_id not in self._running:
            return False
        self._over(file_id, "you stopped it")
        return True

    # --- bytes ----------------------------------------------------------------------------------

    def read(self, event: ChunkRead, now: Now) -> None:
        """The shell read a piece that we asked for."""
        running = self._running.get(event.file_id)
        if running is None:
            return None
        frame = running.sender.chunk(event.index, event.data, now.wall)
        if isinstance(frame, Broken):
            return self._over(event.file_id, frame.reason)
        self._transmit(running.offer, frame, now)
        self._progress(running, now)
        self._pump(running, now)

    def read_failed(self, event: ReadFailed, now: Now) -> None:
        """The shell could not read the file."""
        self._over(event.file_id, f"it could not be read: {event.reason}")

    def due(self, now: Now) -> None:
        """Go on with what the pace allows."""
        for running in tuple(self._running.values()):
            self._pump(running, now)

    def _pump(self, running: Outgoing, now: Now) -> None:
        file_id, sender = running.offer.file_id, running.sender
        if running.answer_by_ms is not None and now.mono >= running.answer_by_ms:
            return self._over(file_id, "your server did not answer; send it again later")
        stuck = sender.stuck(now.mono)
        if stuck is not None:
            return self._over(file_id, f"{stuck.reason}; send it again later")
        end = sender.end(now.mono)
        if isinstance(end, Broken):
            return self._over(file_id, end.reason)
        if end is not None:
            self._transmit(running.offer, end, now)
        settled = sender.settled(now.mono)
        if settled is not None:
            return self._settled(running, settled)
        want = sender.wants(now.mono)
        if want is not None:
            self._emit.add(ReadChunk(file_id, want.index, want.offset, want.size))

    def _transmit(self, offer: Offer, frame: FileStart | FileChunk | FileEnd, now: Now) -> None:
        self._emit.transmit(self._emit.frame(frame, to=offer.to, ts=now.wall))

    # --- answers --------------------------------------------------------------------------------

    def acked(self, file_id: str, of: str, status: str, now: Now) -> None:
        """ACK with this file's id (`status` as section 9)."""
        running = self._running.get(file_id)
        if running is not None:
            running.answer_by_ms = None
            sender = running.sender
            if status == QUEUED_STATUS and of in ("", FileStart.TYPE) and not sender.started:
                sender.keeps(now.mono)
            sender.acked(of, now.mono)
            self._pump(running, now)

    def failed(self, file_id: str, code: str, detail: str) -> None:
        """ERROR with this file's id: it is over."""
        running = self._running.get(file_id)
        if running is None:
            return
        reason = f"the server says {refusal_text(code, detail)}"
        if code == Code.MAILBOX_FULL:
            said = printable(detail, width=DETAIL_COLUMNS)
            reason = f"their mailbox has no room for it; send it again later ({said})"
        elif code == Code.USER_NOT_FOUND and not self._contacts.is_online(running.offer.to):
            label = self._contacts.label(running.offer.to)
            reason = f"{label} is away and no server keeps it; send it again when they are back"
        self._over(file_id, reason)

    def went(self, user_id: str) -> None:
        """Somebody left: what was on its way to them did not arrive whole. What a server keeps, or
        has yet to say of, goes on."""
        for running in tuple(self._running.values()):
            kept = running.sender.kept or running.answer_by_ms is not None
            if running.offer.to == user_id and not kept:
                self._over(
                    running.offer.file_id, "they went away before it was there; send it again later"
                )

    def lost(self) -> None:
        """The link is gone, and the transfers with it."""
        for file_id in tuple(self._running):
            self._over(file_id, "the link to the server was lost; send it again when it is back")

    # --- ends -----------------------------------------------------------------------------------

    def _settled(self, running: Outgoing, settled: Sent) -> None:
        offer = running.offer
        self._forget(offer.file_id)
        self._history.moved(running.said, LineState.DONE)
        if not settled.acked:
            self._emit.warn(
                f"{printable(offer.name)} is sent; the server did not say that it passed it on"
            )
        self._emit.tell(
            FileDone(
                offer.file_id,
                offer.to,
                offer.name,
                offer.size,
                sending=True,
                path="",
                kept=running.sender.kept,
            )
        )

    def _forget(self, file_id: str) -> Outgoing | None:
        running = self._running.pop(file_id, None)
        if running is not None:
            if len(self._lately) >= LATELY_MAX:
                del self._lately[next(iter(self._lately))]
            self._lately[file_id] = None
        return running

    def _over(self, file_id: str, reason: str) -> None:
        running = self._forget(file_id)
        if running is not None:
            self._history.moved(running.said, LineState.REFUSED, reason)
            self._failed(file_id, running.offer.to, running.offer.name, reason)

    def _failed(self, file_id: str, to: str, name: str, reason: str) -> None:
        self._emit.tell(FileFailed(file_id, to, printable(name), sending=True, reason=reason))

    def _progress(self, running: Outgoing, now: Now) -> None:
        if now.mono - running.told_ms < PROGRESS_MS:
            return
        running.told_ms = now.mono
        offer = running.offer
        self._emit.tell(
            FileProgress(
                offer.file_id, offer.to, offer.name, running.sender.done, offer.size, sending=True
            )
        )
