"""`socp profile`: made, sealed, taken elsewhere (threat P4)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from socp.cli import locks
from socp.client import key_files, unlocking
from socp.client.errors import VaultLocked, WeakPassphrase
from socp.client.unlocking import Lock, Passphrase, Plain
from socp.crypto.keys import RsaSuite
from socp.keystore.vault_file import Locked
from tests.cli.panes import terminal
from tests.cli.talkers import ENVIRONMENT, give_key
from tests.keys import test_key

WORDS = "correct horse battery"
OTHER = "another horse battery"
NOWHERE = ("--server", "ws://127.0.0.1:9")

pytestmark = pytest.mark.threat("P4")


def profile(*words: str, said: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """A verb of `socp profile`, with nobody at a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "socp.cli.main", "profile", *words],
        input=said,
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, **environment},
        timeout=100,
    )


def file_of(folder: Path, name: str, text: str) -> str:
    file = folder / name
    file.write_text(f"{text}\r\n")
    return str(file)


def fingerprint(folder: Path, lock: Lock | None) -> str:
    keys = key_files.load(folder, RsaSuite(), unlocking.unlock(folder, lock))
    assert not keys.made
    return keys.present.public.fingerprint


def begun(folder: Path) -> Path:
    """A plain profile with a stored key that was used once."""
    give_key(folder, 0)
    done = subprocess.run(
        [sys.executable, "-m", "socp.cli.main", "chat", "--profile-dir", str(folder), *NOWHERE],
        input="",
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, "SOCP_NAME": "ann"},
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_a_new_profile_says_whose_it_is_and_is_sealed_as_asked(tmp_path: Path) -> None:
    ann, file = tmp_path / "ann", file_of(tmp_path, "words", WORDS)
    place = ("--as", "ann", "--profile-dir", str(ann))
    done = profile("new", *place, "--vault", "passphrase", "--passphrase-file", file, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["event"] == "profile_made"
    assert unlocking.locked(ann) is Locked.PASSPHRASE
    assert fingerprint(ann, Passphrase(lambda: WORDS)) == told["fingerprint"]
    again = profile("new", *place, "--vault", "plain")
    assert (again.returncode, "holds a key already" in again.stderr) == (2, True)


def test_without_a_terminal_nobody_is_asked_and_the_line_says_what_to_do(tmp_path: Path) -> None:
    ann = tmp_path / "ann"
    place = ("--as", "ann", "--profile-dir", str(ann))
    wrong: tuple[tuple[list[str], str], ...] = (
        (["new", *place], "--vault plain"),
        (["new"], "--profile NAME"),
        (["import", "x.socp", *place], "--file-passphrase-file"),
    )
    for words, remedy in wrong:
        done = profile(*words, SOCP_VAULT="")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert remedy in done.stderr
    assert not ann.exists()
    give_key(ann, 0)
    for words, remedy in (
        (["passwd", *place], "--new-passphrase-file"),
        (["export", "x.socp", *place], "--file-passphrase-file"),
    ):
        done = profile(*words, SOCP_VAULT="")
        assert (done.returncode, remedy in done.stderr) == (2, True)


def test_there_is_no_way_to_give_a_passphrase_as_an_argument(tmp_path: Path) -> None:
    for verb in ("new", "passwd", "export", "import"):
        shown = profile(verb, "--help").stdout
        assert "--passphrase " not in shown
        assert "--passphrase-file" in shown


def test_a_passphrase_is_set_changed_and_wanted_from_then_on(tmp_path: Path) -> None:
    ann = begun(tmp_path / "ann")
    first, second = file_of(tmp_path, "first", WORDS), file_of(tmp_path, "second", OTHER)
    done = profile("passwd", "--profile-dir", str(ann), "--new-passphrase-file", first)
    assert (done.returncode, "is sealed by the new passphrase" in done.stdout) == (0, True)
    locked = profile("passwd", "--profile-dir", str(ann), "--new-passphrase-file", second)
    assert (locked.returncode, "--passphrase-file FILE" in locked.stderr) == (2, True)
    place = ("passwd", "--profile-dir", str(ann))
    wrong = profile(*place, "--passphrase-file", second, "--new-passphrase-file", first)
    assert (wrong.returncode, "not the passphrase" in wrong.stderr) == (2, True)
    done = profile(
        "passwd",
        "--profile-dir",
        str(ann),
        "--passphrase-file",
        first,
        "--new-passphrase-file",
        second,
    )
    assert done.returncode == 0, done.stderr
    assert fingerprint(ann, Passphrase(lambda: OTHER)) == test_key(0).public.fingerprint
    done = profile(
        "passwd", "--profile-dir", str(ann), "--vault", "plain", SOCP_PASSPHRASE_FILE=second
    )
    assert (done.returncode, "whoever can read" in done.stdout) == (0, True)
    assert fingerprint(ann, None) == test_key(0).public.fingerprint


def test_a_profile_is_exported_and_imported(tmp_path: Path) -> None:
    ann, new, parcel = begun(tmp_path / "ann"), tmp_path / "new", tmp_path / "ann.socp"
    secret = ("--file-passphrase-file", file_of(tmp_path, "words", WORDS))
    done = profile("export", str(parcel), "--profile-dir", str(ann), *secret)
    assert (done.returncode, "whoever has its passphrase is you" in done.stdout) == (0, True)
    done = profile("import", str(parcel), "--profile-dir", str(new), *secret, SOCP_VAULT="")
    assert done.returncode == 0, done.stderr
    assert unlocking.locked(new) is Locked.PASSPHRASE
    assert fingerprint(new, Passphrase(lambda: WORDS)) == test_key(0).public.fingerprint
    plain = tmp_path / "plain"
    done = profile(
        "import", str(parcel), "--profile-dir", str(plain), *secret, "--vault", "plain", "--json"
    )
    assert json.loads(done.stdout)["event"] == "profile_imported"
    assert unlocking.locked(plain) is Locked.PLAIN


# --- at a terminal ------------------------------------------------------------------------------


class Person:
    """Types these, one at each question; `asked` are the questions."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, prompt: str) -> str:
        self.asked.append(prompt)
        if not self._answers:
            raise EOFError
        return self._answers.pop(0)


@pytest.fixture
def seat(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("time.sleep", lambda _: None)
    return monkeypatch


def test_a_new_passphrase_is_asked_for_twice_until_it_is_good(
    tmp_path: Path, seat: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    person = Person("short", WORDS, OTHER, WORDS, WORDS)
    seat.setattr("getpass.getpass", person)
    lock = locks.lock_for(tmp_path / "new")
    assert isinstance(lock, Passphrase)
    assert lock.ask() == WORDS
    said = capsys.readouterr().err
    assert "10 characters" in said
    assert "the two are not the same" in said
    assert len(person.asked) == 5


def test_who_types_nothing_is_told_what_that_means(
    tmp_path: Path, seat: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seat.setattr("getpass.getpass", Person(""))
    assert locks.lock_for(tmp_path / "new") == Plain()
    assert "whoever can read this folder can read all that is in it" in capsys.readouterr().err


def test_who_wants_a_passphrase_is_not_given_a_plain_profile(
    tmp_path: Path, seat: pytest.MonkeyPatch
) -> None:
    seat.setattr("getpass.getpass", Person("", "", ""))
    with pytest.raises(WeakPassphrase, match="no passphrase was chosen"):
        locks.lock_for(tmp_path / "new", "passphrase")


def test_a_wrong_passphrase_may_be_typed_again_three_times(
    tmp_path: Path, seat: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unlocking.unlock(tmp_path, Passphrase(lambda: WORDS))
    seat.setattr("getpass.getpass", Person("wrong", WORDS))
    lock = locks.lock_for(tmp_path)
    assert isinstance(lock, Passphrase)
    assert lock.ask() == WORDS
    assert "that is not it; try again" in capsys.readouterr().err
    seat.setattr("getpass.getpass", Person("wrong", "wronger", "wrongest", WORDS))
    with pytest.raises(VaultLocked, match="not the passphrase of this profile"):
        locks.lock_for(tmp_path)
    assert "the next one waits" in capsys.readouterr().err
    seat.setattr("getpass.getpass", Person())
    with pytest.raises(VaultLocked, match="--passphrase-file"):
        locks.lock_for(tmp_path)


def test_characters_that_the_terminal_cannot_send_are_one_line(
    tmp_path: Path, seat: pytest.MonkeyPatch
) -> None:
    def getpass(_prompt: str) -> str:
        return b"corr\xe9ct horse battery".decode()  # as it reads what a terminal sends

    seat.setattr("getpass.getpass", getpass)
    with pytest.raises(VaultLocked, match="set LANG"):
        locks.lock_for(tmp_path / "new")


@pytest.mark.needs("tmux")
def test_at_a_terminal_a_new_profile_wants_a_passphrase_and_shows_none(tmp_path: Path) -> None:
    words = ["--as", "ann", "--profile-dir", str(tmp_path / "ann"), *NOWHERE]
    with terminal(tmp_path / "pane", *words, SOCP_VAULT="") as pane:
        pane.shows("a passphrase for this profile")
        pane.types(WORDS, "Enter")
        pane.shows("once more")
        pane.types(WORDS, "Enter")
        pane.shows("you are ann")
        assert WORDS not in pane.screen()
        pane.types("C-d")
        pane.shows("ended with 0")
    with terminal(tmp_path / "pane2", *words, SOCP_VAULT="") as pane:
        pane.shows("^passphrase:")
        pane.types("wrong horse battery", "Enter")
        pane.shows("that is not it; try again")
        pane.types("typed too soon")  # while it waits: not shown, and not taken
        pane.shows(r"(?s)the next one waits.*^passphrase:")
        pane.types(WORDS, "Enter")
        pane.shows("you are ann")
        assert "too soon" not in pane.screen()
        pane.types("C-d")
        pane.shows("ended with 0")
    assert fingerprint(tmp_path / "ann", Passphrase(lambda: WORDS))
