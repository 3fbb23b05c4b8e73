"""What somebody's message says, once it is known to be theirs and new (section 11, `content/1`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from socp.member.amendments import Amendments
from socp.member.arrivals import Arrivals
from socp.member.contacts import Contacts
from socp.member.emitter import Emitter
from socp.member.events import Now, SentLoaded, Shown
from socp.member.gaps import Gaps
from socp.member.history import Heard, History
from socp.member.origin import Origin
from socp.member.outbox import Outbox
from socp.member.profile import Profile
from socp.member.receipts import Receipts
from socp.member.records import Remembered
from socp.member.seen import Seen
from socp.member.sent import Sent
from socp.member.threads import Standing, Threads
from socp.wire.content import (
    Body,
    Delete,
    Edit,
    File,
    FileState,
    Place,
    Reaction,
    Receipt,
    Resend,
    Text,
)
from socp.wire.features import CONTENT

UNKNOWN: Final = "they sent something that this version cannot show; a newer one may"

FileWord = Callable[[Origin, File | FileState, Now], None]


def _nobody(origin: Origin, said: File | FileState, now: Now) -> None:
    """Where files are not spoken of."""


class Speech:
    """Each kind goes to the part that it is for. `files` is told what is said of files."""

    def __init__(
        self,
        emitter: Emitter,
        contacts: Contacts,
        seen: Seen,
        history: History,
        arrivals: Arrivals,
        outbox: Outbox,
        sent: Sent,
        profile: Profile,
        remembered: Remembered,
    ) -> None:
        self._emit = emitter
        self._contacts = contacts
        self._seen = seen
        self._arrivals = arrivals
        self._outbox = outbox
        self._sent = sent
        self._threads = Threads(emitter, remembered.threads, anew=profile.since_ms > 0)
        self._gaps = Gaps(emitter, contacts, self._threads, outbox)
        self.receipts = Receipts(
            emitter,
            contacts,
            outbox,
            delivered=profile.tell_delivered,
            read=profile.tell_read,
        )
        self.amendments = Amendments(emitter, history, arrivals, seen, outbox, sent)
        self.files: FileWord = _nobody

    @property
    def idle(self) -> bool:
        """Nothing is still to be said of what came."""
        return self.receipts.idle

    # --- what comes -----------------------------------------------------------------------------

    def bare(self, origin: Origin, text: str, now: Now) -> None:
        """Bare text, as everybody without `content/1` sends it."""
        if not origin.public and self._contacts.has_content(origin.author):
            self._warn_of_bare(origin.author)
        self._show(origin, text, now)

    def _warn_of_bare(self, author: str) -> None:
        """They signed that they have `content/1`, and do not use it with us (threat M9)."""
        label = self._contacts.label(author)
        self._emit.warn_once(
            f"bare {author}",
            f"{label}'s client has {CONTENT} and wrote without it, as if yours had it not: messages"
            " of theirs that are missing cannot be told; if it goes on, ask them whether your key"
            " and features reach them, for somebody on the way may take them out",
        )

    def take(self, origin: Origin, body: Body, place: Place, digest: bytes, now: Now) -> None:
        """A message of `content/1`; `digest` as `content.digest`."""
        key = (origin.author, origin.public, place.run)
        standing = self._threads.take(key, place.seq, origin.ts, digest, now.wall)
        if standing is Standing.AGAIN:
            return
        self._gaps.moved(key, now)
        if place.first and self._seen.wrote(origin.author, place.first):
            return  # composed anew, and it came long ago
        origin = self._named(origin, place.first)
        if standing is Standing.DOUBLE:
            self._warn_of_doubles(origin)
        self._understand(origin, body, place, now, late=standing is Standing.LATE)

    def _named(self, origin: Origin, first: str) -> Origin:
        """The message under the name that its author gives it, unless that is of one of ours."""
        if not first or first in self._outbox:
            return origin
        if not self._seen.is_called(first, origin.author, origin.ts):
            return origin
        return replace(origin, msg_ref=first, own_ref=origin.msg_ref)

    def _understand(
        self, origin: Origin, body: Body, place: Place, now: Now, *, late: bool
    ) -> None:
        match body:
            case Text():
                self._show(origin, body.body, now, reply_to=body.reply_to, late=late)
                self._told_of_text(origin, now)
            case Edit() | Delete() | Reaction():
                self.amendments.heard(origin, body, place)
            case File() | FileState():
                self.files(origin, body, now)
            case Receipt():
                if not origin.public:
                    self.receipts.heard(origin.author, body, now)
            case Resend():
                if not origin.public:
                    self._sent.asked(origin.author, body, now)
            case _:
                self._arrivals.refusal(origin.author, UNKNOWN, origin.ts, now, public=origin.public)

    def _told_of_text(self, origin: Origin, now: Now) -> None:
        self.amendments.arrived(origin)
        if not origin.public:
            self.receipts.delivered(origin.author, origin.msg_ref, now)

    def _show(
        self, origin: Origin, text: str, now: Now, *, reply_to: str = "", late: bool = False
    ) -> None:
        heard = Heard(
            author=origin.author,
            text=text,
            ts=origin.ts,
            trust=origin.trust,
            public=origin.public,
            msg_ref=origin.msg_ref,
            reply_to=reply_to,
            own_ref=origin.own_ref,
        )
        self._arrivals.message(heard, now, late=late)

    def _warn_of_doubles(self, origin: Origin) -> None:
        label = self._contacts.label(origin.author)
        self._emit.warn_once(
            f"doubles {origin.author}",
            f"{label} numbered two messages alike: one profile may be in use on two machines, and"
            " some of what they write may be missing here; ask them to log in or to import their"
            " profile on one of them",
        )

    # --- what we do about it --------------------------------------------------------------------

    def shown(self, event: Shown, now: Now) -> None:
        """The person has seen them."""
        for author, msg_ref in self._arrivals.shown(event):
            self.receipts.read(author, msg_ref, now)

    def sent_loaded(self, event: SentLoaded, now: Now) -> None:
        """Messages of ours that a reader misses."""
        for line in event.lines:
            self._outbox.again(self._sent.again(line), now)

    def attached(self, now: Now) -> None:
        """A new link."""
        self._sent.attached(now)
        self._gaps.attached(now)

    @property
    def due_ms(self) -> int:
        """When to look at it next."""
        return min(self.receipts.due_ms, self._gaps.due_ms)

    def due(self, now: Now) -> None:
        """Say and tell what is due."""
        self.receipts.due(now)
        self._gaps.due(now)
