"""What Tab offers: commands, names, and paths of files to send."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from socp.cli.lines.commands import DECISIONS, WORDS, meant
from socp.member.contacts import AddressBook

_SHOWN_MAX: Final = 200
_NAMED: Final = frozenset({"/tell", "/whois", "/file", "/history", "/verify", "/trust"})
_ALSO_ALL: Final = frozenset({"/file", "/history"})
_QUOTES: Final = frozenset("\"'")


class Completions(Completer):
    """`contacts` is asked anew at each Tab."""

    def __init__(self, contacts: AddressBook) -> None:
        self._contacts = contacts
        self._paths = PathCompleter(expanduser=True)

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """Offers for the text before the cursor."""
        text = document.text_before_cursor.lstrip()
        if not text.startswith("/"):
            return
        word, spaced, rest = text.partition(" ")
        if not spaced:
            yield from _starting(word, WORDS, end=" ")
            return
        command = _full(word)
        name, spaced, path = rest.lstrip().partition(" ")
        if command in _NAMED and not spaced:
            yield from _starting(name, self._names(command), end=" ")
        elif command == "/trust":
            yield from _starting(path.lstrip(), DECISIONS, end="")
        elif command == "/file":
            yield from self._paths.get_completions(Document(path.lstrip()), complete_event)

    def _names(self, command: str) -> list[str]:
        # A name with quotes in it would be read as another one.
        names = [name for name in self._contacts.names() if not _QUOTES & set(name)]
        return ["all", *names] if command in _ALSO_ALL else names


def _full(word: str) -> str:
    found = meant(word.removeprefix("/"))
    return f"/{found[0]}" if len(found) == 1 else word.lower()


def _starting(begun: str, offers: Iterable[str], *, end: str) -> Iterable[Completion]:
    found = [offer for offer in offers if offer.casefold().startswith(begun.casefold())]
    for offer in found[:_SHOWN_MAX]:
        yield Completion(offer + end, start_position=-len(begun), display=offer)
