"""Contacts whose key was replaced or revoked by themselves (section 10; threats I9, I10).

A key moves along statements that old and new key signed, step by step; all else stays refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from socp.crypto import rotation
from socp.crypto.keys import PublicKey, Suite
from socp.crypto.rotation import KeyStep, Revocation, Unfollowed
from socp.member.contacts import Contacts
from socp.member.effects import KeyReplaced, KeyRevoked, TrustMoved
from socp.member.emitter import Emitter
from socp.member.events import Now
from socp.member.history import History
from socp.member.key_book import REVOCATIONS_MAX, STEPS_MAX
from socp.member.records import Contact, TrustState
from socp.wire import limits
from socp.wire.errors import PeerFault
from socp.wire.payloads import Revoked, Rotation

CHAINS_BURST: Final = 50  # a chain costs up to ten verifications
CHAINS_PER_S: Final = 5
REPLACED: Final = "this contact's key was replaced, signed by the old one"
VERIFY_AGAIN: Final = f"{REPLACED}: they are not verified any more; compare safety numbers again"
REVOKED: Final = "this contact revoked their id: nothing is sent to it, nothing from it is shown"

Chain = Sequence[Rotation]


class Successors:
    """What a server says of chains is only what their owners signed."""

    def __init__(
        self, suite: Suite, emitter: Emitter, contacts: Contacts, history: History
    ) -> None:
        self._suite = suite
        self._emit = emitter
        self._contacts = contacts
        self._history = history
        self._book = contacts.book
        self._chains = float(CHAINS_BURST)
        self._filled_ms = 0

    def introduced(self, user_id: str, key: PublicKey, chain: Chain, now: Now) -> None:
        """Somebody's first key is pinned: learn its version from the chain that came along."""
        if not chain or self._book.steps(user_id) or not self._affordable(now):
            return
        latest = now.wall + limits.TS_WINDOW_MS
        try:
            steps = rotation.introduced(self._suite, user_id, key, chain, latest)
        except Unfollowed:
            return  # the pin stands on its own
        self._keep(steps)

    def follow(self, contact: Contact, key: PublicKey, chain: Chain, now: Now) -> bool:
        """Whether `chain` leads from the pinned key to `key`: the pin has moved then."""
        user_id = contact.user_id
        if not chain or len(chain) + self._book.count > STEPS_MAX or not self._affordable(now):
            return False
        pinned, latest = self._suite.parse_public(contact.pubkey), now.wall + limits.TS_WINDOW_MS
        version, after = self._book.version(user_id), self._book.last_ts(user_id)
        try:
            steps = rotation.follow(self._suite, user_id, pinned, version, chain, latest, after)
        except Unfollowed:
            return False
        if steps[-1].pubkey != key.text:
            return False
        if not self._book.steps(user_id):
            self._keep((KeyStep(user_id, version, contact.pubkey, 0, "", ""),))
        self._keep(steps)
        moved = replace(
            contact, pubkey=key.text, verified=False, from_directory=True, refused_key=""
        )
        if contact.claimed_key == key.text:  # the pinned key vouches for what was claimed
            moved = replace(moved, changed_ms=0, claimed_key="")
        elif contact.state is TrustState.CHANGED:
            moved = replace(moved, refused_key=contact.refused_key)
        self._contacts.put(moved)
        self._emit.persist(moved)
        self._emit.tell(KeyReplaced(user_id, pinned.fingerprint, key.fingerprint, contact.verified))
        self._history.note(user_id, VERIFY_AGAIN if contact.verified else REPLACED, now)
        if moved.state is not contact.state:
            self._emit.tell(TrustMoved(user_id, moved.state))
        return True

    def revoked(self, user_id: str, said: Revoked, chain: Chain, now: Now) -> bool:
        """A contact's last word, by any key they ever had. True where it counts and is new."""
        contact = self._contacts.get(user_id)
        if contact is None or user_id in self._book.revoked or not self._affordable(now):
            return False
        if said.ts > now.wall + limits.TS_WINDOW_MS or len(self._book.revoked) >= REVOCATIONS_MAX:
            return False
        try:
            key = self._suite.parse_public(said.pubkey)
        except PeerFault:
            return False
        texts = (contact.pubkey, *self._book.former(user_id))
        known = tuple(map(self._suite.parse_public, texts))
        theirs = rotation.is_theirs(self._suite, user_id, key, known, chain)
        if not theirs or not rotation.revocation_holds(user_id, key, said):
            return False
        word = Revocation(user_id, key.text, said.version, said.ts, said.sig)
        self._book.revoked[user_id] = word
        self._emit.persist(word)
        self._emit.tell(KeyRevoked(user_id))
        self._history.note(user_id, REVOKED, now)
        return True

    def signer(self, user_id: str, sender_pub: str, ts: int) -> tuple[PublicKey | None, bool]:
        """The key that something of theirs must be signed with, and whether it is a former one:
        the pinned one, or that which `sender_pub` names if it was theirs at `ts` (Unix ms)."""
        pinned = self._contacts.key(user_id)
        former = self._book.former(user_id, ts)
        if not former or pinned is None:
            return pinned, False
        try:
            named = self._suite.parse_public(sender_pub)
        except PeerFault:
            return pinned, False
        return (named, True) if named.text in former else (pinned, False)

    def _keep(self, steps: tuple[KeyStep, ...]) -> None:
        self._book.add(steps)
        for step in steps:
            self._emit.persist(step)

    def _affordable(self, now: Now) -> bool:
        """False where too many chains came lately: what waits is said again (S3)."""
        passed_ms = max(0, now.mono - self._filled_ms)
        self._chains = min(float(CHAINS_BURST), self._chains + passed_ms * CHAINS_PER_S / 1000)
        self._filled_ms = now.mono
        if self._chains < 1:
            return False
        self._chains -= 1
        return True
