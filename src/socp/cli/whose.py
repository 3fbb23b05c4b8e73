"""Whose profile a verb works with, as its options say."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from socp.cli.locks import lock_for
from socp.client import server_url
from socp.client.key_files import KEY_FILE
from socp.client.unlocking import Lock
from socp.talk import places
from socp.talk.places import BadName


@dataclass(frozen=True, slots=True)
class Whose:
    """What was asked for; None where nothing was said."""

    profile: str | None = None
    name: str | None = None
    profile_dir: str | None = None
    server: str | None = None
    passphrase_file: str | None = None
    vault: str | None = None

    def folder(self) -> Path:
        """The profile's folder, whether it is there or not. BadName where it is not clear, or
        nobody could ever use it."""
        folder = self._meant()
        try:
            str(folder).encode()  # a database takes no other name
            (folder / KEY_FILE).stat()
        except (FileNotFoundError, NotADirectoryError):
            return folder
        except (OSError, UnicodeEncodeError) as fault:
            why = fault.strerror if isinstance(fault, OSError) else "its name is not UTF-8"
            raise BadName(f"{folder} cannot be used: {why}; choose another --profile") from None
        return folder

    def _meant(self) -> Path:
        if self.profile_dir and self.profile:
            raise BadName("--profile and --profile-dir say the same; give one of them")
        if self.profile_dir:
            return Path(self.profile_dir)
        if self.profile and not self.named:
            return Path(self.profile).expanduser()
        said = self.name if self.named is None else self.named
        if said is not None:
            return places.profile_folder(places.checked_name(said))
        return places.profiles() / only_profile()

    @property
    def named(self) -> str | None:
        """The profile that --profile names; None where it gives a folder, or is not given."""
        return None if self.profile is None or is_folder(self.profile) else self.profile

    def lock(self, folder: Path) -> Lock | None:
        """What opens the profile there, or seals a new one; the person may be asked for it, outside
        an event loop. ClientError."""
        return lock_for(folder, self.vault, self.passphrase_file)

    def address(self) -> str:
        """The server that is named, in full; "" where none is. BadAddress."""
        return server_url.meant(self.server).text if self.server else ""

    def label(self) -> str | None:
        """The name that others are to see; None: as the profile has it. BadName."""
        return None if self.name is None else places.checked_name(self.name)


def is_folder(profile: str) -> bool:
    """Whether --profile means a folder: a name has no slash."""
    return os.sep in profile or profile in (os.curdir, os.pardir)


def only_profile() -> str:
    """The folder name of the one profile there is. BadName where there is none, or several: nobody
    shall speak as somebody else by mistake."""
    found = places.all_profiles()
    if not found:
        raise BadName(
            "there is no profile yet; `socp chat` makes one, and so does `socp profile new`"
        )
    if len(found) > 1:
        names = ", ".join(sorted(unquote(name) for name in found))
        raise BadName(f"whose? --profile with one of {names}")
    return found[0]
