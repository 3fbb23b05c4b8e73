"""How a profile is sealed and unlocked: two options that all verbs share. Light, for --help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

C = TypeVar("C", bound=Callable[..., Any])

WAYS: Final = ("passphrase", "keyring", "plain")
_VAULT: Final = click.option(
    "--vault",
    envvar="SOCP_VAULT",
    type=click.Choice(WAYS),
    help="How a new profile is sealed: by a passphrase, by the system's keyring, or not at all."
    " Not given: asked for at a terminal.",
)
_PASSPHRASE_FILE: Final = click.option(
    "--passphrase-file",
    envvar="SOCP_PASSPHRASE_FILE",
    type=click.Path(dir_okay=False, allow_dash=False),
    metavar="FILE",
    help="Read the profile's passphrase from the first line of FILE (/dev/fd/3 is one), not the"
    " terminal.",
)


def choosing(command: C) -> C:
    """Give a verb --vault alone."""
    return _VAULT(command)


def unlocking(command: C) -> C:
    """Give a verb --passphrase-file alone."""
    return _PASSPHRASE_FILE(command)
