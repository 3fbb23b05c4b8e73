"""A profile that lay in clear is sealed, whatever is killed meanwhile (threats P4, S8)."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from socp.client import key_files, unlocking
from socp.client.errors import ProfileBusy, ProfileUnusable, VaultLocked, WrongPassphrase
from socp.client.profile_folder import Chosen, open_profile
from socp.client.resealing import reseal
from socp.client.unlocking import Lock, Passphrase, Plain
from socp.crypto.symbolic import SymbolicSuite
from socp.keystore import keep
from socp.keystore.vault_file import Locked
from socp.storage import migrations
from socp.storage.profile_schema import SCHEMA
from socp.storage.sqlite import Sqlite

SUITE = SymbolicSuite(1)
WORDS = Passphrase(lambda: "correct horse battery")
OTHER = Passphrase(lambda: "another horse battery")

pytestmark = [pytest.mark.threat("P4"), pytest.mark.threat("S8")]


def fingerprint(folder: Path, lock: Lock | None) -> str:
    """Of the key, of a profile that opens with this lock."""
    opened = open_profile(folder, Chosen(), SUITE, lock)
    opened.store.close()
    return opened.keys.present.public.fingerprint


def of_before(folder: Path) -> str:
    """A profile as the former version left it: rows and keys in clear. Its key's fingerprint."""
    folder.mkdir(mode=0o700)
    key = SUITE.generate()
    keep(folder / "key.pem", key)
    keep(folder / "key.v1.pem", SUITE.generate())
    (folder / ".key.v2.pem.unfinished").write_text("half of a key in clear")
    made = Sqlite.in_folder(folder)
    with made.engine.begin() as connection:
        migrations.upgrade(connection, SCHEMA.migrations, SCHEMA.revision_of(4))
    made.close()
    with closing(sqlite3.connect(folder / "socp.db")) as clear, clear:
        user_id = "11111111-1111-4111-8111-111111111111"
        clear.execute("INSERT INTO identity VALUES (1, ?, 'Somebody')", [user_id])
    return key.public.fingerprint


def test_a_profile_of_before_is_sealed_as_a_whole_and_its_copies_in_clear_go(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "alice"
    ours = of_before(folder)
    assert fingerprint(folder, None) == ours
    assert (folder / "socp.db.format-4.bak").exists()
    assert reseal(folder, None, WORDS) == 2
    names = {file.name for file in folder.iterdir()}
    assert names == {"key.pem", "key.v1.pem", "vault.key", "socp.db", "socp.lock"}
    content = b"".join(file.read_bytes() for file in folder.iterdir())
    assert b"BEGIN PRIVATE KEY" not in content
    assert b"Somebody" not in content
    assert b"11111111" not in content
    assert unlocking.locked(folder) is Locked.PASSPHRASE
    assert fingerprint(folder, WORDS) == ours
    with pytest.raises(VaultLocked):
        fingerprint(folder, None)


def test_another_passphrase_takes_the_place_of_the_former(tmp_path: Path) -> None:
    opened = open_profile(tmp_path, Chosen("Alice"), SUITE, WORDS)
    opened.store.close()
    reseal(tmp_path, WORDS, OTHER)
    assert fingerprint(tmp_path, OTHER) == opened.keys.present.public.fingerprint
    with pytest.raises(WrongPassphrase):
        fingerprint(tmp_path, WORDS)


def test_a_wrong_passphrase_changes_nothing(tmp_path: Path) -> None:
    open_profile(tmp_path, Chosen("Alice"), SUITE, WORDS).store.close()
    before = (tmp_path / "vault.key").read_bytes()
    with pytest.raises(WrongPassphrase):
        reseal(tmp_path, OTHER, Plain())
    assert (tmp_path / "vault.key").read_bytes() == before


def test_a_profile_in_use_or_not_begun_is_left_alone(tmp_path: Path) -> None:
    opened = open_profile(tmp_path / "a", Chosen("Alice"), SUITE, Plain())
    with pytest.raises(ProfileBusy):
        reseal(tmp_path / "a", None, WORDS)
    opened.store.close()
    with pytest.raises(ProfileUnusable, match="nobody has a key"):
        reseal(tmp_path / "b", None, WORDS)


class Killed(BaseException):
    """The process, at that moment."""


@pytest.mark.parametrize("survived", range(6))
def test_killed_at_any_moment_it_can_be_used_and_sealed_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    folder = tmp_path / "alice"
    ours = of_before(folder)
    rename, unlink, left = os.rename, Path.unlink, [survived]

    def count() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    def renamed(*names: Any, **where: Any) -> None:
        count()
        rename(*names, **where)

    def unlinked(path: Path, missing_ok: bool = False) -> None:
        count()
        unlink(path, missing_ok)

    assert fingerprint(folder, None) == ours  # and upgraded
    monkeypatch.setattr(os, "rename", renamed)
    monkeypatch.setattr(Path, "unlink", unlinked)
    # Two keys are sealed, two files removed, the lock replaced: the sixth is never reached.
    try:
        reseal(folder, None, WORDS)
        done = True
    except Killed:
        done = False
    monkeypatch.undo()
    assert done == (survived == 5)
    assert fingerprint(folder, WORDS if done else None) == ours
    reseal(folder, WORDS if done else None, OTHER)
    assert fingerprint(folder, OTHER) == ours
    keys = key_files.load(folder, SUITE, unlocking.unlock(folder, OTHER))
    assert len(keys.former) == 1
    assert not list(folder.glob("*.bak")) + list(folder.glob(".*"))
