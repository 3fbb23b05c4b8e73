"""What was received before, for ever, sealed many at a time: 100,000 of them are read at a start.

Each commit appends one row with all that it brought; now and then the small rows become one.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from socp.crypto.vault import Vault
from socp.member.records import Seen
from socp.storage import profile_schema as tables
from socp.storage.sealed_rows import numbered, opened

FOLD_EVERY: Final = 256  # rows
FOLDED_BYTES: Final = 16 * 1024  # a row of so many bytes is left as it is
_TABLE: Final = tables.seen.name


class _Block(msgspec.Struct, frozen=True, array_like=True):
    """One row. An author is written once, and named by their place."""

    authors: list[str]
    seen: list[tuple[str, bytes, int, int]]  # msg_ref, digest, place of the author, ts


_decode = msgspec.msgpack.Decoder(_Block).decode


def append(connection: Connection, vault: Vault, seen: Sequence[Seen]) -> None:
    """Add what was received."""
    last = connection.execute(select(func.max(tables.seen.c.name))).scalar_one()
    number = int.from_bytes(last, "big") + 1 if last else 1
    _put(connection, vault, number, seen)
    if number % FOLD_EVERY == 0:
        _fold(connection, vault)


def load(connection: Connection, vault: Vault) -> tuple[Seen, ...]:
    """All of it, in the order in which it came; the last of two with one msg_ref."""
    columns = tables.seen.c
    rows = connection.execute(select(columns.name, columns.sealed).order_by(columns.name))
    authors: dict[str, str] = {}  # one string for all that somebody wrote
    with _uncollected():
        return tuple(
            {
                one.msg_ref: one
                for name, sealed in rows
                for one in _opened(vault, name, sealed, authors)
            }.values()
        )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nothing of what is made meanwhile is garbage; to look for some, again and again among ever
    more of it, takes a third of the time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _fold(connection: Connection, vault: Vault) -> None:
    """The small rows become one, which takes the place of the first of them."""
    columns = tables.seen.c
    small = func.length(columns.sealed) < FOLDED_BYTES
    rows = connection.execute(
        select(columns.name, columns.sealed).where(small).order_by(columns.name)
    ).all()
    seen = [one for name, sealed in rows for one in _opened(vault, name, sealed, {})]
    connection.execute(delete(tables.seen).where(small))
    _put(connection, vault, int.from_bytes(rows[0].name, "big"), seen)


def _put(connection: Connection, vault: Vault, number: int, seen: Sequence[Seen]) -> None:
    places: dict[str, int] = {}
    entries = [
        (one.msg_ref, one.digest, places.setdefault(one.author, len(places)), one.ts)
        for one in seen
    ]
    name = numbered(number)
    sealed = vault.seal(_TABLE, name, msgspec.msgpack.encode(_Block(list(places), entries)))
    connection.execute(insert(tables.seen), {"name": name, "sealed": sealed})


def _opened(vault: Vault, name: bytes, sealed: bytes, authors: dict[str, str]) -> Iterator[Seen]:
    block = _decode(opened(vault, _TABLE, name, sealed))
    named = [authors.setdefault(author, author) for author in block.authors]
    for msg_ref, digest, place, ts in block.seen:
        yield Seen(msg_ref, digest, named[place], ts)
