"""What strangers are told of a store that fails: the kind, and no path, host or address (P5)."""

from __future__ import annotations

from typing import Final

_KINDS: Final = (
    ("disk is full", "the disk is full"),
    ("disk of the database is full", "the disk is full"),
    ("disk I/O error", "the disk does not read or write"),
    ("does not keep up", "the disk does not keep up"),
    ("locked", "the database is locked"),
    ("cannot be written", "the database takes no writes"),
    ("takes no writes", "the database takes no writes"),
    ("damaged", "the database is damaged"),
    ("out of memory", "the database is out of memory"),
    ("cannot be reached", "the database is away"),
    ("see that PostgreSQL runs", "the database is away"),
)


def kind_of(reason: str) -> str:
    """The kind of trouble in `reason`, the line that the operator's log has."""
    said = next((kind for text, kind in _KINDS if text in reason), "its storage does not work")
    return f"{said}; the operator's log has the reason"
