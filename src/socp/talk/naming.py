"""What to type for somebody, so that nobody else is meant."""

from __future__ import annotations

from socp.client.client import Client
from socp.client.errors import ClientError
from socp.talk.commands import Unclear, Whois
from socp.talk.parsing import parse
from socp.talk.places import means_everyone
from socp.wire.ids import PUBLIC


def typed_name(me: Client, talk: str) -> str:
    """The name of a user id, without spaces, where it is read as theirs; else the id. "all" for
    everyone."""
    if talk == PUBLIC:
        return "all"
    name = me.contacts.label(talk).replace(" ", "_")
    return name if _is_read_as(me, name, talk) else talk


def _is_read_as(me: Client, name: str, user_id: str) -> bool:
    """Quotes, for one, are not read as a part of a name."""
    try:
        return (
            not means_everyone(name)
            and parse(f"/whois {name}") == Whois(name)
            and me.find(name) == user_id
        )
    except (Unclear, ClientError):
        return False
