"""The server's records on disk (sections 4, 5, 7, 10)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import ClassVar, Self, assert_never

from sqlalchemy import Connection, select

from socp.crypto.rotation import KeyStep, Revocation
from socp.node import records
from socp.node.queries import Answer, Query
from socp.storage import dialect, mail_queries, node_rows
from socp.storage import node_schema as tables
from socp.storage.address import PostgresAddress
from socp.storage.database import Database, connect
from socp.storage.folder_lock import FolderLock
from socp.storage.mail_rows import MailBatch
from socp.storage.node_rows import Batch
from socp.storage.store import Store
from socp.storage.whose import Identity

PUT_IDENTITY = dialect.upsert(tables.identity)


class NodeStore(Store[records.Record]):
    """`NodeStore.open(folder)`, `load()` once, then `write()` as the brain says."""

    SCHEMA = tables.SCHEMA
    OPTION: ClassVar[str] = "--data-dir"

    @classmethod
    def open(
        cls,
        folder: Path | None,
        address: PostgresAddress | None = None,
        lock: FolderLock | None = None,
    ) -> Self:
        """Take the folder's lock, check the database and bring it to our format. Blocks.

        The database is the one at `address`, else a file in the folder; None keeps everything in
        memory. A `lock` that is held already is taken over. FolderBusy, or StorageError with the
        line to show.
        """
        with cls._locked(folder, lock) as held:
            return cls(Database(connect(folder, address), cls.SCHEMA, folder), held)

    @property
    def place(self) -> str:
        """The database, as people know it."""
        return self._database.place

    def identity(self) -> Identity | None:
        """Whose database this is; None in a new one."""
        ours = select(tables.identity.c.server_id, tables.identity.c.fingerprint)
        row = self._read(lambda connection: connection.execute(ours).one_or_none())
        return Identity(row.server_id, row.fingerprint) if row else None

    def set_identity(self, identity: Identity) -> None:
        """Durable when this returns."""
        row = {"one": 1, "server_id": identity.server_id, "fingerprint": identity.fingerprint}
        self._database.run(lambda connection: PUT_IDENTITY.run(connection, [row]))

    def load(self, now_ms: int | None = None) -> records.Remembered:
        """All that was committed before; `now_ms` None: by the clock."""
        now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        return self._read(lambda connection: node_rows.load(connection, now))

    def ask(self, query: Query) -> Future[Answer]:
        """Queue a question: the answer sees every record written before it, and none after it.

        The future resolves on the writer's thread, in the order of writes and questions, after the
        commit of what came before; it fails as those of writes do.
        """
        return self._ask(lambda connection: mail_queries.answer(connection, query))

    def _size(self, records_: Sequence[records.Record]) -> int:
        return sum(
            record.size for record in records_ if isinstance(record, records.Mail | records.Post)
        )

    def _apply(  # noqa: C901 - one case a record
        self, connection: Connection, records_: Sequence[records.Record]
    ) -> None:
        batch, mail = Batch(connection), MailBatch()
        for record in records_:
            match record:
                case (
                    records.Mail()
                    | records.MailSettled()
                    | records.MailDropped()
                    | records.MailHanded()
                    | records.Post()
                    | records.PostsDropped()
                    | records.Cursor()
                ):
                    mail.take(record)
                case records.ServerPin():
                    batch.pin(record)
                case records.Ruling():
                    batch.ruling(record)
                case records.Account():
                    batch.account(record)
                case records.AccountGone():
                    batch.account_gone(record)
                    mail.take(record)
                case records.Login():
                    batch.login(record)
                case records.LoginRemoved():
                    batch.no_login(record)
                case records.LoginSetup():
                    batch.login_setup(record)
                case records.Invitation():
                    batch.invitation(record)
                case records.InvitationGone():
                    batch.invitation_gone(record)
                case records.Home():
                    batch.home(record)
                case records.ChannelShare():
                    batch.share(record)
                case records.ChannelShareGone():
                    batch.share_gone(record)
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
        mail.flush(connection)
