"""Where a name's profile and downloads are kept, and what a name may be."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from urllib.parse import unquote

import pytest

from socp.cli.lines import asking
from socp.client.key_files import KEY_FILE
from socp.storage.folder_lock import FolderLock
from socp.talk import places
from socp.talk.places import BadName, checked_name, file_name


def profile(folder: Path, name: str, *, used_s: int) -> Path:
    made = folder / name
    made.mkdir(parents=True)
    (made / KEY_FILE).touch()
    os.utime(made, (used_s, used_s))
    return made


def test_in_a_checkout_everything_stays_in_its_var_folder() -> None:
    root = places.checkout()
    assert root is not None
    assert places.profile_folder("alice") == root / "var" / "profiles" / "alice"
    assert places.downloads_folder("alice") == root / "var" / "downloads" / "alice"


def test_installed_it_uses_the_systems_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "checkout", lambda: None)
    assert places.profile_folder("alice").parts[-3:] == ("socp", "profiles", "alice")
    assert places.downloads_folder("alice").name == "socp"


@pytest.mark.parametrize(
    "name", ["alice", "Ann Lee", "../x", "/etc", "..", ".", "a/b", "a%2Fb", "a\\b", "Zoë", ".x"]
)
def test_a_name_never_leads_out_of_the_folder(name: str) -> None:
    made = file_name(name)
    assert Path(made).name == made
    assert not made.startswith(".")


@pytest.mark.parametrize(
    "name", ["\u6f22" * 32, "\U0001f600" * 32, "." + "\u0939\u093f" * 15, "/" * 32]
)
def test_the_longest_name_of_any_script_is_one_that_disks_take(name: str, tmp_path: Path) -> None:
    made = file_name(checked_name(name))
    (tmp_path / made).mkdir()
    assert unquote(made) == name


def test_two_names_never_share_a_folder() -> None:
    long = "\u6f22" * 30
    names = ["a/b", "a%2Fb", "a_b", "a b", ".a", "%2Ea", "a", f"{long}/", f"{long}%", long]
    assert len({file_name(name) for name in names}) == len(names)


@pytest.mark.threat("I8")
@pytest.mark.parametrize("name", ["", " ", "x" * 33, "a\nb\x00", "\x1b[31mred", "\u202eevil"])
def test_a_name_that_nobody_should_have_is_refused(name: str) -> None:
    with pytest.raises(BadName) as bad:
        checked_name(name)
    assert str(bad.value).isprintable()


def test_spaces_around_a_name_do_not_count() -> None:
    assert checked_name("  Ann   Lee ") == "Ann Lee"


def test_profiles_in_use_are_not_offered_and_the_last_used_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "profiles", lambda: tmp_path / "profiles")
    assert places.free_profiles() == []
    profile(tmp_path / "profiles", "old", used_s=1)
    profile(tmp_path / "profiles", "new", used_s=3)
    (tmp_path / "profiles" / "no key").mkdir()
    with FolderLock.take(profile(tmp_path / "profiles", "busy", used_s=2)):
        os.utime(tmp_path / "profiles" / "new", (9**10, 9**10))
        assert places.free_profiles() == ["new", "old"]


def test_the_question_offers_the_login_name_to_who_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(places, "profiles", lambda: tmp_path)
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    monkeypatch.setattr("sys.stdin.readline", lambda: "\n", raising=False)
    assert asking.ask_name() == "ann"
    assert "your name, as others will see it [ann]: " in capsys.readouterr().err


def test_a_bad_answer_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(["\x1b[2J\n", "bob\n"])
    monkeypatch.setattr(places, "profiles", lambda: tmp_path)
    monkeypatch.setattr("sys.stdin.readline", lambda: next(answers), raising=False)
    assert asking.ask_name() == "bob"
    assert "a name has letters" in capsys.readouterr().err


def test_no_answer_at_all_ends_with_the_flag_to_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "profiles", lambda: tmp_path)
    monkeypatch.setattr("sys.stdin.readline", lambda: "", raising=False)
    with pytest.raises(BadName, match="use --as NAME"):
        asking.ask_name()


def test_the_only_profile_is_taken_without_a_question_where_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "profiles", lambda: tmp_path)
    assert places.only_profile() is None
    ann = profile(tmp_path, "ann", used_s=1)
    assert places.only_profile() == ann
    with FolderLock.take(ann):
        assert places.only_profile() is None
        assert f"in use by process {os.getpid()}" in places.why_taken(ann)
        assert "--profile" in places.why_taken(ann)
    assert places.why_taken(ann) == ""
    profile(tmp_path, "bob", used_s=2)
    assert places.only_profile() is None


def test_servers_are_looked_for_where_they_usually_are_and_where_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "checkout", lambda: tmp_path)
    assert places.server_ports() == [8001, 8002, 8003]
    for used_s, name in enumerate(("8111", "8002", "profiles", "99999", "9000")):
        (tmp_path / "var" / name).mkdir(parents=True)
        os.utime(tmp_path / "var" / name, (used_s, used_s))
    assert places.server_ports() == [8001, 8002, 8003, 9000, 8111]
    monkeypatch.setattr(places, "checkout", lambda: None)
    monkeypatch.setattr("platformdirs.user_data_path", lambda _: tmp_path / "data")
    (tmp_path / "data" / "server-7000").mkdir(parents=True)
    assert places.server_ports() == [8001, 8002, 8003, 7000]


def test_a_profile_that_we_may_not_look_into_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "profiles", lambda: tmp_path)
    profile(tmp_path, "ann", used_s=1)
    closed = profile(tmp_path, "of_another_user", used_s=2)
    is_file = Path.is_file

    def looked_into(path: Path) -> bool:
        if path.parent == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", looked_into)
    assert places.all_profiles() == ["ann"]
