"""A client that was just opened knows little yet: who is meant, whether the server is there, and
whether somebody can be reached are waited for, so long and no longer."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Final

from socp.client.client import Client
from socp.client.errors import NoAnswer, UnknownPerson
from socp.client.notices import Notice
from socp.member import effects
from socp.talk import places
from socp.wire.ids import PUBLIC

_NAMED_S: Final = 3.0
_LOOK_AGAIN_S: Final = 0.2  # that a key has come is told by no notice


class Patience:
    """Whoever follows the notices says so by `heard`."""

    def __init__(self, me: Client, seconds: float) -> None:
        self._me = me
        self._seconds = seconds
        self._moved = asyncio.Event()
        self._attached_s = math.inf  # monotonic

    def heard(self, notice: Notice) -> None:
        """Something happened: look again."""
        if isinstance(notice, effects.Online):
            self._attached_s = time.monotonic()
        self._moved.set()

    async def find(self, who: str) -> str:
        """A user id. The server may not have told of them yet. UnknownPerson, AmbiguousPerson."""
        until = time.monotonic() + self._seconds
        while True:
            try:
                return self._me.find(who)
            except UnknownPerson:
                if self._me.attached:  # by then everybody who is here has been named
                    until = min(until, self._attached_s + _NAMED_S)
                if time.monotonic() >= until:
                    raise
                await self._news(until - time.monotonic())

    async def addressee(self, who: str) -> str:
        """A user id, or "public" for "all"."""
        return PUBLIC if places.means_everyone(who) else await self.find(who)

    async def reached(self, to: str) -> None:
        """Return when something to `to` could go out: the link, the reader, the channel's key are
        there; or when patience ends."""
        until = time.monotonic() + self._seconds
        while not self._me.reaches(to) and time.monotonic() < until:
            await self._news(min(until - time.monotonic(), _LOOK_AGAIN_S))

    async def attached(self, *, or_replaced: bool = False) -> None:
        """Return when the server took us. NoAnswer."""
        until = time.monotonic() + self._seconds
        while not (self._me.attached or (or_replaced and self._me.replaced)):
            if time.monotonic() >= until:
                raise NoAnswer("not connected; try again when the server is back")
            await self._news(until - time.monotonic())

    async def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Whether `done` came true within so long; it is asked after each notice."""
        until = time.monotonic() + seconds
        while not (over := done()) and time.monotonic() < until:
            await self._news(until - time.monotonic())
        return over

    async def _news(self, seconds: float) -> None:
        self._moved.clear()
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._moved.wait()
        except TimeoutError:
            return
