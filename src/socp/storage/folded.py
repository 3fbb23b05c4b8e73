"""Text as it is searched: what people take for the same is the same."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """Without case and compatibility forms, and any white space as one blank: a line of its own."""
    if text.isascii():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", plain).split())


def words(text: str) -> tuple[str, ...]:
    """What is looked for: each must be there, in any order, be it a part of a longer word."""
    return tuple(dict.fromkeys(fold(text).split()))
