"""One private key in one file: PKCS8 PEM, or sealed by a vault; 0600, whole or not there at all.

Everything here blocks (the disk, and half a second to make a key): run it in a thread.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from socp.crypto.keys import KeyRefused, PrivateKey, Suite, Unreadable
from socp.crypto.vault import Vault
from socp.keystore import pem
from socp.keystore.private_file import KeyFileError, Place, locked_folder, read, write

_TABLE: Final = "key files"  # what the seal of a key is bound to


def load_or_create(path: Path, suite: Suite, vault: Vault | None = None) -> tuple[PrivateKey, bool]:
    """The private key in the file `path`, and whether it was made just now. KeyFileError otherwise.

    A file that is there is never replaced. Two processes that start at once get the same key.
    With a vault a new one is sealed; one in clear is read all the same.
    """
    with locked_folder(path) as place:
        content = read(place)
        if content is not None:
            return _parse(place, content, suite, vault), False
        key = suite.generate()
        write(place, _content(key, vault))
        return key, True


def put(path: Path, content: bytes) -> None:
    """Write a key file as it was, of a backup. KeyFileError where there is one already."""
    with locked_folder(path) as place:
        if read(place) is not None:
            raise KeyFileError(f"{path} is there already; move it away first")
        write(place, content)


def load(path: Path, suite: Suite, vault: Vault | None = None) -> PrivateKey | None:
    """The private key in the file `path`, None where there is no such file. KeyFileError."""
    with locked_folder(path) as place:
        content = read(place)
        return None if content is None else _parse(place, content, suite, vault)


def keep(path: Path, key: PrivateKey, vault: Vault | None = None) -> None:
    """Write a key to a new file `path`, whole and durable when this returns. KeyFileError, also
    where a file is there: it is never replaced."""
    with locked_folder(path) as place:
        if read(place) is not None:
            raise KeyFileError(f"{path} is there already; move it away first")
        write(place, _content(key, vault))


def promote(path: Path, new: Path, former: Path) -> None:
    """The key in `new` takes the place of that in `path`, which `former` holds from then on.

    All in one folder. Killed in between it can be done once more: `path` is there at every moment.
    """
    with locked_folder(path) as place:
        content = read(place)
        if content is None or read(replace(place, path=new)) is None:
            raise KeyFileError(f"{new} or {path} is gone; restore the folder from a backup")
        kept = replace(place, path=former)
        if read(kept) != content:
            write(kept, content)
        try:
            os.rename(new.name, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
            os.fsync(place.folder)
        except OSError as error:
            raise place.failed("written", error) from None


def is_sealed(path: Path) -> bool:
    """Whether a vault sealed it; False where there is none. KeyFileError."""
    with locked_folder(path) as place:
        return pem.is_sealed(read(place) or b"")


def seal(path: Path, vault: Vault) -> None:
    """Seal a key that lies there in clear, or sealed by the vault's former one; nothing happens to
    another. KeyFileError."""
    with locked_folder(path) as place:
        content = read(place)
        if content is None or (pem.is_sealed(content) and vault.former is None):
            return
        data = _data(place, content, vault)
        write(place, pem.armour(_sealed(data, vault), sealed=True))


def drop(path: Path) -> None:
    """Remove a key that is of no use; nothing happens where there is none. KeyFileError."""
    with locked_folder(path) as place:
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place.name, dir_fd=place.folder)
            os.fsync(place.folder)
        except OSError as error:
            raise place.failed("removed", error) from None


def _content(key: PrivateKey, vault: Vault | None) -> bytes:
    if vault is None:
        return pem.armour(key.to_bytes())
    return pem.armour(_sealed(key.to_bytes(), vault), sealed=True)


def _sealed(data: bytes, vault: Vault) -> bytes:
    # Files take each other's places, so the name is not bound.
    return vault.seal(_TABLE, b"", data)


def _parse(place: Place, content: bytes, suite: Suite, vault: Vault | None) -> PrivateKey:
    try:
        return suite.load_private(_data(place, content, vault))
    except KeyRefused as refused:
        raise _unusable(place, refused) from None


def _data(place: Place, content: bytes, vault: Vault | None) -> bytes:
    try:
        if not pem.is_sealed(content):
            return pem.unarmour(content)
        if vault is None:
            raise KeyRefused("it is sealed")
        return _opened(pem.unarmour(content, sealed=True), vault)
    except KeyRefused as refused:
        raise _unusable(place, refused) from None
    except Unreadable:
        raise _unusable(place, "it was sealed with another key than this profile's") from None


def _opened(sealed: bytes, vault: Vault) -> bytes:
    try:
        return vault.open(_TABLE, b"", sealed)
    except Unreadable:
        if vault.former is None:
            raise
        return vault.former.open(_TABLE, b"", sealed)


def _unusable(place: Place, why: object) -> KeyFileError:
    return KeyFileError(
        f"{place.path} holds no key we can use: {why}; "
        "restore it from a backup, or move it away to start with a new identity"
    )
