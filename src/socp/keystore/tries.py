"""Wrong passphrases, counted in the profile's folder: each makes the next try wait longer (P4).

Whoever copies the folder is held up by the cost of each guess alone; this is for who sits at the
machine. The wait is bounded, so that nobody is locked out. Everything here blocks.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from socp.keystore import keyfile
from socp.keystore.private_file import KeyFileError, locked_folder, read, write

TRIES_FILE: Final = "vault.tries"
WAIT_MS_MAX: Final = 30_000
_FIRST_WAIT_MS: Final = 1_000
_COUNTED_MAX: Final = 64


class _Tries(msgspec.Struct, frozen=True):
    wrong: int = 0  # in a row
    last_ms: int = 0  # Unix ms


def wait_ms(folder: Path, now_ms: int) -> int:
    """How long the next try has to wait. KeyFileError."""
    tries = _load(folder)
    if tries.wrong <= 0:
        return 0
    wait = min(WAIT_MS_MAX, _FIRST_WAIT_MS << min(tries.wrong, _COUNTED_MAX) - 1)
    # A clock that was put back must not lengthen it.
    return min(wait, max(0, tries.last_ms + wait - now_ms))


def wrong(folder: Path, now_ms: int) -> None:
    """One more, where the folder can be written: who made it otherwise has a copy anyway."""
    counted = min(_load(folder).wrong, _COUNTED_MAX) + 1
    with suppress(KeyFileError), locked_folder(folder / TRIES_FILE) as place:
        write(place, msgspec.json.encode(_Tries(counted, now_ms)))


def right(folder: Path) -> None:
    """The count begins anew, where the folder can be written: it keeps nobody from reading."""
    if (folder / TRIES_FILE).exists():
        with suppress(KeyFileError):
            keyfile.drop(folder / TRIES_FILE)


def _load(folder: Path) -> _Tries:
    with locked_folder(folder / TRIES_FILE) as place:
        content = read(place)
    try:
        return msgspec.json.decode(content, type=_Tries) if content else _Tries()
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _Tries()  # damaged: it guards nothing that Argon2id does not
