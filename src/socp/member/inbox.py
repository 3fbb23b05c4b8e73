"""What comes in: whose it is, whether it was seen, and what it says (sections 3, 6, 7; threats M1
to M9).

Nothing ever goes back to whoever sent a message, whatever is wrong with it (threat M8). A server
with `mailbox/1` hears of each that it is settled, in the same words whether it could be shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Final

from socp.crypto import hybrid
from socp.crypto.content_sig import Form
from socp.crypto.keys import PublicKey, Suite, Unreadable
from socp.crypto.signing import verify_transport
from socp.member import latest
from socp.member.arrivals import Arrivals
from socp.member.contacts import Contacts
from socp.member.effects import Trust as Sureness
from socp.member.emitter import Emitter
from socp.member.events import Now
from socp.member.held import Held, Wait
from socp.member.history import Heard
from socp.member.letters import Letter, clear_bytes, clear_text
from socp.member.lookups import Lookups
from socp.member.next_link import NextLink
from socp.member.origin import Origin
from socp.member.public import Room
from socp.member.records import Contact
from socp.member.resting import NEVER_MS, SOON_MS
from socp.member.seen import Seen, Verdict
from socp.member.speech import Speech
from socp.member.sureness import sureness
from socp.member.trust import Claim, Trust
from socp.member.why import Why
from socp.wire import base64url, content, limits
from socp.wire.canonical import canonical
from socp.wire.envelope import Envelope
from socp.wire.errors import PeerFault
from socp.wire.ids import is_uuid4
from socp.wire.msg_ref import msg_ref

RETOLD_MAX: Final = 1_000
LEFT_MAX: Final = 1_000
KEPT_MS: Final = limits.LATE_MS + 2 * limits.MAILBOX_DAYS * 24 * 3_600_000
"""What is older and was never seen is a replay: neither its author's client, nor their server, nor
ours, each after the other, keeps mail so long."""


class _Opened(Enum):
    LATER = auto()


class Inbox:
    """Direct messages and posts, from letter to notice."""

    def __init__(
        self,
        suite: Suite,
        emitter: Emitter,
        contacts: Contacts,
        trust: Trust,
        seen: Seen,
        lookups: Lookups,
        room: Room,
        arrivals: Arrivals,
        next_link: NextLink,
        speech: Speech,
    ) -> None:
        self._suite = suite
        self._emit = emitter
        self._contacts = contacts
        self._trust = trust
        self._seen = seen
        self._lookups = lookups
        self._room = room
        self._arrivals = arrivals
        self._next_link = next_link
        self._speech = speech
        self._held = Held()
        self._told: dict[str, None] = {}  # refusals that were told: a replay is not told again
        self._left: set[str] = set()  # authors whose mail stays at the server until the next link
        self._unread = False  # posts that no key opens stay at the server
        self._asked_after: set[tuple[str, str]] = set()  # authors and keys, on this link

    # --- from the wire --------------------------------------------------------------------------

    def take(self, letter: Letter, now: Now) -> None:
        """A message for us: judge it, or hold it while its author's key is asked for."""
        if letter.author == self._emit.user_id or not is_uuid4(letter.author):
            return self._settled(letter, now)  # our own words, echoed, or nobody's
        if letter.author in self._left and self._leave(letter):
            return None
        if self._crowded:
            self._leave(letter)
            return None
        key = self._contacts.key(letter.author)
        waits = self._held.waits(letter.author)  # then this waits behind it
        if key is not None and not waits and not self._may_be_a_successors(letter, key):
            return self._judge(letter, key, now)
        if not waits and not self._lookups.ask(letter.author, now):
            return self._on_its_word(letter, now)
        if not self._held.hold(letter, Wait.AUTHOR, now.mono) and not self._leave(letter):
            self._refuse(letter, Why.NO_ROOM, now)

    def _may_be_a_successors(self, letter: Letter, pinned: PublicKey) -> bool:
        """Whether it is signed with a key that may have followed the pinned one while nobody told
        us: it is asked for, once on each link, before the letter is judged. A plain v1.3 client
        never has another key."""
        author = letter.author
        contact = self._contacts.get(author)
        if contact is None or not contact.features or self._contacts.is_revoked(author):
            return False
        key, _ = self._trust.successors.signer(author, letter.sender_pub, max(letter.times))
        try:
            named = self._suite.parse_public(letter.sender_pub)
        except PeerFault:
            return False
        asked = (author, named.fingerprint)
        if named in (pinned, key) or asked in self._asked_after:
            return False
        if letter.signed_by(named, Form.RAW) is None or len(self._asked_after) >= RETOLD_MAX:
            return False
        self._asked_after.add(asked)
        return True

    def _leave(self, letter: Letter) -> bool:
        """Not take it now, where the server keeps it and hands it out on the next link. Neither are
        later ones by its author, or they would be shown before it."""
        if not self._emit.terms.mailbox or len(self._left) >= LEFT_MAX:
            return False
        self._left.add(letter.author)
        return True

    @property
    def _crowded(self) -> bool:
        """Nobody reads what came, and what is not taken now the server keeps."""
        return self._emit.terms.mailbox and self._arrivals.full

    def _settled(self, letter: Letter, now: Now) -> None:
        """Nothing more will be made of it: the server may let go of it."""
        if letter.carried and letter.ref:
            self._emit.ack(letter.ref, now)

    def take_clear(self, envelope: Envelope, now: Now) -> bool:
        """COMPAT(section 7): a foreign post that is not encrypted, shown as such. False if it is
        none."""
        text = clear_text(envelope)
        author = envelope.from_
        if text is None or author == self._emit.user_id or not is_uuid4(author):
            return False
        # The author's sig covers the payload alone: under another ts it is the same post again
        # (M1).
        digest = hashlib.sha256(author.encode() + canonical(envelope.members)).digest()
        ref = base64url.encode(digest)
        key = self._contacts.key(author)
        if ref in self._seen or self._crowded:
            return True
        why = Why.REVOKED if self._contacts.is_revoked(author) else None
        if key is None or not verify_transport(key, envelope):
            why = Why.CLEAR_UNSIGNED
        if why is not None:
            self._tell_refused(author, why, envelope.ts, ref, now, public=True)
            return True
        self._seen.remember(ref, digest, author, envelope.ts)
        trust = Sureness.NOT_ENCRYPTED
        heard = Heard(author, text, envelope.ts, trust, public=True, msg_ref=ref)
        self._arrivals.message(heard, now)
        return True

    # --- when keys come -------------------------------------------------------------------------

    def key_known(self, author: str, now: Now) -> None:
        """Their key is pinned: judge what waited for it."""
        key = self._contacts.key(author)
        if key is not None:
            for letter in self._held.for_author(author):
                self._judge(letter, key, now)

    def key_unknown(self, author: str, now: Now) -> None:
        """Nobody knows their key: what is left is the one their message brought."""
        for letter in self._held.for_author(author):
            self._on_its_word(letter, now)

    def channel_key_learned(self, now: Now) -> None:
        """A key of the public channel came: try what waited."""
        for waiting in self._held.for_channel():
            letter = waiting.letter
            key = self._contacts.key(letter.author)
            if key is None or not self._read(letter, key, now):
                self._held.back(waiting)
        if self._unread:
            self._unread = False
            self._next_link.ask()

    def lost(self, now: Now) -> None:
        """The link is gone, and with it the questions for keys."""
        for author in self._held.authors():
            self.key_unknown(author, now)
        self._left.clear()
        self._unread = False
        self._asked_after.clear()

    @property
    def due_ms(self) -> int:
        """When to look at it next."""
        return SOON_MS if self._held or self._left else NEVER_MS

    def due(self, now: Now) -> None:
        """What waited too long is told."""
        for letter in self._held.overdue(now.mono):
            self._not_read(letter, now)
        roomy = not self._held.authors() and not self._arrivals.full
        if self._left and roomy:
            self._next_link.ask()

    # --- judging --------------------------------------------------------------------------------

    def _on_its_word(self, letter: Letter, now: Now) -> None:
        """The first sender_pub whose content_sig verifies is pinned, unverified (section 5)."""
        known = self._contacts.key(letter.author)
        if known is not None:
            return self._judge(letter, known, now)
        try:
            key = self._suite.parse_public(letter.sender_pub)
        except PeerFault:
            return self._refuse(letter, Why.SIGNED_BY_NOBODY, now)
        if letter.signed_by(key, Form.RAW) is None:
            return self._refuse(letter, Why.SIGNED_BY_NOBODY, now)
        claim = self._trust.claimed(letter.author, key, "", now, directory=False)
        if claim is Claim.NO_ROOM:
            return self._refuse(letter, Why.SIGNED_BY_NOBODY, now)
        self._judge(letter, key, now)

    def _judge(self, letter: Letter, key: PublicKey, now: Now) -> None:
        """Show, refuse, or hold until the channel's key is here."""
        if self._read(letter, key, now):
            return
        if not self._held.hold(letter, Wait.CHANNEL, now.mono):
            self._not_read(letter, now)

    def _read(self, letter: Letter, key: PublicKey, now: Now) -> bool:
        """Show or refuse; False where the channel's key may still come."""
        contact = self._contacts.get(letter.author)
        if self._contacts.is_revoked(letter.author):
            self._refuse(letter, Why.REVOKED, now)
            return True
        last_ts = max(letter.times)
        signer, former = self._trust.successors.signer(letter.author, letter.sender_pub, last_ts)
        signed = letter.signed_by(signer or key, first_form(contact))
        if signed is None or contact is None:
            self._refuse(letter, Why.NOT_THEIRS, now)
            return True
        ts, form = signed
        ref = msg_ref(letter.raw, letter.author, letter.to, ts)
        verdict = self._seen.judge(ref, (letter.digest,), letter.author)
        if verdict is Verdict.AGAIN:
            self._settled(letter, now)
            return True
        if verdict is Verdict.OTHERS_WORDS:
            self._refuse(letter, Why.OTHERS_WORDS, now)
            return True
        if now.wall - ts > KEPT_MS:
            self._refuse(letter, Why.TOO_OLD, now)
            return True
        self._trust.signed_in(letter.author, form)
        opened = self._open(letter, ts, now)
        if opened is _Opened.LATER:
            return False
        if isinstance(opened, Why):
            self._refuse(letter, opened, now)
            return True
        assert isinstance(opened, bytes)
        trust = self._sureness(letter, contact, former=former)
        origin = Origin(letter.author, letter.public, ts, ref, trust)
        understood = self._understood(letter, origin, opened, now)
        if isinstance(understood, Why):
            self._refuse(letter, understood, now)
            return True
        self._seen.remember(ref, letter.digest, letter.author, ts)
        understood()
        self._settled(letter, now)
        return True

    def _understood(
        self, letter: Letter, origin: Origin, plaintext: bytes, now: Now
    ) -> Why | Callable[[], None]:
        """What is to be done about what it says, once it is remembered."""
        if self._bound(letter) and plaintext.startswith(b"{"):
            # Never outside a seal that has its author in it.
            said = _content(plaintext)
            if said is not None:
                return lambda: self._speech.take(origin, *said, now)
        try:
            text = plaintext.decode()
        except UnicodeDecodeError:
            return Why.NOT_TEXT
        return lambda: self._speech.bare(origin, text, now)

    def _open(self, letter: Letter, ts: int, now: Now) -> bytes | Why | _Opened:
        """What the letter says, or why it cannot be shown."""
        if letter.public and not letter.sealed:
            return letter.raw if clear_bytes(letter.raw) else Why.NOT_TEXT
        if not letter.public and not self._bound(letter) and self._promised_hybrid(letter):
            return Why.DOWNGRADED
        try:
            return self._opened(letter, ts, now)
        except Unreadable:
            return _Opened.LATER if letter.public else Why.UNREADABLE

    def _opened(self, letter: Letter, ts: int, now: Now) -> bytes:
        if letter.public:
            return self._room.opened(letter.author, letter.raw, ts, now)
        for own in self._emit.readers:
            try:
                if self._bound(letter):
                    return hybrid.open_(own, letter.raw, from_=letter.author, to=letter.to, ts=ts)
                return own.open(letter.raw)
            except Unreadable:
                continue
        raise Unreadable

    @staticmethod
    def _bound(letter: Letter) -> bool:
        return hybrid.is_hybrid(letter.raw)

    def _promised_hybrid(self, letter: Letter) -> bool:
        return self._contacts.has_hybrid(letter.author)

    def _sureness(self, letter: Letter, contact: Contact, *, former: bool) -> Sureness:
        if not letter.sealed:
            return Sureness.NOT_ENCRYPTED
        return sureness(contact, bound=self._bound(letter), former=former)

    # --- telling --------------------------------------------------------------------------------

    def _refuse(self, letter: Letter, why: Why, now: Now) -> None:
        self._tell_letter(letter, why, now)
        self._settled(letter, now)

    def _not_read(self, letter: Letter, now: Now) -> None:
        """Told, but not settled: a server that keeps it hands it out with the next link, when its
        key may be here."""
        self._tell_letter(letter, Why.NO_CHANNEL_KEY, now)
        self._unread = self._emit.terms.mailbox

    def _tell_letter(self, letter: Letter, why: Why, now: Now) -> None:
        ref = _told_as(letter)
        self._tell_refused(letter.author, why, letter.times[0], ref, now, public=letter.public)

    def _tell_refused(
        self, author: str, why: Why, ts: int, ref: str, now: Now, *, public: bool
    ) -> None:
        if ref in self._told:
            return
        latest.keep(self._told, ref, None, RETOLD_MAX)
        reason = self._contacts.doubtful(author, why.value)
        self._arrivals.refusal(author, reason, ts, now, public=public)


def _content(plaintext: bytes) -> tuple[content.Body, content.Place, bytes] | None:
    """What is said, where it stands, and the digest of it. None for bare text, which may look like
    anything: a client sends that which does not know that ours has `content/1`."""
    try:
        return *content.decode(plaintext), content.digest(plaintext)
    except PeerFault:
        return None


def _told_as(letter: Letter) -> str:
    return base64url.encode(letter.digest) + letter.author + letter.content_sig[:43]


def first_form(contact: Contact | None) -> Form:
    """The content_sig form that held the last time, to be tried first."""
    forms: Iterable[str] = Form
    if contact is None or contact.content_form not in set(forms):
        return Form.RAW
    return Form(contact.content_form)
