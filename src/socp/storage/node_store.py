"""The server's records on disk (sections 4, 5, 7, 10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, assert_never

from sqlalchemy import Connection, select

from socp.crypto.rotation import KeyStep, Revocation
from socp.node import records
from socp.storage import dialect, node_rows
from socp.storage import node_schema as tables
from socp.storage.node_rows import Batch
from socp.storage.store import Store


class NodeStore(Store[records.Record]):
    """`NodeStore.open(folder)`, `load()` once, then `write()` as the brain says."""

    SCHEMA = tables.SCHEMA
    OPTION: ClassVar[str] = "--data-dir"

    def identity(self) -> str | None:
        """The server_id that this folder belongs to; None in a new one."""
        with self._database.transaction() as connection:
            return connection.execute(select(tables.identity.c.server_id)).scalar_one_or_none()

    def set_identity(self, server_id: str) -> None:
        """Durable when this returns."""
        with self._database.transaction() as connection:
            row = {"one": 1, "server_id": server_id}
            dialect.upsert(tables.identity).run(connection, [row])

    def load(self) -> records.Remembered:
        """All that was committed before."""
        return self._read(node_rows.load)

    def _apply(self, connection: Connection, records_: Sequence[records.Record]) -> None:
        batch = Batch(connection)
        for record in records_:
            match record:
                case records.ServerPin():
                    batch.pin(record)
                case records.Ruling():
                    batch.ruling(record)
                case records.Account():
                    batch.account(record)
                case records.Home():
                    batch.home(record)
                case records.ChannelShare():
                    batch.share(record)
                case records.ChannelVersion():
                    batch.channel_version(record)
                case KeyStep():
                    batch.keys.step(record)
                case Revocation():
                    batch.keys.revocation(record)
                case records.Barred():
                    batch.barred(record)
                case records.Forgotten():
                    batch.forget(record)
                case _:
                    assert_never(record)
        batch.flush()
