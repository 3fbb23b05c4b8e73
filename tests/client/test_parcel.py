"""A profile is taken elsewhere as one sealed file (threats P4, S8)."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from socp.client import key_files, parcel, unlocking
from socp.client.errors import ParcelUnreadable, ProfileBusy, ProfileUnusable, WeakPassphrase
from socp.client.profile_folder import Chosen, open_profile
from socp.client.resealing import reseal
from socp.client.unlocking import Lock, Passphrase, Plain
from socp.crypto.passphrase import CHUNK_BYTES, STREAM_HEAD_BYTES
from socp.crypto.symbolic import SymbolicSuite
from socp.keystore import KeyFileError
from socp.keystore.vault_file import Locked
from socp.storage import profile_store
from socp.storage.errors import SealedAnew
from socp.storage.profile_reader import ProfileReader
from tests.storage import examples

SUITE = SymbolicSuite(1)
WORDS = "correct horse battery"
MINE = Passphrase(lambda: "my horse battery")

pytestmark = [pytest.mark.threat("P4"), pytest.mark.threat("S8")]


@pytest.fixture
def alice(tmp_path: Path) -> Path:
    """A profile that has something of everything."""
    folder = tmp_path / "alice"
    opened = open_profile(folder, Chosen("Alice", "ws://localhost:8001", "/here"), SUITE, MINE)
    opened.store.write(examples.MEMBER_RECORDS).result()
    opened.store.close()
    return folder


def packed(alice: Path) -> Path:
    file = alice.with_name("alice.socp")
    parcel.pack(alice, MINE, file, WORDS)
    return file


def unpack(source: Path, folder: Path, words: str = WORDS, lock: Lock | None = None) -> None:
    parcel.unpack(source, words, folder, lock or Plain(), SUITE)


def test_everything_is_there_again_and_numbered_anew(alice: Path) -> None:
    new = alice.with_name("new")
    unpack(packed(alice), new)
    first = open_profile(alice, Chosen(), SUITE, MINE)
    second = open_profile(new, Chosen(), SUITE, None)
    assert second.store.load() == first.store.load()
    assert second.keys.present.public == first.keys.present.public
    assert second.user_id == first.user_id
    assert second.display_name == "Alice"
    assert second.settings.server_url == "ws://localhost:8001"
    assert second.settings.downloads == str(alice.with_name("new-files"))
    assert second.settings.run not in ("", first.settings.run)
    assert (second.settings.origin, first.settings.origin) == ("import", "new")
    assert second.settings.began_ms >= first.settings.began_ms
    first.store.close()
    second.store.close()
    modes = {stat.S_IMODE(file.stat().st_mode) for file in new.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(new.stat().st_mode) == 0o700


def test_it_is_locked_there_as_was_said(alice: Path) -> None:
    new = alice.with_name("new")
    unpack(packed(alice), new, lock=Passphrase(lambda: "yet another battery"))
    assert unlocking.locked(new) is Locked.PASSPHRASE


def test_who_has_the_file_and_its_passphrase_opens_nothing_of_what_was_made_of_it(
    alice: Path,
) -> None:
    new = alice.with_name("new")
    unpack(packed(alice), new)
    thief = unlocking.unlock(alice, MINE)  # the key that is in the file
    assert unlocking.unlock(new, None).former is None
    with pytest.raises(SealedAnew), ProfileReader(new, thief) as copied:
        copied.settings()
    with pytest.raises(KeyFileError, match="sealed with another key"):
        key_files.load(new, SUITE, thief)
    with closing(sqlite3.connect(alice / "socp.db")) as clear:
        rows = [row for (row,) in clear.execute("SELECT sealed FROM contacts")]
    assert rows
    left = b"".join(path.read_bytes() for path in new.iterdir())
    assert not any(row in left for row in rows)


def test_the_file_is_its_owners_alone_and_tells_nothing(alice: Path) -> None:
    file = packed(alice)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = file.read_bytes()
    for word in (b"Alice", b"socp.db", b"SQLite", b"key.pem", b"BEGIN", b"hello"):
        assert word not in content
    assert {path.name for path in alice.iterdir()} == {
        "key.pem",
        "socp.db",
        "socp.lock",
        "vault.key",
    }


def test_a_large_profile_goes_in_pieces(alice: Path) -> None:
    with open_profile(alice, Chosen(), SUITE, MINE).store as store:
        for number in range(3):
            line = replace(examples.LINE, line_id=number + 50, frames=(bytes(CHUNK_BYTES),))
            store.write([line]).result()
        lines = store.load().outbox
    file = packed(alice)
    assert file.stat().st_size > 3 * CHUNK_BYTES
    unpack(file, alice.with_name("new"))
    with open_profile(alice.with_name("new"), Chosen(), SUITE, None).store as store:
        assert store.load().outbox == lines


def test_nothing_is_overwritten_nor_taken_while_in_use(alice: Path) -> None:
    file = packed(alice)
    with pytest.raises(ProfileUnusable, match="is there already"):
        packed(alice)
    with pytest.raises(ProfileUnusable, match="holds a key already"):
        unpack(file, alice)
    other = alice.with_name("other")
    other.mkdir()
    (other / "mine").touch()
    with pytest.raises(ProfileUnusable, match="not empty"):
        unpack(file, other)
    opened = open_profile(alice, Chosen(), SUITE, MINE)
    with pytest.raises(ProfileBusy):
        parcel.pack(alice, MINE, alice.with_name("second"), WORDS)
    opened.store.close()
    assert not alice.with_name("second").exists()


def test_a_weak_passphrase_makes_no_file(alice: Path) -> None:
    with pytest.raises(WeakPassphrase):
        parcel.pack(alice, MINE, alice.with_name("alice.socp"), "short")
    assert not alice.with_name("alice.socp").exists()


def cut(content: bytes) -> bytes:
    return content[:-1]


def cut_short(content: bytes) -> bytes:
    return content[:STREAM_HEAD_BYTES]


def longer(content: bytes) -> bytes:
    return content + b"\0"


def changed(content: bytes) -> bytes:
    return content[:-100] + bytes([content[-100] ^ 1]) + content[-99:]


def of_something_else(content: bytes) -> bytes:
    return b"%PDF-1.7" + content


def nothing(content: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("harm", [cut, cut_short, longer, changed, of_something_else, nothing])
def test_what_is_not_whole_leaves_nothing_behind(alice: Path, harm: object) -> None:
    assert callable(harm)
    file = packed(alice)
    file.write_bytes(harm(file.read_bytes()))
    with pytest.raises(ParcelUnreadable):
        unpack(file, alice.with_name("new"))
    assert {path.name for path in alice.parent.iterdir()} == {"alice", "alice.socp"}


def test_a_wrong_passphrase_is_said_and_leaves_nothing_behind(alice: Path) -> None:
    with pytest.raises(ParcelUnreadable, match="not the passphrase of this file"):
        unpack(packed(alice), alice.with_name("new"), "wrong horse battery")
    with pytest.raises(ParcelUnreadable, match="cannot be read"):
        unpack(alice.with_name("absent"), alice.with_name("new"))
    assert {path.name for path in alice.parent.iterdir()} == {"alice", "alice.socp"}


class Killed(BaseException):
    """The process, at that moment."""


def test_what_a_killed_import_left_is_no_obstacle(
    alice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, new = packed(alice), alice.with_name("new")

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(profile_store.ProfileStore, "set_settings", killed)
        patched.setattr(shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(Killed):
            unpack(file, new)
    assert alice.with_name(".new.import").is_dir()
    assert not new.exists()
    unpack(file, new)
    assert not alice.with_name(".new.import").exists()
    open_profile(new, Chosen(), SUITE, None).store.close()


def test_a_killed_export_leaves_no_half_a_file(
    alice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise Killed

    file = alice.with_name("alice.socp")
    with monkeypatch.context() as patched:
        patched.setattr(parcel, "_write", killed)
        with pytest.raises(Killed):
            parcel.pack(alice, MINE, file, WORDS)
    assert not file.exists()


def test_what_an_export_left_that_was_killed_for_good_goes_when_the_profile_is_opened(
    alice: Path,
) -> None:
    def leave() -> None:
        for name in ("socp.db.export", "socp.db.export-journal"):
            (alice / name).write_bytes(b"half")

    def left() -> list[Path]:
        return list(alice.glob("*export*"))

    leave()
    open_profile(alice, Chosen(), SUITE, MINE).store.close()
    assert left() == []
    leave()
    assert reseal(alice, MINE, MINE) == 0  # they were sealed
    assert left() == []
    leave()
    unpack(packed(alice), alice.with_name("new"))
    assert left() == []
