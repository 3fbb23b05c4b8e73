"""Who asks for much keeps others of that kind waiting, and not whoever says a word (S3)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from aiohttp import WSMessage, WSMsgType

from socp.node.events import Event, FrameReceived, LinkLost, LinkOpened
from socp.server.connection import Ear
from socp.server.gate import Gate
from socp.server.link import Links
from socp.server.shift import AT_ONCE, SHORT_BYTES, TURN_S, Shift
from socp.server.turn import Turn
from tests.server.rig import message
from tests.server.test_pacing import Socket

STEP_S = 0.005  # of each thing that is looked at
STEPS = round(TURN_S / STEP_S)
MANY = 100
LONG = message("PRESENCE_WATCH", users="x" * SHORT_BYTES).encode()
SHORT = message("MSG_DIRECT", ciphertext="x" * 2_000).encode()


@dataclass
class Said:
    """A socket that says one thing, after so many turns of the loop, and then ends or is silent."""

    data: bytes
    after: int = 0
    ends: bool = False
    close_code: int | None = None
    said: bool = False

    async def receive(self) -> WSMessage:
        for _ in range(self.after):
            await asyncio.sleep(0)
        if self.said and not self.ends:
            await asyncio.get_running_loop().create_future()
        if self.ends:
            return WSMessage(WSMsgType.CLOSED, None, None)
        self.said = True
        return WSMessage(WSMsgType.TEXT, self.data, None)


@dataclass
class House:
    """Ears on one loop, whose clock goes on with what is looked at."""

    now_s: float = 0.0
    heard: list[Event] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.shift = Shift(loop.call_soon, lambda: self.now_s)
        self.links = Links(self.tell, Turn(loop.call_soon, loop.call_later))

    def tell(self, event: Event) -> None:
        if isinstance(event, FrameReceived | LinkLost):
            self.now_s += STEP_S
            self.heard.append(event)

    def comes(self, said: Said) -> None:
        link = self.links.add(cast("Any", Socket()), masked=False, meter=None)
        ear = Ear(link, said, self.tell, Gate(), self.shift)
        opened = LinkOpened(link.id, "127.0.0.1", True, False, b"", "")
        self.tasks.append(asyncio.create_task(ear.listen(opened)))

    def before(self, is_it: Callable[[Event], bool]) -> int:
        """How many things were looked at before the first of these."""
        return next(n for n, event in enumerate(self.heard) if is_it(event))

    async def run(self, until: Callable[[], bool]) -> None:
        for _ in range(10 * MANY):
            if until():
                break
            await asyncio.sleep(0)
        for task in self.tasks:
            task.cancel()


def is_short(event: Event) -> bool:
    return isinstance(event, FrameReceived) and event.envelope.type == "MSG_DIRECT"


@pytest.mark.threat("S3")
@pytest.mark.parametrize("ends", [False, True])
async def test_a_message_waits_for_few_of_the_many_who_ask_or_leave_at_once(ends: bool) -> None:
    house = House()
    for _ in range(MANY):
        house.comes(Said(LONG, ends=ends))
    house.comes(Said(SHORT, after=1))
    await house.run(lambda: len(house.heard) > MANY)
    assert house.before(is_short) <= STEPS + AT_ONCE
    assert len(house.heard) > MANY, "and all of them had their turn"


async def test_what_is_long_is_heard_in_the_order_it_came_in() -> None:
    house = House()
    for _ in range(MANY):
        house.comes(Said(LONG))
    await house.run(lambda: len(house.heard) == MANY)
    links = [event.link for event in house.heard if isinstance(event, FrameReceived)]
    assert links == sorted(links)


async def test_while_little_is_done_nobody_waits() -> None:
    house = House()
    for _ in range(STEPS):
        house.comes(Said(LONG))
    await asyncio.sleep(0)
    assert len(house.heard) == STEPS
    await house.run(lambda: True)


async def test_who_is_given_up_while_waiting_takes_nobodys_turn() -> None:
    house = House()
    for _ in range(STEPS + 2 * AT_ONCE):
        house.comes(Said(LONG))
    await asyncio.sleep(0)
    for task in house.tasks[STEPS : STEPS + AT_ONCE]:
        task.cancel()
    await house.run(lambda: len(house.heard) == STEPS + 2 * AT_ONCE)
    assert sum(isinstance(event, FrameReceived) for event in house.heard) == STEPS + AT_ONCE
