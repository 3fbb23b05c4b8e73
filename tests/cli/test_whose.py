"""Whose profile a verb works with: what is typed, what the variables say, and the only one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from socp.cli import choices
from socp.cli.whose import Whose
from socp.client.errors import BadAddress
from socp.talk import places
from socp.talk.places import BadName
from tests.cli.talkers import ENVIRONMENT, give_key

NOBODY = "ws://127.0.0.1:9"  # the discard port: nothing listens there
INSTALLED = (
    "from socp.talk import places; places.checkout = lambda: None;"
    "from socp.cli.main import main; main()"
)


@click.command()
@choices.whose
def verb(**options: Any) -> Whose:
    return Whose(**options)


@pytest.mark.parametrize(
    ("typed", "variables", "folder"),
    [
        (["--profile-dir", "/ann"], {"SOCP_PROFILE": "bob"}, Path("/ann")),
        (["--as", "ann"], {"SOCP_PROFILE": "bob"}, places.profile_folder("ann")),
        (["--profile", "ann"], {"SOCP_PROFILE_DIR": "/bob"}, places.profile_folder("ann")),
        ([], {"SOCP_PROFILE": "bob", "SOCP_NAME": "ann"}, places.profile_folder("bob")),
        (["--profile", "ann"], {"SOCP_NAME": "bob"}, places.profile_folder("ann")),
        (["--as", "ann"], {"SOCP_PROFILE_DIR": "/bob"}, Path("/bob")),
    ],
    ids=str,
)
def test_what_is_typed_outweighs_a_variable(
    monkeypatch: pytest.MonkeyPatch, typed: list[str], variables: dict[str, str], folder: Path
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert verb.main(typed, standalone_mode=False).folder() == folder


@pytest.mark.parametrize(
    ("typed", "variables"),
    [
        (["--profile", "ann", "--profile-dir", "/bob"], {}),
        ([], {"SOCP_PROFILE": "ann", "SOCP_PROFILE_DIR": "/bob"}),
    ],
    ids=str,
)
def test_two_that_weigh_the_same_are_refused(
    monkeypatch: pytest.MonkeyPatch, typed: list[str], variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadName, match="give one of them"):
        verb.main(typed, standalone_mode=False).folder()


@pytest.mark.parametrize(
    ("folder", "why"),
    [("x" * 300, "File name too long"), ("x\udcff", "not UTF-8"), ("loop", "Too many levels")],
)
def test_a_folder_that_nobody_can_use_is_said_in_one_line(
    tmp_path: Path, folder: str, why: str
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(BadName, match=why):
        Whose(profile=f"{tmp_path}/{folder}").folder()
    assert Whose(profile=f"{tmp_path}/new").folder() == tmp_path / "new"


def chat(folder: Path) -> subprocess.CompletedProcess[str]:
    """`socp chat </dev/null`, installed."""
    return subprocess.run(
        [sys.executable, "-c", INSTALLED, "chat", "--server", NOBODY, "--wait", "0"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, "XDG_DATA_HOME": str(folder), "HOME": str(folder)},
        timeout=100,
        check=False,
    )


def test_a_chat_without_a_terminal_takes_the_only_profile_and_of_several_none(
    tmp_path: Path,
) -> None:
    give_key(tmp_path / "socp" / "profiles" / "zoe", 0)
    done = chat(tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert [folder.name for folder in (tmp_path / "socp" / "profiles").iterdir()] == ["zoe"]
    give_key(tmp_path / "socp" / "profiles" / "ann", 1)
    done = chat(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "socp: whose? --profile with one of ann, zoe\n"


def test_a_server_is_named_as_people_name_one() -> None:
    assert Whose(server="localhost:8002").address() == "ws://localhost:8002"
    assert Whose(server="chat.example.org").address() == "wss://chat.example.org"
    assert Whose(server="ws://chat.example.org").address() == "ws://chat.example.org"
    assert Whose().address() == ""
    with pytest.raises(BadAddress):
        Whose(server="http://localhost").address()
