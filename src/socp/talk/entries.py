"""What one line on the screen is made of, and how it is laid out (threat I8).

Fragments are (style class, text). What others wrote is only ever a fragment's text: nothing parses
it, and every row after its first begins with a bar, so that no text can pose as another line.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from socp.wire.text import columns, columns_of, printable

Fragment = tuple[str, str]
Row = list[Fragment]

INDENT: Final = "      │ "
_WIDTH_MIN: Final = 24
_SPACE_MIN: Final = 12


class Kind(Enum):
    """Where an entry goes when the output is not a terminal."""

    TALK = auto()  # standard output: what was said, asked for and answered
    ASIDE = auto()  # standard error: how things are going


@dataclass(frozen=True, slots=True)
class Entry:
    """`head` is ours, with names in it; both are made harmless in `layout`, whoever wrote them."""

    head: tuple[Fragment, ...]
    body: str = ""
    kind: Kind = Kind.TALK
    body_style: str = "class:body"


def layout(entry: Entry, width: int | None, indent: str = INDENT) -> list[Row]:
    """The rows to print. `width`: columns of the terminal; None: rows are as long as they are.
    `indent`: what all but the first begin with."""
    head: Row = [(style, printable(text)) for style, text in entry.head]
    *rows, row = _folded(head, width, indent)
    if not entry.body:
        return [*rows, row]
    used = sum(columns(text) for _, text in row)
    for line in printable(entry.body, multiline=True).split("\n"):
        for piece in _wrapped(line, used, width, indent):
            rows.append([*row, (entry.body_style, piece)])
            row, used = [("class:indent", indent)], columns(indent)
    return rows


def plain(row: Row) -> str:
    """Only the text."""
    return "".join(text for _, text in row)


def _folded(row: Row, width: int | None, indent: str) -> list[Row]:
    """The rows of a head: names and files in it are others' words too."""
    rows: list[Row] = []
    rest = list(row)
    for piece in _wrapped(plain(row), 0, width, indent):
        taken: Row = [("class:indent", indent)] if rows else []
        missing = len(piece)
        while missing:
            style, text = rest.pop(0)
            taken.append((style, text[:missing]))
            if text[missing:]:
                rest.insert(0, (style, text[missing:]))
            missing -= len(taken[-1][1])
        rows.append(taken)
    return rows


def _wrapped(line: str, used: int, width: int | None, indent: str) -> list[str]:
    if width is None or used + columns(line) <= width:
        return [line]
    width = max(width, _WIDTH_MIN)
    pieces: list[str] = []
    room = max(width - used, 0)
    if room < _SPACE_MIN:
        pieces.append("")
        room = width - columns(indent)
    while line:
        end = fits(line, room)
        pieces.append(line[:end])
        line = line[end:]
        room = width - columns(indent)
    return pieces


def fits(line: str, room: int) -> int:
    """How many characters go into `room` columns, ending after a space where one is near."""
    used = 0
    for end, char in enumerate(line):
        used += columns_of(char)
        if used > room:
            space = line.rfind(" ", end * 2 // 3, end)
            return max(space + 1 if space >= 0 else end, 1)
    return len(line)
