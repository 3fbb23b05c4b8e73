"""What unlocks a profile (threat P4): a passphrase, the system's keyring, or nothing at all.

Everything here blocks; a passphrase costs 0.15 s and 64 MiB at each try.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeAlias, assert_never

from socp import keystore
from socp.client.clock import now_ms
from socp.client.errors import (
    ProfileUnusable,
    SealUnchosen,
    VaultLocked,
    WeakPassphrase,
    WrongPassphrase,
)
from socp.client.key_files import KEY_FILE
from socp.crypto import passphrase as passphrases
from socp.crypto.keys import Unreadable
from socp.crypto.passwords import WeakPassword, check_strength
from socp.crypto.vault import KEY_BYTES, Vault, new_master
from socp.keystore import KeyFileError, system_keyring, tries, vault_file
from socp.keystore.system_keyring import NoKeyring
from socp.keystore.vault_file import VAULT_FILE, Locked, VaultKey

OF_BEFORE: Final = (
    "whoever can read this profile's folder can read all that is in it; `socp profile passwd`"
    " seals it"
)

_FORMER: Final = b"former"  # what the seal of that key is bound to

UNCHOSEN: Final = (
    "a new profile: say how it is sealed, by a passphrase (--passphrase-file FILE, or type it at a"
    " terminal), by the system's keyring (--vault keyring), or not at all (--vault plain)"
)


@dataclass(frozen=True, slots=True)
class Passphrase:
    """The person knows it. `ask` is called when it is needed, in a thread, and gives it."""

    ask: Callable[[], str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The system keeps the key for whoever is logged in."""


@dataclass(frozen=True, slots=True)
class Plain:
    """The key lies beside what it seals: whoever can read the folder can read everything."""


Lock: TypeAlias = Passphrase | Keyring | Plain


def locked(folder: Path) -> Locked | None:
    """How the profile in `folder` is locked; None where there is none. ProfileUnusable.

    A profile of before vaults is as plain as can be.
    """
    try:
        if not folder.is_dir():
            return None
        found = vault_file.load(folder)
        if found is not None:
            return found.locked
        return Locked.PLAIN if (folder / KEY_FILE).exists() else None
    except KeyFileError as fault:
        raise ProfileUnusable(str(fault)) from None


def begun(folder: Path) -> bool:
    """Whether it has a vault."""
    return (folder / VAULT_FILE).exists()


def check_not_lost(folder: Path) -> None:
    """KeyFileError where it had a vault, and has none any more."""
    if not begun(folder) and keystore.is_sealed(folder / KEY_FILE):
        raise KeyFileError(
            f"{folder / VAULT_FILE} is gone, and without it nothing in this profile can be read;"
            " restore it from a backup"
        )


def wait_s(folder: Path) -> float:
    """How long the next passphrase has to wait, for wrong ones before it; 30 s at most."""
    try:
        return tries.wait_ms(folder, now_ms()) / 1000 if folder.is_dir() else 0
    except KeyFileError as fault:
        raise ProfileUnusable(str(fault)) from None


def unlock(folder: Path, lock: Lock | None) -> Vault:
    """The vault of the profile in `folder`; a new profile's is made, and locked by `lock`.

    `lock` may be None for what is there and needs no passphrase. VaultLocked, WrongPassphrase,
    SealUnchosen, WeakPassphrase; KeyFileError for files that cannot be used.
    """
    found = vault_file.load(folder)
    if found is None:
        return Vault(_made(folder, lock))
    vault = Vault(_master(folder, found, lock))
    if not found.former:
        return vault
    try:
        former = vault.open(VAULT_FILE, _FORMER, found.former)
    except Unreadable:
        raise _damaged(folder) from None
    return Vault(vault.master, Vault(former))


def _master(folder: Path, found: VaultKey, lock: Lock | None) -> bytes:
    match found.locked:
        case Locked.PLAIN:
            return _checked(folder, found.key)
        case Locked.KEYRING:
            return _from_keyring(folder, found)
        case Locked.PASSPHRASE if isinstance(lock, Passphrase):
            return _try(folder, found, lock.ask())
        case Locked.PASSPHRASE:
            raise VaultLocked(
                "this profile is sealed by a passphrase: type it at a terminal, or give it with"
                " --passphrase-file FILE"
            )
        case _:
            assert_never(found.locked)


def is_right(folder: Path, text: str) -> bool:
    """Whether this passphrase opens the profile. A wrong one is counted. ProfileUnusable."""
    try:
        found = vault_file.load(folder)
        if found is None or found.locked is not Locked.PASSPHRASE:
            return False
        _try(folder, found, text)
    except WrongPassphrase:
        return False
    except KeyFileError as fault:
        raise ProfileUnusable(str(fault)) from None
    return True


def check_new(text: str) -> None:
    """WeakPassphrase for one that is soon guessed, or that nobody could type again."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise WeakPassphrase("it has characters that are none; type it again") from None
    try:
        check_strength(text)
    except WeakPassword as weak:
        raise WeakPassphrase(str(weak)) from None


def keep_locked(folder: Path, master: bytes, lock: Lock) -> None:
    """Lock the key of files that come from elsewhere. KeyFileError, VaultLocked, WeakPassphrase."""
    with _answering():
        vault_file.keep(folder, _locked(lock, master))


def lock_anew(folder: Path, former: Vault, lock: Lock) -> Vault:
    """Another key from now on, locked by `lock`: what has the former one, and what it opened,
    opens nothing that is sealed later. The former is kept, sealed by the new one, until `settle`.

    A killed one leaves it as it was. KeyFileError, VaultLocked, WeakPassphrase.
    """
    vault = Vault(new_master(), former)
    before = vault_file.load(folder)
    with _answering():
        key = _locked(lock, vault.master)
    kept = vault.seal(VAULT_FILE, _FORMER, former.master)
    vault_file.replace(folder, replace(key, former=kept))
    if before is not None and before.locked is Locked.KEYRING:
        with suppress(NoKeyring):  # what stays there opens nothing any more
            system_keyring.drop(before.name)
    return vault


def settle(folder: Path) -> None:
    """Nothing is sealed by the former key any more. KeyFileError."""
    found = vault_file.load(folder)
    if found is not None:
        vault_file.replace(folder, replace(found, former=b""))


def _made(folder: Path, lock: Lock | None) -> bytes:
    check_not_lost(folder)
    if (folder / KEY_FILE).exists():
        lock = Plain()  # a profile of before, which is in clear; `passwd` seals it as a whole
    if lock is None:
        raise SealUnchosen(UNCHOSEN)
    master = new_master()
    with _answering():
        vault_file.keep(folder, _locked(lock, master))
    return master


def _locked(lock: Lock, master: bytes) -> VaultKey:
    match lock:
        case Plain():
            return VaultKey(Locked.PLAIN, master)
        case Keyring():
            name, wrapping = secrets.token_hex(16), secrets.token_bytes(KEY_BYTES)
            system_keyring.put(name, wrapping)
            return VaultKey(Locked.KEYRING, passphrases.wrap(wrapping, master), name)
        case Passphrase():
            text = lock.ask()
            check_new(text)
            return VaultKey(Locked.PASSPHRASE, passphrases.lock(text, master))
        case _:
            assert_never(lock)


def _try(folder: Path, found: VaultKey, text: str) -> bytes:
    if not passphrases.is_locked(found.key):
        raise _damaged(folder)  # no passphrase opens it
    try:
        master = passphrases.unlock(text, found.key)
    except Unreadable:
        tries.wrong(folder, now_ms())
        seconds = tries.wait_ms(folder, now_ms()) / 1000
        raise WrongPassphrase(
            f"that is not the passphrase of this profile; try again, in {seconds:.0f} s"
        ) from None
    tries.right(folder)
    return _checked(folder, master)


def _from_keyring(folder: Path, found: VaultKey) -> bytes:
    with _answering():
        wrapping = system_keyring.get(found.name)
    if wrapping is None:
        raise VaultLocked(
            "the system's keyring has no key for this profile: log in as the person whose it is, or"
            " import the profile from an export"
        )
    try:
        return _checked(folder, passphrases.unwrap(wrapping, found.key))
    except Unreadable:
        raise _damaged(folder) from None


def _checked(folder: Path, master: bytes) -> bytes:
    if len(master) != KEY_BYTES:
        raise _damaged(folder)
    return master


def _damaged(folder: Path) -> KeyFileError:
    return KeyFileError(
        f"{folder / VAULT_FILE} is not what was written; restore it from a backup: without it"
        " nothing in this profile can be read"
    )


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except NoKeyring as fault:
        raise VaultLocked(str(fault)) from None
