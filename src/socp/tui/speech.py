"""One line of a conversation as rows: who and when, how sure that is, what was done to it since,
how far one's own came. Every row of what somebody wrote begins with a bar (threat I8)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from socp.member.decisions import VERIFIED
from socp.member.effects import FileProgress, FileWaits, Trust
from socp.member.history import FILE, NOTE, REFUSED
from socp.member.history_line import HistoryLine
from socp.member.records import LineState
from socp.talk.file_phrases import pace_text, share_text
from socp.talk.words import STATE_WORDS, flat, quoted, shown_name, time_of, whose
from socp.tui.rows import Piece, Row, Said, cut, spread, wrapped
from socp.wire.text import printable

FOLDED_ROWS: Final = 12
KEPT_ROWS: Final = 8
UNFOLDED_ROWS_MAX: Final = 400
_AUTHORS: Final = 6
_REACTIONS_MAX: Final = 12
_NAMED_MAX: Final = 3
_BAR_CELLS: Final = 24
_RIGHT: Final = 11  # columns: the time, and how far it came
_BAR: Final = " ▎"
STATE_SIGNS: Final = {
    LineState.WAITING: ("warn", "…"),
    LineState.SENT: ("mark", "·"),
    LineState.DONE: ("mark", "✓"),
    LineState.DELIVERED: ("mark", "✓✓"),
    LineState.READ: ("good", "read"),
    LineState.REFUSED: ("warn", "✗"),
}
TRUST_SIGNS: Final[dict[str, tuple[str, str]]] = {
    Trust.CHANGED: ("loud", " KEY CHANGED "),
    Trust.VERIFIED: ("good", "✔"),
    Trust.PINNED: ("mark", ""),
    Trust.FORMER_KEY: ("warn", "former key"),
    Trust.FIRST_SEEN: ("warn", "first seen"),
    Trust.NOT_BOUND: ("warn", "author not bound"),
    Trust.NOT_ENCRYPTED: ("warn", "not encrypted"),
    Trust.UNSIGNED: ("warn", "not signed"),
}


class Known(Protocol):
    """What there is to be known about a line beside what it says."""

    def called(self, user_id: str) -> str:
        """What somebody is called."""

    def answered(self, msg_ref: str) -> HistoryLine | None:
        """What a reply is about, where it is known."""

    def file(self, file_id: str) -> FileProgress | FileWaits | None:
        """A file that is on its way."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a line is shown."""

    width: int
    headed: bool  # with the name of who said it, because somebody else spoke before
    unfolded: bool
    found: bool  # it is what was searched for
    now: int  # Unix ms


def author_style(user_id: str) -> str:
    """One of a few colours, the same for one person at each start."""
    return f"author-{zlib.crc32(user_id.encode()) % _AUTHORS}"


def _author(line: HistoryLine, own_id: str) -> str:
    return "own" if line.author == own_id else author_style(line.author)


def line_rows(line: HistoryLine, known: Known, own_id: str, look: Look) -> tuple[Row, ...]:
    """What the person sees of it."""
    if line.kind in (NOTE, REFUSED):
        return tuple(_note(line, known, look))
    rows = _head(line, known, own_id) if look.headed else []
    bar = Piece(_author(line, own_id), _BAR)
    first, *more = _body(line, known, look)
    rows.append(spread((bar, *first), _right(line, look), look.width))
    rows += [(bar, *row) for row in more]
    rows += [(bar, *row) for row in _below(line, known, look)]
    return tuple(cut(row, look.width) for row in rows)


def _head(line: HistoryLine, known: Known, own_id: str) -> list[Row]:
    name = Piece(_author(line, own_id), " " + known.called(line.author))
    style, sign = TRUST_SIGNS.get(line.trust, ("warn", flat(line.trust)))
    if not line.trust or not sign:
        return [(name,)]
    return [(name, Piece("plain", " "), Piece(style, sign))]


def _right(line: HistoryLine, look: Look) -> Row:
    time = Piece("time", time_of(line.ts, look.now)[-5:].rjust(5))
    if not line.state:
        return (time, Piece("plain", " " * 5))
    style, sign = STATE_SIGNS[LineState(line.state)]
    return (time, Piece(style, f" {sign}".ljust(5)))


def _body(line: HistoryLine, known: Known, look: Look) -> list[Row]:
    width = max(look.width - 3 - _RIGHT, 8)
    rows: list[Row] = []
    if line.reply_to:
        rows.append(_answered(line, known, width))
    if line.deleted:
        return [*rows, (Piece("gone", " taken back"),)]
    if line.kind == FILE:
        name = Piece("link", shown_name(flat(line.text)), said=Said.BEGINS)
        return [*rows, (Piece("plain", " "), Piece("link", "▤ "), name)]
    style = "found" if look.found else "plain"
    return rows + [(Piece(style, " "), *row) for row in text_rows(line.text, width, look, style)]


def _answered(line: HistoryLine, known: Known, width: int) -> Row:
    about = known.answered(line.reply_to)
    if about is None:
        return (Piece("quote", " ↪ something that is not here"),)
    said = "(taken back)" if about.deleted else quoted(about.text, max(width - 12, 8))
    return cut((Piece("quote", f" ↪ {whose(known.called(about.author))} {said}"),), width)


def text_rows(text: str, width: int, look: Look, style: str) -> list[Row]:
    """The rows of a text; a long one is folded."""
    most = UNFOLDED_ROWS_MAX if look.unfolded else FOLDED_ROWS
    room = most * width  # what is beyond is not even looked at
    rows: list[Row] = []
    for logical in text[:room].split("\n"):
        harmless = printable(logical.rstrip("\r"), multiline=True)
        rows += islice(wrapped(harmless, width, style=style), most + 1)
        if len(rows) > most:
            break
    if len(rows) <= most and len(text) <= room:
        return rows
    kept = rows[: most if look.unfolded else KEPT_ROWS]
    more = f"{len(text):,} characters in all"
    hint = f"… {more}; copy it to read the rest" if look.unfolded else f"… {more}; Enter unfolds"
    return [*kept, (Piece("mark", hint),)]


def _below(line: HistoryLine, known: Known, look: Look) -> list[Row]:
    """What was done to it since."""
    rows: list[Row] = []
    at = known.file(line.file_id) if line.file_id else None
    if at is not None:
        rows.append(progress_row(at, look.width))
    if line.edited_ms and not line.deleted:
        rows.append((Piece("mark", f" changed at {time_of(line.edited_ms, look.now)}"),))
    if line.state and line.reason and line.state in (LineState.WAITING, LineState.REFUSED):
        word = STATE_WORDS[LineState(line.state)]
        rows += _wrapped_mark(f"{word}: {flat(line.reason)}", "warn", look)
    elif line.state and line.reason:
        rows += _wrapped_mark(flat(line.reason), "mark", look)
    if line.reactions:
        rows.append(_reactions(line, known))
    return rows


def _wrapped_mark(text: str, style: str, look: Look) -> list[Row]:
    width = max(look.width - 4, 8)
    return [(Piece(style, " "), *row) for row in wrapped(text[:1_000], width, style=style)]


def progress_row(at: FileProgress | FileWaits, width: int) -> Row:
    """How far a file is."""
    cells = min(_BAR_CELLS, width // 5)
    full = cells * at.done // max(at.size, 1)
    bar = (Piece("good", " " + "━" * full), Piece("bar", "━" * (cells - full)))
    if isinstance(at, FileWaits):
        return (*bar, Piece("warn", f" waits at {share_text(at)}"))
    return (*bar, Piece("mark", f" {share_text(at)}{pace_text(at)}"))


def _reactions(line: HistoryLine, known: Known) -> Row:
    by_emoji: dict[str, list[str]] = {}
    for user_id, emoji in line.reactions:
        by_emoji.setdefault(printable(emoji, width=8), []).append(known.called(user_id))
    pieces = [Piece("plain", " ")]
    for emoji, names in list(by_emoji.items())[:_REACTIONS_MAX]:
        more = len(names) - _NAMED_MAX
        who = ", ".join(names[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
        pieces += [Piece("plain", f"{emoji} "), Piece("mark", f"{who}  ")]
    return tuple(pieces)


def _note(line: HistoryLine, known: Known, look: Look) -> list[Row]:
    if line.kind == NOTE:
        said = flat(line.text)
    else:
        said = f"something from {known.called(line.author)} is not shown: {flat(line.text)}"
    style, sign = ("good", " ✔ ") if line.text == VERIFIED else ("warn", " ! ")
    width = max(look.width - 4, 8)
    text = f"{time_of(line.ts, look.now)} {said}"[:2_000]
    rows = list(wrapped(text, width, style=style))
    return [(Piece(style, sign if at == 0 else "   "), *row) for at, row in enumerate(rows)]
