"""A made-up talk: words as people use them, few of them often and most hardly ever."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Iterator
from itertools import accumulate

from socp.member.records import Said, Seen

WORDS = 20_000
LINE_WORDS = (3, 25)
SEED = 5
START_MS = 1_760_000_000_000
_SYLLABLES = [
    first + last for first in "bdfgklmnprstvz" for last in ("a", "e", "i", "o", "u", "än")
]


class Corpus:
    """The same lines for the same number of them."""

    def __init__(self, lines: int, people: int = 30) -> None:
        self._dice = random.Random(SEED)
        self.people = [f"{n:08x}-0000-4000-8000-000000000000" for n in range(people)]
        self.words = [self._word() for _ in range(WORDS)]
        weights = list(accumulate(1 / place for place in range(1, WORDS + 1)))
        self.texts = [
            " ".join(self._dice.choices(self.words, cum_weights=weights, k=self._length()))
            for _ in range(lines)
        ]

    def rows(self) -> Iterator[Said | Seen]:
        """What a profile keeps of them, in pairs."""
        for number, text in enumerate(self.texts, 1):
            author = self.people[number % len(self.people)]
            ref, digest = _names(number)
            at_ms = START_MS + number * 60_000
            yield Seen(ref, digest, author, at_ms)
            yield Said(number, author, author, text, at_ms, at_ms, "pinned", (ref,))

    def asked(self, count: int) -> list[str]:
        """Words to look for, each as likely as any other: most of them are rare."""
        return self._dice.sample(self.words, count)

    def _word(self) -> str:
        return "".join(self._dice.choice(_SYLLABLES) for _ in range(self._dice.randint(1, 4)))

    def _length(self) -> int:
        return self._dice.randint(*LINE_WORDS)


def _names(number: int) -> tuple[str, bytes]:
    """A msg_ref and the digest of a ciphertext."""
    digest = hashlib.sha256(number.to_bytes(8, "big")).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("="), digest
