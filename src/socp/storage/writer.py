"""Group commit: one thread commits together all that queued while the last commit was under way.

Questions stand in the same queue, so that each sees what was written before it and nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import Connection

from socp.storage.database import Database
from socp.storage.errors import BadRecord, DatabaseAway, StorageError

QUEUED_RECORDS_MAX = 50_000  # at 20,000 a second, what a disk that hangs for two seconds costs
QUEUED_BYTES_MAX = 256 * 1024 * 1024  # of what is large in them: a chunk of a file is 350 KB

R = TypeVar("R")
T = TypeVar("T")
Apply = Callable[[Connection, Sequence[R]], None]
Told = Callable[[Exception | None], object]


class Pledge(Future[T]):
    """A future that cannot be cancelled: what waits on it is on its way to the disk."""

    def cancel(self) -> bool:
        return False


@dataclass(slots=True, eq=False)
class Write(Generic[R]):
    """What one call to `give` or `put` brought: committed whole or not at all."""

    records: Sequence[R]
    size: int  # bytes
    told: Told

    @property
    def count(self) -> int:
        return len(self.records)


@dataclass(slots=True, eq=False)
class Question:
    """What one call to `ask` brought."""

    answer: Callable[[Connection], Any]
    done: Pledge[Any] = field(default_factory=Pledge)
    count: ClassVar[int] = 1
    size: ClassVar[int] = 0


class Writer(Generic[R]):
    """Waits on a condition while there is nothing to do, and costs nothing then."""

    def __init__(
        self,
        database: Database,
        apply: Apply[R],
        size: Callable[[Sequence[R]], int] = lambda _: 0,
        *,
        queued_max: int = QUEUED_RECORDS_MAX,
        queued_bytes_max: int = QUEUED_BYTES_MAX,
    ) -> None:
        """`size` says how many bytes records hold that do not all have about the same."""
        self._database = database
        self._apply = apply
        self._size = size
        self._queued_max = queued_max
        self._queued_bytes_max = queued_bytes_max
        self._queue: list[Write[R] | Question] = []
        self._queued = 0
        self._queued_bytes = 0
        self._closing = False
        self._news = threading.Condition()
        # A daemon: a process that forgot to close must still be able to end.
        self._thread = threading.Thread(target=self._run, name="socp-storage", daemon=True)
        self._thread.start()

    def put(self, records: Sequence[R]) -> Future[None]:
        """Queue a write. The future resolves after its commit, in the order of the puts.

        It fails with StorageError, at once where the queue is full or closed.
        """
        done: Pledge[None] = Pledge()
        self.give([(tuple(records), lambda fault: _resolve(done, fault))])
        return done

    def give(self, given: Sequence[tuple[Sequence[R], Told]]) -> None:
        """Several writes at once, and without futures, which cost as much as all else here does for
        a record: of each it is told on the writer's thread that it is on the disk (None), or why
        not; at once where it is refused. Whoever is told must not raise."""
        self._enqueue([Write(records, self._size(records), told) for records, told in given])

    def ask(self, answer: Callable[[Connection], T]) -> Future[T]:
        """Queue a question: `answer` is called between what was put before it and after it.

        The future resolves, fails and is refused as that of a put.
        """
        question = Question(answer)
        self._enqueue([question])
        return question.done

    def close(self) -> None:
        """Commit what is queued and end the thread; later puts fail."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join()

    def _enqueue(self, jobs: Sequence[Write[R] | Question]) -> None:
        refused: list[tuple[Write[R] | Question, StorageError]] = []
        with self._news:
            is_idle = not self._queue  # else it is awake, or about to be
            for job in jobs:
                refusal = self._refusal(job.count, job.size)
                if refusal is None:
                    self._queue.append(job)
                    self._queued += job.count
                    self._queued_bytes += job.size
                else:
                    refused.append((job, refusal))
            if is_idle and self._queue:
                self._news.notify()
        for job, refusal in refused:
            _settle([job], [refusal])

    def _refusal(self, records: int, size: int) -> StorageError | None:
        if self._closing:
            return StorageError(f"{self._database.place} is closed; nothing more is stored")
        # A write alone may be longer: it could not be made any other way.
        full = (
            self._queued + records > self._queued_max
            or self._queued_bytes + size > self._queued_bytes_max
        )
        if self._queued and full:
            return StorageError(
                f"{self._database.place}: the disk does not keep up, {self._queued} records wait; "
                "try again later, and look what slows the disk down"
            )
        return None

    def _run(self) -> None:
        while batch := self._take():
            self._commit(batch)

    def _take(self) -> list[Write[R] | Question]:
        """Everything queued, waiting for something; nothing once closed and empty."""
        with self._news:
            while not self._queue and not self._closing:
                self._news.wait()
            batch, self._queue = self._queue, []
            self._queued = self._queued_bytes = 0
            return batch

    def _commit(self, batch: Sequence[Write[R] | Question]) -> None:
        writes = any(job.records for job in batch if isinstance(job, Write))
        if not writes and all(isinstance(job, Write) for job in batch):
            _settle(batch, [None] * len(batch))
            return
        try:
            verdicts = self._database.run(
                lambda connection: self._together(connection, batch), read=not writes
            )
        except BadRecord:
            self._commit_apart(batch)
        except StorageError as fault:
            _settle(batch, self._after(fault, batch) if writes else [fault] * len(batch))
        except Exception:  # noqa: BLE001 - a bug fails the job it came with, below, and not the thread
            self._commit_apart(batch)
        else:
            _settle(batch, verdicts)

    def _together(self, connection: Connection, batch: Sequence[Write[R] | Question]) -> list[Any]:
        """What there is to say to each: None to a write, the answer to a question."""
        verdicts: list[Any] = []
        for _, jobs in groupby(batch, type):
            records: list[R] = []
            for job in jobs:
                if isinstance(job, Question):
                    verdicts.append(job.answer(connection))
                else:
                    records += job.records
                    verdicts.append(None)
            if records:
                self._apply(connection, records)
        return verdicts

    def _commit_apart(self, batch: Sequence[Write[R] | Question]) -> None:
        """One of the batch does not fit: one transaction still, each job standing for itself."""
        try:
            verdicts = self._database.run(
                lambda connection: [self._attempt(connection, job) for job in batch]
            )
        except StorageError as fault:
            verdicts = self._after(fault, batch)
        except Exception as bug:  # noqa: BLE001 - reaches all who wait; the thread goes on
            verdicts = [bug] * len(batch)
        _settle(batch, verdicts)

    def _after(self, fault: StorageError, batch: Sequence[Write[R] | Question]) -> list[Any]:
        """Nothing can be written now; what is there may still be read."""
        questions = [job for job in batch if isinstance(job, Question)]
        answers: list[Any] = [fault] * len(questions)
        if questions and not isinstance(fault, DatabaseAway):
            try:
                answers = self._database.run(
                    lambda connection: [self._attempt(connection, job) for job in questions],
                    read=True,
                )
            except Exception as other:  # noqa: BLE001 - reaches whoever asked
                answers = [other] * len(questions)
        told = iter(answers)
        return [next(told) if isinstance(job, Question) else fault for job in batch]

    def _attempt(self, connection: Connection, job: Write[R] | Question) -> Any:
        try:
            with self._database.part(connection):
                if isinstance(job, Question):
                    return job.answer(connection)
                self._apply(connection, job.records)
        except BadRecord as fault:
            return fault
        except StorageError:
            raise
        except Exception as bug:  # noqa: BLE001 - reaches whoever waits for this job
            return bug
        return None


def _settle(batch: Sequence[Write[Any] | Question], verdicts: Sequence[Any]) -> None:
    """Tell each what became of it: an exception, or what its future resolves to."""
    for job, verdict in zip(batch, verdicts, strict=True):
        if isinstance(verdict, StorageError):
            # One for each: raising an exception writes into it.
            verdict = type(verdict)(*verdict.args)  # noqa: PLW2901
        if isinstance(job, Write):
            job.told(verdict)
        else:
            _resolve(job.done, verdict)


def _resolve(done: Pledge[Any], verdict: Any) -> None:
    if isinstance(verdict, Exception):
        done.set_exception(verdict)
    else:
        done.set_result(verdict)
