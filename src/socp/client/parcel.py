"""A whole profile as one sealed file, to take elsewhere: what is said, known and owned, with keys.

The file is one stream under a passphrase (crypto/passphrase.py). In it: the length of a manifest (4
bytes), the manifest, then the files that it lists, one after the other, as they lie in the folder.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import msgspec

from socp.client import key_files, unlocking
from socp.client.clock import now_ms
from socp.client.errors import ParcelUnreadable, ProfileBusy, ProfileUnusable
from socp.client.key_files import KEY_FILE
from socp.client.profile_folder import (
    EXPORT_COPY,
    check_begun,
    check_free,
    new_run,
    opened_store,
)
from socp.client.unlocking import Lock
from socp.crypto import passphrase as passphrases
from socp.crypto.keys import Suite, Unreadable
from socp.crypto.passphrase import CHUNK_BYTES, SEALED_CHUNK_BYTES, STREAM_HEAD_BYTES
from socp.crypto.vault import KEY_BYTES, Vault, new_master
from socp.keystore import KeyFileError
from socp.storage.backup import whole
from socp.storage.errors import FolderBusy, StorageError
from socp.storage.folders import sync_folder
from socp.storage.profile_store import ProfileStore
from socp.storage.sqlite import FILE_NAME

FORMAT: Final = 1
FILES_MAX: Final = 10_000
_MANIFEST_BYTES_MAX: Final = 1 << 20
_LENGTH_BYTES: Final = 4
_NAMES: Final = re.compile(r"socp\.db|key(\.new|\.v\d{1,4})?\.pem")
_WRONG: Final = "that is not the passphrase of this file, or the file is damaged; try again"


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    name: str
    size: Annotated[int, msgspec.Meta(ge=0)]


class Manifest(msgspec.Struct, frozen=True):
    format: int
    master: bytes  # of the vault that sealed the files
    files: list[_Entry]


def pack(folder: Path, lock: Lock | None, target: Path, passphrase: str) -> None:
    """Write the profile in `folder` to the new file `target`. Blocks; the profile must be free.

    ProfileBusy, ProfileUnusable, WeakPassphrase, and what `unlock` raises.
    """
    unlocking.check_new(passphrase)
    check_begun(folder)
    if target.exists():
        raise ProfileUnusable(f"{target} is there already; choose another name")
    with opened_store(folder, lock) as store, _telling(target):
        key_files.seal_all(folder, store.vault)
        copy = folder / EXPORT_COPY
        try:
            store.copy_to(copy)
            files = {FILE_NAME: copy} | {file.name: file for file in key_files.files(folder)}
            whole(target, lambda partial: _write(partial, passphrase, store.vault, files))
        finally:
            copy.unlink(missing_ok=True)
        store.close()


def unpack(source: Path, passphrase: str, folder: Path, lock: Lock, suite: Suite) -> None:
    """Make the new `folder` the profile in the file `source`, locked by `lock`. Blocks.

    It is there when all of it is, or not at all. It numbers its messages anew, for the machine
    where it was may still run, and has a key of its own, which the file does not open (threat P4).
    ParcelUnreadable, ProfileBusy, ProfileUnusable, WeakPassphrase, VaultLocked.
    """
    check_free(folder)
    if folder.exists() and any(folder.iterdir()):
        raise ProfileUnusable(f"{folder} is not empty; choose another, or move it away")
    made = folder.with_name(f".{folder.name}.import")
    try:
        with ProfileStore.open(made, lambda: _unpacked(source, passphrase, made, lock)) as store:
            key_files.seal_all(made, store.vault)
            store.scrub()
            key_files.load(made, suite, Vault(store.vault.master))
            _begin_anew(store)
        made.rename(folder)
        sync_folder(folder.parent)
    except FolderBusy as fault:
        raise ProfileBusy(str(fault)) from None
    except BaseException as fault:
        shutil.rmtree(made, ignore_errors=True)
        if isinstance(fault, KeyFileError | StorageError):
            raise ProfileUnusable(str(fault)) from None
        if isinstance(fault, OSError):
            raise ProfileUnusable(f"{folder} cannot be made: {fault.strerror}") from None
        raise


def _begin_anew(store: ProfileStore) -> None:
    settings = store.settings()
    if settings is None:
        raise ParcelUnreadable("nobody's profile is in this file; export it once more")
    began_ms = now_ms()
    store.set_settings(
        # Folders of another machine mean nothing here.
        replace(settings, run=new_run(), origin="import", began_ms=began_ms, downloads="")
    )


# --- writing ------------------------------------------------------------------------------------


def _write(partial: Path, passphrase: str, vault: Vault, files: dict[str, Path]) -> None:
    sizes = [(name, path.stat().st_size) for name, path in files.items()]
    start = manifest_head(vault.master, sizes)
    with partial.open("r+b") as out:
        for piece in passphrases.seal_stream(passphrase, _chunks(start, files.values())):
            out.write(piece)


def manifest_head(master: bytes, sizes: Iterable[tuple[str, int]]) -> bytes:
    """What the stream begins with: the names of files and their sizes in bytes."""
    entries = [_Entry(name, size) for name, size in sizes]
    manifest = msgspec.msgpack.encode(Manifest(FORMAT, master, entries))
    return len(manifest).to_bytes(_LENGTH_BYTES, "big") + manifest


def _chunks(start: bytes, files: Iterable[Path]) -> Iterator[bytes]:
    """All of it in pieces of one size, the last one shorter."""
    held = bytearray(start)
    for path in files:
        with path.open("rb") as file:
            while data := file.read(CHUNK_BYTES):
                held += data
                while len(held) >= CHUNK_BYTES:
                    yield bytes(held[:CHUNK_BYTES])
                    del held[:CHUNK_BYTES]
    yield bytes(held)


@contextmanager
def _telling(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        line = f"{target} cannot be written: {fault.strerror}"
        raise ProfileUnusable(f"{line}; choose another place") from None


# --- reading ------------------------------------------------------------------------------------


def _unpacked(source: Path, passphrase: str, folder: Path, lock: Lock) -> Vault:
    """The files are in `folder`, which is ours alone, to be sealed anew by this vault, whose key is
    locked. Nothing of their former key is kept there: what is killed is not gone on with."""
    for left in folder.iterdir():  # by an import that was killed
        if left.name != "socp.lock":
            left.unlink()
    try:
        with source.open("rb") as file:
            master = _read(file, passphrase, folder)
    except OSError as fault:
        raise ParcelUnreadable(f"{source} cannot be read: {fault.strerror}") from None
    vault = Vault(new_master(), Vault(master))
    unlocking.keep_locked(folder, vault.master, lock)
    return vault


def _read(file: BinaryIO, passphrase: str, folder: Path) -> bytes:
    """Write what is in it to `folder`; the vault's key."""
    head = file.read(STREAM_HEAD_BYTES)
    if not passphrases.is_stream(head):
        raise ParcelUnreadable("this is no exported profile; give the file that was exported")
    sealed = iter(lambda: file.read(SEALED_CHUNK_BYTES), b"")
    try:
        take = taker(passphrases.open_stream(passphrase, head, sealed))
        manifest = read_manifest(take)
        for entry in manifest.files:
            _write_new(folder / entry.name, entry.size, take)
        if take(1):
            raise Unreadable
    except Unreadable:
        raise ParcelUnreadable(_WRONG) from None
    return manifest.master


def read_manifest(take: Callable[[int], bytes]) -> Manifest:
    """What a profile's file begins with. Unreadable, ParcelUnreadable."""
    size = int.from_bytes(_exactly(take, _LENGTH_BYTES), "big")
    if size > _MANIFEST_BYTES_MAX:
        raise Unreadable
    try:
        manifest = msgspec.msgpack.decode(_exactly(take, size), type=Manifest)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Unreadable from None
    names = [entry.name for entry in manifest.files]
    if manifest.format > FORMAT:
        raise ParcelUnreadable("a newer version of socp exported this; upgrade socp")
    wrong = [name for name in names if not _NAMES.fullmatch(name)]
    missing = {FILE_NAME, KEY_FILE} - set(names)
    if wrong or missing or len(set(names)) != len(names) or len(manifest.master) != KEY_BYTES:
        raise Unreadable
    return manifest


def taker(chunks: Iterator[bytes]) -> Callable[[int], bytes]:
    """The next so many bytes of a stream, fewer at its end, which is read to the last."""
    held = bytearray()

    def take(size: int) -> bytes:
        while len(held) < size:
            chunk = next(chunks, None)
            if chunk is None:
                break
            held.extend(chunk)
        data = bytes(held[:size])
        del held[:size]
        return data

    return take


def _exactly(take: Callable[[int], bytes], size: int) -> bytes:
    data = take(size)
    if len(data) != size:
        raise Unreadable
    return data


def _write_new(path: Path, size: int, take: Callable[[int], bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as out:
        while size > 0:
            data = take(min(size, CHUNK_BYTES))
            if not data:
                raise Unreadable
            out.write(data)
            size -= len(data)
        out.flush()
        os.fsync(descriptor)
