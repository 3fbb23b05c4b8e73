"""Newcomers are refused before memory runs out, and users who are here go on (threat S11)."""

from __future__ import annotations

import itertools

import pytest

from socp.node.budget import Budget, Table
from socp.node.effects import Close, Effect, Level, Note, Shed
from socp.node.emitter import Emitter
from socp.node.events import LinkOpened, Measured, Now
from socp.node.links import Link, Links, Stage
from socp.node.pace import Bucket
from socp.node.room import OVERLOAD, SHED_PAUSE_MS, Room
from socp.wire import limits
from socp.wire.addresses import HostPort
from tests.node.mesh import Mesh, Server

SMALL = Budget(limits.MEMORY_BYTES_MIN)


class House:
    """A room, and who stands in it."""

    def __init__(self, budget: Budget = SMALL) -> None:
        self.emit, self.links = Emitter("server"), Links()
        self.room = Room(budget, self.emit, self.links)
        self.mono = 0
        self._numbers = itertools.count(1)

    @property
    def now(self) -> Now:
        return Now(self.mono, self.mono)

    def comes(self, stage: Stage = Stage.FRESH, dialled: HostPort | None = None) -> Link:
        number = next(self._numbers)
        full = Bucket.full(1, 1, 0)
        opened = LinkOpened(number, "192.0.2.1", False, False, b"", "", dialled)
        link = Link(opened, Stage.FRESH, self.mono, self.mono, full, full, full)
        self.links.all[number] = link
        self.room.came(link, self.now)
        if link.stage is Stage.FRESH:
            link.move(stage, self.mono)
        return link

    def holds(self, percent: float) -> list[Effect]:
        self.room.measured(int(SMALL.total * percent / 100), self.now)
        return self.said()

    def said(self) -> list[Effect]:
        self.room.due()
        return self.emit.take()


@pytest.mark.threat("S11")
def test_what_can_be_done_without_waits_before_newcomers_do() -> None:
    house = House()
    house.holds(70)
    assert not house.room.is_short
    house.holds(76)
    assert house.room.is_short
    assert house.comes().stage is Stage.FRESH
    house.holds(70)
    assert not house.room.is_short


def closed(effects: list[Effect]) -> list[int]:
    assert all(e.code == OVERLOAD for e in effects if isinstance(e, Close))
    return [e.link for e in effects if isinstance(e, Close)]


def lines(effects: list[Effect]) -> list[tuple[Level, str]]:
    return [(e.level, e.text) for e in effects if isinstance(e, Note)]


@pytest.mark.spec("1")
@pytest.mark.threat("S11")
def test_a_newcomer_to_a_full_server_is_closed_with_1013_and_told_why() -> None:
    house = House()
    house.holds(81)
    link = house.comes()
    (close,) = [e for e in house.said() if isinstance(e, Close)]
    assert (close.link, close.code) == (link.id, OVERLOAD)
    assert "memory is full" in close.reason
    assert "later" in close.reason
    assert link.stage is Stage.CLOSING


@pytest.mark.threat("S11")
def test_who_is_here_stays_whatever_is_held() -> None:
    house = House()
    users = [house.comes(Stage.USER) for _ in range(5)]
    assert closed(house.holds(81)) == []
    house.comes()
    assert closed(house.said()) == [6]
    assert all(user.stage is Stage.USER for user in users)


def test_refusing_begins_and_ends_with_one_line_each() -> None:
    house = House()
    ((level, line),) = lines(house.holds(81))
    assert level is Level.WARNING
    assert line.startswith("No room for newcomers")
    assert "--memory" in line
    for _ in range(3):
        house.comes()
    assert lines(house.said()) == []
    assert lines(house.holds(78)) == []
    assert lines(house.holds(73)) == [
        (Level.INFO, "Newcomers are welcome again; 3 were turned away")
    ]
    assert not house.room.is_refusing
    house.comes()
    assert closed(house.said()) == []


@pytest.mark.threat("S11")
def test_there_are_so_many_links_and_no_more_before_anything_is_measured() -> None:
    house = House()
    most = SMALL.rows(Table.LINKS)
    for _ in range(most):
        house.comes(Stage.USER)
    assert closed(house.said()) == []
    late = house.comes()
    assert closed(house.said()) == [late.id]
    assert house.room.is_refusing
    for link in tuple(house.links.all)[: most // 10]:
        del house.links.all[link]
    house.said()
    assert not house.room.is_refusing


def test_a_server_that_we_dialled_is_no_newcomer() -> None:
    house = House()
    house.holds(81)
    house.comes(dialled=HostPort("192.0.2.9", 8001))
    assert closed(house.said()) == []


@pytest.mark.threat("S11")
def test_who_says_no_hello_makes_room_for_others_the_oldest_first() -> None:
    house = House()
    user = house.comes(Stage.USER)
    strangers = [house.comes() for _ in range(4 * SMALL.strangers)]
    gone = closed(house.said())
    assert user.id not in gone
    assert gone == [each.id for each in strangers[: len(gone)]]
    left = sum(each.stage is Stage.FRESH for each in strangers)
    assert SMALL.strangers <= left <= 2 * SMALL.strangers
    assert house.comes().stage is Stage.FRESH


def test_who_said_hello_in_time_is_no_stranger() -> None:
    house = House()
    for _ in range(6 * SMALL.strangers):
        house.comes(Stage.USER)
    assert closed(house.said()) == []


@pytest.mark.threat("S11")
def test_at_the_brim_those_who_hold_most_are_cut_and_then_the_system_has_time_to_hear_of_it() -> (
    None
):
    house = House()
    (shed,) = [e for e in house.holds(95) if isinstance(e, Shed)]
    assert shed.size == pytest.approx(SMALL.total * 0.15, abs=2)
    assert [e for e in house.holds(95) if isinstance(e, Shed)] == []
    house.mono += SHED_PAUSE_MS
    assert [e for e in house.holds(95) if isinstance(e, Shed)] != []


@pytest.mark.threat("S11")
def test_a_full_server_refuses_whoever_connects_and_serves_who_is_here(
    mesh: Mesh, a: Server
) -> None:
    alice = mesh.user(a, "alice")
    mesh.event(a, Measured(a.settings.budget.full + 1))
    bob = mesh.open_socket(a, "bob")
    alice.say("LIST_REQUEST", {})
    assert (bob.closed, alice.closed, a.node.status().is_full) == (OVERLOAD, None, True)
    assert alice.members("USER_LIST")[-1]["users"] == [alice.id]
