"""What Tab offers for a line that is being typed: commands, names, and paths of files to send."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from socp.talk.commands import DECISIONS, WORDS, meant

OFFERS_MAX: Final = 200
_LOOKED_AT_MAX: Final = 10_000
_NAMED: Final = frozenset({"/tell", "/whois", "/file", "/history", "/verify", "/trust"})
_ALSO_ALL: Final = frozenset({"/file", "/history"})
_QUOTES: Final = frozenset("\"'")


@dataclass(frozen=True, slots=True)
class Offer:
    """`text` takes the place of the last `replaces` characters before the cursor."""

    text: str
    replaces: int
    shown: str


def offers(before: str, names: Callable[[], Iterable[str]]) -> Iterator[Offer]:
    """For the text before the cursor. `names`: what can be typed for each known user; asked only
    where a name is due."""
    return islice(_offers(before.lstrip(), names), OFFERS_MAX)


def _offers(text: str, names: Callable[[], Iterable[str]]) -> Iterator[Offer]:
    if not text.startswith("/"):
        return
    word, spaced, rest = text.partition(" ")
    if not spaced:
        yield from _starting(word, WORDS, end=" ")
        return
    command = _full(word)
    name, spaced, more = rest.lstrip().partition(" ")
    if command in _NAMED and not spaced:
        yield from _starting(name, _names(command, names()), end=" ")
    elif command == "/trust":
        yield from _starting(more.lstrip(), DECISIONS, end="")
    elif command == "/file":
        yield from path_offers(more.lstrip())


def path_offers(begun: str) -> Iterator[Offer]:
    """What is in the folder that the path names, and begins as it ends; folders end in a slash."""
    head, _, start = begun.rpartition(os.sep)
    folder = Path(os.sep if begun.startswith(os.sep) and not head else head or os.curdir)
    try:
        entries = os.scandir(folder.expanduser())
    except (OSError, RuntimeError, ValueError):  # no such folder, or nobody of that name
        return
    with entries:
        found = [
            entry.name + (os.sep if _is_folder(entry) else "")
            for entry in islice(entries, _LOOKED_AT_MAX)
            if entry.name.startswith(start) and (start or not entry.name.startswith("."))
        ]
    for name in sorted(found):
        yield Offer(name, len(start), name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _names(command: str, names: Iterable[str]) -> list[str]:
    # A name with quotes in it would be read as another one.
    found = [name for name in names if not _QUOTES & set(name)]
    return ["all", *found] if command in _ALSO_ALL else found


def _full(word: str) -> str:
    found = meant(word.removeprefix("/"))
    return f"/{found[0]}" if len(found) == 1 else word.lower()


def _starting(begun: str, found: Iterable[str], *, end: str) -> Iterator[Offer]:
    for each in found:
        if each.casefold().startswith(begun.casefold()):
            yield Offer(each + end, len(begun), each)
