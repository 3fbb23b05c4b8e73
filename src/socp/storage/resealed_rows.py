"""Every row of a profile from under one key to another, in one transaction (threats P4, S8)."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import Connection, Table, delete, select

from socp.crypto.keys import Unreadable
from socp.crypto.vault import Vault
from socp.member.records import Said
from socp.storage import profile_rows
from socp.storage import profile_schema as tables
from socp.storage.dialect import upsert
from socp.storage.history_reads import AMENDED, SAID
from socp.storage.history_rows import PUT_REF
from socp.storage.sealed_rows import Kind, opened, parts

_KINDS: Final[dict[Table, Kind]] = {
    # Of the kinds of one table, the first has the record; the others end it.
    kind.table: kind
    for kind in reversed((profile_rows.SETTINGS, *profile_rows.KINDS, SAID, AMENDED))
}
_BLOCKS: Final = {tables.seen, tables.said_words}  # rows of many records, named by a number
_DERIVED: Final = {tables.said_refs}  # from the lines
assert _KINDS.keys() | _BLOCKS | _DERIVED == set(tables.metadata.tables.values()), "a table is left"


def reseal(connection: Connection, vault: Vault) -> None:
    """What the former vault sealed is sealed by `vault`; nothing where that was done already."""
    if vault.former is None or sealed_by(connection, vault):
        return
    connection.execute(delete(tables.said_refs))
    for table in (*_KINDS, *_BLOCKS):
        _reseal(connection, table, vault, vault.former)


def sealed_by(connection: Connection, vault: Vault) -> bool:
    """Whether this vault sealed the rows: the settings, which every profile has, tell."""
    row = connection.execute(select(tables.settings)).first()
    try:
        return row is None or bool(vault.open(tables.settings.name, row.name, row.sealed))
    except Unreadable:
        return False


def _reseal(connection: Connection, table: Table, vault: Vault, former: Vault) -> None:
    names = connection.execute(select(table.c.name)).scalars().all()
    put, kind = upsert(table), _KINDS.get(table)
    for part in parts(names):
        these = table.c.name.in_(part)
        rows = [row._asdict() for row in connection.execute(select(table).where(these))]
        connection.execute(delete(table).where(these))
        refs: list[dict[str, bytes]] = []
        for row in rows:
            plain = opened(former, table.name, row["name"], row["sealed"])
            if kind is not None:
                record = msgspec.msgpack.decode(plain, type=kind.record)
                row["name"] = kind.name(vault, record)
                row |= {mark: vault.token(table.name, getattr(record, mark)) for mark in kind.marks}
                refs += _refs(vault, record, row["name"])
            row["sealed"] = vault.seal(table.name, row["name"], plain)
        put.run(connection, rows)
        if refs:
            PUT_REF.run(connection, refs)


def _refs(vault: Vault, record: object, name: bytes) -> list[dict[str, bytes]]:
    """By which a line is found."""
    refs = record.msg_refs if isinstance(record, Said) else ()
    return [{"name": vault.token(tables.said_refs.name, ref), "number": name} for ref in refs]
