"""A private key in a file: made once, kept private, never replaced, refused with the remedy."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any, NoReturn

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from socp.crypto.keys import PrivateKey, RsaPrivateKey, RsaSuite
from socp.crypto.symbolic import SymbolicSuite
from socp.keystore import KeyFileError, load_or_create
from tests.keys import test_key

NO_PASSPHRASE = serialization.NoEncryption()
PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8


class StoredKeys(RsaSuite):
    """Real keys, without the wait for new ones."""

    def __init__(self) -> None:
        super().__init__()
        self._left = iter(test_key(n) for n in range(8, 16))
        self.made = 0

    def generate(self) -> RsaPrivateKey:
        self.made += 1
        return next(self._left)


class NoKeys(RsaSuite):
    """For those who must find a key."""

    def generate(self) -> NoReturn:
        raise AssertionError("a key was made")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "server.pem"


@pytest.fixture
def stored(path: Path) -> Path:
    load_or_create(path, StoredKeys())
    return path


@pytest.fixture(autouse=True)
def no_file_is_left_open() -> Iterator[None]:
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    yield
    after = len(os.listdir("/proc/self/fd")) if before else 0
    assert after <= before


def refusal(path: Path) -> str:
    with pytest.raises(KeyFileError) as error:
        load_or_create(path, NoKeys())
    text = str(error.value)
    assert "\n" not in text
    assert str(path) in text or str(path.parent) in text
    return text


def replace(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.threat("P3")
def test_the_first_start_makes_a_key_and_the_next_one_finds_it(path: Path) -> None:
    made, created = load_or_create(path, StoredKeys())
    found, created_again = load_or_create(path, NoKeys())
    assert (created, created_again) == (True, False)
    assert found.public == made.public == test_key(8).public


@pytest.mark.threat("P3")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_the_file_and_its_folder_are_the_owners_alone(path: Path, umask: int) -> None:
    path.parent.mkdir(mode=0o700)
    before = os.umask(umask)
    try:
        load_or_create(path, StoredKeys())
    finally:
        os.umask(before)
    assert mode(path) == 0o600


@pytest.mark.threat("P3")
def test_a_folder_that_was_not_there_is_made_private(path: Path) -> None:
    deep = path.parent / "a" / "b" / "key.pem"
    load_or_create(deep, StoredKeys())
    assert mode(deep.parent) == 0o700


def test_nothing_but_the_key_is_left_in_the_folder(stored: Path) -> None:
    assert [entry.name for entry in stored.parent.iterdir()] == [stored.name]


def test_the_file_is_pkcs8_pem_that_openssl_reads(stored: Path) -> None:
    key = serialization.load_pem_private_key(stored.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    assert stored.read_text().startswith("-----BEGIN PRIVATE KEY-----\n")
    assert stored.read_bytes() == key.private_bytes(PEM, PKCS8, NO_PASSPHRASE)


def test_symbolic_keys_are_kept_as_well(path: Path) -> None:
    made, _ = load_or_create(path, SymbolicSuite(1))
    found, created = load_or_create(path, SymbolicSuite(2))
    assert (found.public, created) == (made.public, False)


@pytest.mark.threat("P3")
@pytest.mark.parametrize("others", [0o640, 0o604, 0o660, 0o602, 0o610, 0o644])
def test_a_file_that_others_may_read_or_write_is_refused_with_the_command(
    stored: Path, others: int
) -> None:
    stored.chmod(others)
    assert f"run chmod 600 {stored}" in refusal(stored)


@pytest.mark.threat("P3")
@pytest.mark.parametrize("others", [0o770, 0o702, 0o777])
def test_a_folder_in_which_others_may_write_is_refused(stored: Path, others: int) -> None:
    stored.parent.chmod(others)
    assert f"run chmod go-w {stored.parent}" in refusal(stored)


def test_a_folder_that_others_may_only_look_into_is_taken(stored: Path) -> None:
    stored.parent.chmod(0o755)
    assert load_or_create(stored, NoKeys())[1] is False


@pytest.mark.threat("P3")
def test_a_file_of_another_user_is_refused(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert "belongs to another user" in refusal(stored)


@pytest.mark.threat("P3")
def test_a_symbolic_link_is_refused(stored: Path) -> None:
    link = stored.with_name("link.pem")
    link.symlink_to(stored)
    assert "is a symbolic link" in refusal(link)


@pytest.mark.threat("P3")
def test_a_link_that_leads_nowhere_is_refused_and_not_followed(stored: Path) -> None:
    link = stored.with_name("link.pem")
    link.symlink_to(stored.with_name("nowhere.pem"))
    assert "is a symbolic link" in refusal(link)
    assert not stored.with_name("nowhere.pem").exists()


def test_a_folder_in_the_files_place_is_refused(path: Path) -> None:
    path.mkdir(parents=True)
    assert "is not a file" in refusal(path)


def test_a_pipe_in_the_files_place_is_refused_and_hangs_nobody(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    os.mkfifo(path, 0o600)
    assert "is not a file" in refusal(path)


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("")
    assert "choose another path" in refusal(tmp_path / "keys" / "server.pem")


@pytest.mark.threat("S8")
@pytest.mark.parametrize("kept", [0, 1, 27, 100, 2000, 3243, -30, -2])
def test_a_file_cut_short_is_refused_and_left_as_it_is(stored: Path, kept: int) -> None:
    content = stored.read_bytes()[:kept]
    replace(stored, content)
    assert "restore it from a backup, or move it away" in refusal(stored)
    assert stored.read_bytes() == content


@pytest.mark.threat("S8")
@pytest.mark.parametrize("at", [40, 700, 1500, 2500, 3100])
def test_a_damaged_file_is_refused(stored: Path, at: int) -> None:
    content = bytearray(stored.read_bytes())
    content[at] = ord("A") if content[at] != ord("A") else ord("B")
    replace(stored, bytes(content))
    assert "restore it from a backup" in refusal(stored)


@pytest.mark.threat("I6")
def test_a_key_that_is_not_rsa_4096_is_refused(stored: Path) -> None:
    small = rsa.generate_private_key(65537, 2048).private_bytes(PEM, PKCS8, NO_PASSPHRASE)
    replace(stored, small)
    assert "RSA-2048" in refusal(stored)
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(PEM, PKCS8, NO_PASSPHRASE)
    replace(stored, other)
    assert "not an RSA key" in refusal(stored)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"hello\n", "cut short or damaged"),
        (b"x" * 100_000, "too long"),
        (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA\n", "locked by a passphrase"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nAA\n", "openssl pkcs8"),
        (b"-----BEGIN PRIVATE KEY-----\nA\n-----END PRIVATE KEY-----\n", "cut short or damaged"),
        (b"-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n", "cut short"),
    ],
)
def test_a_refusal_says_what_is_in_the_way(stored: Path, content: bytes, said: str) -> None:
    replace(stored, content)
    assert said in refusal(stored)


@pytest.mark.threat("P5")
def test_a_refusal_never_shows_what_is_in_the_file(stored: Path) -> None:
    secret = stored.read_text().splitlines()
    replace(stored, "\n".join(secret[:-1]).encode())
    text = refusal(stored)
    assert not any(line in text for line in secret[1:-1])


@pytest.mark.threat("S8")
def test_what_a_killed_process_left_half_written_is_no_key_and_is_cleared_away(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    (path.parent / ".server.pem.unfinished").write_bytes(b"-----BEGIN PRIV")
    _, created = load_or_create(path, StoredKeys())
    assert created
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.threat("S8")
@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_a_write_that_fails_leaves_nothing_and_says_so(
    path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir(mode=0o700)

    def full(*_: Any, **__: Any) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(KeyFileError, match=r"No space left on device; check the disk") as error:
        load_or_create(path, StoredKeys())
    assert str(path) in str(error.value)
    assert list(path.parent.iterdir()) == []


@pytest.mark.threat("S8")
def test_file_and_folder_reach_the_disk_before_the_key_is_used(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir(mode=0o700)
    done: list[str] = []
    fsync, rename = os.fsync, os.rename

    def synced(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        done.append("folder" if is_folder else "file")
        fsync(descriptor)

    def renamed(*names: Any, **folders: Any) -> None:
        done.append("rename")
        rename(*names, **folders)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    load_or_create(path, StoredKeys())
    assert done == ["file", "rename", "folder"]


@pytest.mark.threat("S8")
def test_a_file_that_may_not_be_read_is_refused_with_the_remedy(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ = os.open

    def denied(name: Any, *arguments: Any, **keywords: Any) -> int:
        if name == stored.name:
            raise PermissionError(errno.EACCES, "Permission denied")
        return open_(name, *arguments, **keywords)

    monkeypatch.setattr(os, "open", denied)
    assert "cannot be read: Permission denied; run as the user" in refusal(stored)


@pytest.mark.threat("S8")
def test_two_that_start_at_once_get_the_same_key(path: Path) -> None:
    suite, together = StoredKeys(), Barrier(4)

    def start(_: int) -> PrivateKey:
        together.wait()
        return load_or_create(path, suite)[0]

    with ThreadPoolExecutor(4) as pool:
        keys = list(pool.map(start, range(4)))
    assert len({key.public for key in keys}) == 1
    assert suite.made == 1
