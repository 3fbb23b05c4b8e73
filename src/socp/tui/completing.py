"""What Tab offers in the composer: commands and what follows them, emoji, names."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from socp.talk.offers import OFFERS_MAX, Offer, offers
from socp.tui import emoji


def completions(before: str, names: Callable[[], Iterable[str]]) -> list[Offer]:
    """For the text before the cursor, which may have several lines."""
    if before.startswith("/") and not before.startswith("//") and "\n" not in before:
        return list(offers(before, names))
    if found := emoji.begun(before):
        begun = len(before) - before.rindex(":")
        return [Offer(sign, begun, f"{sign} {name}") for name, sign in found[:OFFERS_MAX]]
    word = before.rsplit(maxsplit=1)[-1] if before and not before[-1].isspace() else ""
    if not word:
        return []
    known = [name for name in names() if name.casefold().startswith(word.casefold())]
    return [Offer(name.replace("_", " "), len(word), name) for name in known[:OFFERS_MAX]]
