"""Questions in the queue of writes: each sees what came before it, and is answered in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace

import pytest
from msgspec import structs

from socp.node import queries, records
from socp.node.records import MailState
from socp.storage import BadRecord, StorageError
from socp.storage.node_store import NodeStore
from socp.storage.writer import Writer
from tests.site import Site
from tests.storage.conftest import Listen
from tests.storage.examples import ALICE, BOB, HOME, MAIL, RULING
from tests.storage.test_group_commit import Clerk, Gate, clerk, writer  # noqa: F401 - fixtures

PATIENCE_S = 60
FIND = queries.FindMail(1, ALICE, MAIL.msg_ref)
LOAD = queries.LoadMail(ALICE, 0, 10, 1_000_000)
SETTLED = records.MailSettled(ALICE, MAIL.msg_ref, MailState.DELIVERED)
UNKNOWN = queries.MailFound(None)


@pytest.fixture
def store(site: Site) -> Iterator[NodeStore]:
    with site.open() as store:
        yield store


@pytest.fixture
def held(store: NodeStore, listen: Listen) -> Iterator[Gate]:
    """The writer waits in a commit until this is opened, while more queues."""
    gate = Gate()
    listen("commit", gate)
    store.write([RULING])
    assert gate.entered.wait(PATIENCE_S)
    yield gate
    gate.opened.set()


def state(future: Future[queries.Answer]) -> MailState | None:
    found = future.result(PATIENCE_S)
    assert isinstance(found, queries.MailFound)
    return found.state


def test_a_question_sees_what_came_before_it_and_nothing_else(store: NodeStore, held: Gate) -> None:
    told = [store.ask(FIND)]
    for record in (MAIL, SETTLED, records.MailDropped(ALICE, MAIL.msg_ref), MAIL):
        store.write([record])
        told.append(store.ask(FIND))
    held.opened.set()
    waiting, delivered = MailState.WAITING, MailState.DELIVERED
    assert [state(future) for future in told] == [None, waiting, delivered, None, waiting]


def test_writes_and_questions_that_queue_need_one_commit(store: NodeStore, held: Gate) -> None:
    for number in range(50):
        store.write([structs.replace(MAIL, msg_ref=f"{number:043d}")])
        last = store.ask(LOAD)
    held.opened.set()
    assert last.result(PATIENCE_S)
    assert held.commits == 2


def test_no_question_is_answered_before_the_commit_of_what_came_before(
    store: NodeStore, held: Gate
) -> None:
    assert not store.ask(FIND).done()


def test_answers_come_in_the_order_of_writes_and_questions(store: NodeStore, held: Gate) -> None:
    order: list[int] = []

    def note(number: int) -> Callable[[Future], None]:
        return lambda _: order.append(number)

    for number in range(60):
        future: Future = store.ask(LOAD) if number % 3 else store.write([HOME])
        future.add_done_callback(note(number))
    held.opened.set()
    store.write([]).result(PATIENCE_S)
    assert order == list(range(60))


@pytest.mark.parametrize("bad", [replace(HOME, user_id="\ud800"), replace(HOME, attach_ts=2**63)])
def test_a_bad_record_among_them_spoils_no_answer(
    store: NodeStore, held: Gate, bad: records.Home
) -> None:
    store.write([MAIL])
    before, poisoned, after = store.ask(FIND), store.write([SETTLED, bad]), store.ask(FIND)
    held.opened.set()
    assert isinstance(poisoned.exception(PATIENCE_S), BadRecord)
    assert state(before) is state(after) is MailState.WAITING


@pytest.mark.threat("S8")
def test_while_nothing_can_be_written_what_is_there_is_still_read(
    store: NodeStore, held: Gate, listen: Listen
) -> None:
    held.opened.set()
    store.write([MAIL]).result(PATIENCE_S)
    full = [True]

    def refuse(*about: object) -> None:
        if full[0] and str(about[2]).startswith("INSERT"):
            raise StorageError("the disk is full; free some space")

    listen("before_cursor_execute", refuse)
    refused, told = store.write([HOME]), store.ask(FIND)
    assert str(refused.exception(PATIENCE_S)) == "the disk is full; free some space"
    assert state(told) is MailState.WAITING
    full[0] = False
    store.write([HOME]).result(PATIENCE_S)


def test_rows_that_we_did_not_write_fail_their_question_alone(
    store: NodeStore, site: Site, held: Gate
) -> None:
    other = structs.replace(MAIL, user_id=BOB)
    held.opened.set()
    store.write([MAIL, other]).result(PATIENCE_S)
    site.ask(f"UPDATE mail SET state = 'perhaps' WHERE user_id = '{ALICE}'")
    held.opened.clear()
    held.entered.clear()
    store.write([RULING])
    assert held.entered.wait(PATIENCE_S)
    written, failed = store.write([HOME]), store.ask(FIND)
    told = store.ask(queries.FindMail(2, BOB, MAIL.msg_ref))
    held.opened.set()
    fault = failed.exception(PATIENCE_S)
    assert isinstance(fault, StorageError)
    assert str(fault).startswith(f"{site.place} holds what socp did not write")
    assert written.exception(PATIENCE_S) is None
    assert state(told) is MailState.WAITING


def test_a_closed_store_answers_nothing(site: Site) -> None:
    store = site.open()
    store.close()
    assert "is closed" in str(store.ask(FIND).exception(PATIENCE_S))


@pytest.mark.threat("S5")
def test_questions_count_in_the_bound_of_the_queue(writer: Writer[str], clerk: Clerk) -> None:  # noqa: F811
    writer.put(["under way"])
    assert clerk.entered.wait(PATIENCE_S)
    kept = [writer.ask(lambda _: None) for _ in range(3)]
    refused = writer.ask(lambda _: None)
    assert "the disk does not keep up, 3 records wait" in str(refused.exception(0))
    clerk.may_go_on.set()
    for future in kept:
        future.result(PATIENCE_S)


def test_expiry_deletes_what_is_old_and_says_whose_it_was(store: NodeStore) -> None:
    newer = structs.replace(MAIL, seq=9, user_id=BOB, stored_ms=MAIL.stored_ms + 1)
    store.write([MAIL, newer])
    expired = store.ask(queries.Expire(newer.stored_ms)).result(PATIENCE_S)
    assert expired == queries.Expired(
        (queries.ExpiredBox(ALICE, BOB, 1, MAIL.size),),
        posts_count=0,
        posts_size=0,
        posts_first_seq=0,
    )
    assert store.ask(FIND).result(PATIENCE_S) == UNKNOWN
