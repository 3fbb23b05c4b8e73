"""Looking back: what was said, by conversation and by its words.

It is read from the disk, beside whatever is being written, also from a profile that another process
is using: `History.open` takes no lock and changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final, TypeVar

from socp.client import unlocking
from socp.client.errors import ClientClosed, ProfileResealed, ProfileUnusable
from socp.client.finding import find
from socp.client.opening import next_try
from socp.client.profile_folder import check_begun
from socp.client.unlocking import Lock, Passphrase
from socp.crypto.keys import RsaSuite
from socp.crypto.vault import Vault
from socp.keystore import KeyFileError
from socp.member.contacts import AddressBook, Contacts
from socp.member.effects import Amended
from socp.member.history_line import REACTION, Conversation, HistoryLine
from socp.member.records import Remembered
from socp.storage.errors import SealedAnew, StorageError
from socp.storage.profile_reader import ProfileReader

LINES: Final = 100
T = TypeVar("T")


class History:
    """What was said in one profile. ProfileUnusable where it cannot be read, ProfileResealed where
    it has to be opened again, ClientClosed once it is closed."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._folder = folder
        self._vault = vault
        self._turn = threading.Lock()
        self._reader: ProfileReader | None = None  # opened when something is asked
        self._closed = False

    async def lines(
        self, talk: str, *, since_ms: int = 0, before: int = 0, limit: int = LINES
    ) -> list[HistoryLine]:
        """The newest lines with a user id or "public", the oldest of them first. `since_ms`: only
        what came then (Unix ms) or later; `before`: only lines with a smaller number."""
        return await self._asked(
            lambda reader: reader.lines(talk, since_ms=since_ms, before=before, limit=limit)
        )

    async def lines_after(self, talk: str, number: int, *, limit: int = LINES) -> list[HistoryLine]:
        """The lines with a user id or "public" that follow the one of this number, the oldest of
        them first."""
        return await self._asked(lambda reader: reader.lines_after(talk, after=number, limit=limit))

    async def search(self, words: str, *, talk: str = "", limit: int = LINES) -> list[HistoryLine]:
        """The newest lines that have all these words in them, be they parts of longer ones, the
        newest first; with a user id or "public", or with anybody."""
        return await self._asked(lambda reader: reader.search(words, talk=talk, limit=limit))

    async def line_of(self, msg_ref: str) -> HistoryLine | None:
        """The line that a reply or a reaction is about; None where it is not known here."""
        return await self._asked(lambda reader: reader.line_of(msg_ref))

    async def counts(self, change: Amended) -> bool:
        """Whether a change may count, where it is known what it is about: the words of a line are
        its author's, and are changed where they were said. None does any more when this is
        closed."""
        try:
            line = await self.line_of(change.of)
        except ClientClosed:
            return False
        if line is None:
            return True
        theirs = change.kind == REACTION or line.author == change.author
        return theirs and line.talk == change.talk

    async def conversations(self, *, limit: int = LINES) -> list[Conversation]:
        """With whom there was one, the latest first, and how much of it was not read."""
        return await self._asked(lambda reader: reader.conversations(limit=limit))

    def close(self) -> None:
        """Let go of the file; blocks while something is looked up. Nothing can be asked then."""
        with self._turn:
            self._closed = True
            if self._reader is not None:
                self._reader.close()

    async def _asked(self, question: Callable[[ProfileReader], T]) -> T:
        return await asyncio.to_thread(self._answer, question)

    def _answer(self, question: Callable[[ProfileReader], T]) -> T:
        with self._turn:
            if self._closed:
                raise ClientClosed(f"{self._folder} is closed; open it again to look back")
            try:
                if self._reader is None:
                    self._reader = ProfileReader(self._folder, self._vault)
                return question(self._reader)
            except SealedAnew as fault:
                raise ProfileResealed(str(fault)) from None
            except StorageError as fault:
                raise ProfileUnusable(str(fault)) from None

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, folder: Path, lock: Lock | None = None) -> AsyncIterator[SavedHistory]:
        """The history of a profile that may be in use elsewhere, and who the people in it are.

        `lock` opens a profile that has a passphrase. VaultLocked, WrongPassphrase (who tries again
        waits), ProfileUnusable.
        """
        if isinstance(lock, Passphrase):
            await next_try(folder)
        saved = await asyncio.to_thread(_opened, folder, lock)
        try:
            yield saved
        finally:
            await asyncio.to_thread(saved.close)


class SavedHistory(History):
    """With the names of those who speak in it. Use `History.open`."""

    def __init__(self, folder: Path, vault: Vault, reader: ProfileReader) -> None:
        super().__init__(folder, vault)
        self._reader = reader
        settings = reader.settings()
        if settings is None:
            raise StorageError(
                f"nobody ever used {folder}; `socp chat` does, or give the right --profile"
            )
        self.user_id = settings.user_id
        known = Remembered(contacts=reader.contacts())
        names = Contacts(RsaSuite(), settings.user_id, settings.display_name, known)
        self.contacts: AddressBook = names

    def find(self, name_or_id: str) -> str:
        """The user id meant by a name, an id or its start; UnknownPerson, AmbiguousPerson."""
        return find(self.contacts, name_or_id)


def _opened(folder: Path, lock: Lock | None) -> SavedHistory:
    check_begun(folder)
    try:
        unlocking.check_not_lost(folder)
        if not unlocking.begun(folder):
            raise ProfileUnusable(
                f"{folder} is a profile of an older version; use it once with `socp chat`, which"
                " upgrades it"
            )
        vault = unlocking.unlock(folder, lock)
        reader = ProfileReader(folder, vault)
        try:
            return SavedHistory(folder, vault, reader)
        except BaseException:
            reader.close()
            raise
    except (KeyFileError, StorageError) as fault:
        raise ProfileUnusable(str(fault)) from None
