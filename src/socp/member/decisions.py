"""What the person decides about a contact's key: nobody else lifts or lowers it (section 10; threat
I9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from msgspec.structs import replace

from socp.crypto.keys import PublicKey, Suite
from socp.crypto.rotation import FIRST_VERSION, KeyStep
from socp.crypto.safety_number import safety_number
from socp.member.contacts import Contacts
from socp.member.effects import TrustMoved
from socp.member.emitter import Emitter
from socp.member.events import AcceptKey, KeepKey, Now, Unverify, Verify
from socp.member.history import History
from socp.member.lookups import Lookups
from socp.member.next_link import NextLink
from socp.member.records import Contact, TrustState

KEPT_AGAINST_MAX: Final = 8
"""So many keys that the person refused are known again; an older one is asked about once more."""
VERIFIED: Final = "you compared safety numbers with this contact: they are verified"
UNVERIFIED: Final = "you are not sure of this contact any more: they are not verified"
KEPT: Final = (
    "you kept the key that is known for this contact, and refused the one claimed for them"
)
ACCEPTED: Final = "you took the new key of this contact without comparing safety numbers"
ACCEPTED_COMPARED: Final = "you took the new key of this contact, safety numbers compared"


class Comparable(Protocol):
    """What the shell may ask before the person decides."""

    def known(self, user_id: str) -> str:
        """The fingerprint of the key that is known for somebody, "" where none is."""

    def claimed(self, user_id: str) -> str:
        """The fingerprint of the key to decide about, "" where there is none."""

    def number(self, user_id: str, fingerprint: str) -> str:
        """The safety number that we and somebody with this key see."""


class Decisions:
    """Each names the fingerprint that the person looked at: where it is another one by now, nothing
    happens."""

    def __init__(
        self,
        suite: Suite,
        emitter: Emitter,
        contacts: Contacts,
        history: History,
        lookups: Lookups,
        next_link: NextLink,
        key_known: Callable[[str, Now], None],
    ) -> None:
        """`key_known`: what waited for somebody's key goes on."""
        self._suite = suite
        self._emit = emitter
        self._contacts = contacts
        self._history = history
        self._lookups = lookups
        self._next_link = next_link
        self._key_known = key_known

    def handlers(self) -> dict[type[object], Callable[..., None]]:
        """What each event of the person's means here."""
        return {
            Verify: self.verify,
            Unverify: self.unverify,
            AcceptKey: self.accept,
            KeepKey: self.keep,
        }

    # --- what there is to decide about ----------------------------------------------------------

    def known(self, user_id: str) -> str:
        """See Comparable."""
        key = self._contacts.key(user_id)
        return "" if key is None else key.fingerprint

    def claimed(self, user_id: str) -> str:
        """See Comparable."""
        key = self._claimed(self._contacts.get(user_id))
        return "" if key is None else key.fingerprint

    def number(self, user_id: str, fingerprint: str) -> str:
        """See Comparable."""
        own = self._emit.key.public.fingerprint
        return safety_number(self._emit.user_id, own, user_id, fingerprint)

    def _claimed(self, contact: Contact | None) -> PublicKey | None:
        if contact is None or contact.state is not TrustState.CHANGED:
            return None
        return self._suite.parse_public(contact.claimed_key)

    # --- the person -----------------------------------------------------------------------------

    def verify(self, event: Verify, now: Now) -> None:
        """The known key is theirs: compared. What else is claimed for them is refused by that."""
        contact = self._contacts.get(event.user_id)
        if contact is not None and self.known(event.user_id) == event.fingerprint:
            self._put(replace(self._settled(contact), verified=True), VERIFIED, now)

    def unverify(self, event: Unverify, now: Now) -> None:
        """Back to unverified. A claim stays to be decided about."""
        contact = self._contacts.get(event.user_id)
        if contact is not None:
            self._put(replace(contact, verified=False), UNVERIFIED, now)

    def keep(self, event: KeepKey, now: Now) -> None:
        """The claimed key is not theirs."""
        contact = self._contacts.get(event.user_id)
        if contact is not None and self.claimed(event.user_id) == event.fingerprint != "":
            self._put(self._settled(contact), KEPT, now)

    def accept(self, event: AcceptKey, now: Now) -> None:
        """The claimed key is theirs, and no key before it any more.

        What they signed that their client can holds until they sign it anew: who exchanges a key
        takes no feature away (threat M9).
        """
        contact = self._contacts.get(event.user_id)
        key = self._claimed(contact)
        if contact is None or key is None or key.fingerprint != event.fingerprint:
            return
        if self._contacts.book.steps(contact.user_id):
            step = KeyStep(contact.user_id, FIRST_VERSION, key.text, max(now.wall, 1), "", "")
            self._contacts.book.add((step,))
            self._emit.persist(step)
        accepted = replace(
            contact,
            pubkey=key.text,
            attach_ts=0,
            verified=event.compared,
            from_directory=True,
            content_form="",
            refused_key="",
            changed_ms=0,
            claimed_key="",
        )
        self._put(accepted, ACCEPTED_COMPARED if event.compared else ACCEPTED, now)
        self._lookups.ask(contact.user_id, now, insist=True)  # what their client signed under it
        self._next_link.ask()  # presence under the claimed key did not count
        self._key_known(contact.user_id, now)

    @staticmethod
    def _settled(contact: Contact) -> Contact:
        """The contact with its claim refused for good."""
        if contact.state is not TrustState.CHANGED:
            return contact
        kept = (*contact.kept_against, contact.refused_key)[-KEPT_AGAINST_MAX:]
        return replace(contact, changed_ms=0, claimed_key="", kept_against=kept)

    def _put(self, contact: Contact, note: str, now: Now) -> None:
        self._contacts.put(contact)
        self._emit.persist(contact)
        self._emit.tell(TrustMoved(contact.user_id, contact.state))
        self._history.note(contact.user_id, note, now)
