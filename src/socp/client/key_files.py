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


def load(folder: Path, suite: Suite) -> Keys:
    """All keys of a profile, the present one made where there is none. KeyFileError."""
    present, made = keystore.load_or_create(folder / KEY_FILE, suite)
    versions = (int(found[1]) for file in folder.iterdir() if (found := _FORMER.match(file.name)))
    loaded = (keystore.load(former_file(folder, n), suite) for n in sorted(versions, reverse=True))
    # Killed while the new one took its place, the present one may have been copied already.
    former = tuple(key for key in loaded if key and key.public != present.public)
    return Keys(present, made, keystore.load(folder / NEW_FILE, suite), former)


def former_file(folder: Path, version: int) -> Path:
    """Where the key of this version is kept once it is a former one."""
    return folder / f"key.v{version}.pem"


def keep_new(folder: Path, key: PrivateKey) -> None:
    """Durable when this returns. KeyFileError, also where another new one is there."""
    keystore.keep(folder / NEW_FILE, key)


def promote_new(folder: Path, former_version: int) -> None:
    """The new key is the present one from now on. KeyFileError."""
    former = former_file(folder, former_version)
    keystore.promote(folder / KEY_FILE, folder / NEW_FILE, former)


def drop_new(folder: Path) -> None:
    """The new key is of no use. KeyFileError."""
    keystore.drop(folder / NEW_FILE)
