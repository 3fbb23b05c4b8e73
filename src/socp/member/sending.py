"""Files of ours on their way out: one attempt after another, until their readers have them
(section 8).

A reader with `content/1` says where it stands: to them a file goes on after a broken link or a
restart, and is done when their client says so. Others take a file in one attempt.
"""

from __future__ import annotations

from typing import Final

from socp.crypto.keys import Suite
from socp.files.sender import (
    ANSWER_MAILBOX_MS,
    ANSWER_MS,
    Sender,
    estimate_s,
    refusal,
    shared_pace,
)
from socp.files.transfer import Broken, Sent
from socp.member.contacts import Contacts
from socp.member.delivery import Destinations, NotYet
from socp.member.emitter import Emitter
from socp.member.events import ChunkRead, Now, OfferFile, ReadFailed
from socp.member.file_effects import (
    OpenSource,
    ReadChunk,
)
from socp.member.file_news import About, FileNews, Meter
from socp.member.file_readers import FileReaders
from socp.member.file_reports import report
from socp.member.handed import QUEUED_STATUS, refusal_text
from socp.member.history import FILE, History
from socp.member.outgoing import GIVEN_UP_MS, WAITING_MAX, Mouth, Outgoing, OutgoingFiles
from socp.member.public import Room
from socp.member.records import FileStage, LineState, OutgoingFile
from socp.wire.content import FileState
from socp.wire.errors import Code
from socp.wire.ids import PUBLIC
from socp.wire.payloads import FileChunk, FileEnd, FileStart
from socp.wire.text import printable

SLOW_S: Final = 5
"""The person is told beforehand of a transfer that takes longer."""
DETAIL_COLUMNS: Final = 200
LOOK_AGAIN_MS: Final = 1_000
RESTART_MS: Final = 10_000
"""Whoever went may be back in so long: only then their mailbox is tried."""
NO_ROOM_MS: Final = 600_000
OTHERS_FIRST: Final = "other files go first; it goes when they are done"
CUT_OFF: Final = "this program ended before all of it was sent; send it again"
LINK_LOST: Final = "the link to the server was lost; it goes on when it is back"


class Sending:
    """At most SENDING_MAX at a time to one reader; to a person the others wait."""

    def __init__(
        self,
        suite: Suite,
        emitter: Emitter,
        contacts: Contacts,
        room: Room,
        destinations: Destinations,
        history: History,
        mouth: Mouth,
        remembered: tuple[OutgoingFile, ...],
    ) -> None:
        self._suite = suite
        self._emit = emitter
        self._contacts = contacts
        self._room = room
        self._readers = FileReaders(contacts, room)
        self._destinations = destinations
        self._history = history
        self._mouth = mouth
        self._files = OutgoingFiles(emitter, remembered)
        self._news = FileNews(emitter)
        self._pace = shared_pace()

    def __contains__(self, file_id: str) -> bool:
        return file_id in self._files

    @property
    def idle(self) -> bool:
        """Nothing is being sent. What waits does not count; it is kept."""
        return not self._files.running

    @property
    def rests(self) -> bool:
        """Nothing is being sent, and nothing waits to be."""
        files = self._files
        return not (files.running or files.waiting or files.cut_off)

    # --- the person -----------------------------------------------------------------------------

    def offer(self, event: OfferFile, now: Now) -> None:
        """Begin, or say why not, or what it waits for."""
        why = self._refusal(event, now)
        if why is not None:
            about = About(event.file_id, event.to, event.name, event.size, sending=True)
            return self._news.failed(about, why)
        file = OutgoingFile(
            file_id=event.file_id,
            to=event.to,
            name=event.name,
            path=event.path,
            size=event.size,
            modified_ns=event.modified_ns,
            sha256=event.sha256,
            chunk_hashes=event.chunk_hashes,
            file_key=b"",
            offered_ms=now.wall,
            said=self._history.said(event.to, event.name, now, kind=FILE, file_id=event.file_id),
            stage=FileStage.OPEN,
        )
        one = Outgoing(file)
        self._files.add(one)
        if event.to == PUBLIC:
            self._room.before_post()
        bound, reports = self._readers.bound(event.to), self._readers.reports(event.to)
        self._tell_estimate(one, hybrid=bound, reports=reports)
        self._attempt(one, now)

    def _refusal(self, event: OfferFile, now: Now) -> str | None:
        if event.to == self._emit.user_id:
            return "that is you"
        if self._contacts.is_revoked(event.to):
            return str(NotYet.REVOKED)
        if event.file_id in self._files:
            return "it is being sent already"
        if event.to == PUBLIC:
            waits = self._destinations.not_yet(event.to, now)
            if waits is not None:
                return f"{waits.partition(';')[0]}; files to everyone do not wait, send it again"
            if self._files.crowded(event.to, event.size):
                return "other files are being sent; send it again when they are done"
        elif len(self._files.waiting) >= WAITING_MAX:
            return f"{WAITING_MAX} files wait to be sent; send it again when some are gone"
        known = event.to == PUBLIC or self._contacts.get(event.to) is not None
        return refusal(event.size, hybrid=self._readers.bound(event.to) if known else True)

    def _tell_estimate(self, one: Outgoing, *, hybrid: bool, reports: bool) -> None:
        seconds = estimate_s(one.file.size, hybrid=hybrid, reports=reports)
        if seconds > SLOW_S:
            form = "" if hybrid else " (plain v1.3 clients take small pieces alone)"
            self._emit.warn(f"{printable(one.file.name)} takes about {seconds} s to send{form}")

    def cancel(self, file_id: str, now: Now) -> bool:
        """The person stops it; False where it is none of these."""
        one = self._files.running.get(file_id) or self._files.waiting.get(file_id)
        if one is None:
            return False
        self._given_up(one, "you stopped it", now)
        return True

    # --- attempts -------------------------------------------------------------------------------

    def _attempt(self, one: Outgoing, now: Now) -> None:
        """Begin to send it, or let it wait."""
        file = one.file
        waits = self._destinations.not_yet(file.to, now)
        if waits is None and self._files.crowded(file.to, file.size):
            waits = OTHERS_FIRST
        key = self._readers.key(file.to)
        if waits is not None or key is None:
            one.retry_ms = now.mono + LOOK_AGAIN_MS
            return self._wait(one, waits or "its reader's key is not known yet")
        hybrid, one.reports = self._readers.bound(file.to), self._readers.reports(file.to)
        refused = refusal(file.size, hybrid=hybrid)
        if refused is not None:
            return self._given_up(one, refused, now)
        sender = one.sender = Sender(
            self._suite,
            self._emit.key,
            self._emit.user_id,
            one.offer,
            key,
            hybrid=hybrid,
            file_key=file.file_key,
            pace=self._pace if one.reports else None,
            reports=one.reports,
            have=one.have if one.reports else 0,
        )
        mailbox = self._destinations.mailbox
        answer_ms = ANSWER_MAILBOX_MS if mailbox else ANSWER_MS
        one.answer_by_ms = now.mono + answer_ms if mailbox else None
        one.begun, one.waits_for, one.meter = True, "", Meter(now.mono)
        self._files.run(one, sender.file_key)
        self._history.moved(file.said, LineState.SENT)
        self._emit.add(OpenSource(file.file_id, file.path, file.size, file.modified_ns))
        self._transmit(one, sender.start(now.wall, now.mono, answer_ms), now)

    def due(self, now: Now) -> None:
        """Go on with what the pace allows, and with what has waited long enough."""
        while self._files.cut_off:
            self._over(self._files.cut_off.pop(0), CUT_OFF)
        for one in (*self._files.running.values(), *self._files.waiting.values()):
            if self._contacts.is_revoked(one.file.to):
                self._over(one, str(NotYet.REVOKED))
        for one in tuple(self._files.waiting.values()):
            if now.wall - one.file.offered_ms > GIVEN_UP_MS:
                self._given_up(one, "its reader did not come for 30 days; send it again", now)
            elif now.mono >= one.retry_ms:
                self._attempt(one, now)
        for one in tuple(self._files.kept.values()):
            if now.wall - one.file.offered_ms > GIVEN_UP_MS:
                self._files.forget(one)
        self._pump_all(now)

    def attached(self) -> None:
        """A new link: what waits may go."""
        for one in self._files.waiting.values():
            one.at_once()

    def came(self, user_id: str) -> None:
        """They are there: what waits for them may go, at the next `due`."""
        for one in self._files.waiting.values():
            if one.file.to == user_id:
                one.at_once()

    # --- bytes ----------------------------------------------------------------------------------

    def read(self, event: ChunkRead, now: Now) -> None:
        """The shell read a piece that we asked for, perhaps in an earlier attempt."""
        one = self._files.running.get(event.file_id)
        if one is None or one.sender is None or not one.sender.awaits(event.index):
            return None
        frame = one.sender.chunk(event.index, event.data, now.wall)
        if isinstance(frame, Broken):
            return self._given_up(one, frame.reason, now)
        self._transmit(one, frame, now)
        self._files.served(one)
        self._progress(one, now)
        self._pump_all(now)

    def read_failed(self, event: ReadFailed, now: Now) -> None:
        """The shell could not read the file."""
        one = self._files.get(event.file_id)
        if one is not None:
            self._given_up(one, f"it could not be read: {event.reason}", now)

    def _pump_all(self, now: Now) -> None:
        """Each in its turn, so that none of those to one reader takes the whole window."""
        for one in tuple(self._files.running.values()):
            if one.file.file_id in self._files.running and one.sender is not None:
                self._pump(one, one.sender, now)

    def _pump(self, one: Outgoing, sender: Sender, now: Now) -> None:
        if changed := self._contacts.changed(one.file.to):
            return self._stop(one, f"{changed}: nothing is sent until you decide", now)
        if one.answer_by_ms is not None and now.mono >= one.answer_by_ms:
            return self._stop(one, "your server did not answer", now)
        stuck = sender.stuck(now.mono)
        if stuck is not None:
            return self._stop(one, stuck.reason, now)
        end = sender.end(now.mono)
        if isinstance(end, Broken):
            return self._given_up(one, end.reason, now)
        if end is not None:
            self._transmit(one, end, now)
        settled = sender.settled(now.mono)
        if settled is not None:
            return self._settled(one, settled)
        want = sender.wants(now.mono, self._files.window(one))
        if want is not None:
            self._emit.add(ReadChunk(one.file.file_id, want.index, want.offset, want.size))

    def _transmit(self, one: Outgoing, frame: FileStart | FileChunk | FileEnd, now: Now) -> None:
        self._emit.send(frame, now, to=one.file.to)

    # --- answers --------------------------------------------------------------------------------

    def acked(self, file_id: str, of: str, status: str, now: Now) -> None:
        """ACK with this file's id (`status` as section 9)."""
        one = self._files.running.get(file_id)
        if one is None or one.sender is None:
            return
        one.answer_by_ms = None
        if status == QUEUED_STATUS and of in ("", FileStart.TYPE) and not one.sender.started:
            one.sender.keeps(now.mono)
        one.sender.acked(of, now.mono)
        self._pump_all(now)

    def failed(self, file_id: str, code: str, detail: str, now: Now) -> None:
        """ERROR with this file's id: it waits, or is over."""
        one = self._files.running.get(file_id)
        if one is None:
            return
        label, online = self._contacts.label(one.file.to), self._contacts.is_online(one.file.to)
        if code == Code.USER_NOT_FOUND and not online:
            self._stop(one, f"{label} is away and no server keeps it", now)
        elif code == Code.MAILBOX_FULL or (code == Code.TOO_LARGE and not online):
            said = printable(detail.partition(";")[0], width=DETAIL_COLUMNS)
            why = f"their mailbox has no room for it ({said})"
            self._stop(one, why, now, NO_ROOM_MS)
        elif code in (Code.USER_NOT_FOUND, Code.RATE_LIMITED, Code.TIMEOUT):
            self._stop(one, f"the server says {refusal_text(code, detail)}", now)
        else:
            self._given_up(one, f"the server says {refusal_text(code, detail)}", now)

    def heard(self, author: str, said: FileState, now: Now) -> bool:
        """What the reader's client says of a file of ours; False where it is none to them."""
        one = self._files.get(said.file_id)
        if one is None or one.file.to != author:
            return False
        if said.state == "done":
            self._arrived(one)
        elif said.state == "refused":
            self._over(one, f"{self._contacts.label(author)} does not want it")
        elif one.file.file_id in self._files.kept:  # it was not whole there
            one.have = said.have
            self._files.wait(one)
            one.at_once()
        elif one.sender is not None:
            self._reported(one, one.sender, said, now)
        return True

    def _reported(self, one: Outgoing, sender: Sender, said: FileState, now: Now) -> None:
        if said.state == "paused" and not sender.kept:
            one.have = 0  # they say it anew when they take it
            label = self._contacts.label(one.file.to)
            return self._stop(one, f"{label}'s client takes it later", now)
        if sender.heard(said.have, now.mono):
            one.pause_ms = 0
        self._progress(one, now)
        self._pump_all(now)

    def went(self, user_id: str, now: Now) -> None:
        """Somebody left: what was on its way to them did not arrive whole. What a server keeps, or
        has yet to say of, goes on."""
        for one in tuple(self._files.running.values()):
            kept = (one.sender is not None and one.sender.kept) or one.answer_by_ms is not None
            if one.file.to == user_id and not kept:
                label = self._contacts.label(user_id)
                self._stop(one, f"{label} went away before it was there", now, RESTART_MS)

    def lost(self) -> None:
        """The link is gone, and the attempts with it."""
        for one in tuple(self._files.running.values()):
            if one.lasts:
                one.at_once()
                self._wait(one, LINK_LOST)
            else:
                self._over(one, "the link to the server was lost; send it again when it is back")

    # --- ends -----------------------------------------------------------------------------------

    def _stop(self, one: Outgoing, why: str, now: Now, at_least_ms: int = 0) -> None:
        """This attempt is over. Another follows by itself, if its reader can go on with it."""
        if not one.lasts:
            return self._over(one, f"{why}; send it again later")
        one.pause(now.mono, at_least_ms)
        self._wait(one, f"{why}; it goes on by itself")

    def _wait(self, one: Outgoing, why: str) -> None:
        if one.file.to == PUBLIC:
            return self._over(one, why)
        done = one.done
        self._files.wait(one)
        if why != one.waits_for:
            one.waits_for = why
            self._history.moved(one.file.said, LineState.WAITING, why)
            self._news.waits(one.about, done, why)

    def _settled(self, one: Outgoing, settled: Sent) -> None:
        """Handed over as far as can be known."""
        kept = one.sender is not None and one.sender.kept
        if not settled.acked:
            self._emit.warn(
                f"{printable(one.file.name)} is sent; the server did not say that it passed it on"
            )
        self._history.moved(one.file.said, LineState.DONE)
        if kept:
            self._files.keep(one)
        else:
            self._files.forget(one)
        self._news.done(one.about, kept=kept)

    def _arrived(self, one: Outgoing) -> None:
        """Their client has checked and stored it."""
        self._files.forget(one)
        self._history.moved(one.file.said, LineState.DELIVERED)
        self._news.done(one.about)

    def _given_up(self, one: Outgoing, reason: str, now: Now) -> None:
        """Its reader, who may have a part of it, need not wait for the rest."""
        if one.begun and self._readers.reports(one.file.to):
            said = FileState(file_id=one.file.file_id, state="refused")
            report(self._mouth, one.file.to, said, now)
        self._over(one, reason)

    def _over(self, one: Outgoing, reason: str) -> None:
        self._files.forget(one)
        self._history.moved(one.file.said, LineState.REFUSED, reason)
        self._news.failed(one.about, reason)

    def _progress(self, one: Outgoing, now: Now) -> None:
        self._news.moved(one.about, one.meter, one.done, now.mono)
