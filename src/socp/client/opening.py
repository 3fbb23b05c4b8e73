"""From what somebody says to an open profile, beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import socp
from socp.client import unlocking
from socp.client.profile_folder import Chosen, OpenProfile, open_profile
from socp.client.unlocking import Lock, Passphrase
from socp.client.unstoppable import finished
from socp.crypto.keys import Suite
from socp.member.profile import Profile

_CLIENT: Final = f"socp/{socp.__version__}"
COPIES: Final = ("login", "import")  # lives of a profile that had one before


def chosen(name: str, downloads: Path | None) -> Chosen:
    """As it is remembered; a server is only when it took us, for it may be mistyped."""
    return Chosen(name, downloads=str(downloads.absolute()) if downloads else "")


async def next_try(folder: Path) -> None:
    """After wrong passphrases the next one waits, 30 s at most. ProfileUnusable."""
    await asyncio.sleep(await asyncio.to_thread(unlocking.wait_s, folder))


async def opened(
    folder: Path,
    said: Chosen,
    suite: Suite,
    lock: Lock | None,
    making_key: Callable[[], None],
    usual: Chosen,
) -> OpenProfile:
    """As `open_profile`; after wrong passphrases the next one waits."""
    if isinstance(lock, Passphrase):
        await next_try(folder)
    opening = asyncio.to_thread(open_profile, folder, said, suite, lock, making_key, usual)
    return await finished(opening, lambda late: late.store.close())


def who(profile: OpenProfile, server: str, invitation: str) -> Profile:
    """What the brain is told of it."""
    settings = profile.settings
    return Profile(
        settings.user_id,
        settings.display_name,
        _CLIENT,
        server,
        invitation,
        run=settings.run,
        since_ms=settings.began_ms if settings.origin in COPIES else 0,
        tell_delivered=settings.tell_delivered,
        tell_read=settings.tell_read,
    )
