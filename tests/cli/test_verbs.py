"""`socp` and its verbs: imported when used, and one line for what was typed wrongly."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from socp.cli import exits, watch
from socp.cli.verbs import VERBS
from socp.talk import places

HEAVY = ("aiohttp", "asyncio", "cryptography", "sqlalchemy", "prompt_toolkit", "msgspec")
HELPED = "import sys; sys.argv[1:] = ['{verb}', '--help']; from socp.cli.verbs import run; run()"
HELPED += "; print(*sys.modules)"
LOADED = "import socp.cli.verbs, sys; print(*sys.modules)"


def socp(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "socp.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=100)


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
def test_the_help_of_a_verb_loads_nothing_that_takes_time(verb: str) -> None:
    code = HELPED.format(verb=verb)
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert loaded.returncode == 0
    modules = loaded.stdout.splitlines()[-1].split()
    assert f"socp.cli.{verb}" in modules
    assert not set(modules) & {*HEAVY, "pathlib", "logging", "dataclasses"}


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("serve", "admin")])
def test_the_help_of_a_verb_has_its_exit_codes(verb: str) -> None:
    assert verb == "completion" or "Exit code" in socp(verb, "--help").stdout


@pytest.mark.parametrize("verb", ["history", "search"])
def test_a_verb_that_asks_no_server_takes_none(verb: str) -> None:
    assert "--server" not in socp(verb, "--help").stdout


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


def test_a_group_of_verbs_alone_shows_its_help_as_it_is() -> None:
    done = socp("admin")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == socp("admin", "--help").stdout


def test_alone_without_a_terminal_it_says_that_it_needs_one_and_what_does_not() -> None:
    done = socp()
    assert (done.returncode, done.stdout) == (2, "")
    shown, told = done.stderr.rsplit("\n\n", 1)
    assert shown + "\n" == socp("--help").stdout
    assert told.startswith("socp: ")
    assert "needs a terminal" in told
    assert "socp chat" in told


def test_an_operator_without_a_server_is_told_so() -> None:
    done = socp("admin", "--data-dir", "no-such-folder", "servers")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "socp admin: no server runs on no-such-folder; start one, or give its --data-dir\n"
    )


@pytest.mark.parametrize(
    "words",
    [("--help",), ("--version",), ("send", "--help"), ("serve", "--help"), ("completion", "bash")],
    ids=" ".join,
)
def test_a_full_output_or_one_that_nobody_reads_is_no_traceback(
    words: tuple[str, ...],
) -> None:
    command = [sys.executable, "-m", "socp.cli.main", *words]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=100)
    why = "socp: nothing more fits on standard output: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, why)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=100)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_fault_that_is_not_of_the_output_is_not_taken_for_one() -> None:
    with pytest.raises(PermissionError):
        exits.unwritten(PermissionError(13, "Permission denied"))


# --- Tab in a shell -----------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_what_a_shell_takes(shell: str) -> None:
    done = socp("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"_SOCP_COMPLETE={shell}_complete" in done.stdout
    if program := shutil.which(shell):
        checked = subprocess.run([program, "-n"], input=done.stdout, text=True, timeout=100)
        assert checked.returncode == 0


def test_a_shell_that_is_none_of_them_is_named() -> None:
    done = socp("completion", "tcsh")
    assert done.returncode == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in done.stderr


TYPED = """
eval "$(socp completion bash)"
COMP_WORDS=({words}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_socp_completion socp
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("socp se", {"search", "send", "serve"}),
        ("socp watch --js", {"--json"}),
        ("socp completion f", {"fish"}),
        ("socp bench fi", {"files"}),
    ],
)
@pytest.mark.needs("bash")
def test_tab_offers_verbs_options_and_choices(
    tmp_path: Path, words: str, offered: set[str]
) -> None:
    """As bash does it: the function is called, and leaves its offers in COMPREPLY."""
    program = tmp_path / "socp"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m socp.cli.main "$@"\n')
    program.chmod(0o755)
    done = subprocess.run(
        ["bash", "-c", TYPED.format(words=words)],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        timeout=100,
    )
    assert set(done.stdout.splitlines()) == offered


def test_tab_offers_the_profiles_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "all_profiles", lambda: ["ann", "bob", "Ann%2FLee", "an"])
    (option,) = [each for each in watch.command.params if each.name == "profile"]
    offers = option.shell_complete(click.Context(watch.command), "an")
    assert [offer.value for offer in offers] == ["ann", "an"]
