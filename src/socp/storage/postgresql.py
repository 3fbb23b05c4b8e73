"""All that is particular to PostgreSQL: connecting, whose database it is, and what faults mean."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from socp.storage.address import PostgresAddress
from socp.storage.dialect import Dialect
from socp.storage.errors import BadRecord, DatabaseAway, DatabaseTaken, StorageError
from socp.storage.loop_thread import LoopThread

CONNECT_S = 5
STATEMENT_S = 10
CLOSE_S = 3
UPGRADE_S = 3600  # one statement of an upgrade, which may rewrite a large table
LOCK_WAIT_S = 5
TAKE_S = 2  # for the lock of a server that was just killed
# A server that vanished lets go of its lock after half a minute, not after two hours.
KEEPALIVE = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
LOCK = 0x50C9_0004  # advisory, one number for all: one database has one server

TRY_LOCK = text("SELECT pg_try_advisory_lock(:number)").bindparams(number=LOCK)
WAIT_FOR_LOCK = text("SELECT pg_advisory_lock(:number)").bindparams(number=LOCK)
LOCK_NOT_AVAILABLE = "55P03"
HOLDERS = text(
    "SELECT pid, application_name, host(client_addr) AS host "
    "FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = :number AND objsubid = 1"
).bindparams(number=LOCK)
CLAIM = text(
    "INSERT INTO tenant (one, name) VALUES (1, :name) "
    "ON CONFLICT (one) DO UPDATE SET name = excluded.name"
)
TENANT = text("SELECT name FROM tenant")
END_SESSION = text("SELECT pg_terminate_backend(:pid, 2000)")

START_IT = "see that PostgreSQL runs and can be reached; no restart of this server is needed"
# By SQLSTATE: five characters, or the two of its class.
AWAY = {
    "57P01": f"is being shut down; {START_IT}",
    "57P02": f"crashed; {START_IT}",
    "57P03": f"is starting or shutting down; {START_IT}",
    "53300": "has no connection left for us; raise max_connections, or end other programs",
    "08": f"the connection broke; {START_IT}",
}
FAULTS = {
    "28": "refuses this user or password; look at --database and pg_hba.conf",
    "3D000": "there is no such database; create it with createdb, or look at --database",
    "42501": "this user may not do that; make it the owner of the database",
    "53100": "the disk of the database is full; free some space",
    "53200": "the database is out of memory; give it more",
    "25006": "takes no writes (a standby, or set to read only); make it writable",
    "55P03": "another program holds the tables locked; close it",
    "57014": f"did not answer within {STATEMENT_S} s; see what slows it down",
    "40": "another program changed the same rows; let none other write to it",
    "XX": "the database is damaged; stop, and restore a backup",
}
UNLIKE = (
    "no database there is as target_session_attrs wants it; make one so, or look at --database; "
    "no restart of this server is needed"
)
UNFIT = ("22", "23")  # what says that the record is at fault
BROKEN = (asyncpg.InterfaceError, asyncpg.InternalClientError)

PREPARED = "socp_prepared"

T = TypeVar("T")


class Postgres(Dialect):
    """One connection; a lost one is made anew by the next transaction, with the lock."""

    another = "choose another --database"
    raised = (*Dialect.raised, asyncpg.PostgresError, *BROKEN, OSError)

    def __init__(self, address: PostgresAddress) -> None:
        self.place = address.place
        self._dsn = address.dsn
        self._name = f"socp {secrets.token_hex(8)}"  # tells our own sessions from others'
        self._owns = False
        self._claimed = False
        self._statement_s = STATEMENT_S
        self._loop = LoopThread()
        self.engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            poolclass=AsyncAdaptedQueuePool,
            pool_size=1,
            max_overflow=0,
            hide_parameters=True,  # they are keys and texts, and errors end up in logs
        ).sync_engine
        event.listen(self.engine, "checkout", self._look_at)

    def drive(self, work: Callable[[], T]) -> T:
        return self._loop.call(work)

    async def _connect(self) -> asyncpg.Connection[Any]:
        milliseconds = str(self._statement_s * 1000)
        settings = {
            "application_name": self._name,
            "statement_timeout": milliseconds,
            "lock_timeout": str(LOCK_WAIT_S * 1000),
            "idle_in_transaction_session_timeout": milliseconds,
            **KEEPALIVE,
        }
        return await asyncpg.connect(
            self._dsn,
            timeout=CONNECT_S,
            command_timeout=self._statement_s,
            server_settings=settings,
        )

    @staticmethod
    def _look_at(connection: Any, _record: object, _proxy: object) -> None:
        """A connection that broke while nobody used it is replaced before anybody does."""
        if connection.driver_connection.is_closed():
            raise DisconnectionError

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with super().connect() as connection:
            if not connection.info.get(PREPARED):
                with connection.begin():
                    self._prepare(connection)
                connection.info[PREPARED] = True
            yield connection

    def _prepare(self, connection: Connection) -> None:
        """Once for each connection that is made."""
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
        if encoding != "UTF8":
            raise StorageError(
                f"{self.place} is in {encoding}; create it with createdb -E UTF8 -T template0"
            )
        if connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "off":
            # A commit is on the disk when it returns.
            connection.exec_driver_sql("SET SESSION synchronous_commit = on")
        if self._owns:
            self._lock(connection)

    def take(self, checked_later: Collection[str]) -> None:  # noqa: ARG002 - it checks its own
        self._owns = True
        self.engine.dispose()  # so that the next connection has the lock
        with self.begin():
            pass

    def forget(self) -> None:
        """It is no file of ours."""

    def claim(self) -> None:
        """Leave our name, so that we notice whoever comes while our connection is broken."""
        with self.begin() as connection:
            connection.execute(CLAIM, {"name": self._name})
        self._claimed = True

    def _lock(self, connection: Connection) -> None:
        """Held by the connection, for as long as it lives."""
        self._try_lock(connection)
        if self._claimed and connection.execute(TENANT).scalar_one_or_none() != self._name:
            raise DatabaseTaken(
                f"{self.place}: another server has used this database meanwhile, and what we "
                "remember is no longer true; restart this one once the other is stopped"
            )

    def _try_lock(self, connection: Connection) -> None:
        if connection.execute(TRY_LOCK).scalar_one():
            return
        holders = connection.execute(HOLDERS).all()
        for holder in holders:
            if holder.application_name == self._name:  # ours, of before it broke
                connection.execute(END_SESSION, {"pid": holder.pid})
        # One that was killed a moment ago has it until PostgreSQL notices.
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(TAKE_S * 1000)}")
        try:
            connection.execute(WAIT_FOR_LOCK)
        except DBAPIError as fault:
            if getattr(fault.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
        else:
            return
        who = "".join(
            f" (PostgreSQL's process {holder.pid}{f' from {holder.host}' if holder.host else ''})"
            for holder in holders
        )
        raise DatabaseTaken(
            f"{self.place}: another server works with this database{who}; "
            f"stop it, or {self.another}"
        )

    def check(self) -> None:
        """The connection says it when there is something to say."""

    def recover(self, told: StorageError) -> None:
        """Nobody knows what a connection does that did not answer: the next one is made anew."""
        if isinstance(told, DatabaseAway):
            self._hang_up()

    def explain(self, fault: Exception) -> StorageError:
        cause: BaseException | None = fault.orig if isinstance(fault, DBAPIError) else fault
        if isinstance(fault, DBAPIError) and cause is not None and cause.__cause__ is not None:
            cause = cause.__cause__  # asyncpg's own, below SQLAlchemy's
        if isinstance(cause, TimeoutError):
            return DatabaseAway(f"{self.place}: {FAULTS['57014']}")
        if isinstance(cause, asyncpg.ClientConfigurationError):
            return StorageError(f"{self.place}: --database cannot be understood; look at its form")
        if isinstance(cause, asyncpg.PostgresError):
            return self._explain_state(cause)
        if isinstance(cause, OSError):
            said = cause.strerror or "the connection broke"
            return DatabaseAway(f"{self.place} cannot be reached ({said}); {START_IT}")
        if isinstance(cause, asyncpg.TargetServerAttributeNotMatched):
            return DatabaseAway(f"{self.place}: {UNLIKE}")
        if isinstance(cause, BROKEN) and not isinstance(cause, ValueError):
            return DatabaseAway(f"{self.place}: the connection broke; {START_IT}")
        return self._unfit(cause)

    def _explain_state(self, cause: asyncpg.PostgresError) -> StorageError:
        state = str(getattr(cause, "sqlstate", None) or "")
        for key in (state, state[:2]):
            if key in AWAY:
                return DatabaseAway(f"{self.place}: {AWAY[key]}")
            if key in FAULTS:
                return StorageError(f"{self.place}: {FAULTS[key]}")
            if key in UNFIT:
                return self._unfit(cause)
        name = type(cause).__name__  # its text may hold a value
        return StorageError(
            f"{self.place}: {name} ({state}); restart, and restore a backup if it comes again"
        )

    def _unfit(self, cause: BaseException | None) -> BadRecord:
        what = type(cause).__name__
        return BadRecord(f"{self.place}: a value that cannot be stored ({what}); report this")

    def scrub(self) -> None:
        """It is no file of ours."""

    def damage(self, connection: Connection) -> str | None:
        """It looks after its pages and references itself: that it answers is the check."""
        connection.exec_driver_sql("SELECT 1")
        return None

    def table_names(self, connection: Connection) -> frozenset[str]:
        rows = connection.exec_driver_sql(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        )
        return frozenset(rows.scalars())

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        with self.connect() as connection:
            connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            with connection.begin():
                yield connection

    @contextmanager
    def schema_change(self) -> Iterator[Connection]:
        """On a connection whose statements may take long; PostgreSQL checks references itself."""
        self._statement_s = UPGRADE_S
        self.engine.dispose()
        try:
            with self.begin() as connection:
                yield connection
        finally:
            self._statement_s = STATEMENT_S
            self.engine.dispose()

    def close(self) -> None:
        self._hang_up()
        self._loop.close()

    def _hang_up(self) -> None:
        """Say goodbye; to who does not hear it, only for a while."""
        with suppress(TimeoutError):
            self._loop.call(self.engine.dispose, CLOSE_S)
