"""A profile on disk: who somebody is, their key, what they remember. One folder, one process."""

from __future__ import annotations

import os
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from socp.client import key_files
from socp.client.errors import ProfileBusy, ProfileUnusable
from socp.client.key_files import KEY_FILE, Keys
from socp.client.unlocking import unlock
from socp.crypto.keys import PrivateKey, Suite
from socp.crypto.rotation import FIRST_VERSION, KeyStep
from socp.keystore import KeyFileError, keep
from socp.member.records import Settings
from socp.storage.errors import FolderBusy, StorageError
from socp.storage.profile_store import ProfileStore


@dataclass(frozen=True, slots=True)
class OpenProfile:
    """Close the store when done."""

    store: ProfileStore
    settings: Settings
    folder: Path
    keys: Keys

    @property
    def user_id(self) -> str:
        return self.settings.user_id

    @property
    def display_name(self) -> str:
        return self.settings.display_name


def open_profile(
    folder: Path, name: str, suite: Suite, making_key: Callable[[], None] = lambda: None
) -> OpenProfile:
    """Lock the folder, load the key or make it. Blocks, for seconds where the key is made.

    `making_key` is called before that. ProfileBusy where another process has the folder,
    ProfileUnusable with the reason otherwise.
    """
    store = _open_store(folder)
    try:
        if not (folder / KEY_FILE).exists():
            making_key()
        keys = key_files.load(folder, suite)
        return OpenProfile(store, _settings(store, name, anew=keys.made), folder, keys)
    except (KeyFileError, StorageError) as fault:
        store.close()
        raise ProfileUnusable(str(fault)) from None
    except BaseException:
        store.close()
        raise


def check_free(folder: Path) -> None:
    """ProfileUnusable where somebody's key is in the folder already, for nobody is overwritten, and
    where it cannot be made: before anything is asked of anybody."""
    if (folder / KEY_FILE).exists():
        raise ProfileUnusable(
            f"{folder} holds a key already, and it stays; take another name (--as),"
            " or move that folder away"
        )
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise ProfileUnusable(
            f"{folder} cannot be made, for {there} is no folder you may write in; choose another"
            " --profile-dir"
        )


def restore(folder: Path, user_id: str, name: str, key: PrivateKey, version: int) -> None:
    """Make the folder the profile of somebody whose key, of this version, came from elsewhere.
    Blocks.

    ProfileBusy, ProfileUnusable.
    """
    check_free(folder)
    store = _open_store(folder)
    try:
        # First: a key alone would be given a new id.
        store.set_settings(_begun(user_id, name, "login"))
        if version != FIRST_VERSION:
            store.write((KeyStep(user_id, version, key.public.text, 0, "", ""),)).result()
        keep(folder / KEY_FILE, key)
    except (KeyFileError, StorageError) as fault:
        raise ProfileUnusable(str(fault)) from None
    finally:
        store.close()


def check_begun(folder: Path) -> None:
    """ProfileUnusable where there is no key yet."""
    if not (folder / KEY_FILE).exists():
        raise ProfileUnusable(
            f"nobody has a key in {folder} yet; talk once with `socp chat`, or give the right --as"
        )


def _open_store(folder: Path) -> ProfileStore:
    try:
        return ProfileStore.open(folder, lambda: unlock(folder))
    except FolderBusy as fault:
        raise ProfileBusy(str(fault)) from None
    except (KeyFileError, StorageError) as fault:
        raise ProfileUnusable(str(fault)) from None


def _settings(store: ProfileStore, name: str, *, anew: bool) -> Settings:
    """Whose profile it is. A lost key is a new identity: others pinned the old one."""
    known = store.settings()
    if known is None or anew:
        wanted = _begun(str(uuid.uuid4()), name, "new")
    else:
        # A profile of before had no run.
        wanted = replace(known, display_name=name, run=known.run or new_run())
    if known != wanted:
        store.set_settings(wanted)
    return wanted


def _begun(user_id: str, name: str, origin: str) -> Settings:
    """The first settings of a profile's life."""
    now_ms = time.time_ns() // 1_000_000
    return Settings(user_id, name, run=new_run(), origin=origin, began_ms=now_ms)


def new_run() -> str:
    """What numbers the messages of one life of a profile (content/1)."""
    return secrets.token_hex(8)
