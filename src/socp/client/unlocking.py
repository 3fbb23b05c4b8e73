"""What unlocks a profile's vault. Everything here blocks."""

from __future__ import annotations

from pathlib import Path

from socp.crypto.vault import Vault, new_master
from socp.keystore import vault_file
from socp.keystore.vault_file import Locked, VaultKey


def unlock(folder: Path) -> Vault:
    """The vault of the profile in `folder`, made where there is none. KeyFileError."""
    found = vault_file.load(folder)
    if found is None:
        found = VaultKey(Locked.PLAIN, new_master())
        vault_file.keep(folder, found)
    return Vault(found.key)
