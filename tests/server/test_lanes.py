"""Whose frame is signed first: no message stands behind what others hear of thousands (S3)."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from types import FrameType
from typing import Any, cast

import pytest

from socp.node.effects import Outgoing, Piece, Send, Snapshot
from socp.server.lanes import NEWS_TURN, Lanes
from socp.server.signers import LISTED_A_THREAD, NEWS_A_MESSAGE, WAITING_A_THREAD, Sealed, Signers
from tests.server.test_pacing import Room, Socket
from tests.server.test_signers import Desk, said

MANY = WAITING_A_THREAD


@pytest.fixture
def desk() -> Desk:
    return Desk()


def end(desk: Desk) -> None:
    desk.signers.stop()
    desk.key.may.release(1)


@pytest.mark.threat("S3")
def test_a_message_is_signed_before_the_news_that_were_there_first(desk: Desk) -> None:
    news = desk.seal(MANY, "USER_REMOVE", is_news=True)
    message = desk.signers.seal(said(0, "USER_DELIVER"))
    desk.sign(3, until=lambda: message.framed is not None)
    assert sum(each.framed is not None for each in news) <= 2, "those that were begun"
    end(desk)


@pytest.mark.threat("S3")
def test_news_have_every_fourth_turn_however_many_messages_there_are(desk: Desk) -> None:
    messages = desk.seal(MANY, "USER_DELIVER")
    news = desk.seal(5, "USER_REMOVE", is_news=True)
    desk.sign(5 * NEWS_TURN, until=lambda: all(each.framed for each in news))
    assert sum(each.framed is not None for each in messages) <= 5 * NEWS_TURN
    end(desk)


@pytest.mark.threat("S3")
def test_nobody_is_refused_for_news_and_it_takes_many_until_nobody_is_read_from(desk: Desk) -> None:
    desk.seal(2 * MANY * NEWS_A_MESSAGE - 1, "USER_REMOVE", is_news=True)
    assert (desk.strains, desk.gate.is_open) == ([], True)
    desk.seal(1, "USER_ADVERTISE", is_news=True)
    assert (desk.strains, desk.gate.is_open) == ([], False)
    end(desk)


class Hands(Executor):
    """Threads that do something when the test says so."""

    def __init__(self) -> None:
        self.asked: deque[Callable[[], None]] = deque()

    def submit(self, work: Callable[..., Any], /, *_args: Any, **_named: Any) -> Future[Any]:
        self.asked.append(work)
        return Future()

    def go(self) -> None:
        self.asked.popleft()()


def test_what_comes_while_a_thread_goes_from_one_lane_to_the_other_is_done_too() -> None:
    hands, done = Hands(), list[str]()
    lanes = Lanes(hands)

    def add(name: str, *, is_news: bool) -> None:
        lanes.add(partial(done.append, name), is_news=is_news)

    def meanwhile(_frame: FrameType, event: str, _found: Any) -> Any:
        """Once the lane of messages was found empty: one comes, and another thread takes news."""
        if event == "exception":
            sys.settrace(None)
            add("message", is_news=False)
            hands.go()
        return meanwhile

    for turn in range(1, NEWS_TURN - 1):
        add(f"before {turn}", is_news=False)
        hands.go()
    add("news", is_news=True)
    former = sys.gettrace()
    sys.settrace(lambda frame, *_: meanwhile if frame.f_code.co_name == "_next" else None)
    try:
        hands.go()
    finally:
        sys.settrace(former)
    assert done[NEWS_TURN - 2 :] == ["news", "message"]


def names(list_at: int, count: int) -> list[Outgoing]:
    return [said(1000 * list_at + n, "USER_REMOVE") for n in range(count)]


async def told(signers: Signers, frames: list[Outgoing]) -> list[Sealed]:
    return [await signers.seal_listed(frame) for frame in frames]


@pytest.mark.threat("S3")
async def test_who_is_told_a_short_list_does_not_wait_for_those_who_are_told_long_ones(
    desk: Desk,
) -> None:
    others = [asyncio.create_task(told(desk.signers, names(at, MANY))) for at in range(4)]
    await asyncio.sleep(0)
    short = asyncio.create_task(told(desk.signers, names(4, 3)))
    most = LISTED_A_THREAD + 3 * (len(others) + 1)  # who was there first, then one of each in turn
    for _ in range(most):
        heard = desk.heard
        desk.sign(1, until=partial(lambda before: desk.heard > before, heard))
        for _ in range(5):
            await asyncio.sleep(0)
    assert short.done()
    assert not any(each.done() for each in others)
    for each in others:
        each.cancel()
    end(desk)


@pytest.mark.threat("S3")
async def test_of_long_lists_no_more_waits_than_their_share(desk: Desk) -> None:
    desk.seal(1, is_news=True)
    lists = [asyncio.create_task(told(desk.signers, names(at, MANY))) for at in range(25)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert desk.signers.is_full_for(said(-1, "USER_REMOVE"))
    assert not desk.signers.is_full_for(desk.kept[0]), "it is signed already"
    assert desk.gate.is_open, "though all of them would be too many"
    for each in lists:
        each.cancel()
    end(desk)


@pytest.mark.threat("S3")
async def test_what_is_said_now_is_signed_before_a_list_and_before_who_came_and_went(
    desk: Desk,
) -> None:
    room = Room(desk.signers)
    link = room.links.add(cast("Any", Socket()), masked=False, meter=None)
    for n in range(MANY):
        room.hands.carry(Send((link.id,), said(-1 - n, "USER_REMOVE")))
    room.hands.carry(Snapshot(link.id, tuple(names(0, MANY))))
    await asyncio.sleep(0)
    message = said(2 * MANY, "USER_DELIVER")
    room.hands.carry(Send((link.id,), message))
    desk.sign(3, until=lambda: len(desk.key.signed) == 3)
    assert message.payload in desk.key.signed
    for task in room.tasks:
        task.cancel()
    end(desk)


@pytest.mark.threat("S3")
async def test_of_one_list_for_many_each_place_is_for_another_frame(desk: Desk) -> None:
    room, frames = Room(desk.signers), tuple(names(0, MANY))
    part = Piece(frames, len(frames))
    for _ in range(2 * MANY):
        link = room.links.add(cast("Any", Socket()), masked=False, meter=None)
        room.hands.carry(Snapshot(link.id, (part,)))
    for done in range(LISTED_A_THREAD):
        for _ in range(20):
            await asyncio.sleep(0)
        begun = [each for each in frames if not desk.signers.is_full_for(each)]
        assert begun == list(frames[: done + LISTED_A_THREAD])
        heard = desk.heard
        desk.sign(1, until=partial(lambda before: desk.heard > before, heard))
    for task in room.tasks:
        task.cancel()
    end(desk)
