"""The people and servers that the referee plays: made for one run, and nobody's afterwards."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from socp.conform.keys import PrivateKey, new_key


@dataclass(frozen=True, slots=True)
class Identity:
    """Who says something: a name for the report, an id and a key."""

    name: str
    id: str
    key: PrivateKey


def new_id() -> str:
    """A UUID v4 in lower case."""
    return str(uuid.uuid4())


class Cast:
    """Makes each one when they are first called. A key costs a processor half a second, and who is
    judged may run on this machine: so one is made after the other."""

    def __init__(self, make_key: Callable[[], PrivateKey] = new_key) -> None:
        self._make_key = make_key
        self._turn = asyncio.Lock()
        self._known: dict[str, asyncio.Future[Identity]] = {}

    async def one(self, name: str) -> Identity:
        """Who is called that in this run."""
        self.call(name)
        return await asyncio.shield(self._known[name])

    def call(self, *names: str) -> None:
        """Begin to make these, in the order in which they are needed."""
        for name in names:
            if name not in self._known:
                self._known[name] = asyncio.ensure_future(self._made(name))

    async def _made(self, name: str) -> Identity:
        async with self._turn:
            return Identity(name, new_id(), await asyncio.to_thread(self._make_key))

    async def dismiss(self) -> None:
        """Nobody is called any more."""
        for making in self._known.values():
            making.cancel()
        await asyncio.gather(*self._known.values(), return_exceptions=True)
