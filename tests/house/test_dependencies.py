"""Nothing comes into the house unlisted, unpinned or from a named address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("run", "dev", "fuzz")


def normal(requirement: str) -> str:
    """The name in a requirement, in the form that PyPI compares."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def asked_for() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = list(project["dependencies"])
    for extra in project.get("optional-dependencies", {}).values():
        lines += extra
    for level in LOCKS:
        lines += (ROOT / f"requirements/{level}.in").read_text().splitlines()
    return {normal(line) for line in lines if line and not line.startswith("#")}


def locked(level: str) -> dict[str, str]:
    """Each pinned requirement, with the lines that belong to it."""
    text = (ROOT / f"requirements/{level}.txt").read_text()
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    return {normal(block): block for block in blocks if block.strip()}


@pytest.mark.threat("P6")
def test_every_dependency_has_its_reasons_written_down() -> None:
    page = (ROOT / "docs/dependencies.md").read_text()
    rows = {normal(name) for name in re.findall(r"^\| `([^`]+)`", page, flags=re.MULTILINE)}
    assert rows == asked_for()


@pytest.mark.threat("P6")
@pytest.mark.parametrize("level", LOCKS)
def test_every_locked_requirement_is_pinned_and_carries_hashes(level: str) -> None:
    requirements = locked(level)
    assert requirements
    for name, block in requirements.items():
        assert re.match(r"\S+==\S+", block), name
        assert "--hash=sha256:" in block, name


@pytest.mark.parametrize("level", LOCKS)
def test_the_locks_name_no_address_and_no_path(level: str) -> None:
    text = (ROOT / f"requirements/{level}.txt").read_text()
    assert not re.findall(r"\S*://\S*|^--\S+.*|(?<!\S)/\S+", text, flags=re.MULTILINE)


def test_what_is_tested_is_what_runs() -> None:
    run, dev, fuzz = (
        {name: block.split()[0] for name, block in locked(level).items()} for level in LOCKS
    )
    assert run.items() <= dev.items() <= fuzz.items()


def test_everything_asked_for_is_locked() -> None:
    assert asked_for() <= locked("fuzz").keys()
