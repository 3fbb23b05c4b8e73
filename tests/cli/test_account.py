"""`socp account` at the command line: what is typed wrongly is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_verbs import socp

NOBODY = "99999999-9999-4999-8999-999999999999"
NOWHERE = ("--server", "ws://127.0.0.1:9")


def in_folder(folder: Path, verb: str, *words: str) -> tuple[int, str]:
    """Exit code and the one line on standard error."""
    seal = ["--vault", "plain"] if verb == "login" else []
    place = ["--profile-dir", str(folder / "ann")]
    done = socp("account", verb, *words, "--as", "ann", *place, *seal)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.returncode, done.stderr


def password_file(folder: Path, text: bytes) -> tuple[str, str]:
    file = folder / "password"
    file.write_bytes(text)
    return "--password-file", str(file)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"short\n", "too short: take 10 characters"),
        (b"", "too short: take 10 characters"),
        (b"\xff\xfe\n", "it is not UTF-8"),
        (b"correct horse battery\nmore", "nobody has a key in"),
    ],
)
def test_what_cannot_be_a_password_is_refused(tmp_path: Path, text: bytes, line: str) -> None:
    code, said = in_folder(tmp_path, "set-password", *password_file(tmp_path, text), *NOWHERE)
    assert (code, line in said) == (2, True), said


def test_a_password_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    code, said = in_folder(tmp_path, "login", NOBODY, "--password-file", str(tmp_path / "absent"))
    assert (code, "absent" in said) == (2, True)


def test_a_server_that_is_not_there_is_exit_code_1(tmp_path: Path) -> None:
    given = password_file(tmp_path, b"correct horse battery\r\n")
    code, said = in_folder(tmp_path, "login", NOBODY, *given, *NOWHERE)
    assert (code, "cannot be reached" in said) == (1, True)
    assert not (tmp_path / "ann").exists()


def test_a_folder_that_cannot_be_made_is_known_before_the_login(tmp_path: Path) -> None:
    (tmp_path / "ann").touch()
    given = password_file(tmp_path, b"correct horse battery\n")
    done = socp("account", "login", NOBODY, "--as", "ann", *given, *NOWHERE, "--profile-dir")
    assert done.returncode == 2
    folder = str(tmp_path / "ann" / "below")
    done = socp(
        "account", "login", NOBODY, "--as", "ann", *given, *NOWHERE, "--profile-dir", folder
    )
    assert (done.returncode, "cannot be made" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("words", [("set-password",), ("login", NOBODY)])
def test_without_a_terminal_a_password_is_not_read_aloud(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    code, said = in_folder(tmp_path, *words, *NOWHERE)
    assert (code, "use --password-file" in said) == (2, True), said


def test_there_is_no_way_to_give_a_password_as_an_argument(tmp_path: Path) -> None:
    code, said = in_folder(tmp_path, "login", NOBODY, "--password", "correct horse battery")
    assert (code, "battery" in said) == (2, False)


def test_an_invitation_that_is_none_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    done = socp("chat", "--as", "ann", "--profile-dir", str(tmp_path / "ann"), "--invitation", "x")
    assert (done.returncode, "that is no invitation" in done.stderr) == (2, True)
    assert not (tmp_path / "ann").exists()
