"""Files on their way in: drives one Receiver each (section 8; threats M2, M4, M5).

A server with `mailbox/1` keeps a file until its FILE_END is acknowledged: when it has its name
here, or is over for good. One that broke off for another reason it hands out again.

An author with `content/1` is told where the file stands (`file_state`), and what is here of it is
left on the disk when it breaks off: they go on with it later.
"""

from __future__ import annotations

from typing import Final

from socp.files.receiver import Receiver
from socp.files.transfer import Broken
from socp.member.contacts import Contacts
from socp.member.emitter import Emitter
from socp.member.events import FileStored, Now, SinkOpened, StoreFailed
from socp.member.file_effects import (
    DropPart,
    DropSink,
    FinishSink,
    LeaveSink,
    OpenSink,
    WriteChunk,
)
from socp.member.file_news import About, FileNews, Meter
from socp.member.file_reports import FileReports
from socp.member.history import History
from socp.member.inbox import KEPT_MS
from socp.member.incoming import Incoming, IncomingFiles, crowded, full
from socp.member.outgoing import Mouth
from socp.member.records import FileStage, IncomingFile
from socp.member.seen import Seen
from socp.member.seen_files import SeenFiles
from socp.member.sureness import sureness
from socp.member.trust import Trust
from socp.member.why import Why
from socp.wire.content import FileState
from socp.wire.envelope import Envelope
from socp.wire.ids import PUBLIC, is_uuid4
from socp.wire.payloads import FileChunk, FileEnd, FileFrame

COMES_AGAIN: Final = "it comes again if your server keeps it, else ask for it"
GOES_ON: Final = "it goes on by itself"
SLOWLY: Final = "it came too slowly while others wait"
LIVE_MS: Final = 120_000
"""A manifest that is older was kept by a server, and nobody waits for our word."""
TOO_MANY: Final = "too many files are on their way here; ask for it again when some are done"


class Receiving:
    """Bounded in number, number for each author, and bytes."""

    def __init__(
        self,
        emitter: Emitter,
        contacts: Contacts,
        trust: Trust,
        seen: Seen,
        history: History,
        mouth: Mouth,
        remembered: tuple[IncomingFile, ...],
    ) -> None:
        self._emit = emitter
        self._contacts = contacts
        self._trust = trust
        self._seen = SeenFiles(seen)
        self._history = history
        self._news = FileNews(emitter)
        self._files = IncomingFiles(emitter, remembered)
        self._reports = FileReports(mouth, self._files)
        self._running: dict[str, Incoming] = {}

    @property
    def idle(self) -> bool:
        """Nothing is arriving."""
        return not self._running

    # --- frames ---------------------------------------------------------------------------------

    def is_open(self, author: str, file_id: str) -> bool:
        """Whether a manifest means anything: the file is not over, or its author may be told
        that; and if it arrives just now, its author can begin again with it."""
        running = self._running.get(file_id)
        if running is not None:
            return running.receiver.author == author and bool(running.part)
        known = self._files.get(author, file_id) is not None
        return known or not self._seen.is_settled(author, file_id)

    def is_partly_here(self, author: str, file_id: str) -> bool:
        """Whether its author can go on with it."""
        file = self._files.get(author, file_id)
        return file is not None and file.stage is FileStage.OPEN

    def begin(self, receiver: Receiver, ts: int, now: Now, *, former: bool) -> str | None:
        """Take it, whose manifest is of `ts` (Unix ms), signed by a key that its author had before
        where `former`; else the reason for the person."""
        author, file_id = receiver.author, receiver.file_id
        lasts = receiver.bound and receiver.signed and not receiver.public
        lasts = lasts and self._contacts.has_content(author)
        running = self._running.get(file_id)
        if self._seen.is_settled(author, file_id) or running is not None:
            if lasts:
                self._begun_again(running, receiver, now)
            return None
        if now.wall - ts > KEPT_MS:
            return Why.TOO_OLD.value
        live = abs(now.wall - ts) < LIVE_MS and self._contacts.is_online(author)
        windows = lasts and live
        if not self._has_room(receiver, now, windows=windows):
            if not lasts:
                return TOO_MANY
            self._reports.say(author, file_id, "paused", now)
            return None
        contact = self._contacts.get(author)
        assert contact is not None
        incoming = Incoming(
            receiver=receiver,
            trust=sureness(contact, bound=receiver.bound, former=former, signed=receiver.signed),
            ts=ts,
            kept=self._emit.terms.mailbox,
            part=receiver.same.hex()[:32] if lasts else "",
            live=live,
            meter=Meter(now.mono),
            begun_ms=now.mono,
            opened=not lasts,
        )
        if not self._seen.is_theirs(incoming):
            return Why.OTHERS_WORDS.value
        self._running[file_id] = incoming
        self._open(incoming, now)
        return None

    def _has_room(self, receiver: Receiver, now: Now, *, windows: bool) -> bool:
        """Whether another may come, once those that hardly move have given way."""

        def fits(running: list[Incoming]) -> bool:
            busy = windows and crowded(running, receiver.author)
            return not busy and not full(running, receiver.author, receiver.size)

        running = list(self._running.values())
        slow = [one for one in running if one.is_slow(now.mono)]
        if slow and not fits([one for one in running if one not in slow]):
            return fits(running)
        while slow and not fits(running):
            running.remove(one := slow.pop(0))
            if one.part and one.live:
                self._reports.say(one.receiver.author, one.receiver.file_id, "paused", now)
            self._broke_off(one, f"{SLOWLY}; {COMES_AGAIN}", SLOWLY)
        return fits(running)

    def _open(self, incoming: Incoming, now: Now) -> None:
        """Have a temporary file for it, and the person told."""
        receiver = incoming.receiver
        if incoming.part:
            self._files.begun(incoming, self._running.values(), now.wall)
            self._emit.add(
                OpenSink(receiver.file_id, receiver.size, incoming.part, *receiver.layout)
            )
        else:
            self._emit.add(OpenSink(receiver.file_id, receiver.size))
        self._news.offered(receiver, incoming.trust, goes_on=bool(incoming.part))

    def _begun_again(self, running: Incoming | None, receiver: Receiver, now: Now) -> None:
        """Its author did not hear where it stands, or that it is over, and says its manifest once
        more."""
        if running is None:
            self._reports.ended(receiver.author, receiver.file_id, now)
        elif receiver.same == running.receiver.same and not running.finishing:
            running.ended, running.live = False, True
            running.receiver.begun_again(now.mono)
            self._reports.stands(running, now)

    # --- where it stands ------------------------------------------------------------------------

    def opened(self, event: SinkOpened, now: Now) -> None:
        """What is on the disk of a file was looked through."""
        incoming = self._running.get(event.file_id)
        if incoming is None or incoming.opened:
            return
        incoming.opened = True
        incoming.receiver.hold(event.have, now.mono)
        incoming.held, incoming.begun_ms = incoming.receiver.done, now.mono
        self._reports.stands(incoming, now)
        self._progress(incoming, now)
        if incoming.ended:
            self._whole(incoming, now)

    def heard(self, author: str, said: FileState, now: Now) -> bool:
        """An author takes their file back; False where it is none of theirs."""
        file = self._files.get(author, said.file_id)
        if file is None:
            return False
        if said.state == "refused" and file.stage is FileStage.OPEN:
            self._end_open(file, "its sender stopped it", now)
        return True

    def _end_open(self, file: IncomingFile, reason: str, now: Now) -> None:
        """One that is partly here is not wanted any more."""
        incoming = self._running.get(file.file_id)
        if incoming is not None and incoming.receiver.author == file.author:
            return self._over_for_good(incoming, reason, now)
        self.settled(file.author, file.file_id, file.begun_ms)
        self._files.end(file.author, file.file_id, FileStage.REFUSED)
        self._emit.add(DropPart(file.part))
        about = About(file.file_id, file.author, file.name, file.size, sending=False)
        self._news.failed(about, reason)

    # --- bytes ----------------------------------------------------------------------------------

    def chunk(self, envelope: Envelope, payload: FileChunk, now: Now) -> None:
        """FILE_CHUNK of a transfer that began; others are dropped."""
        incoming = self._of(envelope, payload)
        if incoming is None:
            return self._reports.stray(self.author(envelope, payload), payload.file_id, now)
        writes = incoming.receiver.chunk(payload, envelope.ts, now.mono)
        if isinstance(writes, Broken):
            return self._over_for_good(incoming, writes.reason, now)
        if not self._seen.is_theirs(incoming):
            return self._over_for_good(incoming, Why.OTHERS_WORDS.value, now)
        for write in writes:
            self._emit.add(WriteChunk(payload.file_id, write.offset, write.data))
        if writes:
            self._progress(incoming, now)
            self._reports.moved(incoming.receiver.author, self._running.values(), now)

    def end(self, envelope: Envelope, payload: FileEnd, now: Now) -> None:
        """FILE_END: have the whole checked and named."""
        incoming = self._of(envelope, payload)
        if incoming is None:
            return self._ended_again(envelope, payload, now)
        if not incoming.opened:
            incoming.ended = True
            return None
        self._whole(incoming, now)

    def _whole(self, incoming: Incoming, now: Now) -> None:
        """Its end came, and all that was on the disk is known."""
        receiver = incoming.receiver
        if incoming.part and not receiver.complete:
            self._emit.ack(receiver.file_id, now, of=FileEnd.TYPE)
            self._reports.say(receiver.author, receiver.file_id, "paused", now, have=receiver.have)
            return self._leave(incoming, f"parts of it are missing; {GOES_ON}")
        incoming.finishing = True
        complete = receiver.end()
        if isinstance(complete, Broken):
            return self._over_for_good(incoming, complete.reason, now)
        if receiver.form is not None:
            self._trust.signed_in(receiver.author, receiver.form.value)
        finish = FinishSink(receiver.file_id, complete.name, complete.size, complete.sha256)
        self._emit.add(finish)

    def _ended_again(self, envelope: Envelope, payload: FileEnd, now: Now) -> None:
        """One that is over came once more: the server may have missed that."""
        if self._seen.is_settled(self.author(envelope, payload), payload.file_id):
            self._emit.ack(payload.file_id, now, of=FileEnd.TYPE)

    def author(self, envelope: Envelope, payload: FileFrame) -> str:
        """Whose file it says it is, or "" for one that is not for us.

        COMPAT(section 13): some servers put themselves into `from` and the author into `sender`.
        """
        author = envelope.from_
        if author == self._emit.terms.server_id and payload.sender:
            author = payload.sender
        ours = envelope.to in (self._emit.user_id, PUBLIC)
        return author if ours and is_uuid4(author) and author != self._emit.user_id else ""

    def _of(self, envelope: Envelope, payload: FileFrame) -> Incoming | None:
        incoming = self._running.get(payload.file_id)
        if incoming is None or incoming.finishing:
            return None
        if incoming.receiver.author != self.author(envelope, payload):
            return None
        return incoming if incoming.receiver.public == (envelope.to == PUBLIC) else None

    # --- the shell ------------------------------------------------------------------------------

    def stored(self, event: FileStored, now: Now) -> None:
        """Checked and named: now it counts as received."""
        incoming = self._running.pop(event.file_id, None)
        if incoming is not None:
            receiver = incoming.receiver
            self.settled(receiver.author, receiver.file_id, incoming.ts)
            self._history.heard(incoming.heard, now)
            self._emit.ack(event.file_id, now, of=FileEnd.TYPE)
            if incoming.part:
                self._files.end(receiver.author, event.file_id, FileStage.DONE)
                self._reports.ended(receiver.author, event.file_id, now)
            self._news.done(incoming.about, path=event.path)

    def store_failed(self, event: StoreFailed, now: Now) -> None:
        """Nothing of it is presented as received."""
        incoming = self._running.get(event.file_id)
        if incoming is None:
            return
        if event.wrong:
            self._over_for_good(incoming, event.reason, now)
        elif incoming.part:
            self._reports.say(incoming.receiver.author, event.file_id, "paused", now)
            self._leave(incoming, f"{event.reason}; {GOES_ON}")
        else:
            what = COMES_AGAIN if incoming.kept else "ask for it again"
            self._over(incoming, f"{event.reason}; {what}")

    def cancel(self, file_id: str, now: Now) -> None:
        """The person does not want it."""
        incoming, file = self._running.get(file_id), self._files.open_one(file_id)
        if incoming is not None:
            self._over_for_good(incoming, "you stopped it", now)
        elif file is not None:
            self._end_open(file, "you stopped it", now)
            self._reports.ended(file.author, file_id, now)

    # --- time -----------------------------------------------------------------------------------

    def due(self, now: Now) -> None:
        """Break off what nothing comes for."""
        for incoming in tuple(self._running.values()):
            broken = None if incoming.finishing else incoming.receiver.overdue(now.mono)
            if broken is not None:
                self._broke_off(incoming, broken.reason, "nothing more came of it")
        self._files.due(now.wall, now.mono)

    def went(self, user_id: str) -> None:
        """Its author left before it was whole. What a server keeps comes all the same."""
        for incoming in tuple(self._running.values()):
            if incoming.receiver.author != user_id or incoming.finishing:
                continue
            incoming.live = False
            if not incoming.kept:
                why = "its sender went away before it was whole"
                self._broke_off(incoming, f"{why}; ask for it again", why)

    def lost(self) -> None:
        """The link is gone, and the attempts with it."""
        for incoming in tuple(self._running.values()):
            if not incoming.finishing:
                what = COMES_AGAIN if incoming.kept else "ask for it again"
                why = "the link to the server was lost"
                self._broke_off(incoming, f"{why}; {what}", why)

    def _broke_off(self, incoming: Incoming, reason: str, why: str) -> None:
        """This attempt is over; `why` is said where another may follow."""
        if incoming.part:
            self._leave(incoming, f"{why}; {GOES_ON}")
        else:
            self._over(incoming, reason)

    def _leave(self, incoming: Incoming, reason: str) -> None:
        """What is here of it stays, for its author to go on."""
        receiver = incoming.receiver
        del self._running[receiver.file_id]
        self._emit.add(LeaveSink(receiver.file_id))
        self._news.waits(incoming.about, receiver.done, reason)

    # --- telling --------------------------------------------------------------------------------

    def _over_for_good(self, incoming: Incoming, reason: str, now: Now) -> None:
        """It would be no better a second time: remember that, and let the server drop it."""
        receiver = incoming.receiver
        self.settled(receiver.author, receiver.file_id, incoming.ts)
        if incoming.part:
            self._files.end(receiver.author, receiver.file_id, FileStage.REFUSED)
            self._reports.ended(receiver.author, receiver.file_id, now)
        self._over(incoming, reason)
        if incoming.finishing:  # else the server hears it when its FILE_END comes
            self._emit.ack(receiver.file_id, now, of=FileEnd.TYPE)

    def settled(self, author: str, file_id: str, ts: int) -> None:
        """Nothing more will be made of it."""
        self._seen.settle(author, file_id, ts)

    def _over(self, incoming: Incoming, reason: str) -> None:
        receiver = incoming.receiver
        del self._running[receiver.file_id]
        self._emit.add(DropSink(receiver.file_id))
        self._news.failed(incoming.about, reason)

    def _progress(self, incoming: Incoming, now: Now) -> None:
        self._news.moved(incoming.about, incoming.meter, incoming.receiver.done, now.mono)
