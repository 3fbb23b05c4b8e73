"""Rows of a list or a conversation: pieces of text, each with the name of its style. Whoever wrote
a text, it is only ever a piece's text: nothing parses it (threat I8)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, NamedTuple

from socp.talk.entries import Entry, fits
from socp.talk.words import CHARS_A_COLUMN
from socp.tui.looks import STYLES
from socp.wire.text import columns, printable

URL_CHARS_MAX: Final = 2_000
_URL: Final = re.compile(r"https?://[!#-;=?-Z\\\]_a-z~]+", re.ASCII)
_URL_END: Final = ".,;:!?)]'"
_INDENT: Final = "  │ "
_ENTRY_STYLES: Final = {
    "indent": "bar",
    "own": "own",
    "body": "plain",
    "private": "mark",
    "public": "mark",
}


# Terminals draw with these an emoji that is one, two or more columns wide, each as it likes.
_UNSURE: Final = re.compile(
    "[\ufe0e\ufe0f\u200d]|(?<=[\u261d-\u27bf\U0001f300-\U0001faff])[\U0001f3fb-\U0001f3ff]"
)


def drawn(text: str) -> str:
    """A printable text as it is drawn: without what would make its emoji as wide as the terminal
    likes, so that nothing beside it is moved. It is copied as it was said."""
    return text if text.isascii() else _UNSURE.sub("", text)


def _said_at(text: str, at: int) -> int:
    """Where in the text that stands which is drawn at `at`."""
    for gone in () if text.isascii() else _UNSURE.finditer(text):
        if gone.start() > at:
            break
        at += 1
    return at


class Said(Enum):
    """What of a row is copied: somebody's words, without what we put around them."""

    NOTHING = auto()
    BEGINS = auto()  # a line of theirs
    GOES_ON = auto()  # one that did not fit in the row above


class Piece(NamedTuple):
    """`link`: where it leads, "" for nowhere."""

    style: str
    text: str
    link: str = ""
    said: Said = Said.NOTHING


Row = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that belong together, and are chosen together where they have a key."""

    key: str
    rows: tuple[Row, ...]


def width_of(row: Row) -> int:
    """Columns."""
    return sum(columns(drawn(piece.text)) for piece in row)


def spread(left: Row, right: Row, width: int) -> Row:
    """Both in one row, at its two ends; the left one gives way."""
    room = max(width - width_of(right) - 1, 0)
    kept = cut(left, room)
    gap = width - width_of(kept) - width_of(right)
    return (*kept, Piece("plain", " " * max(gap, 0)), *right)


def cut(row: Row, width: int) -> Row:
    """What fits, an ellipsis being the last where something does not."""
    if width_of(row) <= width:
        return row
    kept: list[Piece] = []
    for piece in row:
        wide = width_of((piece,))
        if wide < width or (wide == width and piece is row[-1]):
            kept.append(piece)
            width -= wide
            continue
        kept.append(piece._replace(text=printable(piece.text + "…", width=width)))
        break
    return tuple(kept)


def rule(text: str, style: str, width: int) -> Row:
    """A line across with words in its middle."""
    words = printable(f" {text} ", width=max(width - 4, 1))
    left = max(width - columns(words), 0) // 2
    right = max(width - columns(words) - left, 0)
    return (Piece("rule", "─" * left), Piece(style, words), Piece("rule", "─" * right))


def links_of(text: str) -> list[str]:
    """The addresses in a text, as they may be opened: http and https alone."""
    return [address for _, _, address in _links(text)]


def _links(text: str) -> Iterator[tuple[int, int, str]]:
    for found in _URL.finditer(text):
        address = found[0].rstrip(_URL_END)[:URL_CHARS_MAX]
        yield found.start(), found.start() + len(address), address


def said_in(row: Row, start: int, end: int) -> tuple[Said, str]:
    """What was said between two drawn characters of a row; and whether it begins a line."""
    said = [piece for piece in row if piece.said is not Said.NOTHING]
    begins = said[0].said if said else Said.NOTHING
    taken = zip(row, _between(row, start, end), strict=True)
    return begins, "".join(text for piece, text in taken if piece.said is not Said.NOTHING)


def text_in(row: Row, start: int, end: int) -> str:
    """All that stands between them."""
    return "".join(_between(row, start, end))


def _between(row: Row, start: int, end: int) -> Iterator[str]:
    for piece in row:
        first, last = (_said_at(piece.text, max(at, 0)) for at in (start, end))
        yield piece.text[first:last] if end > 0 else ""
        shown = len(drawn(piece.text))
        start, end = start - shown, end - shown


def wrapped(text: str, width: int, *, style: str = "plain") -> Iterator[Row]:
    """The rows of one logical line, which is printable already; its addresses are links."""
    links = list(_links(text)) if "://" in text else []
    said = Said.BEGINS
    at = 0
    while True:
        near = text[at : at + width * CHARS_A_COLUMN]  # however long it is, a row looks no further
        size = len(near) if columns(near) <= width else fits(near, width)
        yield tuple(each._replace(said=said) for each in _linked(text, at, at + size, links, style))
        said = Said.GOES_ON
        at += size
        if at >= len(text):
            return


def _linked(
    text: str, start: int, end: int, links: list[tuple[int, int, str]], style: str
) -> Iterator[Piece]:
    for begin, stop, address in links:
        if stop <= start or begin >= end:
            continue
        if begin > start:
            yield Piece(style, text[start:begin])
        yield Piece("link", text[max(begin, start) : min(stop, end)], address)
        start = min(stop, end)
    if start < end:
        yield Piece(style, text[start:end])


def entry_rows(entry: Entry, width: int) -> tuple[Row, ...]:
    """An answer or a warning, as the line client would say it."""
    from socp.talk.entries import layout

    margin = Piece("plain", " ")
    return tuple(
        (margin, *(Piece(_style(style), text, said=_said(style)) for style, text in row))
        for row in layout(entry, width - 2, _INDENT)
    )


def _said(fragment: str) -> Said:
    return Said.NOTHING if fragment == "class:indent" else Said.BEGINS


def _style(fragment: str) -> str:
    name = fragment.removeprefix("class:")
    name = _ENTRY_STYLES.get(name, name)
    return name if name in STYLES else "plain"
