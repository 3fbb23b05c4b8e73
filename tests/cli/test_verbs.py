"""`socp` and its verbs: imported when used, and one line for what was typed wrongly."""

from __future__ import annotations

import importlib
import subprocess
import sys

import click
import pytest

from socp.cli.main import VERBS

HEAVY = ("aiohttp", "asyncio", "cryptography", "sqlalchemy", "prompt_toolkit", "msgspec")
LOADED = "import socp.cli.main, sys; print(*sys.modules)"


def socp(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "socp.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_help_lists_every_verb_and_loads_none() -> None:
    done = socp("--help")
    assert done.returncode == 0
    for verb, what in VERBS.items():
        assert verb in done.stdout
        assert what in done.stdout
    loaded = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True)
    assert loaded.returncode == 0
    assert not set(loaded.stdout.split()) & set(HEAVY)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_there(verb: str) -> None:
    assert isinstance(importlib.import_module(f"socp.cli.{verb}").command, click.Command)
    assert socp(verb, "--help").returncode == 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("nonsense",), "No such command 'nonsense'"),
        (("admin", "admit"), "Missing argument 'FINGERPRINT'"),
        (("serve", "--prot", "1"), "No such option"),
        (("admin", "--port", "0", "servers"), "--port"),
    ],
)
def test_what_is_typed_wrongly_is_one_line(words: tuple[str, ...], line: str) -> None:
    done = socp(*words)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("socp: ")
    assert line in done.stderr


@pytest.mark.parametrize("words", [(), ("admin",)], ids=str)
def test_a_group_of_verbs_alone_shows_its_help_as_it_is(words: tuple[str, ...]) -> None:
    done = socp(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == socp(*words, "--help").stdout


def test_an_operator_without_a_server_is_told_so() -> None:
    done = socp("admin", "--data-dir", "no-such-folder", "servers")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "socp admin: no server runs on no-such-folder; start one, or give its --data-dir\n"
    )
