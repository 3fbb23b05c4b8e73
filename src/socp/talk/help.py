"""What /help says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from socp.talk import commands
from socp.talk.entries import Entry

_AFTER: Final = (
    "Text without a command goes to whom you spoke last; the prompt names them.",
    "NAME: as /list shows it (Tab completes it), in quotes where it has spaces,",
    "or 4 characters or more from the start of an id. /t bob hello works too.",
    "Marks: pinned (the key you know them by), first seen (a new key),",
    "former key (signed before their key was replaced), author not bound (plain",
    "v1.3: the words may be somebody else's), not encrypted (servers could read",
    "it). To be sure who somebody is, compare the key that /whois shows with",
    "theirs, by another way than this chat.",
)


def help_entries() -> Iterator[Entry]:
    """One for each command, then the rules."""
    for word, arguments, purpose in commands.TABLE:
        yield Entry((("class:name", f"/{word} {arguments}".ljust(24)), ("", purpose)))
    for line in _AFTER:
        yield Entry((("", line),))
