"""The one question: what one is called, where --as does not say."""

from __future__ import annotations

import getpass
import sys
from typing import Final
from urllib.parse import unquote

from socp.talk import places
from socp.talk.places import BadName

_TRIES: Final = 3


def login_name() -> str:
    """What the system calls the person."""
    try:
        return places.checked_name(getpass.getuser())
    except (OSError, KeyError, BadName):
        return "somebody"


def ask_name() -> str:
    """Enter takes the profile used last, or the login name. BadName after three tries."""
    free = places.free_profiles()
    default = unquote(free[0]) if free else login_name()
    for _ in range(_TRIES):
        sys.stderr.write(f"your name, as others will see it [{default}]: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise BadName("no name was given; use --as NAME")
        try:
            return places.checked_name(line) if line.strip() else default
        except BadName as fault:
            sys.stderr.write(f"{fault}\n")
    raise BadName("no name was given; use --as NAME")
