"""For whom a file is sealed, and what their client takes (section 8)."""

from __future__ import annotations

from socp.crypto.keys import PublicKey
from socp.member.contacts import Contacts
from socp.member.public import Room
from socp.wire.ids import PUBLIC


class FileReaders:
    """By user id, or "public"."""

    def __init__(self, contacts: Contacts, room: Room) -> None:
        self._contacts = contacts
        self._room = room

    def key(self, to: str) -> PublicKey | None:
        """Theirs, or that of the channel; None while it is not known."""
        if to != PUBLIC:
            return self._contacts.key(to)
        held = self._room.sending_key()
        return None if held is None else held.public

    def bound(self, to: str) -> bool:
        """Whether all of them have `hybrid/1`."""
        return self._room.all_bound() if to == PUBLIC else self._contacts.has_hybrid(to)

    def reports(self, to: str) -> bool:
        """Whether they say where it stands."""
        return to != PUBLIC and self._contacts.has_content(to)
