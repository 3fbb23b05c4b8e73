"""Durable enqueues a second: the storage room against the same rows through sqlite3 directly.

`python -m tests.storage.bench_mail [PAIRS]` prints it. The reference has the same table, indexes,
settings and batches, each in one transaction and one executemany: what it leaves out is all that
the room does, its queue, its thread, its futures and SQLAlchemy.
"""

from __future__ import annotations

import gc
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from msgspec import structs
from sqlalchemy import Connection

from socp.node import records
from socp.node.records import Mail
from socp.storage import FolderLock
from socp.storage.database import Database
from socp.storage.mail_rows import WAITING
from socp.storage.node_store import NodeStore
from socp.storage.sqlite import PRAGMAS
from tests.storage.examples import MAIL

PIECES = 8000
IN_THE_AIR = 400
PAYLOAD = b'{"ciphertext":"' + b"c" * 683 + b'","content_sig":"' + b"s" * 683 + b'"}'
INSERT = (
    "INSERT INTO mail (user_id, msg_ref, part, seq, state, handed, sender, kind, ts, payload, via, "
    "attach_ts, stored_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (user_id, msg_ref, part) DO UPDATE SET seq = excluded.seq, "
    "state = excluded.state, handed = excluded.handed, sender = excluded.sender, "
    "kind = excluded.kind, ts = excluded.ts, payload = excluded.payload, via = excluded.via, "
    "attach_ts = excluded.attach_ts, stored_ms = excluded.stored_ms"
)
COUNTER = (
    "INSERT INTO mail_counter (one, seq) VALUES (1, ?) "
    "ON CONFLICT (one) DO UPDATE SET seq = excluded.seq"
)


@dataclass(frozen=True)
class Pair:
    """Pieces a second, one after the other on the same disk."""

    room: float
    direct: float
    commits: int

    @property
    def ratio(self) -> float:
        return self.room / self.direct


class CountedStore(NodeStore):
    """Notes how many records each commit takes."""

    def __init__(self, database: Database, lock: FolderLock | None) -> None:
        self.sizes: list[int] = []
        super().__init__(database, lock)

    def _apply(self, connection: Connection, records_: Sequence[records.Record]) -> None:
        self.sizes.append(len(records_))
        super()._apply(connection, records_)


def mail() -> list[Mail]:
    """For 50 people, each piece with a msg_ref as random as a hash."""
    return [
        structs.replace(
            MAIL,
            seq=number,
            user_id=f"{number % 50:036d}",
            msg_ref=f"{number * 0x9E3779B97F4A7C15 % 2**128:043x}",
            payload=PAYLOAD,
        )
        for number in range(1, PIECES + 1)
    ]


def through_the_room(folder: Path, mail: Sequence[Mail]) -> tuple[float, list[int]]:
    """Each piece a write of its own, as the brain makes them: seconds, and the size of each commit.

    The next comes when the oldest is durable, so that half of those in the air come while the other
    half is on its way to the disk: as in a busy server.
    """
    with CountedStore.open(folder) as store:
        in_the_air: deque[Future[None]] = deque()
        start = time.perf_counter()
        for piece in mail:
            if len(in_the_air) == IN_THE_AIR:
                in_the_air.popleft().result()
            while len(in_the_air) == IN_THE_AIR // 2 and not store.sizes:
                time.sleep(0.0001)  # until the first half is on its way
            in_the_air.append(store.write([piece]))
        for future in in_the_air:
            future.result()
        return time.perf_counter() - start, store.sizes


def directly(folder: Path, mail: Sequence[Mail], sizes: Sequence[int]) -> float:
    """The same rows in the same batches; seconds."""
    NodeStore.open(folder).close()  # the same tables
    rest = iter(mail)
    with closing(sqlite3.connect(folder / "socp.db", isolation_level=None)) as connection:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        start = time.perf_counter()
        for size in sizes:
            rows = [values(piece) for piece in islice(rest, size)]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(INSERT, rows)
            connection.execute(COUNTER, (rows[-1][3],))
            connection.execute("COMMIT")
        took_s = time.perf_counter() - start
        assert connection.execute("SELECT count(*) FROM mail").fetchone() == (len(mail),)
    return took_s


def values(piece: Mail) -> tuple[Any, ...]:
    return (
        piece.user_id,
        piece.msg_ref,
        piece.part,
        piece.seq,
        WAITING,
        0,
        piece.sender,
        piece.kind,
        piece.ts,
        piece.payload,
        piece.via,
        piece.attach_ts,
        piece.stored_ms,
    )


def pairs(folder: Path, number: int) -> list[Pair]:
    """A B A B: the room, then sqlite3, on new files; garbage is collected as in a server."""
    made = mail()
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1000)
    try:
        return list(measured(folder, made, number))
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def measured(folder: Path, made: Sequence[Mail], number: int) -> Iterator[Pair]:
    for turn in range(number):
        room_s, sizes = through_the_room(folder / f"room-{turn}", made)
        direct_s = directly(folder / f"direct-{turn}", made, sizes)
        yield Pair(PIECES / room_s, PIECES / direct_s, len(sizes))
        shutil.rmtree(folder / f"room-{turn}")
        shutil.rmtree(folder / f"direct-{turn}")


def told(pairs: Sequence[Pair]) -> str:
    return (
        f"durable enqueues/s, median of {len(pairs)} pairs: "
        f"room {median(pair.room for pair in pairs):,.0f}, "
        f"sqlite3 directly {median(pair.direct for pair in pairs):,.0f}, "
        f"{median(pair.commits for pair in pairs):.0f} commits each, "
        f"ratio {median(pair.ratio for pair in pairs):.2f} (goal 0.65)"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=".") as here:
        print(told(pairs(Path(here), int(sys.argv[1]) if len(sys.argv) > 1 else 5)))  # noqa: T201
