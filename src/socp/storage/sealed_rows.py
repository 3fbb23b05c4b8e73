"""Records as sealed rows, and back (threat P4): what a table holds is named by a number or a token,
and everything else is msgpack of the record itself, under the vault's seal.

A member that a record gets later, with a default, needs no migration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Column, Connection, LargeBinary, MetaData, Table, bindparam, delete, select

from socp.crypto.keys import Unreadable
from socp.crypto.vault import Vault
from socp.storage.dialect import Put, upsert

AT_ONCE: Final = 500  # rows asked for by one statement
_NUMBER_BYTES: Final = 8
_ONLY: Final = b"one"  # the name of the row in a table that has one

T = TypeVar("T")


def sealed_table(metadata: MetaData, name: str, *marks: str) -> Table:
    """Rows with a name and a sealed record; `marks` are columns of tokens, to find rows by."""
    return Table(
        name,
        metadata,
        # Big-endian numbers come in their order, as SQLite compares bytes.
        Column("name", LargeBinary, primary_key=True),
        *(Column(mark, LargeBinary, nullable=False, index=True) for mark in marks),
        Column("sealed", LargeBinary, nullable=False),
        sqlite_with_rowid=False,  # one tree, in the order of the names
    )


@dataclass(frozen=True, slots=True)
class Kind:
    """One class of records: where its rows are, what names one, and what ends it."""

    record: type[Any]
    table: Table
    key: tuple[str, ...]
    """The members that name a row: one number, or whatever makes a token. () where there is only
    one row."""
    loaded_as: str = ""  # the member of `Remembered` that has them all; "": not loaded at the start
    marks: tuple[str, ...] = ()  # text members whose tokens the columns of the same names have
    over: Callable[[Any], bool] = lambda _: False  # whether such a record ends the row it names

    def name(self, vault: Vault, record: object) -> bytes:
        """The row of this record."""
        return self.name_of(vault, *(getattr(record, member) for member in self.key))

    def name_of(self, vault: Vault, *values: object) -> bytes:
        """The row with these values of the key's members."""
        match values:
            case ():
                return _ONLY
            case (int(number),):
                return numbered(number)
            case _:
                return vault.token(self.table.name, "\0".join(map(str, values)))

    def seal(self, vault: Vault, name: bytes, record: object) -> bytes:
        """The record for its row."""
        return vault.seal(self.table.name, name, msgspec.msgpack.encode(record))

    def open(self, vault: Vault, name: bytes, sealed: bytes) -> Any:
        """The record of a row; ValueError for what this vault did not seal there."""
        plain = opened(vault, self.table.name, name, sealed)
        return msgspec.msgpack.decode(plain, type=self.record)


def numbered(number: int) -> bytes:
    """The name of the row that has this number."""
    return number.to_bytes(_NUMBER_BYTES, "big")


def opened(vault: Vault, table: str, name: bytes, sealed: bytes) -> bytes:
    """The plaintext; ValueError for what this vault did not seal there."""
    try:
        return vault.open(table, name, sealed)
    except Unreadable:
        raise ValueError(f"a row of {table} that this profile's key does not open") from None


class SealedBatch:
    """Records on their way into one transaction: of one row the last counts."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._rows: dict[Table, dict[bytes, dict[str, bytes] | None]] = {}

    def add(self, kind: Kind, record: object) -> None:
        """Keep it, or end its row."""
        name = kind.name(self._vault, record)
        rows = self._rows.setdefault(kind.table, {})
        if kind.over(record):
            rows[name] = None
            return
        table = kind.table.name
        tokens = {mark: self._vault.token(table, getattr(record, mark)) for mark in kind.marks}
        rows[name] = {"name": name, **tokens, "sealed": kind.seal(self._vault, name, record)}

    def flush(self, connection: Connection) -> None:
        """Write and forget them."""
        for table, rows in self._rows.items():
            if kept := [row for row in rows.values() if row is not None]:
                _put(table).run(connection, kept)
            if ended := [{"ended": name} for name, row in rows.items() if row is None]:
                drop = delete(table).where(table.c.name == bindparam("ended"))
                connection.execute(drop, ended)
        self._rows.clear()


_PUTS: dict[Table, Put] = {}


def _put(table: Table) -> Put:
    """Compiled once for each table."""
    if table not in _PUTS:
        _PUTS[table] = upsert(table)
    return _PUTS[table]


def read(connection: Connection, vault: Vault, kind: Kind) -> tuple[Any, ...]:
    """All records of a kind, in the order of their keys."""
    rows = connection.execute(select(kind.table.c.name, kind.table.c.sealed))
    found = [kind.open(vault, name, sealed) for name, sealed in rows]
    if kind.key:
        found.sort(key=attrgetter(*kind.key))
    return tuple(found)


def find(connection: Connection, vault: Vault, kind: Kind, names: Iterable[bytes]) -> Iterator[Any]:
    """The records of these rows, in this order, as far as there are any."""
    columns = kind.table.c
    for part in parts(names):
        these = select(columns.name, columns.sealed).where(columns.name.in_(part))
        sealed = {bytes(name): seal for name, seal in connection.execute(these)}
        yield from (kind.open(vault, name, sealed[name]) for name in part if name in sealed)


def parts(items: Iterable[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    """The items, so many at a time."""
    source = iter(items)
    while part := list(islice(source, size)):
        yield part


def by_record(kinds: Sequence[Kind]) -> dict[type[Any], Kind]:
    """The kinds, by the class of their records."""
    return {kind.record: kind for kind in kinds}
