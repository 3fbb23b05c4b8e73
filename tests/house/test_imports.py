"""The house's own rules: who imports whom, what brains may hold, what the front pages name."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.api import read_configuration
from importlinter.application import use_cases

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "socp"
PYPROJECT = ROOT / "pyproject.toml"

CONTRACTS = {
    contract["id"]: contract
    for contract in tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]
}
# What reaches the world without an import, or an import unseen by the linter.
REACHING = {"open", "print", "input", "__import__", "exec", "eval", "breakpoint"}


def test_every_import_goes_downwards(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert read_configuration(str(PYPROJECT))["contracts_options"]
    kept = use_cases.lint_imports(config_filename=str(PYPROJECT), cache_dir=None, no_logo=True)
    assert kept, capsys.readouterr().out


def pure_modules() -> Iterator[tuple[Path, frozenset[str]]]:
    """Every module of a pure room, with what it must not import."""
    for contract in (CONTRACTS["pure"], CONTRACTS["pure-crypto"]):
        forbidden = frozenset(contract["forbidden_modules"]) | {"importlib", "concurrent", "io"}
        for expression in contract["source_modules"]:
            room = SOURCE / expression.removeprefix("socp.").removesuffix(".**")
            for module in sorted(room.rglob("*.py")):
                yield module, forbidden


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [pytest.param(*row, id=str(row[0].relative_to(SOURCE))) for row in pure_modules()],
)
def test_a_brain_holds_no_socket_task_clock_dice_file_or_log(
    module: Path, forbidden: frozenset[str]
) -> None:
    faults = []
    for node in ast.walk(ast.parse(module.read_text())):
        match node:
            case ast.Import(names=names):
                faults += [name.name for name in names if name.name.split(".")[0] in forbidden]
            case ast.ImportFrom(module=str(name)) if name.split(".")[0] in forbidden:
                faults.append(name)
            case ast.Call(func=ast.Name(id=name)) if name in REACHING:
                faults.append(f"{name}()")
    assert not faults


def test_architecture_names_only_what_is_there() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text()
    assert len(page.splitlines()) <= 120
    named = {name for name in re.findall(r"`([\w./-]+/[\w./-]*)`", page) if not is_feature(name)}
    assert named
    absent = {name for name in named if not (ROOT / name).exists() and not (SOURCE / name).exists()}
    assert not absent


def is_feature(name: str) -> bool:
    """Protocol extensions are written like a path: `hybrid/1`."""
    return re.fullmatch(r"[a-z-]+/\d+", name) is not None


def test_the_front_page_says_how_to_start_and_how_to_test() -> None:
    first_screen = (ROOT / "README.md").read_text().splitlines()[:40]
    commands = {line.split()[0] for line in first_screen if line.strip()}
    for command in ("script/server", "script/test", "script/chat"):
        assert command in commands, f"{command} has no line of its own on the first screen"
        assert (ROOT / command).stat().st_mode & 0o111, f"{command} cannot be run"
