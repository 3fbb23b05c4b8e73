"""PostgreSQL: who may use it, what is said when it is away, and that it all works again after."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from socp.node import queries
from socp.storage import StorageError, postgresql
from socp.storage.address import PostgresAddress
from socp.storage.node_store import NodeStore
from tests.postgres import PASSWORD, QUOTED, USER, Postgres, ask, private
from tests.storage.conftest import Listen
from tests.storage.examples import ACCOUNT, ALICE, HOME, MAIL

pytestmark = pytest.mark.needs("postgresql")
PATIENCE_S = 60
QUESTION = queries.LoadMail(ALICE, 0, 10, 1_000_000)
SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ '^socp'"


@pytest.fixture
def address(cluster: Postgres) -> Iterator[PostgresAddress]:
    with cluster.database() as address:
        yield address


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers that hold a lock here will not let go of it soon."""
    monkeypatch.setattr(postgresql, "TAKE_S", 0.1)


def refusal(address: PostgresAddress) -> str:
    """The line that opening fails with."""
    with pytest.raises(StorageError) as fault:
        NodeStore.open(None, address)
    seen: BaseException | None = fault.value
    while seen:
        assert PASSWORD not in str(seen)
        assert QUOTED not in str(seen)
        seen = seen.__cause__ or seen.__context__
    return str(fault.value)


def failure(store: NodeStore) -> str:
    """The line that a write fails with."""
    fault = store.write([HOME]).exception(PATIENCE_S)
    assert isinstance(fault, StorageError)
    return str(fault)


@pytest.mark.threat("P5")
def test_a_wrong_password_is_one_line_without_it(cluster: Postgres) -> None:
    address = PostgresAddress.parse(cluster.dsn(password="wrong"))
    assert refusal(address) == (
        f"postgresql://{USER}@127.0.0.1:{cluster.port}/postgres: "
        "refuses this user or password; look at --database and pg_hba.conf"
    )


def test_a_database_that_does_not_exist_is_one_line(cluster: Postgres) -> None:
    address = PostgresAddress.parse(cluster.dsn("nowhere"))
    assert refusal(address) == (
        f"{address}: there is no such database; create it with createdb, or look at --database"
    )


def test_nobody_listening_is_one_line(cluster: Postgres) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        port = taken.getsockname()[1]
        address = PostgresAddress.parse(f"postgresql://socp:x@127.0.0.1:{port}/socp")
        line = refusal(address)
    assert line.startswith(f"{address} cannot be reached (")
    assert line.endswith(
        "see that PostgreSQL runs and can be reached; no restart of this server is needed"
    )


def test_who_answers_nothing_is_given_up(
    cluster: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "CONNECT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        address = PostgresAddress.parse(f"postgresql://socp:x@127.0.0.1:{port}/socp")
        assert "did not answer within" in refusal(address)


def test_a_database_that_is_not_as_its_address_wants_it_is_one_line(
    address: PostgresAddress,
) -> None:
    wanted = PostgresAddress.parse(f"{address.dsn}?target_session_attrs=standby")
    assert refusal(wanted) == (
        f"{address}: no database there is as target_session_attrs wants it; make one so, or look "
        "at --database; no restart of this server is needed"
    )


def test_a_newer_format_is_refused(address: PostgresAddress) -> None:
    NodeStore.open(None, address).close()
    ask(address.dsn, "UPDATE alembic_version SET version_num = 'node_0097'")
    line = f"{address} was written by a newer version of socp (format 97, this one knows "
    assert refusal(address).startswith(line)


def test_somebody_elses_database_is_refused_and_left_as_it_is(address: PostgresAddress) -> None:
    ask(address.dsn, "CREATE TABLE recipes (name TEXT)")
    assert refusal(address) == f"{address} is no database of socp; choose another --database"
    tables = ask(address.dsn, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert tables == [("recipes",)]


def test_a_database_that_is_not_unicode_is_refused(cluster: Postgres) -> None:
    address = cluster.make("ENCODING SQL_ASCII", "TEMPLATE template0")
    line = f"{address} is in SQL_ASCII; create it with createdb -E UTF8 -T template0"
    assert refusal(address) == line


@pytest.mark.threat("S8")
def test_commits_are_durable_where_the_database_would_not_wait_for_them(
    cluster: Postgres, address: PostgresAddress
) -> None:
    name = address.place.rpartition("/")[2]
    ask(cluster.dsn(), f"ALTER DATABASE {name} SET synchronous_commit = off")
    with NodeStore.open(None, address) as store:
        shown = store._database.run(
            lambda connection: connection.exec_driver_sql("SHOW synchronous_commit").scalar_one()
        )
    assert shown == "on"


@pytest.mark.threat("S8")
def test_a_second_server_on_one_database_is_refused(
    address: PostgresAddress, tmp_path: Path
) -> None:
    with (
        NodeStore.open(tmp_path / "one", address),
        pytest.raises(StorageError, match="another server works with this database"),
    ):
        NodeStore.open(tmp_path / "two", address)
    NodeStore.open(tmp_path / "two", address).close()


def test_a_killed_server_leaves_the_database_to_the_next(
    address: PostgresAddress, python_path: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = (
        "import os, sys, time\n"
        "from socp.storage.address import PostgresAddress\n"
        "from socp.storage.node_store import NodeStore\n"
        "store = NodeStore.open(None, PostgresAddress.parse(os.environ['ADDRESS']))\n"
        "print('open', flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", hold],
        env={**python_path, "ADDRESS": address.dsn},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdout.readline() == b"open\n"
    assert "another server works" in refusal(address)
    monkeypatch.setattr(postgresql, "TAKE_S", PATIENCE_S)
    process.kill()
    process.communicate()
    NodeStore.open(None, address).close()


@pytest.mark.threat("S8")
def test_a_session_that_was_ended_is_made_anew_with_its_lock(address: PostgresAddress) -> None:
    with NodeStore.open(None, address) as store:
        store.write([ACCOUNT]).result(PATIENCE_S)
        assert ask(address.dsn, SESSIONS) == [(True,)]
        until_written(store)
        assert "another server works" in refusal(address)
        assert store.load().homes == (HOME,)


def until_written(store: NodeStore) -> list[str]:
    """Write until it works; what the failures said."""
    said = []
    while fault := store.write([HOME]).exception(PATIENCE_S):
        said.append(str(fault))
        assert len(said) < 5
    return said


@pytest.mark.threat("S8")
def test_a_server_whose_database_was_taken_meanwhile_writes_nothing_more(
    address: PostgresAddress,
) -> None:
    with NodeStore.open(None, address) as store:
        with NodeStore.open(None, cluster_of_two(address, store)) as other:
            assert "another server works with this database" in failure(store)
            other.write([ACCOUNT]).result(PATIENCE_S)
        line = failure(store)
        assert line.startswith(f"{address}: another server has used this database meanwhile")
        fault = store.ask(QUESTION).exception(PATIENCE_S)
        assert str(fault) == line


def cluster_of_two(address: PostgresAddress, store: NodeStore) -> PostgresAddress:
    """The same database, after the session of `store` was ended and its lock with it."""
    ask(address.dsn, SESSIONS)
    ask(address.dsn, "SELECT pg_advisory_lock($1)", postgresql.LOCK)
    return address


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Postgres]:
    """One to be stopped, which nobody else uses."""
    with private() as cluster:
        yield cluster


@pytest.mark.threat("S8")
@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_database_that_stops_fails_writes_and_questions_and_all_works_once_it_is_back(
    own_cluster: Postgres, how: str
) -> None:
    address = own_cluster.make()
    with NodeStore.open(None, address) as store:
        store.write([ACCOUNT, MAIL]).result(PATIENCE_S)
        own_cluster.stop(how)
        try:
            line = failure(store)
            assert line.startswith(str(address))
            assert line.endswith("no restart of this server is needed")
            fault = store.ask(QUESTION).exception(PATIENCE_S)
            assert isinstance(fault, StorageError)
            with pytest.raises(StorageError, match="cannot be reached"):
                store.load()
        finally:
            own_cluster.start()
        store.write([HOME]).result(PATIENCE_S)
        assert store.ask(QUESTION).result(PATIENCE_S) == queries.MailPage((MAIL,), more=False)
        assert store.load().homes == (HOME,)


@pytest.mark.threat("S8")
def test_a_statement_that_takes_too_long_is_given_up_and_later_writes_work(
    address: PostgresAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    NodeStore.open(None, address).close()
    monkeypatch.setattr(postgresql, "STATEMENT_S", 1)
    with NodeStore.open(None, address) as store:
        block = "SELECT pg_sleep(3) FROM (SELECT 1) AS one, (SELECT count(*) FROM users) AS two"
        with pytest.raises(StorageError, match="did not answer within"):
            store._database.run(lambda c: c.exec_driver_sql(block).all())
        store.write([HOME]).result(PATIENCE_S)


@pytest.mark.threat("S8")
def test_a_database_that_may_not_be_written_is_named_and_still_read(
    cluster: Postgres, address: PostgresAddress
) -> None:
    name = address.place.rpartition("/")[2]
    with NodeStore.open(None, address) as store:
        store.write([MAIL]).result(PATIENCE_S)
        ask(cluster.dsn(), f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        ask(address.dsn, SESSIONS)
        said, told = store.write([HOME]), store.ask(QUESTION)
        assert "takes no writes" in str(said.exception(PATIENCE_S))
        assert told.result(PATIENCE_S) == queries.MailPage((MAIL,), more=False)


@pytest.mark.threat("S8")
@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (asyncpg.DiskFullError("could not extend file"), "the disk of the database is full"),
        (asyncpg.OutOfMemoryError("of a value"), "out of memory"),
        (asyncpg.DataCorruptedError("invalid page"), "damaged; stop, and restore a backup"),
        (asyncpg.InsufficientPrivilegeError("users"), "make it the owner of the database"),
        (asyncpg.AdminShutdownError("terminating"), "is being shut down; see that PostgreSQL runs"),
        (asyncpg.LockNotAvailableError("users"), "another program holds the tables locked"),
        (asyncpg.ConnectionDoesNotExistError("closed"), "the connection broke"),
        (asyncpg.InternalClientError("unknown protocol state"), "the connection broke"),
        (asyncpg.UndefinedTableError("secret"), "UndefinedTableError (42P01); restart, and"),
        (ConnectionResetError(104, "Connection reset by peer"), "(Connection reset by peer)"),
    ],
)
def test_what_goes_wrong_there_is_said_in_one_line_and_passes(
    address: PostgresAddress, fault: Exception, line: str, listen: Listen
) -> None:
    broken = [True]

    def fail(*about: object) -> None:
        if broken[0] and str(about[2]).startswith("INSERT INTO user_homes"):
            raise fault

    listen("before_cursor_execute", fail)
    with NodeStore.open(None, address) as store:
        said = failure(store)
        assert said.startswith(str(address))
        assert line in said
        assert "\n" not in said
        assert "secret" not in said
        broken[0] = False
        store.write([HOME]).result(PATIENCE_S)
        assert store.load().homes == (HOME,)
