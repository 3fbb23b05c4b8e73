"""The key of a profile's vault at rest: one file, 0600, which says how it is locked.

Everything here blocks.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from socp.keystore.private_file import KeyFileError, Place, locked_folder, read, write

VAULT_FILE: Final = "vault.key"


class Locked(StrEnum):
    """By what."""

    PASSPHRASE = "passphrase"  # noqa: S105 - a word, not one
    KEYRING = "keyring"
    PLAIN = "plain"  # by nothing: whoever has the folder has all that is in it


@dataclass(frozen=True, slots=True)
class VaultKey:
    """What the file holds. `key`: PLAIN the master key, else that key sealed."""

    locked: Locked
    key: bytes = field(repr=False)
    name: str = ""  # KEYRING: what the key that opens it is called there
    former: bytes = b""  # the master key before it, sealed by it, while things are sealed anew


class _Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """JSON, on one line."""

    lock: Locked
    key: str
    name: str = ""
    former: str = ""


def load(folder: Path) -> VaultKey | None:
    """None where there is no such file yet. KeyFileError."""
    with locked_folder(folder / VAULT_FILE) as place:
        content = read(place)
        return None if content is None else _parse(place, content)


def keep(folder: Path, key: VaultKey) -> None:
    """Write it to a new file, durable when this returns. KeyFileError, also where one is there."""
    with locked_folder(folder / VAULT_FILE) as place:
        if read(place) is not None:
            raise KeyFileError(f"{place.path} is there already; move it away first")
        write(place, _written(key))


def replace(folder: Path, key: VaultKey) -> None:
    """The same for what takes the place of the former, at once or not at all."""
    with locked_folder(folder / VAULT_FILE) as place:
        write(place, _written(key))


def _written(key: VaultKey) -> bytes:
    text, former = (base64.b64encode(each).decode() for each in (key.key, key.former))
    return msgspec.json.encode(_Content(key.locked, text, key.name, former)) + b"\n"


def _parse(place: Place, content: bytes) -> VaultKey:
    try:
        found = msgspec.json.decode(content, type=_Content)
        key, former = (base64.b64decode(each, validate=True) for each in (found.key, found.former))
        return VaultKey(found.lock, key, found.name, former)
    except (msgspec.MsgspecError, ValueError):
        raise KeyFileError(
            f"{place.path} is cut short or damaged; restore it from a backup: without it nothing in"
            " this profile can be read"
        ) from None
