"""`socp simulate`: one seed is one run, laws are watched, and what breaks one can be played again.

The seed of a failure is in the test's name; `SOCP_SEEDS=7,8` or `SOCP_SEEDS=0-999` runs others.
With CI=true 200 are played, on all cores.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from socp.cli.verbs import socp
from socp.node.events import Now
from socp.node.gossip import Gossip
from socp.node.links import Link
from socp.node.node import Node
from socp.sim import agenda, report, story
from socp.sim.deeds import Deeds
from socp.sim.laws import Broken, Law, Laws
from socp.sim.play import Outcome, Play
from socp.sim.schedule import drawn
from socp.sim.shrink import Shrinking
from socp.sim.story import Happening, Kind, Story
from socp.sim.world import World
from socp.wire.envelope import Envelope
from tests.sim.wrongs import keeps_nothing_of_what_it_says_it_keeps

SERVERS, USERS, MINUTES = 5, 20, 2
"""The short form."""
RUBBISH_MIN = 200_000  # objects: most of what is made stays, and looking for the rest is dear
STORIES = Path(__file__).parent / "stories"
"""Each broke a law when it was first played; the name says what was the matter."""


def seeds() -> list[int]:
    asked = os.environ.get("SOCP_SEEDS", "0-199" if os.environ.get("CI") == "true" else "0-4")
    found: list[int] = []
    for part in asked.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def played(seed: int) -> Outcome:
    return Play(drawn(seed, SERVERS, USERS, MINUTES)).run()


@dataclass(frozen=True)
class Summary:
    """What of an outcome goes from one process to another."""

    lines: str
    held: bool
    said: int
    shown: int
    converged: bool


def summary(seed: int) -> Summary:
    gc.set_threshold(RUBBISH_MIN)
    outcome = played(seed)
    return Summary(
        lines="\n".join(report.lines(outcome)),
        held=outcome.broken is None,
        said=outcome.said,
        shown=outcome.shown,
        converged=bool(outcome.converged_ms),
    )


class Ahead:
    """Plays seeds on all cores: while one is judged the next ones are under way."""

    def __init__(self, pool: ProcessPoolExecutor, cores: int) -> None:
        self._pool = pool
        self._cores = cores
        self._order = seeds()
        self._under_way: dict[int, Future[Summary]] = {}

    def played(self, seed: int) -> Summary:
        at = self._order.index(seed)
        for each in self._order[at : at + 2 * self._cores]:
            if each not in self._under_way:
                self._under_way[each] = self._pool.submit(summary, each)
        return self._under_way[seed].result()


@pytest.fixture(scope="module")
def ahead() -> Iterator[Ahead]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    # They give way to what is tested beside, which may drive real time.
    spawn = get_context("spawn")
    with ProcessPoolExecutor(cores, spawn, initializer=os.nice, initargs=(5,)) as pool:
        yield Ahead(pool, cores)
        pool.shutdown(wait=True, cancel_futures=True)


@pytest.mark.spec("11")
@pytest.mark.threat("S10")
@pytest.mark.parametrize("seed", seeds())
def test_whatever_goes_wrong_every_law_holds(seed: int, ahead: Ahead) -> None:
    outcome = ahead.played(seed)
    assert outcome.held, outcome.lines
    assert outcome.said > USERS
    assert outcome.shown > outcome.said
    assert outcome.converged


@pytest.mark.threat("S8")
@pytest.mark.parametrize("path", sorted(STORIES.iterdir()), ids=lambda path: path.stem)
def test_what_once_broke_a_law_does_not_any_more(path: Path) -> None:
    outcome = Play(story.read(path.read_bytes())).run()
    assert outcome.broken is None, "\n".join(report.lines(outcome))


def test_a_story_has_every_kind_of_fault_and_of_work() -> None:
    happenings = [each for seed in range(20) for each in drawn(seed, 5, 20, 2).happenings]
    assert {each.kind for each in happenings} == set(Kind)
    assert all(each.at_ms + each.for_ms <= MINUTES * 60_000 for each in happenings)


def test_one_seed_is_one_run_and_another_is_another() -> None:
    first, again, other = played(3), played(3), played(4)
    assert (first.digest, first.steps) == (again.digest, again.steps)
    assert first.digest != other.digest


@pytest.mark.parametrize("hashes", ["1", "4242"])
def test_in_another_process_with_other_hashes_it_is_the_same_run(hashes: str) -> None:
    words = [sys.executable, "-m", "socp.cli.main", "simulate", "--seed", "3", "--json"]
    environment = {**os.environ, "PYTHONHASHSEED": hashes}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    said = msgspec.json.decode(done.stdout)
    outcome = played(3)
    assert (said["digest"], said["step"]) == (outcome.digest, outcome.steps)


@pytest.mark.parametrize("runs", [0, 40])
def test_a_story_that_breaks_a_law_is_made_shorter(
    runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeps_nothing_of_what_it_says_it_keeps(monkeypatch)
    first = Play(drawn(2, 3, 6, 1)).run()
    assert first.broken is not None
    shorter = Shrinking(first, runs_left=runs).shortest()
    again = Play(shorter.story).run()
    assert again.broken is not None
    assert (again.broken.law, again.digest) == (first.broken.law, shorter.digest)
    if runs:
        assert len(shorter.story.happenings) < 5 < len(first.story.happenings)
    else:
        assert shorter is first


# --- the verb -----------------------------------------------------------------------------------


def test_what_was_saved_is_replayed_to_the_same_byte(tmp_path: Path) -> None:
    kept = tmp_path / "story.json"
    run = CliRunner()
    first = run.invoke(socp, ["simulate", "--seed", "5", "--minutes", "0.5", "--save", str(kept)])
    again = run.invoke(socp, ["simulate", "--replay", str(kept)])

    def digest(output: str) -> str:
        return next(line for line in output.splitlines() if line.startswith("digest"))

    assert first.output.startswith("seed 5: 5 servers, 20 users")
    assert digest(first.output) == digest(again.output)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--minutes", "nan"), "nan is no number"),
        (("--save", "no/such.json"), "there is no folder no; make it, or name another"),
    ],
)
def test_what_is_asked_wrongly_is_said_before_it_begins(words: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(socp, ["simulate", *words])
    assert done.exit_code == 2
    assert said in done.output
    assert "digest" not in done.output


def test_a_broken_law_is_told_with_its_seed_and_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_play: Play) -> None:
        raise Broken(Law.KEPT, "nobody has it")

    monkeypatch.setattr(Play, "_storm", breaks)
    done = CliRunner().invoke(socp, ["simulate", "--seed", "9"], standalone_mode=False)
    assert done.return_value == 1
    assert "seed 9:" in done.output
    assert "what was acknowledged is delivered or still stored: nobody has it" in done.output
    assert "BROKEN at step " in done.output


def stumbles(*_: object) -> None:
    raise KeyError("nobody by that name")


def test_what_a_brain_raises_is_a_broken_law_that_can_be_replayed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Node, "_not_committed", stumbles)
    kept = tmp_path / "story.json"
    words = ["simulate", "--seed", "9", "--servers", "3", "--users", "6", "--minutes", "1"]
    done = CliRunner().invoke(socp, [*words, "--save", str(kept)], standalone_mode=False)
    replay = ["simulate", "--replay", str(kept), "--json"]
    again = CliRunner().invoke(socp, replay, standalone_mode=False)
    assert (done.return_value, again.return_value) == (1, 1)
    assert "no brain fails: KeyError: 'nobody by that name'" in done.output
    said = msgspec.json.decode(again.output)
    assert said["law"] == str(Law.SOUND)
    assert f"BROKEN at step {said['step']}" in done.output
    places = said["trace"].splitlines()
    assert places[-1].startswith("test_simulate.py:")
    assert places[0].startswith("sim/play.py:")  # no path of this machine


def test_what_a_brain_raises_is_made_shorter_as_long_as_it_fails_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Node, "_not_committed", stumbles)
    first = Play(drawn(9, 3, 6, 1)).run()
    assert first.broken is not None
    shorter = Shrinking(first, runs_left=12).shortest()
    assert shorter.broken is not None
    assert shorter.broken.place == first.broken.place
    assert shorter.broken.place == "node/node.py:handle KeyError"
    assert len(shorter.story.happenings) < len(first.story.happenings) // 2


def test_what_goes_round_slowly_is_seen_once_all_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """One HEARTBEAT is answered by one, and that in turn: far below any bound on a second."""
    heartbeat = Gossip.heartbeat
    answers: set[int] = set()  # their ts

    def answered(self: Gossip, link: Link, envelope: Envelope, now: Now) -> None:
        heartbeat(self, link, envelope, now)
        if link.hearsay is not None and (not answers or envelope.ts in answers):
            answer = self._beat(link, link.hearsay, now)
            answers.add(answer.ts)
            self._emit.send((link.id,), answer)

    monkeypatch.setattr(Gossip, "heartbeat", answered)
    play = Play(drawn(1, 2, 4, 0.2, faults=False))
    play.world.network.weather.delay_ms = lambda _near, _far: 100
    broken = play.run().broken
    assert broken is not None
    assert broken.law is Law.LIVELY
    assert "frames in 30 s of rest" in broken.detail


def test_a_partition_has_two_sides() -> None:
    """Whatever the dice say: where all are on one side nothing is tried."""
    world = World()
    servers = [world.add_server(name, port) for name, port in (("a", 8001), ("b", 8002))]
    deeds = Deeds(world, servers, (), Laws(servers, ()), {})
    for much in range(16):
        deeds.plan(Happening(0, Kind.PART, 0, for_ms=500, much=much))
        world.run(0.2)
        assert deeds.going_on == 1, much
        world.run(1)


def test_a_run_without_an_end_is_a_broken_law(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agenda, "STEPS_MAX", 1_000)
    outcome = played(1)
    assert outcome.broken is not None
    assert outcome.broken.law is Law.LIVELY


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "no story"),
        (story.written(Story(1, 0, 1, 1, ())), "at most 1000 servers"),
        (story.written(Story(1, 1, 1, 1, (), format=9)), "a story of format 9"),
    ],
)
def test_what_is_no_story_is_refused_in_one_line(tmp_path: Path, content: bytes, why: str) -> None:
    kept = tmp_path / "story.json"
    kept.write_bytes(content)
    done = CliRunner().invoke(socp, ["simulate", "--replay", str(kept)])
    assert done.exit_code == 2
    assert why in done.output


def test_a_happening_reads_as_a_sentence() -> None:
    told = Happening(1_500, Kind.SLOW, 3, for_ms=250, much=7)
    assert str(told) == "    1.500 s  slow 3, 7, for 0.25 s"
