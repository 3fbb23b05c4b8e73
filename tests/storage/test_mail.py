"""Mail in the tables is what it would be in plain dicts, however writes and questions alternate."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec import structs

from socp.node import queries, records
from socp.node.records import MailState
from socp.storage.address import PostgresAddress
from socp.storage.node_schema import metadata
from socp.storage.node_store import NodeStore
from tests.postgres import ask
from tests.site import Site
from tests.storage.conftest import Listen
from tests.storage.examples import ALICE, BOB, MAIL, NOW, POST, SERVER
from tests.storage.mailroom import Mailroom

PATIENCE_S = 60
names = some.sampled_from(["a", "b"])
refs = some.sampled_from(["r", "s", "t"])
small = some.integers(0, 12)
settled = some.sampled_from([MailState.FORWARDED, MailState.DELIVERED])
payloads = some.sampled_from([b"", b"{}", b"x" * 300])
moments = some.integers(NOW - 2 * records.RECENT_MS, NOW)

# seq 0 stands for the next number: `numbered` gives it.
steps = some.one_of(
    some.builds(
        records.Mail,
        some.just(0),
        names,
        refs,
        some.integers(0, 2),
        names,
        some.sampled_from(["MSG_DIRECT", "FILE_CHUNK"]),
        some.just(NOW),
        payloads,
        some.sampled_from(["", SERVER]),
        small,
        moments,
    ),
    some.builds(records.MailSettled, names, refs, settled),
    some.builds(records.MailDropped, names, refs),
    some.builds(records.MailHanded, names, some.integers(1, 30)),
    some.builds(
        records.Post,
        some.just(0),
        refs,
        names,
        some.just(NOW),
        payloads,
        some.sampled_from(["", SERVER]),
        moments,
    ),
    some.builds(records.PostsDropped, some.integers(1, 30)),
    some.builds(records.Cursor, names, small),
    some.builds(
        queries.LoadMail,
        names,
        small,
        some.integers(1, 3),
        some.integers(0, 1000),
        some.none() | some.integers(0, 2),
    ),
    some.builds(
        queries.LoadPosts,
        names,
        small,
        some.integers(1, 3),
        some.integers(0, 1000),
        some.booleans(),
    ),
    some.builds(queries.FindMail, small, names | some.just("public"), refs, some.integers(0, 2)),
    some.builds(queries.Expire, moments),
)


def numbered(steps: list[records.Record | queries.Query]) -> list[records.Record | queries.Query]:
    """Every piece of mail and post with a number of its own, in their order."""
    numbers = count(1)
    return [
        structs.replace(step, seq=next(numbers))
        if isinstance(step, records.Mail | records.Post)
        else step
        for step in steps
    ]


Steps = list[records.Record | queries.Query]


@given(some.lists(steps, max_size=40), some.integers(1, 6))
def test_tables_and_dicts_agree_on_every_answer_and_at_the_end(steps: Steps, size: int) -> None:
    with NodeStore.open(None) as store:
        play(store, steps, size)


@pytest.mark.needs("postgresql")
@settings(max_examples=30, deadline=None)
@given(some.lists(steps, max_size=40), some.integers(1, 6))
def test_tables_and_dicts_agree_in_postgresql(
    one_database: PostgresAddress, steps: Steps, size: int
) -> None:
    with NodeStore.open(None, one_database) as store:
        ask(one_database.dsn, f"TRUNCATE {', '.join(metadata.tables)}")
        play(store, steps, size)


def play(store: NodeStore, steps: Steps, size: int) -> None:
    """Records in writes of `size`, a question wherever one comes."""
    room = Mailroom()
    waiting: list[records.Record] = []
    questions: list[tuple[Future[queries.Answer], queries.Answer]] = []
    for step in numbered(steps):
        if isinstance(step, queries.Query):
            store.write(waiting)
            waiting = []
            questions.append((store.ask(step), room.answer(step)))
            continue
        room.take(step)
        waiting.append(step)
        if len(waiting) == size:
            store.write(waiting)
            waiting = []
    store.write(waiting).result(PATIENCE_S)
    for told, expected in questions:
        assert told.result(PATIENCE_S) == expected
    assert store.load(NOW) == room.remembered(NOW)


@pytest.fixture
def store(site: Site) -> Iterator[NodeStore]:
    with site.open() as store:
        yield store


def load(store: NodeStore, **about: int) -> queries.MailPage:
    asked = {"after_seq": 0, "count_max": 100, "size_max": 1_000_000, **about}
    page = store.ask(queries.LoadMail(ALICE, **asked)).result(PATIENCE_S)
    assert isinstance(page, queries.MailPage)
    return page


@pytest.mark.spec("11")
def test_mail_survives_a_restart_as_it_came(site: Site) -> None:
    with site.open() as store:
        store.write([MAIL, POST, records.Cursor(BOB, POST.seq)]).result(PATIENCE_S)
    with site.open() as store:
        assert load(store) == queries.MailPage((MAIL,), more=False)
        remembered = store.load(NOW)
        assert remembered.boxes == (records.BoxRow(ALICE, BOB, 1, MAIL.size, MAIL.seq),)
        assert remembered.posts == records.PostsHeld(
            1, POST.size, POST.seq, POST.seq, POST.seq, ((POST.seq, POST.size),)
        )
        assert remembered.cursors == (records.Cursor(BOB, POST.seq),)
        assert remembered.mail_seq == POST.seq


@pytest.mark.spec("11")
def test_settled_mail_leaves_no_payload_behind_and_is_known_when_it_comes_again(
    store: NodeStore,
) -> None:
    settled = records.MailSettled(ALICE, MAIL.msg_ref, MailState.DELIVERED)
    store.write([MAIL])
    store.write([settled])
    found = store.ask(queries.FindMail(1, ALICE, MAIL.msg_ref)).result(PATIENCE_S)
    assert found == queries.MailFound(MailState.DELIVERED, BOB, "", b"", MAIL.ts)
    assert load(store).mail == ()


@pytest.mark.spec("11")
def test_a_number_that_was_used_is_never_forgotten(site: Site) -> None:
    """Cursors count on it: a post with an old number would be taken for one that was read."""
    with site.open() as store:
        store.write([MAIL, POST]).result(PATIENCE_S)
        store.write([records.PostsDropped(POST.seq), records.MailDropped(ALICE, MAIL.msg_ref)])
        store.ask(queries.Expire(NOW * 2)).result(PATIENCE_S)
    with site.open() as store:
        assert store.load(NOW).mail_seq == POST.seq
        assert store.load(NOW).posts == records.PostsHeld()


def test_a_page_of_mail_larger_than_asked_for_holds_one_piece_and_says_there_is_more(
    store: NodeStore,
) -> None:
    second = structs.replace(MAIL, seq=5, msg_ref="s" * 43)
    store.write([MAIL, second])
    assert load(store, size_max=1) == queries.MailPage((MAIL,), more=True)
    assert load(store, after_seq=MAIL.seq, size_max=1) == queries.MailPage((second,), more=False)


def test_a_mailbox_is_read_by_its_index(folder: Path, listen: Listen) -> None:
    """However much mail others have."""
    statements: list[tuple[str, Any]] = []
    listen("before_cursor_execute", lambda *about: statements.append((about[2], about[3])))
    with NodeStore.open(folder) as store:
        store.write([MAIL]).result(PATIENCE_S)
        load(store, handed_below=3)
    selects = [one for one in statements if "FROM mail" in one[0]]
    assert len(selects) == 2
    with closing(sqlite3.connect(folder / "socp.db")) as connection:
        for sql, values in selects:
            [plan] = connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
            assert "SEARCH mail USING INDEX ix_mail_waiting (user_id=? AND seq>?" in plan[3]
