"""The private keys of a profile: the present one, a new one on its way, the former ones.

Everything here blocks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from socp import keystore
from socp.crypto.keys import PrivateKey, Suite
from socp.crypto.vault import Vault

KEY_FILE: Final = "key.pem"
NEW_FILE: Final = "key.new.pem"
_FORMER: Final = re.compile(r"key\.v(\d{1,4})\.pem\Z")


@dataclass(frozen=True, slots=True)
class Keys:
    """What a folder holds. `made`: the present one was made just now."""

    present: PrivateKey = field(repr=False)
    made: bool
    new: PrivateKey | None = field(repr=False)  # no server has said yet that it took it
    former: tuple[PrivateKey, ...] = field(repr=False)  # newest first


def load(folder: Path, suite: Suite, vault: Vault) -> Keys:
    """All keys of a profile, the present one made where there is none. KeyFileError."""
    present, made = keystore.load_or_create(folder / KEY_FILE, suite, vault)
    files = (former_file(folder, number) for number in sorted(_versions(folder), reverse=True))
    loaded = (keystore.load(file, suite, vault) for file in files)
    # Killed while the new one took its place, the present one may have been copied already.
    former = tuple(key for key in loaded if key and key.public != present.public)
    return Keys(present, made, keystore.load(folder / NEW_FILE, suite, vault), former)


def _versions(folder: Path) -> list[int]:
    """Of the former keys that there are files of."""
    return [int(found[1]) for file in folder.iterdir() if (found := _FORMER.match(file.name))]


def files(folder: Path) -> list[Path]:
    """Every key file that there is."""
    former = [former_file(folder, number) for number in _versions(folder)]
    return [file for file in (folder / KEY_FILE, folder / NEW_FILE, *former) if file.exists()]


def seal_all(folder: Path, vault: Vault) -> None:
    """Keys that lie there in clear, or that the former vault sealed, are sealed by this one. Killed
    meanwhile, those that are and those that are not are read alike. KeyFileError."""
    for file in files(folder):
        keystore.seal(file, vault)


def former_file(folder: Path, version: int) -> Path:
    """Where the key of this version is kept once it is a former one."""
    return folder / f"key.v{version}.pem"


def keep_new(folder: Path, key: PrivateKey, vault: Vault) -> None:
    """Durable when this returns. KeyFileError, also where another new one is there."""
    keystore.keep(folder / NEW_FILE, key, vault)


def promote_new(folder: Path, former_version: int) -> None:
    """The new key is the present one from now on. KeyFileError."""
    former = former_file(folder, former_version)
    keystore.promote(folder / KEY_FILE, folder / NEW_FILE, former)


def drop_new(folder: Path) -> None:
    """The new key is of no use. KeyFileError."""
    keystore.drop(folder / NEW_FILE)
