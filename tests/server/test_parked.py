"""What was only good to know and could not be stored is written later: all of it, and nothing older
over something newer (threat S8)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial

import pytest

from socp.node.effects import Effect, Persist
from socp.node.events import Event, Now, Tick
from socp.node.parked import Parked
from socp.node.queries import Answer, Query
from socp.node.records import Cursor, Mail, MailDropped, MailSettled, MailState, Record
from socp.server.gate import Gate
from socp.server.walk import Given, Walk
from socp.storage.errors import StorageError
from tests.server.rig import settle

MAIL = Mail(3, "bob", "ref", 0, "alice", "MSG_DIRECT", 1, b"{}", "", 0, 1)


class Writes:
    """A disk that answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[Record, ...], Future[None]]] = []
        self.given: list[int] = []  # how many writes at once
        self.questions: list[tuple[Query, int]] = []  # and how many writes came before

    def write(self, records: Sequence[Record]) -> Future[None]:
        future: Future[None] = Future()
        self.asked.append((tuple(records), future))
        return future

    def give(self, given: Sequence[Given]) -> None:
        self.given.append(len(given))
        for records, told in given:
            self.write(records).add_done_callback(partial(settle, told))

    def ask(self, query: Query) -> Future[Answer]:
        self.questions.append((query, len(self.asked)))
        return Future()


class Desk:
    """A walk whose brain says what it is told to say."""

    def __init__(self) -> None:
        self.disk = Writes()
        self.soon: deque[Callable[[], None]] = deque()
        self._says: list[Effect] = []
        self.carry: Callable[[Effect], None] = lambda effect: None
        self.walk = Walk(
            self,
            self.disk,
            lambda effect: self.carry(effect),
            lambda: Now(0, 0),
            Gate(),
            self.soon.append,
            1 << 20,
            Parked(),
        )

    def handle(self, event: Event, now: Now) -> list[Effect]:
        says, self._says = self._says, []
        return says

    def keep(self, *records: Record) -> Future[None]:
        """Have these written; the disk's answer is in the test's hand."""
        self.tell(*map(Persist, records))
        self.turn()
        return self.disk.asked[-1][1]

    def tell(self, *says: Effect) -> None:
        """An event, to which the brain says this."""
        self._says = list(says)
        self.walk.tell(Tick())

    def retry(self) -> tuple[Record, ...]:
        """What the next try writes, () where none is due."""
        before = len(self.disk.asked)
        self.walk.retry()
        return self.disk.asked[-1][0] if len(self.disk.asked) > before else ()

    def turn(self) -> None:
        while self.soon:
            self.soon.popleft()()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def fails(desk: Desk, commit: Future[None]) -> None:
    commit.set_exception(StorageError("socp.db: the disk is full"))
    desk.turn()


def goes(desk: Desk, commit: Future[None]) -> None:
    commit.set_result(None)
    desk.turn()


def test_what_failed_is_written_with_the_next_try(desk: Desk) -> None:
    fails(desk, desk.keep(Cursor("bob", 1), MailDropped("bob", "ref")))
    assert desk.retry() == (Cursor("bob", 1), MailDropped("bob", "ref"))
    goes(desk, desk.disk.asked[-1][1])
    assert not desk.walk.trouble
    assert desk.retry() == ()


def test_what_fails_while_a_try_is_under_way_is_not_forgotten_with_it(desk: Desk) -> None:
    fails(desk, desk.keep(MailDropped("bob", "one")))
    second = desk.keep(MailDropped("bob", "two"))
    desk.retry()
    third = desk.disk.asked[-1][1]
    fails(desk, second)
    goes(desk, third)
    assert desk.retry() == (MailDropped("bob", "two"),)


def test_nothing_older_is_written_over_something_newer(desk: Desk) -> None:
    fails(desk, desk.keep(Cursor("bob", 1), Cursor("dave", 1)))
    goes(desk, desk.keep(Cursor("bob", 2)))
    assert desk.retry() == (Cursor("dave", 1),)


def test_nothing_older_is_written_over_something_newer_that_is_on_its_way(desk: Desk) -> None:
    fails(desk, desk.keep(Cursor("bob", 1), Cursor("dave", 1)))
    desk.keep(Cursor("bob", 2))
    assert desk.retry() == (Cursor("dave", 1),)


@pytest.mark.parametrize(
    "old", [MailDropped("bob", "ref"), MailSettled("bob", "ref", MailState.FORWARDED)]
)
def test_mail_that_came_again_is_not_deleted_by_an_older_word(desk: Desk, old: Record) -> None:
    fails(desk, desk.keep(old, Cursor("dave", 1)))
    goes(desk, desk.keep(MAIL))
    assert desk.retry() == (Cursor("dave", 1),)
