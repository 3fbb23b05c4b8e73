"""What queues during one commit is committed by the next, together and in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec import structs
from sqlalchemy import Connection

from socp.node import records
from socp.storage import StorageError
from socp.storage.database import Database
from socp.storage.node_schema import SCHEMA
from socp.storage.node_store import NodeStore
from socp.storage.sqlite import Sqlite
from socp.storage.writer import Writer
from tests.site import Site
from tests.storage.conftest import Listen
from tests.storage.examples import HOME, MAIL, RULING, SHARE

PATIENCE_S = 60


@dataclass(eq=False)  # SQLAlchemy keeps listeners by their hash
class Gate:
    """Stops the writer's thread in its next commit until it is opened; counts commits."""

    entered: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)
    commits: int = 0

    def __call__(self, connection: Connection) -> None:
        self.commits += 1
        self.entered.set()
        assert self.opened.wait(PATIENCE_S)


@pytest.fixture
def store(site: Site) -> Iterator[NodeStore]:
    with site.open() as store:
        yield store


@pytest.fixture
def gate(store: NodeStore, listen: Listen) -> Iterator[Gate]:
    gate = Gate()
    listen("commit", gate)
    yield gate
    gate.opened.set()


def test_writes_that_queue_during_a_commit_need_one_more_commit(
    store: NodeStore, gate: Gate
) -> None:
    first = store.write([RULING])
    assert gate.entered.wait(PATIENCE_S)
    others = [store.write([replace(HOME, user_id=f"{n:036d}")]) for n in range(1000)]
    assert not first.done()
    gate.opened.set()
    for future in [first, *others]:
        future.result(PATIENCE_S)
    assert gate.commits == 2


def test_nothing_is_told_before_its_commit(store: NodeStore, gate: Gate) -> None:
    future = store.write([RULING])
    assert gate.entered.wait(PATIENCE_S)
    assert not future.done()
    gate.opened.set()
    future.result(PATIENCE_S)


def test_futures_resolve_in_the_order_of_the_writes(store: NodeStore, gate: Gate) -> None:
    order: list[int] = []

    def note(number: int) -> Callable[[Future[None]], None]:
        return lambda _: order.append(number)

    for number in range(200):
        write: list[records.Record] = [HOME] if number % 3 else []
        store.write(write).add_done_callback(note(number))
    gate.opened.set()
    store.write([]).result(PATIENCE_S)
    assert order == list(range(200))


def test_a_write_of_nothing_waits_for_what_came_before_and_commits_nothing(
    store: NodeStore, gate: Gate
) -> None:
    gate.opened.set()
    first = store.write([RULING])
    store.write([]).result(PATIENCE_S)
    assert first.done()
    store.write([]).result(PATIENCE_S)
    assert gate.commits == 1


def test_the_last_of_many_writers_of_one_key_counts(store: NodeStore, gate: Gate) -> None:
    store.write([RULING])
    assert gate.entered.wait(PATIENCE_S)
    for number in range(100):
        store.write([replace(HOME, attach_ts=number)])
    gate.opened.set()
    store.write([]).result(PATIENCE_S)
    assert store.load().homes == (replace(HOME, attach_ts=99),)


def test_a_batch_costs_one_statement_per_table_and_not_per_record(
    store: NodeStore, gate: Gate, listen: Listen
) -> None:
    statements: list[str] = []
    listen("after_cursor_execute", lambda *about: statements.append(about[2]))
    store.write([RULING])
    assert gate.entered.wait(PATIENCE_S)
    statements.clear()
    for number in range(100):
        store.write([replace(HOME, user_id=f"{number:036d}"), RULING])
    gate.opened.set()
    store.write([]).result(PATIENCE_S)
    told = [statement.split()[:3] for statement in statements]
    assert [words for words in told if words[0] != "BEGIN"] == [
        ["INSERT", "INTO", "rulings"],
        ["INSERT", "INTO", "user_homes"],
    ]


def test_a_write_is_not_lost_when_nobody_waits_for_it_any_more(
    store: NodeStore, gate: Gate
) -> None:
    store.write([RULING])
    assert gate.entered.wait(PATIENCE_S)
    assert not store.write([HOME]).cancel()
    gate.opened.set()
    store.write([]).result(PATIENCE_S)
    assert store.load().homes == (HOME,)


def test_a_callback_may_write_again(store: NodeStore) -> None:
    followed: Future[Future[None]] = Future()
    store.write([RULING]).add_done_callback(lambda _: followed.set_result(store.write([SHARE])))
    followed.result(PATIENCE_S).result(PATIENCE_S)
    assert store.load().shares == (SHARE,)


class Clerk:
    """Takes records instead of tables, and waits when told to."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.entered = threading.Event()
        self.may_go_on = threading.Event()

    def __call__(self, connection: Connection, records: Sequence[str]) -> None:
        self.batches.append(list(records))
        self.entered.set()
        assert self.may_go_on.wait(PATIENCE_S)


@pytest.fixture
def clerk() -> Clerk:
    return Clerk()


@pytest.fixture
def writer(clerk: Clerk) -> Iterator[Writer[str]]:
    writer: Writer[str] = Writer(Database(Sqlite(None), SCHEMA, None), clerk, queued_max=3)
    yield writer
    clerk.may_go_on.set()
    writer.close()


@pytest.mark.threat("S5")
def test_a_queue_that_is_full_refuses_at_once_and_keeps_what_it_has(
    writer: Writer[str], clerk: Clerk
) -> None:
    first = writer.put(["under way"])
    assert clerk.entered.wait(PATIENCE_S)
    kept = [writer.put(["a"]), writer.put(["b", "c"])]
    refused = writer.put(["d"])
    assert isinstance(refused.exception(0), StorageError)
    assert "the disk does not keep up, 3 records wait; try again later" in str(refused.exception())
    clerk.may_go_on.set()
    for future in [first, *kept]:
        future.result(PATIENCE_S)
    assert clerk.batches == [["under way"], ["a", "b", "c"]]


class Moody(Sqlite):
    """A database whose driver raises what nobody foresaw, while it is in that mood."""

    moody = True

    def check(self) -> None:
        if self.moody:
            raise ZeroDivisionError


@pytest.mark.threat("S8")
def test_a_fault_of_ours_fails_what_it_met_and_the_thread_goes_on(clerk: Clerk) -> None:
    moody = Moody(None)
    writer: Writer[str] = Writer(Database(moody, SCHEMA, None), clerk)
    clerk.may_go_on.set()
    assert isinstance(writer.put(["lost"]).exception(PATIENCE_S), ZeroDivisionError)
    answer = writer.ask(lambda _connection: "never")
    assert isinstance(answer.exception(PATIENCE_S), ZeroDivisionError)
    moody.moody = False
    writer.put(["kept"]).result(PATIENCE_S)
    assert clerk.batches == [["kept"]]
    writer.close()


def test_a_queue_that_was_full_takes_writes_again(writer: Writer[str], clerk: Clerk) -> None:
    writer.put(["under way"])
    assert clerk.entered.wait(PATIENCE_S)
    full, refused = writer.put(["a", "b", "c"]), writer.put(["d"])
    assert refused.done()
    clerk.may_go_on.set()
    full.result(PATIENCE_S)
    writer.put(["d"]).result(PATIENCE_S)


def test_one_write_longer_than_the_queue_is_taken_when_nothing_waits(
    writer: Writer[str], clerk: Clerk
) -> None:
    clerk.may_go_on.set()
    writer.put(["a", "b", "c", "d"]).result(PATIENCE_S)
    assert clerk.batches == [["a", "b", "c", "d"]]


def test_a_writer_with_nothing_to_do_does_not_wake(monkeypatch: pytest.MonkeyPatch) -> None:
    timeouts: list[float | None] = []
    waiting = threading.Event()

    class Watched(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            timeouts.append(timeout)
            waiting.set()
            return super().wait(timeout)

    parts = SimpleNamespace(Condition=Watched, Thread=threading.Thread)
    monkeypatch.setattr("socp.storage.writer.threading", parts)
    writer: Writer[str] = Writer(Database(Sqlite(None), SCHEMA, None), Clerk())
    assert waiting.wait(PATIENCE_S)
    writer.close()
    assert timeouts == [None]


@pytest.mark.threat("S5")
def test_a_queue_is_bounded_by_bytes_too(clerk: Clerk) -> None:
    database = Database(Sqlite(None), SCHEMA, None)
    writer: Writer[str] = Writer(
        database, clerk, lambda texts: sum(map(len, texts)), queued_bytes_max=10
    )
    writer.put(["under way"])
    assert clerk.entered.wait(PATIENCE_S)
    kept = [writer.put(["four"]), writer.put(["sixsix"])]
    assert "the disk does not keep up" in str(writer.put(["1"]).exception(0))
    clerk.may_go_on.set()
    for future in kept:
        future.result(PATIENCE_S)
    writer.put(["far more than ten, alone"]).result(PATIENCE_S)
    writer.close()


@pytest.mark.threat("S5")
def test_mail_counts_with_its_payload(
    folder: Path, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socp.storage.store.Writer", partial(Writer, queued_bytes_max=1000))
    gate = Gate()
    with NodeStore.open(folder) as store:
        listen("commit", gate)
        store.write([RULING])
        assert gate.entered.wait(PATIENCE_S)
        kept = store.write([structs.replace(MAIL, payload=bytes(700))])
        refused = store.write([structs.replace(MAIL, payload=bytes(100))])
        gate.opened.set()
        assert "the disk does not keep up" in str(refused.exception(0))
        kept.result(PATIENCE_S)
