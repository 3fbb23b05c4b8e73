"""A new key for this profile, or its end: the files, and whoever waits for the outcome."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final

from socp.client import key_files
from socp.client.errors import KeyUnchanged, NoAnswer, ProfileUnusable
from socp.crypto.keys import Suite
from socp.crypto.vault import Vault
from socp.keystore import KeyFileError
from socp.member.effects import DropKey, OwnKeyMoved, OwnKeyState, PromoteKey
from socp.member.events import RevokeKey, RotateKey

FILES_S: Final = 5  # for two renames, before the client ends all the same
SETTLE_S: Final = 120
"""What is on its way is waited for first, and the next hello finds out an answer that was lost."""
AGAIN: Final = (
    "your id is not dead yet; it is said again whenever there is a link, for as long as this client"
    " runs, and after that you have to say it again"
)


class KeyChange:
    """One at a time."""

    def __init__(
        self,
        folder: Path,
        vault: Vault,
        suite: Suite,
        feed: Callable[[RotateKey | RevokeKey], object],
        start: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        """`start` runs something beside the rest, whose fault ends the client."""
        self._folder = folder
        self._vault = vault
        self._suite = suite
        self._feed = feed
        self._start = start
        self._outcome: asyncio.Future[OwnKeyMoved] | None = None
        self._files = asyncio.Lock()
        self._unfinished = 0
        self._are_right = asyncio.Event()
        self._are_right.set()

    async def rotate(self) -> None:
        """Make a new key and have the server take it. KeyUnchanged, NoAnswer."""
        await self._settled(self._say_new(), "it is settled at a later hello")

    async def revoke(self) -> None:
        """Have everybody told that this id is dead. KeyUnchanged, NoAnswer."""
        await self._settled(self._say_dead(), AGAIN)

    async def _say_new(self) -> None:
        key = await asyncio.to_thread(self._suite.generate)
        try:
            async with self._files:
                await asyncio.to_thread(key_files.keep_new, self._folder, key, self._vault)
        except KeyFileError as fault:
            raise KeyUnchanged(f"the new key could not be kept: {fault}") from None
        self._feed(RotateKey(key))

    async def _say_dead(self) -> None:
        self._feed(RevokeKey())

    async def _settled(self, saying: Coroutine[None, None, None], later: str) -> None:
        """`later`: what becomes of it where no answer came."""
        if self._outcome is not None:
            saying.close()
            raise KeyUnchanged("a change of your key is under way already; wait for it")
        outcome = self._outcome = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(SETTLE_S):
                await saying
                moved = await outcome
        except TimeoutError:
            raise NoAnswer(f"the server has not said what became of your key; {later}") from None
        finally:
            self._outcome = None
        if moved.state is OwnKeyState.REFUSED:
            raise KeyUnchanged(moved.reason)

    def moved(self, notice: OwnKeyMoved) -> bool:
        """The brain says how far it is. False where nobody here waits for it."""
        outcome = self._outcome
        if outcome is None or outcome.done():
            return False
        if notice.state is not OwnKeyState.WAITING:
            outcome.set_result(notice)
        return True

    def carry_out(self, effect: PromoteKey | DropKey) -> None:
        """Put the files right. Killed before that, the next start does it."""
        self._unfinished += 1
        self._are_right.clear()
        self._start(self._put_right(effect))

    async def files_right(self) -> None:
        """Return when nothing is being done to the files, or after FILES_S."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._are_right.wait(), FILES_S)

    async def _put_right(self, effect: PromoteKey | DropKey) -> None:
        try:
            async with self._files:
                if isinstance(effect, PromoteKey):
                    version = effect.former_version
                    await asyncio.to_thread(key_files.promote_new, self._folder, version)
                else:
                    await asyncio.to_thread(key_files.drop_new, self._folder)
        except KeyFileError as fault:
            raise ProfileUnusable(str(fault)) from None
        finally:
            self._unfinished -= 1
            if not self._unfinished:
                self._are_right.set()
