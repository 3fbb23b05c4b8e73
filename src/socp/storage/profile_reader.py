"""A look into a profile beside whoever works with it: its history, and whose it is. Nothing is
changed, and no lock is taken."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from sqlalchemy import Connection

from socp.crypto.vault import Vault
from socp.member.history_line import Conversation, HistoryLine
from socp.member.records import Contact, Settings
from socp.storage import history_queries, profile_rows, sealed_rows
from socp.storage.errors import SealedAnew, StorageError
from socp.storage.formats import format_of
from socp.storage.legible import legible
from socp.storage.profile_schema import SCHEMA
from socp.storage.resealed_rows import sealed_by
from socp.storage.sqlite import FILE_NAME, Sqlite

T = TypeVar("T")
_CONTACTS: Final = profile_rows.OF[Contact]


class ProfileReader:
    """Sees what was committed before each question. Any thread may ask; each question blocks.

    StorageError is all that leaves its methods.
    """

    def __init__(self, folder: Path, vault: Vault) -> None:
        """StorageError where there is no profile of our format."""
        file = folder / FILE_NAME
        self._turn = threading.Lock()
        self._vault = vault  # or its former one, as long as that has the rows
        self._vaults = (vault, vault.former) if vault.former else (vault,)
        try:
            self._database = Sqlite.to_read(file)
        except OSError as fault:
            raise StorageError(
                f"there is no profile in {folder} ({fault.strerror}); give the right --as, or talk"
                " once with `socp chat`"
            ) from None
        try:
            number = self._look(lambda there: format_of(self._database, there, SCHEMA))
            if number != SCHEMA.format:
                raise StorageError(
                    f"{file} is of an older format; use the profile once with `socp chat`, which"
                    " upgrades it"
                )
        except BaseException:
            self.close()
            raise

    def settings(self) -> Settings | None:
        """Whose profile this is; None where that was never said."""
        return self._ask(lambda there: profile_rows.settings(there, self._vault))

    def contacts(self) -> tuple[Contact, ...]:
        """Everybody whose key is known."""
        return self._ask(lambda there: sealed_rows.read(there, self._vault, _CONTACTS))

    def lines(
        self, talk: str, *, since_ms: int = 0, before: int = 0, limit: int
    ) -> list[HistoryLine]:
        """The newest lines of a conversation (user id or "public"), the oldest of them first."""
        return self._ask(
            lambda there: history_queries.lines(
                there, self._vault, talk, since_ms=since_ms, before=before, limit=limit
            )
        )

    def lines_after(self, talk: str, *, after: int, limit: int) -> list[HistoryLine]:
        """The lines of a conversation with higher numbers than `after`, the oldest first."""
        return self._ask(
            lambda there: history_queries.lines_after(
                there, self._vault, talk, after=after, limit=limit
            )
        )

    def search(self, text: str, *, talk: str = "", limit: int) -> list[HistoryLine]:
        """The newest lines with all these words in them, the newest first; `talk` "" for any."""
        return self._ask(
            lambda there: history_queries.search(there, self._vault, text, talk=talk, limit=limit)
        )

    def line_of(self, msg_ref: str) -> HistoryLine | None:
        """The line that went, or came, under a msg_ref."""
        return self._ask(lambda there: history_queries.line_of(there, self._vault, msg_ref))

    def conversations(self, *, limit: int) -> list[Conversation]:
        """Everybody with whom there is one, the latest first."""
        return self._ask(
            lambda there: history_queries.conversations(there, self._vault, limit=limit)
        )

    def close(self) -> None:
        """After the question under way, if there is one."""
        with self._turn:
            self._database.close()

    def _ask(self, answer: Callable[[Connection], T]) -> T:
        return self._look(lambda connection: self._legible(connection, answer))

    def _look(self, question: Callable[[Connection], T]) -> T:
        with self._turn:
            try:
                return self._database.drive(lambda: self._read(question))
            except self._database.raised as fault:
                told = self._database.explain(fault)
        # Not inside the except: a driver's own words may hold what was stored.
        raise told

    def _read(self, question: Callable[[Connection], T]) -> T:
        with self._database.snapshot() as connection:
            return question(connection)

    def _legible(self, connection: Connection, answer: Callable[[Connection], T]) -> T:
        self._vault = self._present(connection)
        with legible(self._database.place):
            return answer(connection)

    def _present(self, connection: Connection) -> Vault:
        """Which one the rows have now: with another's tokens nothing would be found."""
        for vault in self._vaults:
            if sealed_by(connection, vault):
                return vault
        raise SealedAnew(
            f"{self._database.place} has another key than when it was opened, as after `socp"
            " profile passwd`: open it again; if that does not help, restore a backup"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
