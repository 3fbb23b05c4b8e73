"""What nobody may see: a password or a passphrase, from a file's first line or typed unseen."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Final

_LINE_BYTES_MAX: Final = 8192


class NoSecret(Exception):
    """There was none; `str()` says how to give one."""


def first_line(file: str, what: str) -> str:
    """The secret in `file`; `what` it is called, for NoSecret."""
    try:
        with Path(file).open("rb") as opened:
            line = opened.readline(_LINE_BYTES_MAX)
        return line.decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "it is not UTF-8"
        raise NoSecret(f"cannot read a {what} from {file}: {why}; check the file") from None


def typed(prompt: str, what: str, otherwise: str) -> str:
    """What somebody types without its being shown; NoSecret where nobody does. `otherwise`: the
    option that gives it."""
    try:
        return getpass.getpass(prompt)
    except (EOFError, OSError):
        raise NoSecret(f"no {what} was given; type it, or use {otherwise}") from None
    except UnicodeDecodeError:
        raise NoSecret(
            "this terminal sent characters that its language setting has not; set LANG to one with"
            f" UTF-8, or use {otherwise}"
        ) from None
