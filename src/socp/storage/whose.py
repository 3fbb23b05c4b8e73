"""Whose database a file is, read without SQLAlchemy, whose import costs as much as all else of a
start: so a server can say who it is, and listen, while its store is opened."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

NODE_FORMAT: Final = 6
_ASKED: Final = "SELECT server_id, fingerprint, version_num FROM identity, alembic_version"


@dataclass(frozen=True, slots=True)
class Identity:
    """A server: its id, and the key that proves it."""

    server_id: str
    fingerprint: str | None  # 64 hex; None in a database of before it was noted


def identity_in(file: Path) -> Identity | None:
    """None where that is not plain: no such file, another format, or a damaged one; who opens it
    says why. The file alone is read, and nothing is written: what a server that was killed left
    in its log is read when the store is opened."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?immutable=1", uri=True)) as database:
            found = database.execute(_ASKED).fetchall()
    except (sqlite3.Error, UnicodeError):  # the latter by what a damaged schema is called
        return None
    if len(found) != 1 or found[0][2] != f"node_{NODE_FORMAT:04d}":
        return None
    return Identity(*found[0][:2])
