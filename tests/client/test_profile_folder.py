"""Who somebody is, from one run to the next."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from socp.client.errors import ProfileBusy, ProfileUnusable
from socp.client.key_files import KEY_FILE
from socp.client.profile_folder import Chosen, open_profile
from socp.client.unlocking import Plain
from socp.crypto.symbolic import SymbolicSuite

SUITE = SymbolicSuite(1)


def test_a_new_profile_gets_a_key_and_an_id_that_it_keeps(tmp_path: Path) -> None:
    folder = tmp_path / "alice"
    making: list[str] = []
    first = open_profile(folder, Chosen("Alice"), SUITE, Plain(), lambda: making.append("a key"))
    first.store.close()
    again = open_profile(folder, Chosen("Alice"), SUITE, Plain(), lambda: making.append("another"))
    again.store.close()
    assert making == ["a key"]
    assert (first.keys.made, again.keys.made) == (True, False)
    assert again.user_id == first.user_id
    assert again.keys.present.public == first.keys.present.public
    assert again.display_name == "Alice"


@pytest.mark.threat("P4")
def test_everything_in_a_profile_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        open_profile(tmp_path / "alice", Chosen("Alice"), SUITE, Plain()).store.close()
    finally:
        os.umask(before)
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "alice").iterdir()
    }
    assert modes[KEY_FILE] == 0o600
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "alice").stat().st_mode) == 0o700


def test_another_name_is_another_label_for_the_same_person(tmp_path: Path) -> None:
    first = open_profile(tmp_path, Chosen("Alice"), SUITE, Plain())
    first.store.close()
    again = open_profile(tmp_path, Chosen("Alice B."), SUITE, Plain())
    again.store.close()
    assert (again.user_id, again.display_name) == (first.user_id, "Alice B.")


def test_a_profile_in_use_says_by_which_process(tmp_path: Path) -> None:
    profile = open_profile(tmp_path, Chosen("Alice"), SUITE, Plain())
    with pytest.raises(ProfileBusy, match=f"in use by process {os.getpid()}"):
        open_profile(tmp_path, Chosen("Alice"), SUITE, Plain())
    profile.store.close()


class Killed(BaseException):
    """Nothing of ours survives it."""


def test_who_is_killed_while_the_key_is_made_goes_on_as_who_they_said_they_are(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "some folder"

    def killed() -> None:
        raise Killed

    with pytest.raises(Killed):
        open_profile(folder, Chosen("Alice"), SUITE, Plain(), killed)
    assert not (folder / KEY_FILE).exists()
    again = open_profile(folder, Chosen(), SUITE, Plain(), usual=Chosen("some folder"))
    again.store.close()
    assert (again.display_name, again.keys.made) == ("Alice", True)
    (folder / KEY_FILE).unlink()
    with pytest.raises(ProfileUnusable, match=f"{KEY_FILE} is gone"):
        open_profile(folder, Chosen(), SUITE, Plain())


@pytest.mark.threat("I10")
def test_who_lost_the_key_is_told_and_does_not_become_somebody_new_unasked(tmp_path: Path) -> None:
    first = open_profile(tmp_path, Chosen("Alice"), SUITE, Plain())
    first.store.close()
    kept = (tmp_path / KEY_FILE).read_bytes()
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(ProfileUnusable, match=f"{KEY_FILE} is gone.*backup"):
        open_profile(tmp_path, Chosen("Alice"), SUITE, Plain())
    assert not (tmp_path / KEY_FILE).exists()
    (tmp_path / KEY_FILE).write_bytes(kept)
    (tmp_path / KEY_FILE).chmod(0o600)
    again = open_profile(tmp_path, Chosen("Alice"), SUITE, Plain())
    again.store.close()
    assert again.user_id == first.user_id


def test_a_damaged_key_is_one_line_and_lets_go_of_the_folder(tmp_path: Path) -> None:
    open_profile(tmp_path, Chosen("Alice"), SUITE, Plain()).store.close()
    (tmp_path / KEY_FILE).write_text("half a ke")
    for _ in range(2):
        with pytest.raises(ProfileUnusable, match=KEY_FILE) as fault:
            open_profile(tmp_path, Chosen("Alice"), SUITE, Plain())
        assert "\n" not in str(fault.value)


def test_a_folder_that_cannot_be_one_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ProfileUnusable, match="cannot be used"):
        open_profile(tmp_path / "file", Chosen("Alice"), SUITE, Plain())


def test_no_secret_is_in_the_repr_of_a_profile(tmp_path: Path) -> None:
    profile = open_profile(tmp_path, Chosen("Alice"), SUITE, Plain())
    profile.store.close()
    assert "key=" not in repr(profile).replace("new_key=", "")
