"""The client's records on disk (sections 7, 10, 12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, assert_never

from sqlalchemy import Connection, select

from socp.crypto.rotation import KeyStep, Revocation
from socp.member import records
from socp.storage import dialect, profile_rows
from socp.storage import profile_schema as tables
from socp.storage.profile_rows import Batch
from socp.storage.store import Store


class ProfileStore(Store[records.Record]):
    """`ProfileStore.open(folder)`, `load()` once, then `write()` as the brain says."""

    SCHEMA = tables.SCHEMA
    OPTION: ClassVar[str] = "--profile-dir"

    def identity(self) -> tuple[str, str] | None:
        """(user_id, display_name) of the person whose profile this is; None in a new one."""
        columns = select(tables.identity.c.user_id, tables.identity.c.display_name)
        row = self._read(lambda connection: connection.execute(columns).one_or_none())
        return (row.user_id, row.display_name) if row else None

    def set_identity(self, user_id: str, display_name: str) -> None:
        """Durable when this returns."""
        row = {"one": 1, "user_id": user_id, "display_name": display_name}
        put = dialect.upsert(tables.identity)
        self._database.run(lambda connection: put.run(connection, [row]))

    def load(self) -> records.Remembered:
        """All that was committed before."""
        return self._read(profile_rows.load)

    def _apply(self, connection: Connection, records_: Sequence[records.Record]) -> None:
        batch = Batch()
        for record in records_:
            match record:
                case records.Seen():
                    batch.seen(record)
                case records.OutboxLine():
                    batch.line(record)
                case records.Arrived():
                    batch.arrived(record)
                case records.ArrivedShown():
                    batch.shown(record.number)
                case records.Contact():
                    batch.contact(record)
                case records.KnownServer():
                    batch.server(record)
                case records.ChannelKey():
                    batch.channel_key(record)
                case (
                    records.PublicChoice()
                    | records.Said()
                    | records.SaidMoved()
                    | records.SaidReached()
                    | records.Amendment()
                ):
                    continue  # the history is kept in sealed rows, which this format has none of
                case KeyStep():
                    batch.keys.step(record)
                case Revocation():
                    batch.keys.revocation(record)
                case _:
                    assert_never(record)
        batch.flush(connection)
