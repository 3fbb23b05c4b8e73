"""What a profile is opened with: as the options say, and as the person says at the first start."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote

from socp.client.client import Client
from socp.client.unlocking import Lock
from socp.crypto.keys import Suite
from socp.talk import places


@dataclass(frozen=True, slots=True)
class Opening:
    """None and "" where nothing was said yet."""

    folder: Path | None = None
    name: str = ""
    server: str = ""
    lock: Lock | None = None
    downloads: Path | None = None
    invitation: str = field(default="", repr=False)
    lock_after_s: float = 0  # 0: the screen is never locked

    def client(
        self, making_key: Callable[[], None], suite: Suite | None = None
    ) -> AbstractAsyncContextManager[Client]:
        """Open it. As `Client.open`."""
        assert self.folder is not None
        usual = places.usual(self.name or unquote(self.folder.name))
        return Client.open(
            self.folder,
            self.server,
            name=self.name,
            downloads=self.downloads,
            lock=self.lock,
            invitation=self.invitation,
            suite=suite,
            making_key=making_key,
            # A first start that is broken off is gone on with where it was to be.
            usual=replace(usual, server_url=self.server or usual.server_url),
        )
