"""What events of one turn of the loop have to store is given to the disk together, and told of one
by one (threat S8)."""

from __future__ import annotations

import pytest

from socp.node.effects import Ask, Close, Effect, Level, Note, Persist
from socp.node.queries import LoadMail
from socp.node.records import Cursor
from socp.server.walk import GIVEN_MAX
from tests.server.test_parked import Desk, goes

QUERY = LoadMail("bob", 0, 1, 1, 0)


def keep(number: int) -> Persist:
    return Persist(Cursor("bob", number))


def test_the_writes_of_one_turn_are_given_at_its_end_each_for_itself() -> None:
    desk = Desk()
    for number in range(3):
        desk.tell(keep(number))
    assert desk.disk.given == []
    desk.turn()
    assert desk.disk.given == [3]
    assert [records for records, _ in desk.disk.asked] == [
        (Cursor("bob", number),) for number in range(3)
    ]


def test_in_a_long_turn_the_disk_begins_before_its_end() -> None:
    desk = Desk()
    for number in range(GIVEN_MAX + 1):
        desk.tell(keep(number))
    assert desk.disk.given == [GIVEN_MAX]
    desk.turn()
    assert desk.disk.given == [GIVEN_MAX, 1]


def test_nothing_is_said_before_the_commit_of_a_turn_and_then_in_order() -> None:
    desk = Desk()
    for number in range(2):
        desk.tell(keep(number), Ask(QUERY))
    desk.turn()
    (_, first), (_, second) = desk.disk.asked
    second.set_result(None)
    desk.turn()
    assert desk.disk.questions == []
    first.set_result(None)
    desk.turn()
    assert [query for query, _ in desk.disk.questions] == [QUERY, QUERY]


def test_a_question_comes_after_all_that_was_written_before() -> None:
    desk = Desk()
    desk.tell(keep(1), Ask(QUERY))
    desk.turn()
    desk.tell(keep(2))
    desk.disk.asked[0][1].set_result(None)
    while not desk.disk.questions:
        desk.soon.pop()()  # the news of the commit before the end of the turn
    assert desk.disk.questions == [(QUERY, 2)]


def test_a_fault_of_ours_in_one_event_does_not_hold_up_the_events_behind_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk()
    done: list[Effect] = []

    def carry(effect: Effect) -> None:
        if isinstance(effect, Note):
            raise ZeroDivisionError
        done.append(effect)

    desk.carry = carry
    desk.tell(keep(1), Note(Level.INFO, "server.links", "a bug"))
    desk.tell(Close(1, 1000, "said with it"))
    desk.turn()
    goes(desk, desk.disk.asked[0][1])
    assert Close(1, 1000, "said with it") in done
    assert "ZeroDivisionError" in caplog.text
