"""A profile is locked in another way from now on, under another key, and what of it still lies in
clear goes (P4): whoever copied it before, and could open it, can open nothing that comes later.

At every moment of it the profile can be used: with the former lock until `vault.key` has the new
one, and the next to open it goes on where this one was killed.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

from socp.client import unlocking
from socp.client.errors import ProfileUnusable
from socp.client.profile_folder import check_begun, opened_store, sealed_anew
from socp.client.unlocking import Lock
from socp.keystore import KeyFileError
from socp.storage.errors import StorageError
from socp.storage.sqlite import FILE_NAME

# Copies that upgrades made, and what killed ones left, of formats whose rows stood in clear; halves
# of files that were being written.
_IN_CLEAR: Final = re.compile(r"socp\.db\.format-[1-4](-\d+)?\.bak(\.part.*|-.*)?|\..+\.unfinished")
_ROOM: Final = 3  # times the database: its log, and twice the file while it is written anew


def reseal(folder: Path, now: Lock | None, then: Lock) -> int:
    """Lock the profile by `then`; how many old copies in clear were removed. Blocks.

    ProfileBusy, ProfileUnusable, and what `unlock` raises for `now` and for `then`.
    """
    check_begun(folder)
    with opened_store(folder, now) as store:
        _check_room(folder)
        in_clear = [file for file in folder.iterdir() if _IN_CLEAR.fullmatch(file.name)]
        for file in in_clear:
            file.unlink(missing_ok=True)
        vault = unlocking.lock_anew(folder, store.vault, then)
        try:
            store.reseal(vault)
            sealed_anew(folder, store)
        except (KeyFileError, StorageError) as fault:
            raise ProfileUnusable(
                f"{fault}; the profile opens as you chose just now, and seals the rest at the next"
                " start"
            ) from None
        store.close()
    return len(in_clear)


def _check_room(folder: Path) -> None:
    """Before anything is changed. ProfileUnusable."""
    wanted = _ROOM * (folder / FILE_NAME).stat().st_size
    if shutil.disk_usage(folder).free < wanted:
        raise ProfileUnusable(
            f"all of {folder} is sealed anew, which takes {-(-wanted >> 20)} MB of the disk for a"
            " while; free some space"
        )
