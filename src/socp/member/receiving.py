"""Files on their way in: drives one Receiver each (section 8; threats M2, M4, M5).

A server with `mailbox/1` keeps a file until its FILE_END is acknowledged: when it has its name
here, or is over for good. One that broke off for another reason it hands out again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from socp.crypto.keys import PrivateKey
from socp.files.receiver import Receiver, accept
from socp.files.transfer import (
    RECEIVING_BYTES_MAX,
    RECEIVING_MAX,
    RECEIVING_PER_AUTHOR_MAX,
    STORING_MAX,
    Broken,
)
from socp.member.arrivals import Arrivals
from socp.member.contacts import Contacts
from socp.member.effects import (
    DropSink,
    FileDone,
    FileFailed,
    FileOffered,
    FileProgress,
    FinishSink,
    OpenSink,
    WriteChunk,
)
from socp.member.effects import Trust as Sureness
from socp.member.emitter import Emitter
from socp.member.events import FileStored, Now, StoreFailed
from socp.member.history import FILE, Heard, History
from socp.member.inbox import Why, first_form
from socp.member.lookups import Lookups
from socp.member.next_link import NextLink
from socp.member.public import Room
from socp.member.seen import Seen
from socp.member.sureness import sureness
from socp.member.trust import Trust
from socp.wire.envelope import Envelope
from socp.wire.ids import PUBLIC, is_uuid4
from socp.wire.payloads import FileChunk, FileEnd, FileFrame, FileStart

PROGRESS_MS: Final = 250
LATER_MAX: Final = 1_000
KEYLESS: Final = "its sender's key is not known yet"
COMES_AGAIN: Final = "it comes again if your server keeps it, else ask for it"
TOO_MANY: Final = "too many files are on their way here; ask for it again when some are done"


@dataclass(slots=True)
class Incoming:
    receiver: Receiver
    trust: Sureness
    ref: str
    ts: int  # of the manifest, Unix ms
    told_ms: int  # monotonic, when progress was told last
    kept: bool  # the server may keep it, and hand it out once more
    remembered: bool = False  # its ciphertext's digest is in `seen`
    finishing: bool = False  # the shell checks and names it
    digests: set[bytes] = field(default_factory=set)

    @property
    def peer(self) -> str:
        return PUBLIC if self.receiver.public else self.receiver.author


class Receiving:
    """Bounded in number, number for each author, and bytes."""

    def __init__(
        self,
        emitter: Emitter,
        contacts: Contacts,
        trust: Trust,
        seen: Seen,
        lookups: Lookups,
        room: Room,
        arrivals: Arrivals,
        next_link: NextLink,
        history: History,
    ) -> None:
        self._emit = emitter
        self._contacts = contacts
        self._trust = trust
        self._seen = seen
        self._lookups = lookups
        self._room = room
        self._arrivals = arrivals
        self._next_link = next_link
        self._history = history
        self._running: dict[str, Incoming] = {}
        self._later: dict[str, None] = {}  # authors whose files stay at the server without a key

    @property
    def idle(self) -> bool:
        """Nothing is arriving, or soon to come."""
        return not self._running and not self._later

    @property
    def running(self) -> bool:
        """Something is arriving."""
        return bool(self._running)

    # --- frames ---------------------------------------------------------------------------------

    def start(self, envelope: Envelope, payload: FileStart, now: Now) -> None:
        """FILE_START: begin, or say why not. A replay of one that is over is dropped in silence
        (M2)."""
        author = self._author(envelope, payload)
        ref = f"{author}/{payload.file_id}"
        if not author or ref in self._seen or payload.file_id in self._running:
            return None
        key = self._contacts.key(author)
        if key is None:
            return self._keyless(author, now, public=envelope.to == PUBLIC)
        if self._contacts.is_revoked(author):
            return self._refused(author, Why.REVOKED.value, now)
        signer, _ = self._trust.successors.signer(author, payload.sender_pub, envelope.ts)
        if self._full(author, payload.size):
            return self._refused(author, TOO_MANY, now)
        public = envelope.to == PUBLIC
        begun = accept(
            payload,
            envelope.members,
            author=author,
            author_key=signer or key,
            to=envelope.to,
            openers=self._openers(author, public=public),
            ts=envelope.ts,
            mono=now.mono,
            first=first_form(self._contacts.get(author)),
        )
        if isinstance(begun, Broken):
            if public and self._room.sending_key() is None:  # it may open when a key is here
                return self._refused(author, begun.reason, now)
            return self._refused_for_good(author, begun.reason, ref, envelope.ts, now)
        if not public and not begun.bound and self._contacts.has_hybrid(author):
            return self._refused_for_good(author, Why.DOWNGRADED.value, ref, envelope.ts, now)
        self._begin(begun, ref, envelope.ts, now)

    def _keyless(self, author: str, now: Now, *, public: bool) -> None:
        """Their key is asked for. What a server keeps stays there, for the next link."""
        asked = self._lookups.ask(author, now)
        kept = self._emit.terms.mailbox and not public
        if asked and kept and len(self._later) < LATER_MAX:
            self._later[author] = None
        else:
            self._refused(author, KEYLESS, now)

    def key_settled(self, author: str, now: Now) -> None:
        """Their key came, or nobody knows it."""
        if author not in self._later:
            return
        del self._later[author]
        if self._contacts.key(author) is None:
            self._refused(author, KEYLESS, now)
        else:
            self._next_link.ask()

    def _begin(self, receiver: Receiver, ref: str, ts: int, now: Now) -> None:
        bound = receiver.bound and receiver.signed
        contact = self._contacts.get(receiver.author)
        assert contact is not None
        kept = self._emit.terms.mailbox
        incoming = Incoming(receiver, sureness(contact, bound=bound), ref, ts, now.mono, kept)
        if not self._is_theirs(incoming):
            why = Why.OTHERS_WORDS.value
            return self._refused_for_good(receiver.author, why, ref, ts, now)
        file_id = receiver.file_id
        self._running[file_id] = incoming
        self._emit.add(OpenSink(file_id, receiver.size))
        self._emit.tell(
            FileOffered(
                file_id=file_id,
                author=receiver.author,
                name=receiver.name,
                size=receiver.size,
                public=receiver.public,
                trust=incoming.trust,
            )
        )

    def chunk(self, envelope: Envelope, payload: FileChunk, now: Now) -> None:
        """FILE_CHUNK of a transfer that began; others are dropped."""
        incoming = self._of(envelope, payload)
        if incoming is None:
            return None
        writes = incoming.receiver.chunk(payload, envelope.ts, now.mono)
        if isinstance(writes, Broken):
            return self._over_for_good(incoming, writes.reason, now)
        if not self._is_theirs(incoming):
            return self._over_for_good(incoming, Why.OTHERS_WORDS.value, now)
        for write in writes:
            self._emit.add(WriteChunk(payload.file_id, write.offset, write.data))
        if writes:
            self._progress(incoming, now)

    def end(self, envelope: Envelope, payload: FileEnd, now: Now) -> None:
        """FILE_END: have the whole checked and named."""
        incoming = self._of(envelope, payload)
        if incoming is None:
            return self._ended_again(envelope, payload, now)
        incoming.finishing = True
        complete = incoming.receiver.end()
        if isinstance(complete, Broken):
            return self._over_for_good(incoming, complete.reason, now)
        form = incoming.receiver.form
        if form is not None:
            self._trust.signed_in(incoming.receiver.author, form.value)
        self._emit.add(FinishSink(payload.file_id, complete.name, complete.size, complete.sha256))

    def _ended_again(self, envelope: Envelope, payload: FileEnd, now: Now) -> None:
        """One that is over came once more: the server may have missed that."""
        if f"{self._author(envelope, payload)}/{payload.file_id}" in self._seen:
            self._emit.ack(payload.file_id, now, of=FileEnd.TYPE)

    def _author(self, envelope: Envelope, payload: FileFrame) -> str:
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
        if incoming.receiver.author != self._author(envelope, payload):
            return None
        return incoming if incoming.receiver.public == (envelope.to == PUBLIC) else None

    def _openers(self, author: str, *, public: bool) -> tuple[PrivateKey, ...]:
        return self._room.openers(author) if public else self._emit.readers

    def _full(self, author: str, size: int) -> bool:
        # What is whole counts no longer: its sender goes on with the next, as soon as that may.
        arriving = [one for one in self._running.values() if not one.finishing]
        theirs = [one for one in arriving if one.receiver.author == author]
        total = sum(one.receiver.size for one in arriving)
        return (
            len(arriving) >= RECEIVING_MAX
            or len(self._running) - len(arriving) >= STORING_MAX
            or len(theirs) >= RECEIVING_PER_AUTHOR_MAX
            or total + size > RECEIVING_BYTES_MAX
        )

    def _is_theirs(self, incoming: Incoming) -> bool:
        """False where the ciphertext was seen under another author (M4); remembers it else."""
        digests = incoming.receiver.digests()
        fresh = [digest for digest in digests if digest not in incoming.digests]
        author = incoming.receiver.author
        if fresh and not incoming.remembered:
            if self._seen.others_words(fresh, author):
                return False
            # By another name than the whole file's, which may come again until it is stored.
            self._seen.remember(f"{incoming.ref}/begun", fresh[0], author, incoming.ts)
            incoming.remembered = True
            incoming.digests.update(fresh)
        return True

    # --- the shell ------------------------------------------------------------------------------

    def stored(self, event: FileStored, now: Now) -> None:
        """Checked and named: now it counts as received."""
        incoming = self._running.pop(event.file_id, None)
        if incoming is not None:
            receiver = incoming.receiver
            self._settled(receiver.author, incoming.ref, incoming.ts)
            self._note(incoming, now)
            self._emit.ack(event.file_id, now, of=FileEnd.TYPE)
            self._emit.tell(
                FileDone(
                    file_id=event.file_id,
                    peer=incoming.peer,
                    name=receiver.name,
                    size=receiver.size,
                    sending=False,
                    path=event.path,
                )
            )

    def _note(self, incoming: Incoming, now: Now) -> None:
        """It stands in the history from now on."""
        receiver = incoming.receiver
        heard = Heard(
            author=receiver.author,
            text=receiver.name,
            ts=incoming.ts,
            trust=incoming.trust,
            public=receiver.public,
            kind=FILE,
            file_id=receiver.file_id,
        )
        self._history.heard(heard, now)

    def store_failed(self, event: StoreFailed, now: Now) -> None:
        """Nothing of it is presented as received."""
        incoming = self._running.get(event.file_id)
        if incoming is not None and event.wrong:
            self._over_for_good(incoming, event.reason, now)
        elif incoming is not None:
            self._over(incoming, event.reason)

    def cancel(self, file_id: str, now: Now) -> None:
        """The person does not want it."""
        incoming = self._running.get(file_id)
        if incoming is not None:
            self._over_for_good(incoming, "you stopped it", now)

    # --- time -----------------------------------------------------------------------------------

    def due(self, now: Now) -> None:
        """Break off what nothing comes for."""
        for incoming in tuple(self._running.values()):
            broken = None if incoming.finishing else incoming.receiver.overdue(now.mono)
            if broken is not None:
                self._over(incoming, broken.reason)

    def went(self, user_id: str) -> None:
        """Its author left before it was whole. What a server keeps comes all the same."""
        for incoming in tuple(self._running.values()):
            if incoming.receiver.author == user_id and not (incoming.finishing or incoming.kept):
                self._over(incoming, "its sender went away before it was whole; ask for it again")

    def lost(self) -> None:
        """The link is gone, and the transfers with it."""
        self._later.clear()
        for incoming in tuple(self._running.values()):
            if not incoming.finishing:
                what = COMES_AGAIN if incoming.kept else "ask for it again"
                self._over(incoming, f"the link to the server was lost; {what}")

    # --- telling --------------------------------------------------------------------------------

    def _over_for_good(self, incoming: Incoming, reason: str, now: Now) -> None:
        """It would be no better a second time: remember that, and let the server drop it."""
        receiver = incoming.receiver
        self._settled(receiver.author, incoming.ref, incoming.ts)
        self._over(incoming, reason)
        if incoming.finishing:  # else the server hears it when its FILE_END comes
            self._emit.ack(receiver.file_id, now, of=FileEnd.TYPE)

    def _settled(self, author: str, ref: str, ts: int) -> None:
        self._seen.remember(ref, hashlib.sha256(ref.encode()).digest(), author, ts)

    def _over(self, incoming: Incoming, reason: str) -> None:
        receiver = incoming.receiver
        del self._running[receiver.file_id]
        self._emit.add(DropSink(receiver.file_id))
        self._emit.tell(
            FileFailed(receiver.file_id, incoming.peer, receiver.name, sending=False, reason=reason)
        )

    def _refused_for_good(self, author: str, reason: str, ref: str, ts: int, now: Now) -> None:
        if self._emit.terms.mailbox:  # its FILE_END will be acknowledged, and its like not told of
            self._settled(author, ref, ts)
        self._refused(author, reason, now)

    def _refused(self, author: str, reason: str, now: Now) -> None:
        self._arrivals.refusal(author, f"a file: {reason}", now.wall, now, public=False)

    def _progress(self, incoming: Incoming, now: Now) -> None:
        if now.mono - incoming.told_ms < PROGRESS_MS:
            return
        incoming.told_ms = now.mono
        receiver = incoming.receiver
        self._emit.tell(
            FileProgress(
                receiver.file_id,
                incoming.peer,
                receiver.name,
                receiver.done,
                receiver.size,
                sending=False,
            )
        )
