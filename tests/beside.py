"""With `--beside N`: N processes run the tests side by side, and it comes out as one run: one list
of tests, each failure in full, one summary, one exit code.

They are forks of the process that found the tests, so every argument of pytest means what it always
does. A file's tests stay together, in their order, and so do those that are marked `together`. One
process begins with what is fast, the others with what is slow and mostly waits, so that each core
has something to do. What is marked `alone`, for it measures time, what is marked `last` and what is
run again is left to the process that began all, when the others have ended.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final, TypeAlias

import pytest
from _pytest import runner

# Folders whose tests share what takes long to make: they stay together as those of a file do.
TOGETHER: Final = frozenset({"conform"})
PROCESSES_MAX: Final = 4  # each has a PostgreSQL, and what is left to the end is not less for more
NICE: Final = 5  # what only computes gives way to what waits for sockets, terminals and disks
MORE: Final = 1  # than there are cores: half of the time a test waits
ENDED: Final = "the process that ran it ended by itself, with exit code"

Told = list[dict[str, Any]]  # the reports of a test, as they go from process to process
Line: TypeAlias = "Connection[Any, Any]"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--beside",
        type=lambda word: min(_cores() + MORE, PROCESSES_MAX) if word == "cores" else int(word),
        default=1,
        metavar="N",
        help='run the tests in N processes; "cores" is one more than there are',
    )


def pytest_configure(config: pytest.Config) -> None:
    asked = config.option
    watched = asked.usepdb or asked.trace or asked.collectonly or asked.capture == "no"
    if asked.beside > 1 and not watched and hasattr(os, "fork"):
        config.pluginmanager.register(Beside(asked.beside))


@dataclass(eq=False)
class Worker:
    """A process, and what it is at."""

    process: BaseProcess
    line: Line
    slow_first: bool
    chunk: list[int] = field(default_factory=list)  # places in the list of all tests
    told: list[Told] = field(default_factory=list)  # what became of them so far


class Beside:
    """Hands out the tests, and reports what is told of them."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._chunks: deque[list[int]] = deque()  # which nobody has begun
        self._workers: list[Worker] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self) -> Generator[None, object, object]:
        """What is made here stays, so nobody need look for rubbish."""
        gc.disable()
        try:
            return (yield)
        finally:
            gc.enable()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Have done what can be done side by side, then do the rest."""
        items = session.items
        places = [place for place, item in enumerate(items) if not _is_alone(item)]
        homes: dict[str, list[int]] = {}
        for place in places:
            homes.setdefault(_home(items[place]), []).append(place)
        self._chunks.extend(homes.values())
        if session.testsfailed or len(self._chunks) < 2:  # not all was found, or it has no use
            return None
        assert threading.active_count() == 1, "a fork would be without the other threads"
        gc.collect()
        gc.freeze()  # else it is looked through again and again: a third of the time of a run
        session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # one for all
        try:
            for number in range(self._processes):
                self._begin(session, slow_first=number > 0)
            while self._workers:
                for line in wait([worker.line for worker in self._workers]):
                    self._hear(session, next(w for w in self._workers if w.line is line))
        finally:
            for worker in self._workers:
                worker.line.close()  # so it ends after the test that it is at
            for worker in self._workers:
                worker.process.join()
        left = [items[place] for chunk in self._chunks for place in chunk]
        left += [item for item in items if _is_alone(item)]
        for item, following in zip(left, [*left[1:], None], strict=False):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            _stop_if_asked(session)
        return True

    def _begin(self, session: pytest.Session, *, slow_first: bool) -> None:
        ours, theirs = multiprocessing.Pipe()
        not_theirs = [ours, *(worker.line for worker in self._workers)]
        process = multiprocessing.get_context("fork").Process(
            target=_work, args=(session, theirs, not_theirs, 0 if slow_first else NICE)
        )
        process.start()
        theirs.close()
        worker = Worker(process, ours, slow_first)
        self._workers.append(worker)
        self._hand_out(worker)

    def _hand_out(self, worker: Worker) -> None:
        """Its next tests; none is the end."""
        take = self._chunks.pop if worker.slow_first else self._chunks.popleft
        worker.chunk, worker.told = take() if self._chunks else [], []
        worker.line.send(worker.chunk)

    def _hear(self, session: pytest.Session, worker: Worker) -> None:
        try:
            told: Told | None = worker.line.recv()
        except (EOFError, ConnectionResetError):
            self._ended(session, worker)
            return
        if told is not None:
            worker.told.append(told)
            return
        self._report(session, worker)
        self._hand_out(worker)

    def _report(self, session: pytest.Session, worker: Worker) -> None:
        hook = session.config.hook
        for place, told in zip(worker.chunk, worker.told, strict=False):  # less, if it is to stop
            reports = [
                hook.pytest_report_from_serializable(config=session.config, data=data)
                for data in told
            ]
            _log(session, session.items[place], reports)

    def _ended(self, session: pytest.Session, worker: Worker) -> None:
        """As it should, or with a test."""
        worker.process.join()
        self._workers.remove(worker)
        worker.line.close()
        code = worker.process.exitcode
        self._report(session, worker)
        if worker.chunk:
            at = len(worker.told)
            self._chunks.appendleft(worker.chunk[at + 1 :])
            item = session.items[worker.chunk[at]]
            _log(session, item, [_end_of(item, code)])
        elif code:
            raise RuntimeError(f"what its tests shared could not be ended, code {code}: see above")


class Teller:
    """In a worker: keeps what pytest reports of a test."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.told: Told = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        hook = self._config.hook
        self.told.append(hook.pytest_report_to_serializable(config=self._config, report=report))


class Silent:
    """In a worker, where the reporter was: as he is to whoever asks, but no report reaches him."""

    def __init__(self, reporter: object) -> None:
        self._reporter = reporter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reporter, name)


def _work(session: pytest.Session, line: Line, not_ours: list[Line], nice: int) -> None:
    """A worker, from its fork to its end."""
    os.nice(nice)
    for other in not_ours:
        other.close()
    plugins = session.config.pluginmanager
    capture = plugins.get_plugin("capturemanager")
    assert capture is not None
    capture.stop_global_capturing()  # it wrote into a file that all forks have
    capture.start_global_capturing()
    capture.suspend_global_capture()
    plugins.register(Silent(plugins.unregister(name="terminalreporter")), "terminalreporter")
    teller = Teller(session.config)
    plugins.register(teller)
    try:
        while chunk := line.recv():
            _play(session, [session.items[place] for place in chunk], line, teller)
            line.send(None)
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        pass  # the first process wants no more
    finally:
        runner.pytest_sessionfinish(session)


def _play(session: pytest.Session, items: list[pytest.Item], line: Line, teller: Teller) -> None:
    after: list[pytest.Item | pytest.Session] = [*items[1:], session]  # what the session has stays
    for item, following in zip(items, after, strict=True):
        if (
            session.shouldfail or session.shouldstop or line.poll()
        ):  # nothing comes meanwhile but the end
            return
        teller.told = []
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        line.send(teller.told)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _log(session: pytest.Session, item: pytest.Item, reports: list[pytest.TestReport]) -> None:
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    _stop_if_asked(session)


def _stop_if_asked(session: pytest.Session) -> None:
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)


def _end_of(item: pytest.Item, code: int | None) -> pytest.TestReport:
    why = f"{ENDED} {code}"
    return pytest.TestReport(item.nodeid, item.location, {}, "failed", why, "call")


def _is_alone(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(mark) for mark in ("alone", "last"))


def _home(item: pytest.Item) -> str:
    """What has the same is run by the same process."""
    if mark := item.get_closest_marker("together"):
        return str(mark.args[0])
    return str(item.path.parent if item.path.parent.name in TOGETHER else item.path)
