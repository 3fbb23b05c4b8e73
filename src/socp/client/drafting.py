"""What somebody typed and did not say yet, kept in the profile, sealed as all of it is (threat P4).

await me.keep_drafts({bob: Draft("half a sen")})
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from socp.client.errors import ProfileUnusable
from socp.client.walk import now
from socp.member.draft import Draft, KeptDraft
from socp.storage.errors import StorageError

if TYPE_CHECKING:
    from socp.client.walk import Walk
    from socp.storage.profile_store import ProfileStore


class Drafting:
    """The part of a `Client` that keeps what was not said. How much that may be is for the program
    to bound in which somebody types."""

    _walk: Walk
    _store: ProfileStore
    _kept_ms: int = 0  # when any was kept last

    async def drafts(self) -> dict[str, Draft]:
        """What was kept, by user id or "public", the longest kept first. ProfileUnusable."""
        self._walk.check_open()
        try:
            kept = await asyncio.wrap_future(self._store.drafts())
        except StorageError as fault:
            raise ProfileUnusable(f"what was typed cannot be read again: {fault}") from None
        return {one.talk: one.draft for one in kept}

    async def keep_drafts(self, drafts: Mapping[str, Draft]) -> None:
        """Keep these in the place of those that were kept for the same conversations; an empty one
        is forgotten. On the disk when this returns. ProfileUnusable."""
        self._walk.check_open()
        self._kept_ms = max(now().wall, self._kept_ms + 1)  # two within a millisecond have an order
        kept = [KeptDraft(talk, draft, self._kept_ms) for talk, draft in drafts.items()]
        try:
            await asyncio.wrap_future(self._store.write(kept))
        except StorageError as fault:
            raise ProfileUnusable(f"nothing more can be remembered: {fault}") from None
