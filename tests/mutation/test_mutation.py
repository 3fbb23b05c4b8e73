"""The mutants and their trial, on a room so small that every verdict is known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mutation import known
from tests.mutation.mutants import Identity, Mutant, mutants_of, sample
from tests.mutation.run import ROOMS, ROOT

MODULE = '''"""A module."""
STEPS = 4


def most(values: list[int]) -> int:
    """The largest one."""
    best = 0
    for value in values:
        if value > best:
            best = value
    return best


def down(steps: int, by: int = 1) -> int:
    while steps > 0:
        steps -= by
    return steps


def never_called() -> str:
    return "no word for a person" + "word"
'''
TESTS = """from small.room import down, most


def test_the_largest() -> None:
    assert most([1, 3, 2]) == 3


def test_all_the_way_down() -> None:
    assert down(3) == 0
"""
TRIED = """
import json
from pathlib import Path
from tests.mutation.run import Run, Subject, mutate

here = Path.cwd()
subject = Subject("small", here / "small", here, (here / "test_room.py",), {}, 0.1)
run = Run(subject, seed=1, size=1000, jobs=2, only="")
score = mutate(run)
verdicts = {
    f"{m.identity.function}: {m.identity.before} -> {m.identity.after}": result.verdict.value
    for m, result in run.results.items()
}
print(json.dumps([score, verdicts]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    (folder / "small").mkdir()
    (folder / "small/room.py").write_text(MODULE)
    (folder / "test_room.py").write_text(TESTS)
    return folder


def mutants(folder: Path) -> list[Mutant]:
    return mutants_of(folder / "small", folder)


@dataclass(frozen=True)
class Tried:
    """The score, each mutant's verdict, and the files that are there afterwards."""

    score: float
    verdicts: dict[str, str]
    files: set[str]


@pytest.fixture(scope="module")
def tried(folder: Path) -> Tried:
    path = os.pathsep.join(map(str, (ROOT, ROOT / "src", folder)))
    ran = subprocess.run(
        [sys.executable, "-B", "-c", TRIED],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    score, verdicts = json.loads(ran.stdout.splitlines()[-1])
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*")}
    return Tried(score, verdicts, files)


def test_each_mutant_gets_the_verdict_it_deserves(tried: Tried) -> None:
    assert tried.verdicts["most: best = value -> best = None"] == "killed"
    assert tried.verdicts["most: > best -> >= best"] == "lives"
    assert tried.verdicts["down: steps -= by -> steps += by"] == "hung"
    assert tried.verdicts['never_called: "word" -> "XXwordXX"'] == "unseen"


def test_the_score_is_what_was_killed_or_hung(tried: Tried) -> None:
    dead = [verdict for verdict in tried.verdicts.values() if verdict in {"killed", "hung"}]
    assert tried.score == len(dead) / len(tried.verdicts)
    assert 0 < tried.score < 1


def test_nothing_is_written(tried: Tried, folder: Path) -> None:
    assert tried.files == {"small", "small/room.py", "test_room.py"}
    assert (folder / "small/room.py").read_text() == MODULE


def test_only_what_a_call_runs_is_changed_and_no_wording(folder: Path) -> None:
    changed = {(m.identity.function, m.identity.before) for m in mutants(folder)}
    assert {function for function, _ in changed} == {"most", "down", "never_called"}
    assert not [before for _, before in changed if before in {"4", "1", '"no word for a person"'}]


def test_a_sample_is_the_same_for_a_seed_and_hardly_moves_with_an_edit(folder: Path) -> None:
    before = {mutant.identity for mutant in sample(mutants(folder), 3, 6)}
    assert before == {mutant.identity for mutant in sample(mutants(folder), 3, 6)}
    assert before != {mutant.identity for mutant in sample(mutants(folder), 4, 6)}
    room = folder / "small/room.py"
    room.write_text(MODULE.replace("STEPS = 4", "def more() -> int:\n    return 0\n"))
    after = {mutant.identity for mutant in sample(mutants(folder), 3, 6)}
    room.write_text(MODULE)
    assert len(before - after) <= 1


def test_an_entry_of_the_list_of_equivalents_names_its_mutant(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = {mutant.identity for mutant in mutants(folder)}
    lines = [line for identity in sorted(every) for line in known.entry(identity, "it is so")]
    (tmp_path / "small.toml").write_text("\n".join(lines))
    monkeypatch.setattr(known, "FOLDER", tmp_path)
    assert known.equivalents("small") == dict.fromkeys(every, "it is so")


@pytest.mark.parametrize("why", ["", "twice"])
def test_an_entry_without_a_reason_or_said_twice_is_refused(
    why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [*known.entry(Identity("a.py", "f", "number", "1", "2"), why)]
    (tmp_path / "small.toml").write_text("\n".join([*lines, *lines]))
    monkeypatch.setattr(known, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="a reason"):
        known.equivalents("small")


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_named_as_equivalent_is_in_a_file_that_is_there(room: str) -> None:
    files = {identity.file for identity in known.equivalents(room)}
    assert all((ROOT / "src/socp" / file).is_file() for file in files)
