"""What was received before: no replay, and no other author on the same ciphertext (threats M2,
M4)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import Enum, auto
from typing import Final

from socp.member.emitter import Emitter
from socp.member.records import Seen as SeenRecord

KEPT_BYTES: Final = 16
"""So many bytes of each hash are in memory: about 250 bytes a message, for ever; the store has them
whole."""


class Verdict(Enum):
    """Whether a message is one to show."""

    NEW = auto()
    AGAIN = auto()
    OTHERS_WORDS = auto()  # the ciphertext was seen under another author


class Seen:
    """Grows by one for each message that was shown, as the history does, and never forgets."""

    def __init__(self, emitter: Emitter, remembered: Iterable[SeenRecord]) -> None:
        self._emit = emitter
        self._refs: dict[bytes, bytes] = {}  # msg_ref -> author
        self._authors: dict[bytes, bytes] = {}  # digest of a ciphertext -> author
        self._people: dict[str, bytes] = {}  # few, and each wrote much
        for record in remembered:
            self._note(record.msg_ref, record.digest, self._person(record.author))

    def __contains__(self, msg_ref: str) -> bool:
        return _short(msg_ref) in self._refs

    def wrote(self, author: str, msg_ref: str) -> bool:
        """Whether this message came, and is theirs."""
        return self._refs.get(_short(msg_ref)) == _short(author)

    def judge(self, msg_ref: str, digests: Iterable[bytes], author: str) -> Verdict:
        """`msg_ref` as section 9 (or a file's id), `digests` SHA-256 of its ciphertexts."""
        if self.wrote(author, msg_ref):
            return Verdict.AGAIN
        return Verdict.OTHERS_WORDS if self.others_words(digests, author) else Verdict.NEW

    def others_words(self, digests: Iterable[bytes], author: str) -> bool:
        """Whether one of these ciphertexts was seen under another author."""
        me = _short(author)
        return any(self._authors.get(digest[:KEPT_BYTES], me) != me for digest in digests)

    def remember(self, msg_ref: str, digest: bytes, author: str, ts: int) -> None:
        """It is shown now; persisted before it is."""
        self._note(msg_ref, digest, self._person(author))
        self._emit.persist(SeenRecord(msg_ref=msg_ref, digest=digest, author=author, ts=ts))

    def is_called(self, first: str, author: str, ts: int) -> bool:
        """What is shown now is called by another msg_ref than its own, if nobody else has that."""
        if first in self and not self.wrote(author, first):
            return False
        self.remember(first, hashlib.sha256(first.encode()).digest(), author, ts)
        return True

    def _note(self, msg_ref: str, digest: bytes, author: bytes) -> None:
        self._refs[_short(msg_ref)] = author
        self._authors.setdefault(digest[:KEPT_BYTES], author)

    def _person(self, author: str) -> bytes:
        """One object for all that somebody wrote."""
        return self._people.get(author) or self._people.setdefault(author, _short(author))


def _short(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:KEPT_BYTES]
