"""A profile that lay in clear is sealed, whatever is killed meanwhile (threats P4, S8)."""

from __future__ import annotations

import os
import shutil
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
from socp.crypto.vault import Vault
from socp.keystore import KeyFileError, keep
from socp.keystore.vault_file import Locked
from socp.storage import migrations, sqlite
from socp.storage.errors import SealedAnew
from socp.storage.profile_reader import ProfileReader
from socp.storage.profile_schema import SCHEMA
from socp.storage.profile_store import ProfileStore
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


@pytest.mark.parametrize("survived", range(9))
def test_killed_at_any_moment_it_can_be_used_and_sealed_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    folder = tmp_path / "alice"
    ours = of_before(folder)
    rename, unlink, reseal_rows, left = os.rename, Path.unlink, ProfileStore.reseal, [survived]

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

    def rows_resealed(store: ProfileStore, vault: Vault) -> None:
        if vault.former:
            count()
            reseal_rows(store, vault)
            count()

    assert fingerprint(folder, None) == ours  # and upgraded
    monkeypatch.setattr(os, "rename", renamed)
    monkeypatch.setattr(Path, "unlink", unlinked)
    monkeypatch.setattr(ProfileStore, "reseal", rows_resealed)
    # Two files are removed, vault.key has the new key, before and after the rows are committed, two
    # keys are sealed, the former one goes: the ninth is never reached.
    try:
        reseal(folder, None, WORDS)
        done = True
    except Killed:
        done = False
    monkeypatch.undo()
    assert done == (survived == 8)
    lock = WORDS if survived > 2 else None
    with ProfileReader(folder, unlocking.unlock(folder, lock)) as beside:
        settings = beside.settings()
        assert settings
        assert settings.display_name == "Somebody"
    assert fingerprint(folder, lock) == ours
    assert unlocking.unlock(folder, lock).former is None
    reseal(folder, lock, OTHER)
    assert fingerprint(folder, OTHER) == ours
    keys = key_files.load(folder, SUITE, unlocking.unlock(folder, OTHER))
    assert len(keys.former) == 1
    assert not list(folder.glob("*.bak")) + list(folder.glob(".*"))


def test_who_has_a_copy_of_before_it_was_sealed_opens_nothing_that_came_later(
    tmp_path: Path,
) -> None:
    open_profile(tmp_path, Chosen("Alice"), SUITE, Plain()).store.close()
    thief = unlocking.unlock(tmp_path, None)
    reseal(tmp_path, None, WORDS)
    with pytest.raises(SealedAnew), ProfileReader(tmp_path, thief) as copied:
        copied.settings()
    with pytest.raises(KeyFileError, match="sealed with another key"):
        key_files.load(tmp_path, SUITE, thief)


def test_nothing_begins_that_the_disk_has_no_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_profile(tmp_path, Chosen("Alice"), SUITE, Plain()).store.close()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(ProfileUnusable, match="free some space"):
        reseal(tmp_path, None, WORDS)
    assert unlocking.locked(tmp_path) is Locked.PLAIN


def test_somebody_who_reads_meanwhile_keeps_it_from_its_end_and_the_next_start_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PRAGMAS", ("busy_timeout = 1", *sqlite.PRAGMAS[1:]))
    open_profile(tmp_path, Chosen("Alice"), SUITE, Plain()).store.close()
    with closing(sqlite3.connect(tmp_path / "socp.db", isolation_level=None)) as beside:
        beside.execute("BEGIN")
        beside.execute("SELECT * FROM settings").fetchall()
        with pytest.raises(ProfileUnusable, match="opens as you chose just now"):
            reseal(tmp_path, None, WORDS)
    assert unlocking.unlock(tmp_path, WORDS).former is not None
    fingerprint(tmp_path, WORDS)
    assert unlocking.unlock(tmp_path, WORDS).former is None
