"""Who is meant by a name that a person typed."""

from __future__ import annotations

from socp.client.errors import AmbiguousPerson, UnknownPerson
from socp.member.contacts import AddressBook
from socp.wire.ids import PUBLIC, is_uuid4
from socp.wire.text import printable


def find(book: AddressBook, name_or_id: str) -> str:
    """The user id meant by a name, an id or its start; UnknownPerson, AmbiguousPerson."""
    found = book.resolve(name_or_id)
    shown = printable(name_or_id)
    if not found:
        raise UnknownPerson(f'nobody known is called "{shown}"; see the list of who is here')
    if len(found) > 1:
        labels = ", ".join(book.label(user_id) for user_id in found)
        raise AmbiguousPerson(f'"{shown}" can be any of {labels}; say which', found)
    return found[0]


def addressee(book: AddressBook, to: str) -> str:
    """A user id and "public" are what they are, anything else is a name as in `find`."""
    return to if to == PUBLIC or is_uuid4(to) else find(book, to)
