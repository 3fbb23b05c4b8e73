"""Mutants before the tests: which tests walk a mutant's lines, and whether one of them fails.

Everything is collected and imported once. Then each mutant has a process of its own, forked from
that, which ends with the first test that fails.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from itertools import accumulate
from multiprocessing import connection
from pathlib import Path
from typing import Any

import coverage
import pytest

from tests.mutation.mutants import Mutant
from tests.mutation.planting import Functions, Unfit

# A test has so many times its normal time (of the processor), and this besides, for what is
# measured too short to say anything. By the clock it has more, for the sake of a busy machine.
TIMES_MAX = 5
GRACE_S = 1.0
CLOCK_TIMES_MAX = 20
CLOCK_GRACE_S = 60.0
MEMORY_BYTES_MAX = 8 << 30
# The quickest of the tests that walk a mutant's lines, as many as take so long together (measured
# while lines are counted, which makes them slower): what none of them notices lives.
PATIENCE_S = 10.0


class Verdict(Enum):
    """How it ended for a mutant."""

    KILLED = "killed"
    HUNG = "hung"
    LIVES = "lives"
    UNSEEN = "unseen"
    UNFIT = "unfit"


@dataclass(frozen=True)
class Result:
    """`by`: the test that killed it. `tests`: how many walk its lines."""

    verdict: Verdict
    tests: int
    by: str = ""


@dataclass(frozen=True)
class Survey:
    """What the tests do while nothing is wrong."""

    seconds: dict[str, float]
    failed: list[str]
    walked: Mapping[str, Mapping[int, list[str]]] = field(repr=False)

    def walking(self, mutant: Mutant) -> list[str]:
        """The tests that run a line of the mutant's statement, the quickest first."""
        by_line = self.walked.get(str(mutant.source.path), {})
        walking = {test for line in mutant.lines for test in by_line.get(line, ())}
        tests = sorted(walking, key=lambda test: (self.seconds[test], test))
        spent = accumulate(self.seconds[test] for test in tests)
        return [test for test, so_far in zip(tests, spent, strict=True) if so_far <= PATIENCE_S]


class Trial:
    """The collected tests of `session`, and the two things that are done with them."""

    def __init__(self, session: pytest.Session, folder: Path, grace_s: float) -> None:
        self._session = session
        self._items = {item.nodeid: item for item in session.items}
        self._folder = folder
        self._grace_s = grace_s
        self._functions = Functions()
        self._killers: defaultdict[str, list[str]] = defaultdict(list)
        gc.freeze()  # what is there already need not be looked through in every process

    def survey(self, jobs: int) -> Survey:
        """Run all of them once, in so many parts at a time."""
        names = list(self._items)
        size = -(-len(names) // jobs)
        parts = [names[at : at + size] for at in range(0, len(names), size)]
        seconds: dict[str, float] = {}
        failed: list[str] = []
        walked: defaultdict[str, defaultdict[int, list[str]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for _, part in _forked([partial(self._surveyed, part) for part in parts], jobs):
            assert isinstance(part, Survey), f"the tests ended their process: {part}"
            seconds |= part.seconds
            failed += part.failed
            for file, by_line in part.walked.items():
                for line, tests in by_line.items():
                    walked[file][line] += tests
        return Survey(seconds, failed, walked)

    def verdicts(
        self, mutants: Iterable[Mutant], survey: Survey, jobs: int
    ) -> Iterator[tuple[Mutant, Result]]:
        """Try each, so many at a time; they come as they end."""

        def errands() -> Iterator[Callable[[], Result]]:
            for mutant in mutants:
                order.append((mutant, self._ordered(mutant, survey)))
                yield lambda: self._tried(*order[-1], survey)

        order: list[tuple[Mutant, list[str]]] = []
        for index, said in _forked(errands(), jobs):
            mutant, tests = order[index]
            result = said if isinstance(said, Result) else Result(_by_end(said), len(tests))
            if result.by:
                self._killers[mutant.identity.file].insert(0, result.by)
            yield mutant, result

    def _ordered(self, mutant: Mutant, survey: Survey) -> list[str]:
        """What killed others of the file lately goes first: it often does so again."""
        tests = survey.walking(mutant)
        lately = dict.fromkeys(self._killers[mutant.identity.file][:20])
        first = [test for test in lately if test in set(tests)]
        return first + [test for test in tests if test not in lately]

    def _surveyed(self, names: Sequence[str]) -> Survey:
        seen = coverage.Coverage(
            data_file=None, config_file=False, include=[f"{self._folder}/*"], messages=False
        )
        seconds: dict[str, float] = {}
        failed = []
        seen.start()
        for name, following in zip(names, [*names[1:], None], strict=True):
            seen.switch_context(name)
            begun = time.process_time()
            if not self._passes(name, following):
                failed.append(name)
            seconds[name] = time.process_time() - begun
        seen.stop()
        data = seen.get_data()
        walked = {file: data.contexts_by_lineno(file) for file in data.measured_files()}
        return Survey(seconds, failed, walked)

    def _tried(self, mutant: Mutant, tests: list[str], survey: Survey) -> Result:
        if not tests:
            return Result(Verdict.UNSEEN, 0)
        try:
            self._functions.plant(mutant)
        except Unfit:
            return Result(Verdict.UNFIT, len(tests))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
        for name, following in zip(tests, [*tests[1:], None], strict=True):
            normal_s = survey.seconds[name]
            signal.setitimer(signal.ITIMER_PROF, self._grace_s + TIMES_MAX * normal_s)
            signal.setitimer(signal.ITIMER_REAL, CLOCK_GRACE_S + CLOCK_TIMES_MAX * normal_s)
            if not self._passes(name, following):
                return Result(Verdict.KILLED, len(tests), name)
        return Result(Verdict.LIVES, len(tests))

    def _passes(self, name: str, following: str | None) -> bool:
        failed = self._session.testsfailed
        item, after = self._items[name], None if following is None else self._items[following]
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        return self._session.testsfailed == failed


def _by_end(status: int) -> Verdict:
    """Of a process that said nothing: too slow by one of the two clocks, or broken."""
    slow = os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGPROF, signal.SIGALRM}
    return Verdict.HUNG if slow else Verdict.KILLED


def _forked(errands: Iterable[Callable[[], Any]], jobs: int) -> Iterator[tuple[int, Any]]:
    """Each errand in a process of its own: its number and what it gave back, or how it ended."""
    running: dict[connection.Connection, tuple[int, int]] = {}
    waiting = enumerate(errands)
    try:
        while True:
            while len(running) < jobs and (turn := next(waiting, None)) is not None:
                number, errand = turn
                hears, says = connection.Pipe(duplex=False)
                if (process := os.fork()) == 0:
                    _run(errand, says)
                says.close()
                running[hears] = number, process
            if not running:
                return
            for said in connection.wait(list(running)):
                assert isinstance(said, connection.Connection)
                number, process = running.pop(said)
                yield number, _heard(said, process)
    finally:
        for hears, (_, process) in running.items():
            os.kill(process, signal.SIGKILL)
            _heard(hears, process)


def _run(errand: Callable[[], Any], says: connection.Connection) -> None:
    """In the child, which does not come back. What tests print is nobody's."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    for end in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(end, signal.SIG_DFL)
    try:
        says.send(errand())
    finally:
        os._exit(0)


def _heard(hears: connection.Connection, process: int) -> Any:
    with hears:
        try:
            said = hears.recv()
        except EOFError:
            said = None
    _, status = os.waitpid(process, 0)
    return status if said is None else said
