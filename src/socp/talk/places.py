"""Where profiles and received files live: var/ of a checkout, else where the system keeps such."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Final
from urllib.parse import quote

import platformdirs

import socp
from socp.client import unlocking
from socp.client.key_files import KEY_FILE
from socp.client.profile_folder import Chosen
from socp.storage.errors import StorageError
from socp.storage.folder_lock import FolderLock
from socp.wire import invitation
from socp.wire.text import printable

NAME_CHARS_MAX: Final = 32
SERVER: Final = "ws://localhost:8001"
_EVERYONE: Final = frozenset({"all", "everyone", "public"})
USUAL_PORTS: Final = (8001, 8002, 8003)
_PORT_MAX: Final = 65_535
_APP: Final = "socp"
_SAFE: Final = " @+"
_FILE_NAME_BYTES_MAX: Final = 255


class BadName(Exception):
    """A name, or a code, that is none; `str()` says why."""


def checked_name(name: str) -> str:
    """The name as others will see it, or BadName."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not name:
        raise BadName("a name needs at least one letter")
    if len(name) > NAME_CHARS_MAX:
        raise BadName(f"a name has at most {NAME_CHARS_MAX} characters")
    if printable(name) != name:
        raise BadName("a name has letters, digits and signs that can be seen, nothing else")
    return name


def means_everyone(who: str) -> bool:
    """Whether the public channel is meant, and nobody's name: no label is one of these."""
    return who.casefold() in _EVERYONE


def checked_invitation(text: str) -> str:
    """The code as it is written, or BadName; "" for none."""
    if not text:
        return ""
    code = invitation.read(text)
    if code is None:
        raise BadName("that is no invitation; it has 26 letters and digits, such as k7f2-...")
    return invitation.written(code)


def checkout() -> Path | None:
    """The project's folder where we run from it, None where we are installed."""
    root = Path(socp.__file__).resolve().parents[2]
    return root if (root / "script" / "chat").is_file() else None


def profiles() -> Path:
    """The folder of all profiles."""
    root = checkout()
    return root / "var" / "profiles" if root else platformdirs.user_data_path(_APP) / "profiles"


def server_ports() -> list[int]:
    """Where servers of this machine may listen: the usual ports, then those that were used here,
    the last used first."""
    root = checkout()
    folder, prefix = (root / "var", "") if root else (platformdirs.user_data_path(_APP), "server-")
    try:
        used = [each for each in folder.iterdir() if each.name.removeprefix(prefix).isdecimal()]
        used.sort(key=lambda each: each.stat().st_mtime, reverse=True)
    except OSError:
        used = []
    ports = dict.fromkeys([*USUAL_PORTS, *(int(each.name.removeprefix(prefix)) for each in used)])
    return [port for port in ports if 0 < port <= _PORT_MAX]


def start_server() -> str:
    """The command that starts a server here."""
    return "script/server" if checkout() else "socp serve"


def settings_folder() -> Path:
    """Where one's choices about the screen are."""
    root = checkout()
    return root / "var" if root else platformdirs.user_config_path(_APP)


def profile_folder(name: str) -> Path:
    """One person's profile."""
    return profiles() / file_name(name)


def downloads_folder(name: str) -> Path:
    """Where files for them land."""
    root = checkout()
    if root:
        return root / "var" / "downloads" / file_name(name)
    return platformdirs.user_downloads_path() / _APP


def usual(name: str) -> Chosen:
    """What holds for somebody of that name who never said otherwise."""
    return Chosen(name, SERVER, str(downloads_folder(name)))


def file_name(name: str) -> str:
    """A folder's name for a person's name: two names never share one, and none is a path."""
    quoted = quote(name, safe=_SAFE)
    if len(quoted) > _FILE_NAME_BYTES_MAX:  # no disk takes it: letters stay as they are
        quoted = "".join(quote(char, safe=_SAFE) if char.isascii() else char for char in name)
    return "%2E" + quoted[1:] if quoted.startswith(".") else quoted


def all_profiles() -> list[str]:
    """Folder names of profiles, the last used first; none that we may not look into."""
    try:
        there = list(profiles().iterdir())
    except OSError:
        return []
    used = {folder.name: at_s for folder in there if (at_s := _used_s(folder)) is not None}
    return sorted(used, key=used.__getitem__, reverse=True)


def _used_s(folder: Path) -> float | None:
    """When the profile there was used last (Unix s); None where there is none for us."""
    try:
        return folder.stat().st_mtime if _is_profile(folder) else None
    except OSError:
        return None


def _is_profile(folder: Path) -> bool:
    # Half an import begins with a dot, which no profile does. One without a key was broken off at
    # its first start, and goes on.
    there = (folder / KEY_FILE).is_file() or unlocking.begun(folder)
    return there and not folder.name.startswith(".")


def only_profile() -> Path | None:
    """The folder of the one profile there is, where nobody uses it now: there is nothing to ask."""
    found = all_profiles()
    return profiles() / found[0] if len(found) == 1 and free_profiles() else None


def free_profiles() -> list[str]:
    """Those of `all_profiles` that nobody uses now."""
    return [name for name in all_profiles() if is_free(profiles() / name)]


def is_free(folder: Path) -> bool:
    """Whether nobody uses the profile there now."""
    return not why_taken(folder)


def why_taken(folder: Path) -> str:
    """Why nobody can use the profile there now, and what to do; "" where somebody can."""
    try:
        FolderLock.take(folder, option="--profile").release()
    except StorageError as fault:
        return str(fault)
    return ""
