"""Everybody we heard of: their pins, who is online, and the names they are called by (section 10;
threats I8, I9)."""

from __future__ import annotations

import heapq
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from socp.crypto.keys import PublicKey, Suite
from socp.member.days import day
from socp.member.key_book import FORMER_TRIED, KeyBook
from socp.member.records import Contact, Remembered, TrustState
from socp.wire.features import CONTENT, HYBRID
from socp.wire.ids import is_uuid4
from socp.wire.text import mixed_script, printable

CONTACTS_MAX: Final = 50_000
ONLINE_MAX: Final = 50_000
NAME_COLUMNS: Final = 32
NAMES_KEPT: Final = 1_024
"""What so many names look like is not worked out again."""
SHORT_ID_CHARS: Final = 8
_PREFIX_CHARS_MIN: Final = 4
_SPOKEN_FOR: Final = frozenset({"all", "everyone", "me", "public", "server", "system", "you"})
_NOTHING: Final = Remembered()
_HEX: Final = frozenset("0123456789abcdef-")
# Variation selectors and the joiner: between other characters than emoji they show as nothing.
_UNSEEN: Final = dict.fromkeys(
    (0x200D, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
)


@dataclass(frozen=True, slots=True)
class Person:
    """One member of the public channel, as the person may look at them before writing."""

    user_id: str
    label: str
    online: bool
    first_seen_ms: int  # Unix ms, 0 where their key is not known yet
    fingerprint: str  # of the pinned key, "" where it is not known yet
    verified: bool
    hybrid: bool  # their messages and ours are bound to their author
    state: TrustState = TrustState.UNVERIFIED
    changed_ms: int = 0  # since when it is CHANGED, Unix ms


class AddressBook(Protocol):
    """What the shell may ask. All texts are harmless for a terminal."""

    def resolve(self, name_or_id: str) -> list[str]:
        """The user ids meant by a label, a display name, an id or its first 4 characters or
        more."""

    def label(self, user_id: str) -> str:
        """The display name; with `#` and the start of the id where it could be another's; else the
        id's start."""

    def names(self) -> list[str]:
        """What can be typed for each known user, without spaces, those online first."""

    def members(self) -> list[Person]:
        """Who is in the public channel: everybody known, those online first, oldest acquaintance
        first."""

    def state(self, user_id: str) -> TrustState:
        """How sure the person is of the key that is known for them."""

    def is_online(self, user_id: str) -> bool:
        """Whether the user is attached somewhere, as our server says."""


class Contacts:
    """The table behind AddressBook. Pins change in `trust` alone."""

    def __init__(
        self, suite: Suite, own_id: str, own_name: str, remembered: Remembered = _NOTHING
    ) -> None:
        self._suite = suite
        self.own_id = own_id
        self._pinned: dict[str, Contact] = {}
        self._online: dict[str, str] = {}  # user_id -> server_id
        self.more_online = False  # others are, whom we do not watch (`presence/1`)
        self.all_have: frozenset[str] = frozenset()  # features of everybody online, says the server
        self._names: dict[str, str] = {}  # user_id -> harmless display name, "" for none
        self._called: dict[str, set[str]] = {}  # folded name -> who bears it
        self._name(own_id, own_name)
        self.book = KeyBook(remembered)
        for contact in remembered.contacts:
            self.put(contact)

    # --- the table ------------------------------------------------------------------------------

    def get(self, user_id: str) -> Contact | None:
        """The pinned contact, or None."""
        return self._pinned.get(user_id)

    def key(self, user_id: str) -> PublicKey | None:
        """The pinned key, or None. The suite keeps parsed keys."""
        contact = self._pinned.get(user_id)
        return None if contact is None else self._suite.parse_public(contact.pubkey)

    def reads(self, user_id: str, fingerprint: str) -> bool:
        """Whether they open what is sealed for this key: theirs, or one they had not long ago."""
        contact = self._pinned.get(user_id)
        former = self.book.former(user_id)[:FORMER_TRIED]
        texts = former if contact is None else (contact.pubkey, *former)
        return any(self._suite.parse_public(t).fingerprint == fingerprint for t in texts)

    def put(self, contact: Contact) -> None:
        """Remember the newest state of a contact."""
        self._pinned[contact.user_id] = contact
        self._name(contact.user_id, contact.display_name)

    def state(self, user_id: str) -> TrustState:
        """See AddressBook."""
        contact = self._pinned.get(user_id)
        return TrustState.UNVERIFIED if contact is None else contact.state

    def changed(self, user_id: str) -> str:
        """What is to be said of somebody for whom another key is claimed, "" of others."""
        contact = self._pinned.get(user_id)
        if contact is None or contact.state is not TrustState.CHANGED:
            return ""
        return f"{self.label(user_id)}'s key changed on {day(contact.changed_ms)}"

    def doubtful(self, user_id: str, why: str) -> str:
        """Why something of theirs is refused, and before it what may be behind that: the key that
        is claimed for them."""
        changed = self.changed(user_id)
        return f"{changed}: compare safety numbers; {why}" if changed else why

    def is_revoked(self, user_id: str) -> bool:
        """Whether they said that this id is dead."""
        return user_id in self.book.revoked

    @property
    def full(self) -> bool:
        """No room for another pin."""
        return len(self._pinned) >= CONTACTS_MAX

    def has_hybrid(self, user_id: str) -> bool:
        """Whether the contact signed that their client has `hybrid/1` (threat M15)."""
        contact = self._pinned.get(user_id)
        return contact is not None and HYBRID in contact.features

    def rest_may_lack(self, feature: str) -> bool:
        """Whether somebody online whom we do not watch may be without it."""
        return self.more_online and feature not in self.all_have

    def has_content(self, user_id: str) -> bool:
        """Whether the contact signed that their client has `content/1`, and so `hybrid/1`."""
        contact = self._pinned.get(user_id)
        return contact is not None and {HYBRID, CONTENT} <= set(contact.features)

    def reading_bare(self, since_ms: int) -> list[str]:
        """Who reads the channel now, or may read later what is said now, and has no `content/1`:
        those online, and those with `hybrid/1` who said where they are since then (Unix ms)."""
        here = [user_id for user_id in self.online() if not self.has_content(user_id)]
        later = [
            contact.user_id
            for contact in self._pinned.values()
            if contact.attach_ts >= since_ms
            and HYBRID in contact.features
            and CONTENT not in contact.features
            and contact.user_id not in self._online
        ]
        return here + later

    # --- presence -------------------------------------------------------------------------------

    def came(self, user_id: str, server_id: str, display_name: str) -> bool:
        """Somebody is online at `server_id`; True if they were not. False too where there is no
        room."""
        was = user_id in self._online
        if not was and len(self._online) >= ONLINE_MAX:
            return False
        self._online[user_id] = server_id
        if user_id not in self._pinned:
            self._name(user_id, display_name)
        return not was

    def went(self, user_id: str) -> bool:
        """Somebody is gone; True if they were online."""
        if self._online.pop(user_id, None) is None:
            return False
        self._forget_unpinned(user_id)
        return True

    def all_went(self) -> None:
        """Our own link is gone: nobody is known to be online."""
        for user_id in tuple(self._online):
            self.went(user_id)

    def where(self, user_id: str) -> str:
        """The server somebody is online at, or ""."""
        return self._online.get(user_id, "")

    def is_online(self, user_id: str) -> bool:
        """See AddressBook."""
        return user_id in self._online

    def online(self) -> list[str]:
        """Everybody online but ourselves, sorted."""
        return sorted(self._online.keys() - {self.own_id})

    def away(self, most: int) -> list[str]:
        """Who is away and whose key the directory confirmed, the most lately seen first."""
        known = (
            contact
            for contact in self._pinned.values()
            if contact.from_directory
            and contact.user_id not in self._online
            and contact.user_id != self.own_id
            and not self.is_revoked(contact.user_id)
        )
        return [contact.user_id for contact in heapq.nlargest(most, known, key=_seen_ms)]

    def acquaintances(self, most: int) -> list[str]:
        """Whose key we know, the most lately seen first."""
        known = (c for c in self._pinned.values() if not self.is_revoked(c.user_id))
        return [contact.user_id for contact in heapq.nlargest(most, known, key=_seen_ms)]

    def unverified(self, most: int) -> list[str]:
        """Some of those in the public channel whom the person did not verify, sorted."""
        unsure = (
            user_id
            for user_id in self._everybody()
            if user_id != self.own_id
            and not self.is_revoked(user_id)
            and self.state(user_id) is not TrustState.VERIFIED
        )
        return heapq.nsmallest(most, unsure)

    # --- names ----------------------------------------------------------------------------------

    def label(self, user_id: str) -> str:
        """See AddressBook."""
        name = self._names.get(user_id, "")
        short = printable(user_id[:SHORT_ID_CHARS])
        if not name:
            return short
        return f"{name}#{short}" if self._could_be_another(user_id, name) else name

    def _could_be_another(self, user_id: str, name: str) -> bool:
        """True where the name alone does not tell who this is (threat I8)."""
        bearers = self._called.get(fold(name), ())
        return len(bearers) != 1 or user_id not in bearers or _tells_nothing(name)

    def resolve(self, name_or_id: str) -> list[str]:
        """See AddressBook."""
        wanted = name_or_id.strip()
        if is_uuid4(wanted):
            return [wanted]
        name, _, short = wanted.rpartition("#")
        bearers = self._called.get(fold(wanted), set()) | {
            user_id
            for user_id in self._called.get(fold(name), set())
            if short and user_id.startswith(short)
        }
        if not bearers and len(wanted) >= _PREFIX_CHARS_MIN and set(wanted) <= _HEX:
            bearers = {u for u in self._everybody() if u.startswith(wanted)}
        return sorted(bearers - {self.own_id} or bearers)

    def names(self) -> list[str]:
        """See AddressBook."""
        return [person.label.replace(" ", "_") for person in self.members()]

    def members(self) -> list[Person]:
        """See AddressBook."""
        people = [self.person(user_id) for user_id in self._everybody() if user_id != self.own_id]
        return sorted(people, key=lambda p: (not p.online, p.first_seen_ms, p.user_id))

    def person(self, user_id: str) -> Person:
        """One row of `members`."""
        contact = self._pinned.get(user_id)
        key = self.key(user_id)
        return Person(
            user_id=user_id,
            label=self.label(user_id),
            online=self.is_online(user_id),
            first_seen_ms=0 if contact is None else contact.first_seen_ms,
            fingerprint="" if key is None else key.fingerprint,
            verified=contact is not None and contact.verified,
            hybrid=self.has_hybrid(user_id),
            state=self.state(user_id),
            changed_ms=0 if contact is None else contact.changed_ms,
        )

    def _everybody(self) -> set[str]:
        return self._pinned.keys() | self._online.keys()

    def _name(self, user_id: str, display_name: str) -> None:
        shown = harmless(display_name)
        if self._names.get(user_id) == shown:
            return
        self._unname(user_id)
        self._names[user_id] = shown
        if shown:
            self._called.setdefault(fold(shown), set()).add(user_id)

    def _unname(self, user_id: str) -> None:
        folded = fold(self._names.pop(user_id, ""))
        bearers = self._called.get(folded, set())
        bearers.discard(user_id)
        if not bearers:
            self._called.pop(folded, None)

    def _forget_unpinned(self, user_id: str) -> None:
        if user_id not in self._pinned and user_id != self.own_id:
            self._unname(user_id)


def _seen_ms(contact: Contact) -> tuple[int, str]:
    return max(contact.attach_ts, contact.first_seen_ms), contact.user_id


@lru_cache(NAMES_KEPT)
def _tells_nothing(name: str) -> bool:
    """True of a name that could be something else than a name, or look like another."""
    folded = fold(name)
    return (
        folded in _SPOKEN_FOR
        or "#" in name
        or mixed_script(name)
        or (len(folded) >= _PREFIX_CHARS_MIN and set(folded) <= _HEX)
    )


@lru_cache(NAMES_KEPT)
def harmless(display_name: str) -> str:
    """A display name as it may be shown: one line, no control or hidden characters, not too
    wide."""
    return " ".join(printable(display_name, width=NAME_COLUMNS).split())


@lru_cache(NAMES_KEPT)
def fold(name: str) -> str:
    """What two names have in common that look the same: case, width, spaces and what chooses
    between two pictures of one character do not count."""
    seen = name.translate(_UNSEEN)
    folded = unicodedata.normalize("NFKC", seen).casefold()
    return "_".join(folded.replace("_", " ").split())
