"""Full disks, locked files and bad records: who is told, in which words, and what works after."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec import structs
from sqlalchemy import Connection

from socp.member.records import Contact
from socp.node import queries, records
from socp.storage import BadRecord, StorageError, sqlite
from socp.storage.node_store import NodeStore
from socp.storage.profile_store import ProfileStore
from tests.site import Site
from tests.storage.conftest import Listen, file_size_limit
from tests.storage.examples import (
    ACCOUNT,
    BOB,
    CHANNEL_KEY,
    CONTACT,
    HOME,
    MAIL,
    PIN,
    RULING,
    SHARE,
    a_vault,
)

PATIENCE_S = 60
BIG = replace(SHARE, frame=b"x" * 3_000_000)
SURROGATE = replace(HOME, user_id="\ud800")  # no UTF-8 for it
TOO_LARGE = replace(HOME, attach_ts=2**63)


@pytest.fixture
def store(folder: Path) -> Iterator[NodeStore]:
    """In a file."""
    with NodeStore.open(folder) as store:
        store.write([ACCOUNT]).result(PATIENCE_S)
        yield store


@pytest.fixture
def either(site: Site) -> Iterator[NodeStore]:
    """In either database."""
    with site.open() as store:
        store.write([ACCOUNT]).result(PATIENCE_S)
        yield store


def refusal(store: NodeStore, *records_: records.Record) -> str:
    """The line that a write fails with."""
    fault = store.write(records_).exception(PATIENCE_S)
    assert isinstance(fault, StorageError)
    return str(fault)


@pytest.mark.threat("S8")
def test_a_disk_that_takes_no_more_fails_the_write_and_later_ones_work(
    store: NodeStore, folder: Path
) -> None:
    with file_size_limit(1_000_000):
        line = refusal(store, BIG)
    assert line == (
        f"{folder / 'socp.db'}: the disk does not read or write (disk I/O error); "
        "look for a full disk, a limit on file sizes or failing hardware"
    )
    store.write([HOME]).result(PATIENCE_S)
    assert store.load() == records.Remembered(accounts=(ACCOUNT,), homes=(HOME,))


@pytest.mark.threat("S8")
def test_a_full_disk_is_named_and_later_writes_work(
    store: NodeStore, folder: Path, listen: Listen
) -> None:
    pages_max = [1]

    def fill(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages_max[0]}")

    listen("begin", fill)
    line = refusal(store, BIG)
    assert line == f"{folder / 'socp.db'}: the disk is full; free some space"
    pages_max[0] = 1_000_000
    store.write([BIG]).result(PATIENCE_S)
    assert store.load().shares == (BIG,)


@pytest.mark.threat("S8")
def test_a_read_only_database_is_named_and_later_writes_work(
    store: NodeStore, folder: Path, listen: Listen
) -> None:
    read_only = ["ON"]

    def protect(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA query_only = {read_only[0]}")

    listen("begin", protect)
    remedy = "make the disk and the file writable for this user"
    assert refusal(store, HOME) == f"{folder / 'socp.db'}: cannot be written; {remedy}"
    read_only[0] = "OFF"
    store.write([HOME]).result(PATIENCE_S)


@pytest.mark.threat("S8")
def test_a_database_locked_by_another_program_is_named_and_later_writes_work(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PRAGMAS", ("busy_timeout = 1", *sqlite.PRAGMAS[1:]))
    with NodeStore.open(folder) as store:
        with closing(sqlite3.connect(folder / "socp.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            line = refusal(store, HOME)
        store.write([HOME]).result(PATIENCE_S)
        assert line == f"{folder / 'socp.db'}: another program holds the database locked; close it"


@pytest.mark.threat("S8")
def test_a_database_moved_away_while_in_use_takes_no_write_until_it_is_back(
    store: NodeStore, folder: Path
) -> None:
    file = folder / "socp.db"
    file.rename(folder / "away")
    line = f"{file}: moved or deleted while in use; put it back or restart"
    assert refusal(store, HOME) == line
    assert not file.exists()
    file.touch()
    assert refusal(store, HOME) == line
    (folder / "away").rename(file)
    store.write([HOME]).result(PATIENCE_S)


@pytest.mark.threat("S8")
def test_a_database_damaged_while_in_use_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PRAGMAS", (*sqlite.PRAGMAS, "cache_size = 5"))
    with NodeStore.open(folder) as store:
        store.write([replace(HOME, user_id=f"{n:036d}") for n in range(5000)]).result(PATIENCE_S)
    with NodeStore.open(folder) as store:
        size = (folder / "socp.db").stat().st_size
        with (folder / "socp.db").open("r+b") as file:
            file.seek(8192)
            file.write(b"\xff" * (size - 8192))
        with pytest.raises(StorageError, match=r"damaged; stop, and restore a backup$"):
            store.load()


@pytest.mark.parametrize("bad", [SURROGATE, TOO_LARGE, replace(HOME, server_id=cast("Any", None))])
def test_a_record_that_cannot_be_stored_fails_alone(
    either: NodeStore, bad: records.Home, listen: Listen
) -> None:
    held, begun = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        begun.set()
        assert held.wait(PATIENCE_S)

    listen("commit", hold)
    either.write([])
    either.write([PIN])
    assert begun.wait(PATIENCE_S)
    good = [either.write([replace(HOME, user_id=f"{n:036d}")]) for n in range(2)]
    poisoned = either.write([RULING, bad])
    good.append(either.write([replace(HOME, user_id=BOB)]))
    held.set()
    for future in good:
        future.result(PATIENCE_S)
    assert isinstance(poisoned.exception(PATIENCE_S), BadRecord)
    remembered = either.load()
    assert len(remembered.homes) == 3
    assert remembered.rulings == ()  # a write is stored whole or not at all


def test_the_answers_keep_their_order_when_one_write_is_bad(either: NodeStore) -> None:
    order: list[int] = []

    def note(number: int) -> Callable[[Future[None]], None]:
        return lambda _: order.append(number)

    mixed: list[records.Record] = [HOME, SURROGATE, RULING, TOO_LARGE, PIN]
    for number, record in enumerate(mixed):
        either.write([record]).add_done_callback(note(number))
    either.write([]).result(PATIENCE_S)
    assert order == [0, 1, 2, 3, 4]


def test_a_record_of_a_kind_nobody_knows_reaches_whoever_wrote_it(either: NodeStore) -> None:
    bug = either.write([cast("Any", "not a record")])
    either.write([HOME]).result(PATIENCE_S)
    assert isinstance(bug.exception(PATIENCE_S), AssertionError)


def test_a_disk_fault_while_a_bad_record_is_sorted_out_fails_the_whole_batch(
    store: NodeStore, folder: Path, listen: Listen
) -> None:
    begun = [0]
    held, committing = threading.Event(), threading.Event()

    def fill(connection: Connection) -> None:
        begun[0] += 1
        pages_max = 1 if begun[0] == 3 else 1_000_000
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages_max}")

    def hold(connection: Connection) -> None:
        committing.set()
        assert held.wait(PATIENCE_S)

    listen("begin", fill)
    listen("commit", hold)
    store.write([PIN])
    assert committing.wait(PATIENCE_S)
    batch = [store.write([BIG]), store.write([SURROGATE])]
    held.set()
    for future in batch:
        fault = future.exception(PATIENCE_S)
        assert str(fault) == (f"{folder / 'socp.db'}: the disk is full; free some space")
    store.write([BIG]).result(PATIENCE_S)


def test_a_closed_store_reads_nothing(site: Site) -> None:
    store = site.open()
    store.close()
    with pytest.raises(StorageError, match="is closed; open it again"):
        store.load()


@pytest.mark.threat("P5")
def test_an_error_shows_no_key_and_no_text(folder: Path) -> None:
    secret = replace(CHANNEL_KEY, private=b"the private key", box="\ud800")
    unlucky: Contact = structs.replace(CONTACT, display_name="the name", user_id="\ud800")
    with ProfileStore.open(folder, a_vault) as store:
        for record in (secret, unlucky):
            fault: BaseException | None = store.write([record]).exception(PATIENCE_S)
            assert isinstance(fault, BadRecord)
            while fault:
                assert "the private key" not in str(fault)
                assert "the name" not in str(fault)
                fault = fault.__cause__ or fault.__context__


def test_each_of_those_who_wait_has_an_error_of_their_own(store: NodeStore, folder: Path) -> None:
    (folder / "socp.db").rename(folder / "away")
    first, second = store.write([HOME]), store.write([replace(HOME, user_id=BOB)])
    assert first.exception(PATIENCE_S) is not second.exception(PATIENCE_S)


@pytest.mark.threat("P5")
@pytest.mark.parametrize("bad", [SURROGATE, TOO_LARGE, replace(HOME, server_id=cast("Any", None))])
def test_an_error_of_a_server_shows_no_value(either: NodeStore, bad: records.Home) -> None:
    secret = replace(ACCOUNT, pubkey="the key", display_name="the name")
    fault: BaseException | None = either.write([secret, bad]).exception(PATIENCE_S)
    assert isinstance(fault, BadRecord)
    while fault:
        for value in ("the key", "the name", str(2**63), "\\ud800"):
            assert value not in str(fault)
        fault = fault.__cause__ or fault.__context__


QUESTION = queries.LoadMail(MAIL.user_id, 0, 10, 1_000_000)
ANSWER = queries.MailPage((MAIL,), more=False)


@pytest.mark.threat("S8")
def test_on_a_disk_that_takes_no_more_mail_is_still_read(store: NodeStore) -> None:
    store.write([MAIL]).result(PATIENCE_S)
    with file_size_limit(1_000_000):
        refused, told = store.write([BIG]), store.ask(QUESTION)
        assert isinstance(refused.exception(PATIENCE_S), StorageError)
        assert told.result(PATIENCE_S) == ANSWER
    store.write([BIG]).result(PATIENCE_S)


@pytest.mark.threat("S8")
def test_beside_a_program_that_holds_the_database_locked_mail_is_still_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PRAGMAS", ("busy_timeout = 1", *sqlite.PRAGMAS[1:]))
    with NodeStore.open(folder) as store:
        store.write([MAIL]).result(PATIENCE_S)
        with closing(sqlite3.connect(folder / "socp.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            refused, told = store.write([HOME]), store.ask(QUESTION)
            assert "holds the database locked" in str(refused.exception(PATIENCE_S))
            assert told.result(PATIENCE_S) == ANSWER
            assert store.ask(QUESTION).result(PATIENCE_S) == ANSWER


@pytest.mark.threat("S8")
def test_of_a_database_that_was_moved_away_nothing_is_read_until_it_is_back(
    store: NodeStore, folder: Path
) -> None:
    store.write([MAIL]).result(PATIENCE_S)
    (folder / "socp.db").rename(folder / "away")
    line = str(store.ask(QUESTION).exception(PATIENCE_S))
    assert line.endswith("moved or deleted while in use; put it back or restart")
    (folder / "away").rename(folder / "socp.db")
    assert store.ask(QUESTION).result(PATIENCE_S) == ANSWER


@pytest.mark.threat("S8")
def test_mail_that_cannot_be_expired_stays_and_is_expired_later(store: NodeStore) -> None:
    mail = [structs.replace(MAIL, seq=n, msg_ref=f"{n:043d}") for n in range(1, 3000)]
    store.write(mail).result(PATIENCE_S)
    expire = queries.Expire(MAIL.stored_ms + 1)
    with file_size_limit(100_000):
        assert isinstance(store.ask(expire).exception(PATIENCE_S), StorageError)
    told = store.ask(expire).result(PATIENCE_S)
    assert isinstance(told, queries.Expired)
    assert told.boxes[0].count == 2999
