"""Long lists for many who read slowly together hold no more than for a few (section 5; S11)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, cast

import pytest

from socp.node.effects import Snapshot
from socp.server import hands
from socp.server.hands import Hands
from socp.server.link import Link, Links
from socp.server.outbox import WRITE_BYTES
from socp.server.turn import Turn
from tests.server.rig import KEY
from tests.server.wires import Loop, Wire

FRAMES = (b"x" * 2_400,) * 300  # as many as keep a link busy beyond its share


class Socket(Wire):
    """A transport that nobody reads from."""

    def get_extra_info(self, _name: str) -> None:
        return None


class Room:
    """Hands, and links that take nothing."""

    def __init__(self, signers: object = KEY) -> None:
        loop = Loop()
        turn = Turn(loop.asked.append, lambda _s, _due: None)
        self.links = Links(self._ignore, turn)
        self.tasks: list[asyncio.Task[None]] = []
        self.passed: list[int] = []
        self.hands = Hands(
            self.links,
            cast("Any", signers),
            self._start,
            cast("Any", self._ignore),
            self._ignore,
            self._ignore,
            self._ignore,
            lambda: None,
            self.passed.append,
        )

    def _ignore(self, _what: object) -> None:
        return None

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.create_task(work))

    def tell(self, count: int) -> list[Link]:
        """So many newcomers, each told the list."""
        added = [
            self.links.add(cast("Any", Socket()), masked=False, meter=None) for _ in range(count)
        ]
        for link in added:
            self.hands.carry(Snapshot(link.id, FRAMES))
        return added

    async def end(self) -> None:
        for link in self.links:
            cast("Socket", link.transport).closing = True
        await asyncio.gather(*self.tasks)


@pytest.mark.spec("5")
@pytest.mark.threat("S11")
@pytest.mark.parametrize("count", [1, 10, 60, 400])
async def test_what_snapshots_hold_is_bounded_for_all_of_them_together(
    count: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "server.frames")  # else each of 90,000 frames is a line
    room = Room()
    told = room.tell(count)
    for _ in range(3):
        await asyncio.sleep(0)
    held = [link.outbox.queued_bytes for link in told]
    assert all(held)
    assert sum(held) <= 2 * hands.PACED_BYTES + hands.PACE_BYTES
    assert max(held) <= hands.PACE_BYTES + WRITE_BYTES + len(FRAMES[0])
    assert sum(room.passed) == pytest.approx(sum(held), rel=0.02)
    await room.end()
    assert [link.paced_bytes for link in told] == [0] * count
