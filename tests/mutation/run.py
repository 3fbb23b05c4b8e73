"""`script/mutate ROOM`: are the tests of a room troubled when its code is wrong?

A seeded sample of its mutants is shown to them. Which one lives although its lines are walked is
printed as an entry for the list of equivalents (tests/mutation/equivalent), to be put there with a
reason, or to be killed by a test.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mutation import known
from tests.mutation.mutants import Identity, Mutant, mutants_of, sample
from tests.mutation.trial import GRACE_S, Result, Trial, Verdict

ROOT = Path(__file__).parents[2]
ROOMS = ("wire", "crypto", "channel", "files", "node", "member")
# Storms of events over the whole room: too slow to be asked about each mutant.
STORMS = ("test_anything.py", "test_content_storm.py", "test_random_frames.py")
SEED = 7
SAMPLE = 300
SCORE_MIN = 0.9
STATED_EACH = 50
DEAD = {Verdict.KILLED, Verdict.HUNG}


@dataclass(frozen=True)
class Subject:
    """What is changed, and by which tests that should be seen."""

    name: str
    source: Path
    root: Path
    tests: tuple[Path, ...]
    equivalent: dict[Identity, str]
    grace_s: float = GRACE_S


def room(name: str) -> Subject:
    """A room of ours and the tests of its own."""
    source = ROOT / "src/socp"
    return Subject(name, source / name, source, (ROOT / "tests" / name,), known.equivalents(name))


class Run:
    """A plugin of pytest: when everything is collected, the mutants have their turn."""

    def __init__(self, subject: Subject, *, seed: int, size: int, jobs: int, only: str) -> None:
        self.subject = subject
        self.seed, self.size, self.jobs, self.only = seed, size, jobs, only
        self.results: dict[Mutant, Result] = {}
        self.score: float | None = None

    def pytest_sessionstart(self) -> None:
        """Properties take the same examples each time, and need no shortest one."""
        import hypothesis  # not before pytest, which wants to see it imported

        phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
        hypothesis.settings.register_profile(
            "mutation", deadline=None, derandomize=True, database=None, phases=phases
        )
        hypothesis.settings.load_profile("mutation")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            print(report.longreprtext, file=sys.stderr)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if not session.testsfailed:
            self._mutate(session)
        return True

    def _mutate(self, session: pytest.Session) -> None:
        subject = self.subject
        every = mutants_of(subject.source, subject.root)
        chosen = sample(every, self.seed, self.size)
        _say(f"{subject.name}: {len(chosen)} of {len(every)} mutants, seed {self.seed}")
        if unknown := subject.equivalent.keys() - {mutant.identity for mutant in every}:
            _say("no longer to be found, take them out of the list of equivalents:")
            _entries(sorted(unknown))
        trial = Trial(session, subject.source, subject.grace_s)
        survey = trial.survey(self.jobs)
        _say(f"{len(session.items)} tests, {sum(survey.seconds.values()):.0f} s of the processor")
        if survey.failed:
            _say(f"they fail already, mend them first: {' '.join(survey.failed)}")
            return
        tried = [mutant for mutant in chosen if self.only in mutant.identity.place]
        for mutant, result in trial.verdicts(tried, survey, self.jobs):
            self.results[mutant] = result
            if self._counts(mutant) and _is_alive(result):
                _say("\n".join(_shown(mutant, result)))
            if len(self.results) % STATED_EACH == 0:
                live = sum(map(_is_alive, self.results.values()))
                _say(f"{len(self.results)} tried, {live} live")
        self._report()

    def _counts(self, mutant: Mutant) -> bool:
        unfit = self.results[mutant].verdict is Verdict.UNFIT
        return not unfit and mutant.identity not in self.subject.equivalent

    def _report(self) -> None:
        named, results = self.subject.equivalent, self.results
        counted = {mutant: results[mutant] for mutant in results if self._counts(mutant)}
        equivalent = {mutant: results[mutant] for mutant in results if mutant.identity in named}
        for mutant, result in equivalent.items():
            if not _is_alive(result):
                _say(f"named as equivalent, but {result.verdict.value} by {result.by}:")
                _entries([mutant.identity])
        verdicts = Counter(result.verdict for result in counted.values())
        dead = sum(verdicts[verdict] for verdict in DEAD)
        self.score = dead / len(counted) if counted else 1.0
        said = ", ".join(f"{verdicts[verdict]} {verdict.value}" for verdict in Verdict)
        _say(f"{self.subject.name}: {self.score:.1%} ({said}; {len(equivalent)} equivalent)")


def _is_alive(result: Result) -> bool:
    return result.verdict not in DEAD


def _shown(mutant: Mutant, result: Result) -> Iterator[str]:
    place = f"{os.path.relpath(mutant.source.path)}:{mutant.line}"
    yield f"\n# {result.verdict.value}, walked by {result.tests} tests: {place}"
    before, after = mutant.source.text.splitlines(), mutant.code().splitlines()
    for line in difflib.unified_diff(before, after, n=0, lineterm=""):
        if not line.startswith(("---", "+++", "@@")):
            yield f"# {line}"
    yield from known.entry(mutant.identity)


def _entries(identities: list[Identity]) -> None:
    for identity in identities:
        _say("\n".join(known.entry(identity)))


def _say(text: str) -> None:
    print(text, flush=True)


def mutate(run: Run) -> float | None:
    """The part of the counted mutants that a test killed; none if there was no verdict."""
    with tempfile.TemporaryDirectory() as scratch:
        options = [
            "--override-ini=addopts=",
            "--strict-markers",
            "--import-mode=importlib",
            "--capture=no",
            "--timeout=0",  # a mutant's own limits are by the processor
            "-pno:terminal",
            "-pno:cacheprovider",
            f"--basetemp={scratch}/tests",
            *(f"--ignore-glob=*/{storm}" for storm in STORMS),
        ]
        pytest.main([*options, *map(str, run.subject.tests)], plugins=[run])
    return run.score


def main() -> int:
    asked = argparse.ArgumentParser(prog="script/mutate", description=__doc__)
    asked.add_argument("rooms", nargs="*", metavar="room", help=", ".join(ROOMS))
    asked.add_argument("--seed", type=int, default=SEED)
    asked.add_argument("--sample", type=int, default=SAMPLE)
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--only", default="", help="of the sample, those in this file or function")
    said = asked.parse_args()
    scores = []
    for name in said.rooms or ROOMS:
        run = Run(room(name), seed=said.seed, size=said.sample, jobs=said.jobs, only=said.only)
        scores.append(mutate(run))
    return 0 if all(score is not None and score >= SCORE_MIN for score in scores) else 1


if __name__ == "__main__":
    sys.exit(main())
