"""A profile on disk: who somebody is, their key, what they remember. One folder, one process."""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from socp.client import key_files, server_url, unlocking
from socp.client.clock import now_ms
from socp.client.errors import ProfileBusy, ProfileUnusable, SealUnchosen
from socp.client.key_files import KEY_FILE, Keys
from socp.client.unlocking import Lock
from socp.crypto.keys import PrivateKey, Suite
from socp.crypto.rotation import FIRST_VERSION, KeyStep
from socp.keystore import KeyFileError, keep
from socp.member.records import Settings
from socp.storage.errors import FolderBusy, StorageError
from socp.storage.profile_store import ProfileStore

EXPORT_COPY: Final = "socp.db.export"  # of the database, while it is packed
LOST: Final = (
    "{key} is gone, and without it nobody is who {folder} is of; put it back from a backup, or move"
    " the folder away to begin as somebody new"
)


@dataclass(frozen=True, slots=True)
class OpenProfile:
    """Close the store when done."""

    store: ProfileStore
    settings: Settings
    folder: Path
    keys: Keys
    warnings: tuple[str, ...] = ()

    @property
    def user_id(self) -> str:
        return self.settings.user_id

    @property
    def display_name(self) -> str:
        return self.settings.display_name


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody says when they open a profile; "" for what it was the last time."""

    name: str = ""
    server_url: str = ""
    downloads: str = ""


USUAL: Final = Chosen(server_url=server_url.DEFAULT)


def open_profile(
    folder: Path,
    chosen: Chosen,
    suite: Suite,
    lock: Lock | None,
    making_key: Callable[[], None] = lambda: None,
    usual: Chosen = USUAL,
) -> OpenProfile:
    """Lock the folder, unlock its vault, load the key or make it. Blocks, for seconds where the key
    is made.

    `making_key` is called before that; `usual` is what was neither chosen now nor ever. ProfileBusy
    where another process has the folder, what
    `unlock` raises, ProfileUnusable with the reason otherwise.
    """
    warnings = [] if unlocking.begun(folder) else [unlocking.OF_BEFORE]
    if unlocking.locked(folder) is None:
        warnings.clear()
        if lock is None:
            raise SealUnchosen(unlocking.UNCHOSEN)
        if not (chosen.name or usual.name):
            raise ProfileUnusable(f"{folder} is a new profile; give it a name")
    with opened_store(folder, lock) as store:
        usual = replace(usual, downloads=usual.downloads or str(_beside(folder)))
        if not (folder / KEY_FILE).exists():
            known = store.settings()
            if known is not None and known.begun:
                raise ProfileUnusable(LOST.format(folder=folder, key=folder / KEY_FILE))
            # First: who is killed while the key is made goes on as who they said they are.
            _settings(store, chosen, usual, begun=False)
            making_key()
        keys = key_files.load(folder, suite, store.vault)
        settings = _settings(store, chosen, usual, begun=True)
        return OpenProfile(store, settings, folder, keys, tuple(warnings))


@contextmanager
def opened_store(folder: Path, lock: Lock | None) -> Iterator[ProfileStore]:
    """The store, for what is made of it; closed where that fails, and only then. As
    `open_profile`."""
    try:
        store = ProfileStore.open(folder, lambda: unlocking.unlock(folder, lock))
    except FolderBusy as fault:
        raise ProfileBusy(str(fault)) from None
    except (KeyFileError, StorageError) as fault:
        raise ProfileUnusable(str(fault)) from None
    try:
        _tidy(folder)
        if store.vault.former:  # somebody was killed there
            sealed_anew(folder, store)
        yield store
    except (KeyFileError, StorageError) as fault:
        store.close()
        raise ProfileUnusable(str(fault)) from None
    except BaseException:
        store.close()
        raise


def _tidy(folder: Path) -> None:
    """A killed export's copy goes: it would keep what is forgotten here, under a key that may be
    replaced."""
    for left in folder.glob(f"{EXPORT_COPY}*"):
        with suppress(OSError):
            left.unlink()


def sealed_anew(folder: Path, store: ProfileStore) -> None:
    """The rows have another key now: the keys get it too, and the former one goes. KeyFileError,
    StorageError."""
    key_files.seal_all(folder, store.vault)
    store.scrub()
    unlocking.settle(folder)


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


def restore(
    folder: Path, user_id: str, chosen: Chosen, key: PrivateKey, version: int, lock: Lock
) -> None:
    """Make the folder the profile of somebody whose key, of this version, came from elsewhere.
    Blocks.

    ProfileBusy, ProfileUnusable, and what `unlock` raises.
    """
    check_free(folder)
    with opened_store(folder, lock) as store:
        # First: a key alone would be given a new id.
        store.set_settings(_begun(user_id, chosen, "login"))
        if version != FIRST_VERSION:
            store.write((KeyStep(user_id, version, key.public.text, 0, "", ""),)).result()
        keep(folder / KEY_FILE, key, store.vault)
        store.close()


def check_begun(folder: Path) -> None:
    """ProfileUnusable where there is no key yet."""
    if not (folder / KEY_FILE).exists():
        raise ProfileUnusable(
            f"nobody has a key in {folder} yet; `socp chat` makes one, or give the right --profile"
        )


def _settings(store: ProfileStore, chosen: Chosen, usual: Chosen, *, begun: bool) -> Settings:
    """Whose profile it is, and where, kept."""
    known = store.settings()
    person = _begun(str(uuid.uuid4()), chosen, "new") if known is None else known
    wanted = replace(
        person,
        display_name=chosen.name or (known.display_name if known else "") or usual.name,
        server_url=chosen.server_url or person.server_url or _last_server(store, usual),
        downloads=chosen.downloads or person.downloads or usual.downloads,
        run=person.run or new_run(),  # a profile of before had none
        begun=begun,
    )
    if known != wanted:
        store.set_settings(wanted)
    return wanted


def _last_server(store: ProfileStore, usual: Chosen) -> str:
    """Where a profile of before was last seen for the first time."""
    servers = [each for each in store.load().servers if each.address]
    newest = max(servers, key=lambda each: each.pinned_ms, default=None)
    return usual.server_url if newest is None else newest.address


def _beside(folder: Path) -> Path:
    """Where received files land, where nobody said: they are not sealed, and no part of it."""
    return folder.absolute().with_name(f"{folder.name}-files")


def _begun(user_id: str, chosen: Chosen, origin: str) -> Settings:
    """The first settings of a profile's life."""
    return Settings(
        user_id,
        chosen.name,
        chosen.server_url,
        chosen.downloads,
        run=new_run(),
        origin=origin,
        began_ms=now_ms(),
    )


def new_run() -> str:
    """What numbers the messages of one life of a profile (content/1)."""
    return secrets.token_hex(8)
