"""What Tab offers, as prompt_toolkit wants it."""

from __future__ import annotations

from collections.abc import Iterable

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from socp.member.contacts import AddressBook
from socp.talk.offers import offers
from socp.wire.text import printable


class Completions(Completer):
    """`contacts` is asked anew at each Tab."""

    def __init__(self, contacts: AddressBook) -> None:
        self._contacts = contacts

    def get_completions(self, document: Document, _event: CompleteEvent) -> Iterable[Completion]:
        """Offers for the text before the cursor."""
        for offer in offers(document.text_before_cursor, self._contacts.names):
            if printable(offer.text) != offer.text:
                continue  # a file's name may be anything (threat I8)
            yield Completion(offer.text, start_position=-offer.replaces, display=offer.shown)
