"""The client's records on disk, each one sealed (sections 7, 10, 12; threat P4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Self

from sqlalchemy import Connection

from socp.crypto.vault import Vault
from socp.member import records
from socp.member.draft import KeptDraft
from socp.storage import profile_rows, resealed_rows
from socp.storage import profile_schema as tables
from socp.storage.database import Database, connect
from socp.storage.folder_lock import FolderLock
from socp.storage.profile_rows import Kept
from socp.storage.sqlite import FILE_NAME, copy_file
from socp.storage.store import Store


class ProfileStore(Store[Kept]):
    """`ProfileStore.open(folder, unlock)`, `load()` once, then `write()` as the brain says."""

    SCHEMA = tables.SCHEMA
    OPTION: ClassVar[str] = "--profile"

    def __init__(
        self, database: Database, lock: FolderLock | None, vault: Vault, folder: Path | None
    ) -> None:
        self.vault = vault
        self._folder = folder
        super().__init__(database, lock)

    @classmethod
    def open(cls, folder: Path | None, unlock: Callable[[], Vault]) -> Self:
        """Take the folder's lock, have it unlocked, bring the database to our format. Blocks.

        None keeps everything in memory. FolderBusy, or StorageError with the line to show, and
        whatever `unlock` raises.
        """
        with cls._locked(folder) as lock:
            vault = unlock()
            # An upgrade seals the old rows: what is sealed already has our format.
            schema = replace(cls.SCHEMA, context={"vault": vault})
            store = cls(Database(connect(folder), schema, folder), lock, vault, folder)
            try:
                store.reseal(vault)
            except BaseException:
                store.close()
                raise
            return store

    def reseal(self, vault: Vault) -> None:
        """Have every row sealed by `vault` that its former one sealed, all or none: durable when
        this returns. Nothing happens where there is no former one, or where that was done."""
        if vault.former is not None:
            self._database.run(lambda connection: self._legible(connection, _resealed(vault)))
            self.vault = vault

    def settings(self) -> records.Settings | None:
        """Whose profile this is, and what they chose; None in a new one."""
        return self._read(lambda connection: profile_rows.settings(connection, self.vault))

    def set_settings(self, settings: records.Settings) -> None:
        """Durable when this returns."""
        self._database.run(
            lambda connection: profile_rows.put_settings(connection, self.vault, settings)
        )

    def load(self) -> records.Remembered:
        """All that was committed before."""
        return self._read(lambda connection: profile_rows.load(connection, self.vault))

    def copy_to(self, target: Path) -> None:
        """Write the database, sealed as it is, to a new file of its owner's alone. StorageError."""
        assert self._folder
        copy_file(self._folder / FILE_NAME, target)

    def sent(
        self, to: str, run: str, seqs: Sequence[int]
    ) -> Future[tuple[records.OutboxLine, ...]]:
        """What is kept of our messages of these numbers."""
        return self._ask(
            lambda connection: profile_rows.sent(connection, self.vault, to, run, seqs)
        )

    def drafts(self) -> Future[tuple[KeptDraft, ...]]:
        """What was typed and not said, the longest kept first."""
        return self._ask(lambda connection: profile_rows.drafts(connection, self.vault))

    def _apply(self, connection: Connection, records_: Sequence[Kept]) -> None:
        profile_rows.apply(connection, self.vault, records_)


def _resealed(vault: Vault) -> Callable[[Connection], None]:
    return lambda connection: resealed_rows.reseal(connection, vault)
