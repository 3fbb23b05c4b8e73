"""Who comes and goes, told together: a server names everybody at once when we attach."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from socp.client.clock import now_ms
from socp.member.effects import PeerMoved
from socp.talk.entries import Entry
from socp.talk.phrases import Phrases

GATHER_S: Final = 0.3


class Comings:
    """Gathers for a moment, then shows one entry."""

    def __init__(self, phrases: Phrases, show: Callable[[Entry], None]) -> None:
        self._phrases = phrases
        self._show = show
        self._now: dict[str, bool] = {}  # user_id -> online, the latest; emptied by `_tell`
        self._news: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None

    def moved(self, notice: PeerMoved) -> None:
        """Somebody came or went."""
        before = self._now.pop(notice.user_id, None)
        if before is None or before == notice.online:
            self._now[notice.user_id] = notice.online  # else: came and went meanwhile
        if notice.first_seen:
            self._news.add(notice.user_id)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self._tell)

    def tell_of(self, user_id: str) -> None:
        """They speak: whoever reads must know first that they are here."""
        if user_id in self._now and self._timer is not None:
            self._timer.cancel()
            self._tell()

    def _tell(self) -> None:
        self._timer = None
        came = [user_id for user_id, online in self._now.items() if online]
        went = [user_id for user_id, online in self._now.items() if not online]
        if came or went:
            self._show(self._phrases.comings(came, went, self._news, now_ms()))
        self._now, self._news = {}, set()
