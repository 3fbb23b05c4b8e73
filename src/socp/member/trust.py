"""Whose key is whose, and what their client signed that it can (sections 5, 10, 11; threats I3, I9,
M15)."""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum, auto
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from socp.crypto.keys import PublicKey, Suite
from socp.crypto.signing import attach_holds
from socp.member.contacts import CONTACTS_MAX, Contacts
from socp.member.effects import KeyChanged, PeerMoved
from socp.member.emitter import Emitter
from socp.member.events import Now
from socp.member.history import History
from socp.member.records import Contact, TrustState
from socp.member.successors import Chain, Successors
from socp.wire import limits
from socp.wire.envelope import Envelope
from socp.wire.features import HYBRID
from socp.wire.payloads import PubkeyResponse, UserAdvertise, UserRemove

ORDER_MAX: Final = 100_000
CHANGED: Final = (
    "this contact's key changed: somebody claims another one for them. Nothing is sent until you"
    " compare safety numbers and decide"
)
NOT_BOUND: Final = (
    f"this contact's client no longer has {HYBRID}, by their own signature: messages between you"
    " are not bound to their author"
)


_Stated = tuple[str, str, int, tuple[str, ...]]  # by which key, where, when (Unix ms), features


class Claim(Enum):
    """What became of a claim that this is a user's key."""

    SAME = auto()
    FIRST = auto()
    MOVED = auto()  # the pinned one signed it: the pin is this key now
    OTHER = auto()  # refused: the pin stays
    NO_ROOM = auto()


class Trust:
    """Changes pins and presence; the first key seen for a user stays theirs."""

    def __init__(
        self, suite: Suite, emitter: Emitter, contacts: Contacts, history: History
    ) -> None:
        self._suite = suite
        self._emit = emitter
        self._contacts = contacts
        self._history = history
        self.successors = Successors(suite, emitter, contacts, history)
        self._order: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._signed_at: dict[str, str] = {}  # user_id -> where they signed that they are, this run
        self._stated: dict[str, _Stated] = {}  # what contacts signed, as far as it was looked at
        self._since_ts = 0

    def attached(self, since_ts: int) -> None:
        """A new link, whose snapshot counts whatever was heard on the last one."""
        self._order.clear()
        self._since_ts = since_ts

    # --- presence -------------------------------------------------------------------------------

    def advertised(self, envelope: Envelope, advert: UserAdvertise, now: Now) -> bool:
        """A server about its user. True if somebody came, or their key did: what waits for them may
        go."""
        user_id = advert.user_id
        if not self._may_speak(envelope, advert.server_id):
            return False
        if not self._newer(envelope, advert.user_id, now):
            return False
        text = advert.pubkey or (advert.meta.pubkey if advert.meta is not None else "")
        key = self._suite.parse_public(text) if text else None
        if user_id == self._emit.user_id:
            self._about_us(key)
            return False
        name = advert.meta.display_name if advert.meta is not None else ""
        claim = None if key is None else self.claimed(user_id, key, name, now, advert.rotations)
        if claim is Claim.OTHER or not self._moves(advert, now):
            return False
        self._name_and_features(advert, name, now)
        came = self._contacts.came(user_id, advert.server_id, name)
        if came:
            self._warn_of_unsigned(advert, now)
            self._emit.tell(
                PeerMoved(
                    user_id=user_id,
                    display_name=self._contacts.label(user_id),
                    online=True,
                    first_seen=claim is Claim.FIRST,
                    here_before=envelope.ts <= self._since_ts,
                )
            )
        return came or claim is Claim.FIRST

    def removed(self, envelope: Envelope, remove: UserRemove, now: Now) -> bool:
        """USER_REMOVE counts only while the user is where it says (section 5). True if they are
        gone."""
        user_id = remove.user_id
        if _retyped(remove) or not self._may_speak(envelope, remove.server_id):
            return False
        if not self._newer(envelope, user_id, now):
            return False
        if envelope.from_ != remove.server_id:
            # Our server lost the other one: what that one said last may be said again when it is
            # back.
            said = (remove.server_id, user_id)
            self._order[said] = self._order.get(said, 1) - 1
        return self._contacts.where(user_id) == remove.server_id and self.lost_sight(user_id)

    def lost_sight(self, user_id: str) -> bool:
        """They are gone, or nobody tells us of them any more. True if they were online."""
        label = self._contacts.label(user_id)
        gone = self._contacts.went(user_id)
        if gone:
            self._emit.tell(PeerMoved(user_id, label, online=False, first_seen=False))
        return gone

    def _may_speak(self, envelope: Envelope, server_id: str) -> bool:
        """A server speaks for its own users (I3); ours also of those it lost, and it is the one we
        trust."""
        return envelope.from_ in (server_id, self._emit.terms.server_id)

    def _newer(self, envelope: Envelope, user_id: str, now: Now) -> bool:
        """Presence is ordered per origin and user by its ts; older or equal is dropped (section 2,
        M2)."""
        said = (envelope.from_, user_id)
        if envelope.ts - now.wall > limits.TS_WINDOW_MS or envelope.ts <= self._order.get(said, 0):
            return False
        self._order[said] = envelope.ts
        self._order.move_to_end(said)
        if len(self._order) > ORDER_MAX:
            self._order.popitem(last=False)
        return True

    def _moves(self, advert: UserAdvertise, now: Now) -> bool:
        """Whether a user who is online elsewhere is there now: only their newer attach says so."""
        where = self._contacts.where(advert.user_id)
        if where in ("", advert.server_id):
            return True
        contact = self._contacts.get(advert.user_id)
        newest = 0 if contact is None else contact.attach_ts
        return self._attach_ts(advert, now) > newest

    def _warn_of_unsigned(self, advert: UserAdvertise, now: Now) -> None:
        """A server says on its own word where somebody is whose client always signed it (I11)."""
        contact = self._contacts.get(advert.user_id)
        subject = f"unsigned {advert.user_id}"
        if contact is None or not contact.attach_ts:
            return None
        if self._attach_ts(advert, now) == contact.attach_ts:  # not one of before
            self._signed_at[advert.user_id] = advert.server_id
            return self._emit.warn_again(subject)
        stripped = not set(contact.features) <= set(advert.features)
        if self._signed_at.get(advert.user_id) == advert.server_id and not stripped:
            return None
        label = self._contacts.label(advert.user_id)
        self._emit.warn_once(
            subject,
            f"{label} is said to be online, but without their own signature as before: a server may"
            " be pretending it to swallow what you send (it cannot read it); ask for an answer",
        )

    def _about_us(self, key: PublicKey | None) -> None:
        if key is not None and key != self._emit.key.public:
            self._emit.tell(
                KeyChanged(
                    user_id=self._emit.user_id,
                    pinned=self._emit.key.public.fingerprint,
                    claimed=key.fingerprint,
                )
            )

    # --- keys -----------------------------------------------------------------------------------

    def claimed(
        self,
        user_id: str,
        key: PublicKey,
        display_name: str,
        now: Now,
        rotations: Chain = (),
        *,
        directory: bool = True,
    ) -> Claim:
        """Somebody says that this is the user's key: pin it, confirm it, or refuse it loudly.

        A key that follows the pinned one along `rotations` takes its place.
        `directory`: an ADVERTISE or PUBKEY_RESPONSE says so; else only a message that it signed.
        """
        contact = self._contacts.get(user_id)
        if self._contacts.is_revoked(user_id):
            return Claim.OTHER  # that they are dead was told
        if contact is None:
            claim = self._pin(user_id, key, display_name, now, directory)
            if claim is Claim.FIRST:
                self.successors.introduced(user_id, key, rotations, now)
            return claim
        pinned = self._suite.parse_public(contact.pubkey)
        if pinned == key:
            if directory and not contact.from_directory:
                self._put(replace(contact, from_directory=True))
            return Claim.SAME
        if self.successors.follow(contact, key, rotations, now):
            return Claim.MOVED
        self._challenged(contact, pinned, key, now)
        return Claim.OTHER

    def _challenged(self, contact: Contact, pinned: PublicKey, key: PublicKey, now: Now) -> None:
        """Another key is claimed: said once, and nothing is sent until the person decides.

        Until then the first claim is the one to decide about, whatever else is claimed: nobody
        exchanges the key that the person is looking at, and a thousand claims are told as one.
        """
        if contact.state is TrustState.CHANGED or key.fingerprint in contact.kept_against:
            return
        changed = replace(
            contact,
            refused_key=key.fingerprint,
            claimed_key=key.text,
            changed_ms=max(now.wall, 1),
        )
        self._put(changed)
        self._emit.tell(KeyChanged(contact.user_id, pinned.fingerprint, key.fingerprint))
        self._history.note(contact.user_id, CHANGED, now)

    def _pin(
        self, user_id: str, key: PublicKey, display_name: str, now: Now, directory: bool
    ) -> Claim:
        if self._contacts.full:
            self._emit.warn_once(
                "contacts",
                f"{CONTACTS_MAX} users are known here and there is no room for more keys; your"
                " server may be naming users who do not exist: ask its operator",
            )
            return Claim.NO_ROOM
        self._put(
            Contact(
                user_id=user_id,
                pubkey=key.text,
                display_name=display_name,
                features=(),
                attach_ts=0,
                verified=False,
                from_directory=directory,
                content_form="",
                refused_key="",
                first_seen_ms=now.wall,
            )
        )
        return Claim.FIRST

    def signed_in(self, user_id: str, form: str) -> None:
        """A content_sig of theirs held in this form: it is tried first the next time."""
        contact = self._contacts.get(user_id)
        if contact is not None and contact.content_form != form:
            self._put(replace(contact, content_form=form))

    # --- features -------------------------------------------------------------------------------

    def _name_and_features(self, advert: UserAdvertise, name: str, now: Now) -> None:
        contact = self._contacts.get(advert.user_id)
        if contact is None:
            return
        renamed = bool(name) and name != contact.display_name
        fresh = replace(contact, display_name=name) if renamed else contact
        self._learn(contact, fresh, advert, now)

    def stated(self, response: PubkeyResponse, now: Now) -> None:
        """What a PUBKEY_RESPONSE repeats of the user's own statement: known while they are away."""
        contact = self._contacts.get(response.user_id)
        if contact is not None and response.server_id:
            self._learn(contact, contact, response, now)

    def _learn(
        self, contact: Contact, fresh: Contact, said: UserAdvertise | PubkeyResponse, now: Now
    ) -> None:
        attach_ts = self._attach_ts(said, now)
        if attach_ts > contact.attach_ts:
            fresh = replace(fresh, features=said.features, attach_ts=attach_ts)
        if fresh is not contact:
            self._put(fresh)
        if HYBRID in contact.features and HYBRID not in fresh.features:
            self._history.note(contact.user_id, NOT_BOUND, now)
            label = self._contacts.label(contact.user_id)
            self._emit.warn(
                f"{label}'s client no longer has {HYBRID}, by their own signature: messages between"
                " you are not bound to their author from now on; ask them why"
            )

    def _attach_ts(self, advert: UserAdvertise | PubkeyResponse, now: Now) -> int:
        """The ts of the user's own signed statement, 0 where there is none that holds under the
        pin."""
        key, attach = self._contacts.key(advert.user_id), advert.attach
        if key is None or attach is None or attach.ts - now.wall > limits.TS_WINDOW_MS:
            return 0
        stated = (key.fingerprint, advert.server_id, attach.ts, advert.features)
        if self._stated.get(advert.user_id) != stated:
            if not attach_holds(key, advert.user_id, advert.server_id, attach, advert.features):
                return 0
            self._stated[advert.user_id] = stated
        return attach.ts

    def _put(self, contact: Contact) -> None:
        self._contacts.put(contact)
        self._emit.persist(contact)


def _retyped(remove: UserRemove) -> bool:
    """An ADVERTISE under another name: without `bind/1` its sig would hold (section 5, M1)."""
    adverts = (remove.meta, remove.pubkey, remove.features, remove.attach)
    return any(member is not UNSET for member in adverts)
