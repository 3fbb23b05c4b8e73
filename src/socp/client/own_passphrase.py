"""Whoever left the screen may be asked for the passphrase again; all goes on meanwhile (P4)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from socp.client import unlocking
from socp.client.opening import next_try
from socp.keystore.vault_file import Locked


class OwnPassphrase:
    """That of one open profile, for who wants to hear it once more before anything is shown."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def is_set(self) -> bool:
        """Whether the profile is sealed by a passphrase. ProfileUnusable."""
        return unlocking.locked(self._folder) is Locked.PASSPHRASE

    async def is_right(self, text: str) -> bool:
        """Whether this is the passphrase. After wrong ones the answer waits, 30 s at most; always
        False where there is none. ProfileUnusable."""
        await next_try(self._folder)
        return await asyncio.to_thread(unlocking.is_right, self._folder, text)
