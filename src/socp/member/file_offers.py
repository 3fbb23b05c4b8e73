"""Files that others begin to send: whose they are, and whether we take them (section 8; threats M2,
M4, M9)."""

from __future__ import annotations

from typing import Final

from socp.crypto.keys import PrivateKey
from socp.files.receiver import Receiver, accept
from socp.files.transfer import Broken
from socp.member import latest
from socp.member.arrivals import Arrivals
from socp.member.contacts import Contacts
from socp.member.emitter import Emitter
from socp.member.events import Now
from socp.member.inbox import first_form
from socp.member.lookups import Lookups
from socp.member.next_link import NextLink
from socp.member.public import Room
from socp.member.receiving import TOO_MANY, Receiving
from socp.member.trust import Trust
from socp.member.why import Why
from socp.wire.envelope import Envelope
from socp.wire.ids import PUBLIC
from socp.wire.payloads import FileStart

LATER_MAX: Final = 1_000
UNDECIDED_MAX: Final = 1_000
KEYLESS: Final = "its sender's key is not known yet"


class FileOffers:
    """Judges each manifest; what is taken goes on in `Receiving`."""

    def __init__(
        self,
        emitter: Emitter,
        contacts: Contacts,
        trust: Trust,
        lookups: Lookups,
        room: Room,
        arrivals: Arrivals,
        next_link: NextLink,
        receiving: Receiving,
    ) -> None:
        self._emit = emitter
        self._contacts = contacts
        self._trust = trust
        self._lookups = lookups
        self._room = room
        self._arrivals = arrivals
        self._next_link = next_link
        self._receiving = receiving
        self._undecided_told: dict[tuple[str, str], None] = {}  # by author and file_id
        self._later: dict[str, None] = {}  # authors whose files stay at the server without a key

    @property
    def idle(self) -> bool:
        """Nothing waits for a key."""
        return not self._later

    def start(self, envelope: Envelope, payload: FileStart, now: Now) -> None:
        """FILE_START: begin or go on, or say why not. A replay of one that is over is dropped in
        silence (M2), or answered with what became of it."""
        author = self._receiving.author(envelope, payload)
        if not author or not self._receiving.is_open(author, payload.file_id):
            return None
        key = self._contacts.key(author)
        if key is None:
            return self._keyless(author, now, public=envelope.to == PUBLIC)
        if self._contacts.is_revoked(author):
            return self._refused(author, Why.REVOKED.value, now)
        signer, former = self._trust.successors.signer(author, payload.sender_pub, envelope.ts)
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
            if self._contacts.changed(author):
                return self._undecided(author, payload.file_id, begun.reason, now)
            if public and self._room.sending_key() is None:  # it may open when a key is here
                return self._refused(author, begun.reason, now)
            return self._refused_for_good(author, payload.file_id, begun.reason, envelope.ts, now)
        why = self._downgraded(begun) or self._receiving.begin(
            begun, envelope.ts, now, former=former
        )
        if why == TOO_MANY:
            self._refused(author, why, now)
        elif why is not None:
            self._refused_for_good(author, payload.file_id, why, envelope.ts, now)

    def _openers(self, author: str, *, public: bool) -> tuple[PrivateKey, ...]:
        return self._room.openers(author) if public else self._emit.readers

    def _downgraded(self, begun: Receiver) -> str | None:
        """What it lacks of what its author's client signed that it can, or None (M9)."""
        if not self._contacts.has_hybrid(begun.author):
            return None
        if not begun.signed:
            return Why.NOT_SIGNED.value
        return None if begun.public or begun.bound else Why.DOWNGRADED.value

    # --- without a key --------------------------------------------------------------------------

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

    def lost(self) -> None:
        """The link is gone."""
        self._later.clear()

    # --- refusals -------------------------------------------------------------------------------

    def _undecided(self, author: str, file_id: str, why: str, now: Now) -> None:
        """It may be by the key that is claimed for them: it may come once more when the person has
        decided, and is told of once."""
        if (author, file_id) in self._undecided_told:
            return
        latest.keep(self._undecided_told, (author, file_id), None, UNDECIDED_MAX)
        self._refused(author, self._contacts.doubtful(author, why), now)

    def _refused_for_good(self, author: str, file_id: str, why: str, ts: int, now: Now) -> None:
        # Then its FILE_END will be acknowledged, and its like not told of. Of one that is partly
        # here its author's manifest was right before: this is not theirs.
        if self._emit.terms.mailbox and not self._receiving.is_partly_here(author, file_id):
            self._receiving.settled(author, file_id, ts)
        self._refused(author, why, now)

    def _refused(self, author: str, reason: str, now: Now) -> None:
        self._arrivals.refusal(author, f"a file: {reason}", now.wall, now, public=False)
