"""Group commit: one thread commits together all that queued while the last commit was under way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy import Connection

from socp.storage.database import Database
from socp.storage.errors import BadRecord, StorageError

QUEUED_RECORDS_MAX = 50_000  # at 20,000 a second, what a disk that hangs for two seconds costs

R = TypeVar("R")
Apply = Callable[[Connection, Sequence[R]], None]


@dataclass(frozen=True, slots=True)
class Write(Generic[R]):
    """What one call to `put` brought: committed whole or not at all."""

    records: tuple[R, ...]
    done: Future[None] = field(default_factory=Future)


class Writer(Generic[R]):
    """Waits on a condition while there is nothing to do, and costs nothing then."""

    def __init__(
        self, database: Database, apply: Apply[R], *, queued_max: int = QUEUED_RECORDS_MAX
    ) -> None:
        self._database = database
        self._apply = apply
        self._queued_max = queued_max
        self._queue: list[Write[R]] = []
        self._queued = 0
        self._closing = False
        self._news = threading.Condition()
        # A daemon: a process that forgot to close must still be able to end.
        self._thread = threading.Thread(target=self._run, name="socp-storage", daemon=True)
        self._thread.start()

    def put(self, records: Sequence[R]) -> Future[None]:
        """Queue a write. The future resolves after its commit, in the order of the puts.

        It fails with StorageError, at once where the queue is full or closed; it cannot be
        cancelled, for what waits on it is on its way to the disk.
        """
        write = Write(tuple(records))
        write.done.set_running_or_notify_cancel()
        with self._news:
            refusal = self._refusal(len(write.records))
            if refusal is None:
                self._queue.append(write)
                self._queued += len(write.records)
                self._news.notify()
        if refusal:
            write.done.set_exception(refusal)
        return write.done

    def close(self) -> None:
        """Commit what is queued and end the thread; later puts fail."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join()

    def _refusal(self, more: int) -> StorageError | None:
        if self._closing:
            return StorageError(f"{self._database.place} is closed; nothing more is stored")
        # A write alone may be longer: it could not be made any other way.
        if self._queued and self._queued + more > self._queued_max:
            return StorageError(
                f"{self._database.place}: the disk does not keep up, {self._queued} records wait; "
                "try again later, and look what slows the disk down"
            )
        return None

    def _run(self) -> None:
        while batch := self._take():
            self._commit(batch)

    def _take(self) -> list[Write[R]]:
        """Everything queued, waiting for something; nothing once closed and empty."""
        with self._news:
            while not self._queue and not self._closing:
                self._news.wait()
            batch, self._queue, self._queued = self._queue, [], 0
            return batch

    def _commit(self, batch: list[Write[R]]) -> None:
        records = [record for write in batch for record in write.records]
        try:
            if records:
                with self._database.transaction() as connection:
                    self._apply(connection, records)
        except BadRecord:
            self._commit_apart(batch)
        except StorageError as fault:
            _settle(batch, [fault] * len(batch))
        except Exception:  # noqa: BLE001 - a bug fails the write it came with, below, and not the thread
            self._commit_apart(batch)
        else:
            _settle(batch, [None] * len(batch))

    def _commit_apart(self, batch: list[Write[R]]) -> None:
        """One of the batch does not fit: one transaction still, each write standing for itself."""
        try:
            with self._database.transaction() as connection:
                verdicts = [self._attempt(connection, write) for write in batch]
        except StorageError as fault:
            _settle(batch, [fault] * len(batch))
        else:
            _settle(batch, verdicts)

    def _attempt(self, connection: Connection, write: Write[R]) -> Exception | None:
        try:
            with self._database.part(connection):
                self._apply(connection, write.records)
        except BadRecord as fault:
            return fault
        except StorageError:
            raise
        except Exception as bug:  # noqa: BLE001 - reaches whoever waits for this write
            return bug
        return None


def _settle(batch: list[Write[R]], verdicts: Sequence[Exception | None]) -> None:
    for write, verdict in zip(batch, verdicts, strict=True):
        if verdict is None:
            write.done.set_result(None)
        elif isinstance(verdict, StorageError):
            # One for each: raising an exception writes into it.
            write.done.set_exception(type(verdict)(*verdict.args))
        else:
            write.done.set_exception(verdict)
