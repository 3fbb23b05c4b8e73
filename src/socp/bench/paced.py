"""Rounds at the pace of those who listen: the next is said when nearly all that was said before was
heard by all whom it is for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from socp.bench.load_link import LoadLink, ignored
from socp.bench.rounds import ERROR, PATIENCE_S
from socp.bench.trouble import CannotMeasure

UNDER_WAY: Final = 4  # of what not everybody has heard


class PacedRound:
    """`said`: who says what, in this order; each is heard `each` times on `links`, as `kind`."""

    def __init__(
        self,
        said: Sequence[tuple[LoadLink, bytes]],
        links: Sequence[LoadLink],
        kind: bytes,
        *,
        each: int,
        under_way: int = UNDER_WAY,
    ) -> None:
        self._turns = said
        self._links = {*links, *(link for link, _ in said)}
        self._kind, self._each, self._under_way = kind, each, under_way
        self.owed = each * len(said)
        self._said = self._heard = 0
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Return when all was heard. Raises CannotMeasure."""
        for link in self._links:
            link.heard = self._hear
        self._say()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._over
        except TimeoutError:
            lost = sum(link.lost for link in self._links)
            raise CannotMeasure(
                f"{self._heard} of {self.owed} deliveries came in {PATIENCE_S} s ({lost} lost)"
            ) from None
        finally:
            for link in self._links:
                link.heard = ignored

    def _say(self) -> None:
        due = min(self._heard // self._each + self._under_way, len(self._turns))
        while self._said < due:
            link, frame = self._turns[self._said]
            self._said += 1
            link.send(frame)

    def _hear(self, _link: LoadLink, kind: bytes, frame: bytes) -> None:
        if kind == ERROR and not self._over.done():
            self._over.set_exception(CannotMeasure(f"refused: {frame[:400]!r}"))
        if kind != self._kind:
            return
        self._heard += 1
        if self._heard == self.owed and not self._over.done():
            self._over.set_result(None)
        if self._heard % self._each == 0:
            self._say()
