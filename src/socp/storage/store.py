"""What the server's store and the client's share: a folder, its lock, a database, a writer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Generic, Self, TypeVar

from sqlalchemy import Connection

from socp.storage.database import Database
from socp.storage.folder_lock import FolderLock
from socp.storage.formats import Schema
from socp.storage.legible import legible
from socp.storage.writer import Told, Writer

R = TypeVar("R")
T = TypeVar("T")


class Store(ABC, Generic[R]):
    """Records of type R on disk. Any thread may call; a subclass says which tables and how."""

    SCHEMA: ClassVar[Schema]
    OPTION: ClassVar[str]  # how people choose the folder

    def __init__(self, database: Database, lock: FolderLock | None) -> None:
        self._database = database
        self._lock = lock
        self._writer: Writer[R] = Writer(database, self._apply, self._size)

    @classmethod
    @contextmanager
    def _locked(
        cls, folder: Path | None, lock: FolderLock | None = None
    ) -> Iterator[FolderLock | None]:
        """The folder's lock, for the store that is made of it; let go of where none is. `lock`:
        it is held already."""
        if folder and lock is None:
            lock = FolderLock.take(folder, option=cls.OPTION)
        try:
            yield lock
        except BaseException:
            if lock:
                lock.release()
            raise

    @property
    def backup(self) -> Path | None:
        """The copy of the old database that an upgrade made while opening, to be told to people."""
        return self._database.backup

    def write(self, records: Sequence[R]) -> Future[None]:
        """Queue records for the next commit: all of them are stored, or none.

        The future resolves when they are on the disk, in the order of the calls, on the writer's
        thread (a loop awaits `asyncio.wrap_future` of it); or fails with StorageError. Of two
        records with one key the later counts.
        """
        return self._writer.put(records)

    def give(self, given: Sequence[tuple[Sequence[R], Told]]) -> None:
        """Several writes, each as above, for whoever writes often: of each it is told, on the
        writer's thread, that it is on the disk (None) or why not. Who is told must not raise."""
        self._writer.give(given)

    def scrub(self) -> None:
        """Have nothing left in the file of what was deleted. Blocks, for as long as it is large."""
        self._database.scrub()

    def close(self) -> None:
        """Store what is queued, then let go of the folder. Harmless when repeated."""
        self._writer.close()
        self._database.close()
        if self._lock:
            self._lock.release()

    def _read(self, load: Callable[[Connection], T]) -> T:
        """What `load` makes of the committed rows; StorageError for rows we did not write."""
        return self._database.run(lambda connection: self._legible(connection, load), read=True)

    def _ask(self, answer: Callable[[Connection], T]) -> Future[T]:
        """What `answer` makes of the rows once all that was written before is committed."""
        return self._writer.ask(lambda connection: self._legible(connection, answer))

    def _legible(self, connection: Connection, load: Callable[[Connection], T]) -> T:
        with legible(self._database.place):
            return load(connection)

    def _size(self, _records: Sequence[R]) -> int:
        """How many bytes records hold that do not all have about the same."""
        return 0

    @abstractmethod
    def _apply(self, connection: Connection, records: Sequence[R]) -> None:
        """Carry the records out, in order, inside a transaction."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
