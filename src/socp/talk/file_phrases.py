"""Files in people's words."""

from __future__ import annotations

from typing import assert_never

from socp.member.effects import FileDone, FileFailed, FileOffered, FileProgress, FileWaits
from socp.talk.entries import Entry
from socp.talk.words import (
    SHOWN_COLUMNS,
    Label,
    clock,
    marks,
    note,
    path_text,
    shown_name,
    size_text,
    trust_mark,
)
from socp.wire.text import printable

News = FileOffered | FileWaits | FileDone | FileFailed


def progress_text(at: FileProgress, peer: str) -> str:
    """How far a file is, how fast, and how long it takes yet. `peer`: what they are called."""
    return f"{_whose(at, peer)}: {share_text(at)}{pace_text(at)}"


def pace_text(at: FileProgress) -> str:
    """How fast it is, and how long it takes yet, where that is known."""
    rate = f", {size_text(at.bytes_per_s)}/s" if at.bytes_per_s else ""
    return rate + ("" if at.remaining_s is None else f", {_duration(at.remaining_s)} left")


def waiting_text(at: FileWaits, peer: str) -> str:
    """How far a file is that does not move now."""
    return f"{_whose(at, peer)} waits at {share_text(at)}"


def _whose(at: FileProgress | FileWaits, peer: str) -> str:
    name = shown_name(printable(at.name, width=SHOWN_COLUMNS // 2))
    return f"{name} {'to' if at.sending else 'from'} {peer}"


def share_text(at: FileProgress | FileWaits) -> str:
    """How much of it is there."""
    return f"{100 * at.done // max(at.size, 1)}% of {size_text(at.size)}"


def _duration(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def file_entry(notice: News, name_of: Label, now: int) -> Entry:
    """What became of a file. `name_of`: what a user id is called here; `now`: Unix ms."""
    name = shown_name(printable(notice.name, width=SHOWN_COLUMNS))
    if isinstance(notice, FileFailed):
        way = "not sent to" if notice.sending else "not received from"
        text = f"{name} {way} {name_of(notice.peer)}: {notice.reason}"
        return note(now, text, "class:warn")
    size = size_text(notice.size)
    match notice:
        case FileOffered():
            trust = trust_mark(notice.trust)
            text = f"{name_of(notice.author)} sends {name} ({size})"
            return Entry((*marks(now, now, notice.public, trust), ("class:name", text)))
        case FileWaits():
            text = f"{waiting_text(notice, name_of(notice.peer))}: {notice.reason}"
            return note(now, text, "class:warn")
        case FileDone(kept=True):
            text = f"{name} ({size}) for {name_of(notice.peer)}: a server keeps it until they"
            text += " are back"
        case FileDone(sending=True):
            text = f"{name} ({size}) sent to {name_of(notice.peer)}"
        case FileDone():
            text = f"{name} ({size}) received from {name_of(notice.peer)}, SHA-256 right, saved as"
            text += f" {path_text(notice.path)}"
        case _:
            assert_never(notice)
    return Entry((clock(now, now), ("class:good", text)))
