"""Who is on the server's list, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from socp.client.client import Client
from socp.talk.entries import Entry
from socp.talk.phrases import Phrases
from socp.wire.text import printable


def listing(me: Client, phrases: Phrases, users: Sequence[str], now: int) -> Iterator[Entry]:
    """A head, then one row for each of these user ids. `now`: Unix ms."""
    people = {person.user_id: person for person in me.contacts.members()}
    yield Entry((("class:mark", f"{len(users)} on the server's list:"),))
    for user_id in users:
        if user_id == me.user_id:
            yield Entry((("", "  "), ("class:name", me.name), ("", "  you")))
        elif person := people.get(user_id):
            yield phrases.person(person, now, attached=me.attached)
        else:
            yield Entry((("", f"  {printable(user_id, width=36)}  not seen yet"),))
