"""A profile is locked in another way from now on, and what of it still lies in clear goes (P4).

At every moment of it the profile can be used, with the former lock until the very end.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from socp.client import key_files, unlocking
from socp.client.profile_folder import check_begun, opened_store
from socp.client.unlocking import Lock

# Copies that upgrades made, and what killed ones left, of formats whose rows stood in clear; and
# halves of files that were being written.
_IN_CLEAR: Final = re.compile(r"socp\.db\.format-[1-4](-\d+)?\.bak(\.part.*)?|\..+\.unfinished")


def reseal(folder: Path, now: Lock | None, then: Lock) -> int:
    """Lock the profile by `then`; how many old copies in clear were removed. Blocks.

    ProfileBusy, ProfileUnusable, and what `unlock` raises for `now` and for `then`.
    """
    check_begun(folder)
    with opened_store(folder, now) as store:
        key_files.seal_all(folder, store.vault)
        in_clear = [file for file in folder.iterdir() if _IN_CLEAR.fullmatch(file.name)]
        for file in in_clear:
            file.unlink(missing_ok=True)
        store.scrub()
        unlocking.keep_locked(folder, store.vault.master, then)
        store.close()
    return len(in_clear)
