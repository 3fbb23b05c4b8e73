"""What must be there before the brain can wake: data folder, key, id and all that is remembered.

Everything here blocks and runs in one thread beside the rest of the start.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from socp.crypto.keys import PrivateKey, RsaSuite
from socp.keystore import KeyFileError, load, load_or_create
from socp.node.records import Remembered
from socp.server import fresh, places
from socp.server.faults import StartFault
from socp.storage import FolderLock, StorageError
from socp.storage.whose import Identity, identity_in

if TYPE_CHECKING:
    from socp.storage.address import PostgresAddress
    from socp.storage.node_store import NodeStore


@dataclass(frozen=True, slots=True)
class Named:
    """A server that may say its name."""

    key: PrivateKey
    key_is_new: bool
    server_id: str


@dataclass(frozen=True, slots=True)
class Known(Named):
    """The folder stays locked for `open_all`, so that what was said is true until then."""

    lock: FolderLock


@dataclass(frozen=True, slots=True)
class Opened(Named):
    store: NodeStore
    remembered: Remembered


def known(folder: Path, suite: RsaSuite) -> Known | None:
    """Who a server is that was here before, in a file of our format and with its own key: before
    its store is opened. None where only `open_all` can tell, or must say what is wrong."""
    found = identity_in(folder / places.DATABASE_FILE)
    if found is None or os.path.lexists(folder / places.DATABASE_NOTE):
        return None
    try:
        lock = FolderLock.take(folder)
    except StorageError:
        return None
    try:
        key = load(folder / places.KEY_FILE, suite)
    except KeyFileError:
        key = None
    if key is None or key.public.fingerprint != found.fingerprint:
        lock.release()
        return None
    return Known(key, key_is_new=False, server_id=found.server_id, lock=lock)


def open_all(
    folder: Path | None,
    suite: RsaSuite,
    address: PostgresAddress | None = None,
    said: Known | None = None,
) -> Opened:
    """Lock and open `folder`; make key and id where there are none. None: in memory alone.

    `address` is the database where it is not a file in the folder; `said` is what `known` gave:
    its lock is taken over, and who it said we are is who we must be.
    """
    from socp.storage.node_store import NodeStore  # brings SQLAlchemy along: 0.2 s

    try:
        if folder is not None and said is None:
            check_whereabouts(folder, address)
        store = NodeStore.open(folder, address, said.lock if said else None)
    except StorageError as fault:
        raise StartFault(str(fault)) from fault
    try:
        key, is_new, server_id = _as_said(store, said) if said else _identify(store, folder, suite)
        if folder is not None and address is not None:
            note(folder, address)
        return Opened(key, is_new, server_id, store, store.load())
    except (StorageError, KeyFileError) as fault:
        store.close()
        raise StartFault(str(fault)) from fault
    except BaseException:
        store.close()
        raise


def check_whereabouts(folder: Path, address: PostgresAddress | None) -> None:
    """StartFault where folder and database are no pair.

    A key with the wrong database would be a new server in the old one's name.
    """
    if address is None and noted(folder) is not None:
        raise StartFault(
            f"{folder} belongs to the database at {noted(folder)}: give its --database, "
            "or choose another --data-dir"
        )
    if address is not None and os.path.lexists(folder / places.DATABASE_FILE):
        raise StartFault(
            f"{folder} has a database of its own, {places.DATABASE_FILE}: start without "
            "--database; or take a backup (socp admin backup) and restore it with --database into "
            "an empty folder"
        )


def noted(folder: Path) -> str | None:
    """What the folder says of where its database is; None where that is in the folder."""
    file = folder / places.DATABASE_NOTE
    if not os.path.lexists(file):
        return None
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "it is no text"
        raise StartFault(
            f"{file} cannot be read: {why}; it says where the database is: make it readable, or "
            "write the address there, without a password"
        ) from fault


def note(folder: Path, address: PostgresAddress) -> None:
    """Leave a line in the folder that says where its database is."""
    if noted(folder) == str(address):
        return
    file = folder / places.DATABASE_NOTE
    try:
        with open(file, "w", opener=_for_us_alone) as noted_there:
            noted_there.write(f"{address}\n")
    except OSError as fault:
        raise StorageError(
            f"{folder} cannot be written: {fault.strerror}; make it writable for this user"
        ) from fault


def _for_us_alone(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_CLOEXEC, 0o600)


def _as_said(store: NodeStore, said: Known) -> tuple[PrivateKey, bool, str]:
    """What was said of key and id. A server that was killed may have left another id in its log,
    which was not read then; and only our own programs heed the lock."""
    found = store.identity()
    if found != Identity(said.server_id, said.key.public.fingerprint):
        is_now = f"that of server {found.server_id}" if found else "nobody's"
        raise StartFault(
            f"{store.place} was server {said.server_id}'s when this start began, and is {is_now}: "
            "make sure that no other program writes there, and start again"
        )
    return said.key, said.key_is_new, said.server_id


def _identify(
    store: NodeStore, folder: Path | None, suite: RsaSuite
) -> tuple[PrivateKey, bool, str]:
    """Key and id, which must belong together: made where there is neither."""
    known = store.identity()
    if known is None and folder is not None and noted(folder) is not None:
        raise StartFault(
            f"{folder} has the key of a server whose database is {noted(folder)}, and "
            f"{store.place} is empty: give that --database as it was, restore a backup, or move "
            f"{places.KEY_FILE} and {places.DATABASE_NOTE} away to start as a new server"
        )
    file = folder / places.KEY_FILE if folder is not None else None
    if known is not None and file is not None and not os.path.lexists(file):
        raise StartFault(
            f"{file} is missing, the key of server {known.server_id} whose database is "
            f"{store.place}: restore both from the same backup, or move the database away to start "
            "as a new server"
        )
    key, is_new = load_or_create(file, suite) if file is not None else (suite.generate(), True)
    found = key.public.fingerprint
    if known is None:
        known = Identity(fresh.server_id(), found)
        store.set_identity(known)
    elif known.fingerprint is None:
        store.set_identity(Identity(known.server_id, found))
    elif known.fingerprint != found:
        raise StartFault(
            f"{file} is another server's key ({found[:16]}…) than that of server "
            f"{known.server_id} in {store.place} ({known.fingerprint[:16]}…): restore both from "
            "the same backup, or move one of them away"
        )
    return key, is_new, known.server_id
