"""The small words that all phrases are made of: times, names, sizes, marks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from socp.member.effects import Trust
from socp.member.records import LineState
from socp.talk.entries import Entry, Fragment, Kind
from socp.wire import limits
from socp.wire.text import printable

SHOWN_COLUMNS: Final = 60
NAMES_SHOWN: Final = 8
CHARS_A_COLUMN: Final = 5  # a character and its marks
_NAME_CHARS: Final = frozenset(" _-.'#+@")
TRUST_STYLES: Final[dict[str, str]] = {
    Trust.CHANGED: "class:loud",
    Trust.VERIFIED: "class:good",
    Trust.PINNED: "class:mark",
    Trust.FORMER_KEY: "class:warn",
    Trust.FIRST_SEEN: "class:warn",
    Trust.NOT_BOUND: "class:warn",
    Trust.NOT_ENCRYPTED: "class:warn",
    Trust.UNSIGNED: "class:warn",
}
STATE_WORDS: Final = {
    LineState.WAITING: "waiting",
    LineState.SENT: "on its way",
    LineState.DONE: "at a server",
    LineState.DELIVERED: "delivered",
    LineState.READ: "read",
    LineState.REFUSED: "refused",
}

Label = Callable[[str], str]


def time_of(ts: int, now: int) -> str:
    """Local time; with the day where it is not today's. Both Unix ms."""
    try:
        then = datetime.fromtimestamp(ts / 1000)  # noqa: DTZ006 - people read their own clock
    except (OverflowError, OSError, ValueError):
        return "no time"
    today = datetime.fromtimestamp(now / 1000).date()  # noqa: DTZ006
    return then.strftime("%H:%M" if then.date() == today else "%Y-%m-%d %H:%M")


def shown_name(label: str) -> str:
    """In quotes where the name could be taken for more than a name."""
    if all(char.isalnum() or char in _NAME_CHARS for char in label):
        return label
    return '"' + label.replace('"', "'") + '"'


def size_text(size: int) -> str:
    """Bytes as people read them."""
    for unit, bytes_ in (("GiB", 1024 * limits.MIB), ("MiB", limits.MIB), ("KiB", limits.KIB)):
        if size >= bytes_:
            return f"{size / bytes_:.1f} {unit}"
    return "1 byte" if size == 1 else f"{size} bytes"


def fingerprint_text(fingerprint: str) -> str:
    """64 hex digits in groups, as people compare them."""
    return " ".join(fingerprint[at : at + 8] for at in range(0, len(fingerprint), 8)) or "unknown"


def quoted(text: str, columns: int = SHOWN_COLUMNS // 2) -> str:
    """The beginning of what somebody said, within a line of ours."""
    # However long it is, no more of it is looked at than can be shown.
    begins = " ".join(text.split(maxsplit=columns))[: columns * CHARS_A_COLUMN + 1]
    return '"' + printable(begins, width=columns).replace('"', "'") + '"'


def whose(name: str) -> str:
    """Of somebody, as they are called here."""
    return "your" if name == "you" else f"{name}'s"


def note(now: int, text: str, style: str, *, ts: int | None = None) -> Entry:
    """Something to know that nobody said."""
    return Entry((clock(ts or now, now), (style, "! ")), flat(text), Kind.ASIDE, style)


def clock(ts: int, now: int) -> Fragment:
    """The time that an entry begins with."""
    return ("class:time", f"{time_of(ts, now)} ")


def own_to(name: str, kind: str = "text") -> Fragment:
    """Whom we said it to."""
    what = "you" if kind == "text" else f"your {kind}"
    return ("class:own", f"{what} to {name}: ")


def marks(ts: int, now: int, public: bool, *marks: Fragment) -> tuple[Fragment, ...]:
    """ "12:03 [private, pinned] " """
    kind = ("class:public", "public") if public else ("class:private", "private")
    between: list[Fragment] = [clock(ts, now), ("class:mark", "["), kind]
    for mark in marks:
        between += [("class:mark", ", "), mark]
    return (*between, ("class:mark", "] "))


def some(names: list[str]) -> str:
    """Names, not too many, and their verb."""
    shown = ", ".join(names[:NAMES_SHOWN])
    more = len(names) - NAMES_SHOWN
    verb = "is" if len(names) == 1 else "are"
    return f"{shown} and {more} more {verb}" if more > 0 else f"{shown} {verb}"


def trust_mark(trust: str) -> tuple[str, str]:
    """The mark of a `Trust`, by its style; another version may have another word."""
    return TRUST_STYLES.get(trust, "class:mark"), flat(trust)


def flat(text: str) -> str:
    """Harmless, in one line."""
    return printable(" ".join(text.split()))


def path_text(text: str) -> str:
    """Where a file is, from here."""
    path = Path(text)
    here = Path.cwd()
    return printable(str(path.relative_to(here) if path.is_relative_to(here) else path))
