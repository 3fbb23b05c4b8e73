"""One database, one connection: transactions one at a time, faults as lines for people."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from socp.storage.address import PostgresAddress
from socp.storage.dialect import READ, Dialect
from socp.storage.errors import BadRecord, StorageError
from socp.storage.formats import Schema, bring_up

T = TypeVar("T")


def connect(folder: Path | None, address: PostgresAddress | None = None) -> Dialect:
    """The database at `address`, else `socp.db` in `folder`, made where it is missing, else memory.

    Nothing is read from it yet.
    """
    if address is not None:
        from socp.storage.postgresql import Postgres

        return Postgres(address)
    from socp.storage.sqlite import Sqlite

    return Sqlite.in_folder(folder) if folder else Sqlite(None)


class Database:
    """Open, in our format. Any thread may use it; StorageError is all that leaves its methods.

    `backup` is the copy that an upgrade made while opening, else None.
    """

    def __init__(self, dialect: Dialect, schema: Schema, folder: Path | None) -> None:
        """Take `dialect` over; a backup is made in `folder`, where there is one."""
        self.place = dialect.place
        self._dialect = dialect
        self._turn = threading.Lock()
        self._closed = False
        try:
            self.backup = self._bring_up(schema, folder)
        except BaseException:
            dialect.close()
            raise

    def _bring_up(self, schema: Schema, folder: Path | None) -> Path | None:
        try:
            return self._dialect.drive(lambda: bring_up(self._dialect, schema, folder))
        except self._dialect.raised as fault:
            told = self._dialect.explain(fault)
        raise told

    def run(self, work: Callable[[Connection], T], *, read: bool = False) -> T:
        """Do `work` in a transaction: committed, and on the disk, when this returns, or undone.

        With `read` it begins without asking for the right to write, which it may not get.
        """
        with self._turn:
            if self._closed:
                raise StorageError(f"{self.place} is closed; open it again")
            self._dialect.check()
            try:
                return self._dialect.drive(lambda: self._transact(work, read))
            except self._dialect.raised as fault:
                told = self._dialect.explain(fault)
            except StorageError as fault:
                told = fault
            self._dialect.recover(told)
        # Not inside the except: a driver's own words may hold what was to be stored.
        raise told

    def scrub(self) -> None:
        """Have nothing left in the file of what was deleted."""
        with self._turn:
            self._dialect.check()
            try:
                self._dialect.drive(self._dialect.scrub)
            except self._dialect.raised as fault:
                told = self._dialect.explain(fault)
            else:
                return
            self._dialect.recover(told)
        raise told

    def _transact(self, work: Callable[[Connection], T], read: bool) -> T:
        with self._dialect.connect() as connection:
            connection.execution_options(**{READ: read})
            with connection.begin():
                return work(connection)

    @contextmanager
    def part(self, connection: Connection) -> Iterator[None]:
        """A part of a transaction that can fail by itself: BadRecord undoes only the part."""
        savepoint = connection.begin_nested()
        try:
            yield
            savepoint.commit()
        except self._dialect.raised as fault:
            told = self._dialect.explain(fault)
        except Exception:
            savepoint.rollback()
            raise
        else:
            return
        if isinstance(told, BadRecord):  # else the whole is lost, and SQLite may have undone it
            savepoint.rollback()
        raise told

    def close(self) -> None:
        """After the transaction under way, if there is one."""
        with self._turn:
            if not self._closed:
                self._closed = True
                self._dialect.close()
