"""A profile's keys on disk: whole at every moment, the former ones kept (threats P4, S8)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from socp.client import key_files
from socp.client.profile_folder import Chosen, open_profile
from socp.client.unlocking import Plain, unlock
from socp.crypto.keys import PrivateKey
from socp.crypto.symbolic import SymbolicSuite
from socp.keystore import KeyFileError

SUITE = SymbolicSuite(1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    open_profile(tmp_path / "alice", Chosen("Alice"), SUITE, Plain()).store.close()
    return tmp_path / "alice"


def a_new_key(folder: Path) -> PrivateKey:
    key = SUITE.generate()
    key_files.keep_new(folder, key, unlock(folder, None))
    return key


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir() if file.name.startswith(("key", ".key"))}


def test_a_new_key_takes_the_place_of_the_present_one_which_is_kept(folder: Path) -> None:
    first = key_files.load(folder, SUITE, unlock(folder, None))
    new = a_new_key(folder)
    waiting = key_files.load(folder, SUITE, unlock(folder, None))
    assert waiting.new is not None
    assert (waiting.present.public, waiting.new.public) == (first.present.public, new.public)
    key_files.promote_new(folder, 1)
    newest = a_new_key(folder)
    key_files.promote_new(folder, 2)
    keys = key_files.load(folder, SUITE, unlock(folder, None))
    assert keys.present.public == newest.public
    assert [key.public for key in keys.former] == [new.public, first.present.public]
    assert (keys.new, keys.made) == (None, False)
    assert names(folder) == {"key.pem", "key.v1.pem", "key.v2.pem"}


@pytest.mark.threat("P4")
def test_every_key_is_its_owners_alone(folder: Path) -> None:
    before = os.umask(0)
    try:
        a_new_key(folder)
        key_files.promote_new(folder, 1)
        a_new_key(folder)
    finally:
        os.umask(before)
    modes = {stat.S_IMODE((folder / name).stat().st_mode) for name in names(folder)}
    assert modes == {0o600}


@pytest.mark.threat("S8")
def test_killed_between_the_copy_and_the_change_it_is_done_once_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, new = key_files.load(folder, SUITE, unlock(folder, None)).present, a_new_key(folder)
    rename = os.rename

    def killed(source: str, target: str, **where: int) -> None:
        if target == "key.pem":
            raise OSError(5, "Input/output error")
        rename(source, target, **where)

    monkeypatch.setattr(os, "rename", killed)
    with pytest.raises(KeyFileError, match="check the disk"):
        key_files.promote_new(folder, 1)
    monkeypatch.undo()
    keys = key_files.load(folder, SUITE, unlock(folder, None))
    assert keys.present.public == first.public
    assert keys.former == ()
    assert keys.new is not None
    assert keys.new.public == new.public
    key_files.promote_new(folder, 1)
    keys = key_files.load(folder, SUITE, unlock(folder, None))
    assert keys.present.public == new.public
    assert [key.public for key in keys.former] == [first.public]


def test_a_new_key_that_waits_is_never_replaced_but_may_be_dropped(folder: Path) -> None:
    new = a_new_key(folder)
    with pytest.raises(KeyFileError, match="is there already"):
        a_new_key(folder)
    keys = key_files.load(folder, SUITE, unlock(folder, None))
    assert keys.new is not None
    assert keys.new.public == new.public
    for _ in range(2):
        key_files.drop_new(folder)
    assert key_files.load(folder, SUITE, unlock(folder, None)).new is None


def test_without_a_new_key_nothing_takes_the_place_of_the_present_one(folder: Path) -> None:
    with pytest.raises(KeyFileError, match="is gone"):
        key_files.promote_new(folder, 1)
    assert names(folder) == {"key.pem"}


@pytest.mark.threat("P4")
def test_a_former_key_that_others_may_read_is_refused(folder: Path) -> None:
    a_new_key(folder)
    key_files.promote_new(folder, 1)
    (folder / "key.v1.pem").chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        key_files.load(folder, SUITE, unlock(folder, None))
