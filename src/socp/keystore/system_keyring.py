"""A key that the system keeps for whoever is logged in, where it has a keyring. Blocks."""

from __future__ import annotations

import base64
import binascii
from typing import Final

SERVICE: Final = "socp"


class NoKeyring(Exception):
    """The system keeps nothing for us; `str()` says why, and what to do."""


def put(name: str, key: bytes) -> None:
    """Have it kept. NoKeyring."""
    import keyring  # 100 ms, for those who use it
    from keyring.errors import KeyringError

    try:
        keyring.set_password(SERVICE, name, base64.b64encode(key).decode())
    except (KeyringError, OSError) as fault:
        raise _refused(fault) from None
    if get(name) != key:  # there is one that takes everything and keeps nothing
        raise NoKeyring("the system's keyring does not keep what it is given; use a passphrase")


def get(name: str) -> bytes | None:
    """The key; None where the keyring works and has none of this name. NoKeyring."""
    import keyring
    from keyring.errors import KeyringError

    try:
        text = keyring.get_password(SERVICE, name)
        return None if text is None else base64.b64decode(text, validate=True)
    except (KeyringError, OSError) as fault:
        raise _refused(fault) from None
    except binascii.Error:
        return None


def drop(name: str) -> None:
    """It is of no use any more; nothing happens where there is none. NoKeyring."""
    import keyring
    from keyring.errors import KeyringError, PasswordDeleteError

    try:
        keyring.delete_password(SERVICE, name)
    except PasswordDeleteError:
        return
    except (KeyringError, OSError) as fault:
        raise _refused(fault) from None


def _refused(fault: Exception) -> NoKeyring:
    kind = type(fault).__name__
    return NoKeyring(
        f"the system's keyring does not answer ({kind}); unlock it or log in at the desktop, or"
        " give new profiles a passphrase"
    )
