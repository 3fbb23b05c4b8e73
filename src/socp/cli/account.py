"""`socp account`: a password for a profile, and logging in with it on another machine."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

from socp.cli import options

if TYPE_CHECKING:
    from socp.client.unlocking import Lock

Work: TypeAlias = "Coroutine[Any, Any, str]"
FAILED: Final = 1
USAGE_ERROR: Final = 2
_PASSWORD_BYTES_MAX: Final = 8192


@dataclass(frozen=True, slots=True)
class Whose:
    """The profile and its server."""

    server: str
    name: str | None
    profile_dir: Path | None
    password_file: Path | None
    passphrase_file: str | None
    vault: str | None = None

    def lock(self, folder: Path) -> Lock | None:
        """What opens the profile, or seals a new one."""
        from socp.cli.locks import lock_for

        return lock_for(folder, self.vault, self.passphrase_file)

    def who(self) -> tuple[str, Path]:
        """(name, folder)."""
        from socp.cli.lines import asking, places

        name = places.checked_name(asking.login_name() if self.name is None else self.name)
        return name, self.profile_dir or places.profile_folder(name)


def _options(command: Callable[..., int]) -> Callable[..., int]:
    """What all verbs share."""
    for option in (
        click.option(
            "--password-file",
            type=click.Path(path_type=Path, dir_okay=False, allow_dash=False),
            metavar="FILE",
            help="Read the password from the first line of FILE (/dev/fd/3 is one), not the"
            " terminal.",
        ),
        click.option(
            "--profile-dir",
            envvar="SOCP_PROFILE_DIR",
            type=click.Path(path_type=Path, file_okay=False),
            metavar="DIR",
            help="Where this profile is kept, if not with the others.",
        ),
        click.option(
            "--as", "name", envvar="SOCP_NAME", metavar="NAME", help="Your profile's name."
        ),
        click.option(
            "--server",
            envvar="SOCP_SERVER",
            default="ws://localhost:8001",
            show_default=True,
            metavar="URL",
            help="Your server, as for `socp chat`.",
        ),
    ):
        command = option(command)
    return options.unlocking(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """A password, with which your server gives you your key on another machine.

    The server learns neither the password nor the key. The password is asked for at the terminal.
    """


@command.command("set-password")
@_options
def set_password(**chosen: Any) -> int:
    """Set or replace the password of a profile."""
    return _done(lambda: _set_password(Whose(**chosen)))


@command.command()
@click.argument("user_id")
@_options
@options.choosing
def login(user_id: str, **chosen: Any) -> int:
    """Make a new profile here from USER_ID and the password."""
    return _done(lambda: _log_in(Whose(**chosen), user_id))


@command.command("forget-password")
@_options
def forget_password(**chosen: Any) -> int:
    """Have the server delete what it keeps for logins of a profile."""
    return _done(lambda: _forget_password(Whose(**chosen)))


# What is asked is asked before there is an event loop, in which Ctrl-C could not end it.


def _set_password(whose: Whose) -> Work:
    from socp.client import account
    from socp.client.profile_folder import check_begun
    from socp.crypto.passwords import check_strength

    name, folder = whose.who()
    password = _password(whose.password_file, twice=True)
    check_strength(password)
    check_begun(folder)
    lock = whose.lock(folder)

    async def work() -> str:
        user_id = await account.set_password(folder, whose.server, name, password, lock=lock)
        return (
            "the password is set; on another machine say\n"
            f"socp account login {user_id} --as {_quoted(name)} --server {whose.server}"
        )

    return work()


def _log_in(whose: Whose, user_id: str) -> Work:
    from socp.client import account
    from socp.client.errors import SealUnchosen
    from socp.client.profile_folder import check_free
    from socp.client.unlocking import UNCHOSEN

    name, folder = whose.who()
    check_free(folder)
    password = _password(whose.password_file, twice=False)
    lock = whose.lock(folder)
    if lock is None:
        raise SealUnchosen(UNCHOSEN)

    async def work() -> str:
        who = user_id.strip().lower()
        await account.log_in(folder, whose.server, name, who, password, lock=lock)
        return (
            "your key is here now; go on with\n"
            f"socp chat --as {_quoted(name)} --server {whose.server}"
        )

    return work()


def _forget_password(whose: Whose) -> Work:
    from socp.client import account
    from socp.client.profile_folder import check_begun

    name, folder = whose.who()
    check_begun(folder)
    lock = whose.lock(folder)

    async def work() -> str:
        await account.forget_password(folder, whose.server, name, lock=lock)
        return "the server keeps nothing for logins of this profile any more"

    return work()


def _done(work: Callable[[], Work]) -> int:
    from socp.cli.lines.places import BadName
    from socp.client.errors import ClientError, NoAnswer, TurnedAway
    from socp.crypto.passwords import WeakPassword

    try:
        click.echo(asyncio.run(work()))
    except (NoAnswer, TurnedAway) as fault:
        sys.stderr.write(f"socp account: {fault}\n")
        return FAILED
    except (BadName, ClientError, WeakPassword, NoPassword) as fault:
        sys.stderr.write(f"socp account: {fault}\n")
        return USAGE_ERROR
    return 0


class NoPassword(Exception):
    """None was given; `str()` says how to give one."""


def _password(file: Path | None, *, twice: bool) -> str:
    if file is not None:
        return _first_line(file)
    if not sys.stdin.isatty():
        raise NoPassword("there is no terminal to type a password at; use --password-file")
    try:
        password = getpass.getpass("password: ")
        if twice and getpass.getpass("once more: ") != password:
            raise NoPassword("the two are not the same; try again")
    except (EOFError, OSError):
        raise NoPassword("no password was given; type it, or use --password-file") from None
    return password


def _first_line(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            line = opened.readline(_PASSWORD_BYTES_MAX)
        return line.decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "it is not UTF-8"
        raise NoPassword(f"cannot read a password from {file}: {why}; check the file") from None


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)
