"""`socp account`: a password for a profile, and logging in with it on another machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import click

from socp.cli import exits, options
from socp.cli.choices import HELP, Options, whose

if TYPE_CHECKING:
    from pathlib import Path

    from socp.cli.whose import Whose

Work: TypeAlias = "Coroutine[Any, Any, str]"
_FILE: Final = "--password-file"


def _options(command: Callable[..., int]) -> Callable[..., int]:
    """What all verbs share."""
    return whose(
        click.option(
            _FILE,
            type=click.Path(dir_okay=False, allow_dash=False),
            metavar="FILE",
            help="Read the password from the first line of FILE (/dev/fd/3 is one), not the"
            " terminal.",
        )(command)
    )


@click.group(context_settings=HELP)
def command() -> None:
    """A password, with which your server gives you your key on another machine.

    The server learns neither the password nor the key. The password is asked for at the terminal.

    Exit code 0: done; 1: the server refused or was not there; 2: it could not begin.
    """


@command.command("set-password")
@_options
def set_password(password_file: str | None, **chosen: str | None) -> int:
    """Set or replace the password of a profile."""
    return _done(lambda: _set_password(_who(chosen), password_file))


@command.command()
@click.argument("user_id")
@_options
@options.choosing
def login(user_id: str, password_file: str | None, **chosen: str | None) -> int:
    """Make a new profile here from USER_ID and the password."""
    return _done(lambda: _log_in(_newcomer(chosen), user_id, password_file))


@command.command("forget-password")
@_options
def forget_password(password_file: str | None, **chosen: str | None) -> int:
    """Have the server delete what it keeps for logins of a profile."""
    del password_file  # it is the same for all, and nothing here needs it
    return _done(lambda: _forget_password(_who(chosen)))


class _Who(NamedTuple):
    asked: Whose
    name: str  # "": as the profile has it
    folder: Path
    server: str


def _who(chosen: Options) -> _Who:
    """Somebody who has a profile here."""
    from socp.cli.whose import Whose
    from socp.talk import places

    asked = Whose(**chosen)
    return _Who(asked, asked.label() or "", asked.folder(), asked.address() or places.SERVER)


def _newcomer(chosen: Options) -> _Who:
    """Somebody who is to have one; without a name, the login name is theirs."""
    from dataclasses import replace

    from socp.cli.lines import asking
    from socp.cli.whose import Whose
    from socp.talk import places

    asked = Whose(**chosen)
    name = asked.named if asked.name is None else asked.name
    asked = replace(asked, name=asking.login_name() if name is None else name)
    return _Who(asked, asked.label() or "", asked.folder(), asked.address() or places.SERVER)


# What is asked is asked before there is an event loop, in which Ctrl-C could not end it.


def _set_password(who: _Who, password_file: str | None) -> Work:
    from socp.client import account
    from socp.client.profile_folder import check_begun
    from socp.crypto.passwords import check_strength

    password = _password(password_file, twice=True)
    check_strength(password)
    check_begun(who.folder)
    lock = who.asked.lock(who.folder)

    async def work() -> str:
        user_id = await account.set_password(who.folder, who.server, who.name, password, lock=lock)
        return (
            "the password is set; on another machine say\n"
            f"socp account login {user_id} --as {_quoted(who)} --server {who.server}"
        )

    return work()


def _log_in(who: _Who, user_id: str, password_file: str | None) -> Work:
    from socp.client import account
    from socp.client.errors import SealUnchosen
    from socp.client.profile_folder import check_free
    from socp.client.unlocking import UNCHOSEN

    check_free(who.folder)
    password = _password(password_file, twice=False)
    lock = who.asked.lock(who.folder)
    if lock is None:
        raise SealUnchosen(UNCHOSEN)

    async def work() -> str:
        wanted = user_id.strip().lower()
        await account.log_in(who.folder, who.server, who.name, wanted, password, lock=lock)
        return (
            f"your key is here now; go on with\nsocp chat --as {_quoted(who)} --server {who.server}"
        )

    return work()


def _forget_password(who: _Who) -> Work:
    from socp.client import account
    from socp.client.profile_folder import check_begun

    check_begun(who.folder)
    lock = who.asked.lock(who.folder)

    async def work() -> str:
        await account.forget_password(who.folder, who.server, who.name, lock=lock)
        return "the server keeps nothing for logins of this profile any more"

    return work()


def _done(work: Callable[[], Work]) -> int:
    import asyncio

    from socp.cli.secret import NoSecret
    from socp.client.errors import ClientError, NoAnswer, TurnedAway
    from socp.crypto.passwords import WeakPassword
    from socp.talk.places import BadName

    try:
        click.echo(asyncio.run(work()))
    except (NoAnswer, TurnedAway) as fault:
        exits.complain(str(fault), "account")
        return exits.FAILED
    except (BadName, ClientError, WeakPassword, NoSecret) as fault:
        exits.complain(str(fault), "account")
        return exits.USAGE
    return exits.OK


def _password(file: str | None, *, twice: bool) -> str:
    """NoSecret."""
    from socp.cli import secret

    if file is not None:
        return secret.first_line(file, "password")
    if not sys.stdin.isatty():
        raise secret.NoSecret(f"there is no terminal to type a password at; use {_FILE}")
    password = secret.typed("password: ", "password", _FILE)
    if twice and secret.typed("once more: ", "password", _FILE) != password:
        raise secret.NoSecret("the two are not the same; try again")
    return password


def _quoted(who: _Who) -> str:
    """Their name, as a shell takes it."""
    import shlex

    return shlex.quote(who.name or who.folder.name)
