"""What must be there before the brain can wake: data folder, key, id and all that is remembered.

Everything here blocks and runs in one thread beside the rest of the start.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from socp.crypto.keys import PrivateKey, RsaSuite
from socp.keystore import KeyFileError, load_or_create
from socp.node.records import Remembered
from socp.server import fresh, places
from socp.server.faults import StartFault
from socp.storage import StorageError

if TYPE_CHECKING:
    from socp.storage.node_store import NodeStore


@dataclass(frozen=True, slots=True)
class Opened:
    store: NodeStore
    key: PrivateKey
    key_is_new: bool
    server_id: str
    remembered: Remembered


def open_all(folder: Path | None, suite: RsaSuite) -> Opened:
    """Lock and open `folder`; make key and id where there are none. None: in memory alone."""
    from socp.storage.node_store import NodeStore  # brings SQLAlchemy along: 0.2 s

    try:
        store = NodeStore.open(folder)
    except StorageError as fault:
        raise StartFault(str(fault)) from fault
    try:
        key, is_new = _key(folder, suite)
        server_id = store.identity()
        if server_id is None:
            server_id = fresh.server_id()
            store.set_identity(server_id)
        return Opened(store, key, is_new, server_id, store.load())
    except (StorageError, KeyFileError) as fault:
        store.close()
        raise StartFault(str(fault)) from fault
    except BaseException:
        store.close()
        raise


def _key(folder: Path | None, suite: RsaSuite) -> tuple[PrivateKey, bool]:
    if folder is None:
        return suite.generate(), True
    return load_or_create(folder / places.KEY_FILE, suite)
