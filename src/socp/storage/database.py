"""One database, one connection: transactions one at a time, faults as lines for people."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from socp.storage import backup, dialect
from socp.storage.errors import BadRecord, StorageError
from socp.storage.formats import Schema, bring_up

FILE_NAME = "socp.db"

T = TypeVar("T")


class Database:
    """Open, in our format. Any thread may use it; StorageError is all that leaves its methods.

    `backup` is the copy that an upgrade made while opening, else None.
    """

    def __init__(self, folder: Path | None, schema: Schema) -> None:
        """Open `socp.db` in `folder`, made where it is missing; in memory when `folder` is None."""
        file = _private_file(folder) if folder else None
        self.place = str(file or "memory")
        self._file = file
        self._inode = file.stat().st_ino if file else 0
        self._turn = threading.Lock()
        self._closed = False
        self._engine: Engine = dialect.connect_file(file) if file else dialect.connect_memory()
        try:
            self.backup = bring_up(self._engine, schema, file)
        except dialect.RAISED as fault:
            self._engine.dispose()
            raise dialect.explain(fault, self.place) from fault
        except BaseException:
            self._engine.dispose()
            raise

    def run(self, work: Callable[[Connection], T], *, read: bool = False) -> T:
        """Do `work` in a transaction: committed, and on the disk, when this returns, or undone.

        With `read` it begins without asking for the right to write, which it may not get.
        """
        with self._turn:
            self._check()
            try:
                with self._engine.connect() as connection:
                    connection.execution_options(**{dialect.READ: read})
                    with connection.begin():
                        return work(connection)
            except dialect.RAISED as fault:
                told = dialect.explain(fault, self.place)
                if not isinstance(told, BadRecord) and self._file:
                    # A connection made while the disk was read-only stays so: start anew.
                    self._engine.dispose()
                raise told from fault

    @contextmanager
    def part(self, connection: Connection) -> Iterator[None]:
        """A part of a transaction that can fail by itself: BadRecord undoes only the part."""
        savepoint = connection.begin_nested()
        try:
            yield
            savepoint.commit()
        except dialect.RAISED as fault:
            told = dialect.explain(fault, self.place)
            if isinstance(told, BadRecord):  # else the whole is lost, and SQLite may have undone it
                savepoint.rollback()
            raise told from fault
        except Exception:
            savepoint.rollback()
            raise

    def _check(self) -> None:
        """Refuse to commit to where nobody would find it."""
        if self._closed:
            raise StorageError(f"{self.place} is closed; open it again")
        if not self._file:
            return
        try:
            moved = self._file.stat().st_ino != self._inode
        except OSError:
            moved = True
        if moved:  # SQLite would go on: its log is open, and writes to a deleted file succeed
            line = f"{self.place}: moved or deleted while in use; put it back or restart"
            raise StorageError(line)

    def close(self) -> None:
        """After the transaction under way, if there is one."""
        with self._turn:
            self._closed = True
            self._engine.dispose()


def _private_file(folder: Path) -> Path:
    """The database's file, made where it is missing, for our eyes only (threat P3)."""
    file = folder / FILE_NAME
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
        backup.sync_folder(folder)
    except OSError as fault:
        raise StorageError(
            f"{file} cannot be used: {fault.strerror}; make it writable for this user"
        ) from fault
    return file
