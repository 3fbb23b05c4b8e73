"""A profile on disk: who somebody is, their key, what they remember. One folder, one process."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from socp.client import key_files
from socp.client.errors import ProfileBusy, ProfileUnusable
from socp.client.key_files import KEY_FILE, Keys
from socp.crypto.keys import PrivateKey, Suite
from socp.crypto.rotation import FIRST_VERSION, KeyStep
from socp.keystore import KeyFileError, keep
from socp.storage.errors import FolderBusy, StorageError
from socp.storage.profile_store import ProfileStore


@dataclass(frozen=True, slots=True)
class OpenProfile:
    """Close the store when done."""

    store: ProfileStore
    user_id: str
    display_name: str
    folder: Path
    keys: Keys


def open_profile(
    folder: Path, name: str, suite: Suite, making_key: Callable[[], None] = lambda: None
) -> OpenProfile:
    """Lock the folder, load the key or make it. Blocks, for seconds where the key is made.

    `making_key` is called before that. ProfileBusy where another process has the folder,
    ProfileUnusable with the reason otherwise.
    """
    try:
        store = ProfileStore.open(folder)
    except FolderBusy as fault:
        raise ProfileBusy(str(fault)) from None
    except StorageError as fault:
        raise ProfileUnusable(str(fault)) from None
    try:
        if not (folder / KEY_FILE).exists():
            making_key()
        keys = key_files.load(folder, suite)
        return OpenProfile(store, *_identity(store, name, anew=keys.made), folder, keys)
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
    try:
        store = ProfileStore.open(folder)
    except FolderBusy as fault:
        raise ProfileBusy(str(fault)) from None
    except StorageError as fault:
        raise ProfileUnusable(str(fault)) from None
    try:
        store.set_identity(user_id, name)  # first: a key alone would be given a new id
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


def _identity(store: ProfileStore, name: str, *, anew: bool) -> tuple[str, str]:
    """(user_id, display_name). A lost key is a new identity: others pinned the old one."""
    known = store.identity()
    user_id = str(uuid.uuid4()) if known is None or anew else known[0]
    if known != (user_id, name):
        store.set_identity(user_id, name)
    return user_id, name
