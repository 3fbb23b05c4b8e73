"""Former keys and revocations of users as rows, and back: one form for server and client."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import BigInteger, Column, Connection, MetaData, Select, Table, Text, select, text

from socp.crypto.rotation import KeyStep, Revocation
from socp.storage.dialect import Put, upsert
from socp.storage.rows import Rows


def history_table(metadata: MetaData) -> Table:
    """Every key that a user had, with the word of the one before it."""
    return Table(
        "key_history",
        metadata,
        Column("user_id", Text, primary_key=True),
        Column("version", BigInteger, primary_key=True, autoincrement=False),
        Column("pubkey", Text, nullable=False),
        Column("ts", BigInteger, nullable=False),
        Column("sig", Text, nullable=False),
        Column("new_sig", Text, nullable=False),
        Column("follows", Text, nullable=False, server_default=text("''")),
    )


def revocations_table(metadata: MetaData) -> Table:
    """Ids whose owners revoked them, for ever."""
    return Table(
        "revocations",
        metadata,
        Column("user_id", Text, primary_key=True),
        Column("pubkey", Text, nullable=False),
        Column("version", BigInteger, nullable=False),
        Column("ts", BigInteger, nullable=False),
        Column("sig", Text, nullable=False),
    )


class KeyRows:
    """Part of a batch."""

    def __init__(self, put_step: Put, put_revocation: Put) -> None:
        self._steps = Rows(put_step)
        self._revocations = Rows(put_revocation)

    def step(self, step: KeyStep) -> None:
        self._steps.set((step.user_id, step.version), asdict(step))

    def revocation(self, revocation: Revocation) -> None:
        self._revocations.set(revocation.user_id, asdict(revocation))

    def flush(self, connection: Connection) -> None:
        self._steps.flush(connection)
        self._revocations.flush(connection)


def puts(history: Table, revocations: Table) -> tuple[Put, Put]:
    return upsert(history), upsert(revocations)


def steps(connection: Connection, wanted: Select[tuple[object, ...]]) -> tuple[KeyStep, ...]:
    """The rows of `wanted`, a choice of whole rows of the history."""
    return tuple(
        KeyStep(
            user_id=row.user_id,
            version=row.version,
            pubkey=row.pubkey,
            ts=row.ts,
            sig=row.sig,
            new_sig=row.new_sig,
            follows=row.follows,
        )
        for row in connection.execute(wanted)
    )


def revocations(connection: Connection, table: Table) -> tuple[Revocation, ...]:
    """All of them, in the order of the ids."""
    return tuple(
        Revocation(row.user_id, row.pubkey, row.version, row.ts, row.sig)
        for row in connection.execute(select(table).order_by(table.c.user_id))
    )
