"""`socp profile`: make one, seal it another way, take it elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from socp.cli import exits
from socp.cli.choices import HELP, Options, as_json, whose
from socp.cli.options import WAYS, choosing

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from socp.cli.whose import Whose
    from socp.client.unlocking import Lock

    Work = Coroutine[Any, Any, int]

_SECRET = "the file's passphrase"  # noqa: S105 - what is asked for


@click.group(context_settings=HELP)
def command() -> None:
    """A profile is one folder: your key, whom you know, what was said. It is sealed by a
    passphrase, by the system's keyring, or not at all.

    \b
    socp profile new --as ann
    socp profile passwd --profile ann
    socp profile export ann.socp --profile ann

    Exit code 0: done; 2: it could not begin, and nothing was changed if it does not say so.
    """


def _file_passphrase(command: Callable[..., int]) -> Callable[..., int]:
    return click.option(
        "--file-passphrase-file",
        type=click.Path(dir_okay=False, allow_dash=False),
        metavar="FILE",
        help="Read the passphrase of the exported file from the first line of FILE, not the"
        " terminal.",
    )(command)


@command.command(context_settings=HELP)
@whose
@choosing
@as_json
def new(json: bool, **options: str | None) -> int:
    """Make a profile, with a new key, and say whose it is. No server is asked."""
    return exits.carried_out(lambda: _new(options, json=json), "profile")


@command.command(context_settings=HELP)
@whose
@click.option(
    "--vault",
    type=click.Choice(WAYS),
    default="passphrase",
    show_default=True,
    help="How it is sealed from now on.",
)
@click.option(
    "--new-passphrase-file",
    type=click.Path(dir_okay=False, allow_dash=False),
    metavar="FILE",
    help="Read the new passphrase from the first line of FILE, not the terminal.",
)
@as_json
def passwd(vault: str, new_passphrase_file: str | None, json: bool, **options: str | None) -> int:
    """Change the passphrase, or how the profile is sealed.

    Everything is sealed anew under another key, which takes some seconds where much was said, and
    copies in clear that upgrades left are removed. Backups made elsewhere stay as they are.
    """
    return exits.carried_out(
        lambda: _passwd(options, vault, new_passphrase_file, json=json), "profile"
    )


@command.command(context_settings=HELP)
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False))
@whose
@_file_passphrase
@as_json
def export(target: str, file_passphrase_file: str | None, json: bool, **options: str | None) -> int:
    """Write the whole profile to the new FILE, sealed by a passphrase of its own."""
    return exits.carried_out(
        lambda: _export(options, target, file_passphrase_file, json=json), "profile"
    )


@command.command("import", context_settings=HELP)
@click.argument("source", metavar="FILE", type=click.Path(dir_okay=False))
@whose
@choosing
@_file_passphrase
@as_json
def import_(
    source: str, file_passphrase_file: str | None, json: bool, **options: str | None
) -> int:
    """Make a new profile of an exported FILE: the same person, here.

    It is sealed by the passphrase of the FILE, if --vault or --passphrase-file do not say
    otherwise. Do not go on with the old one: two that use one key get each other's messages.
    """
    return exits.carried_out(
        lambda: _import(options, source, file_passphrase_file, json=json), "profile"
    )


# What is asked is asked before there is an event loop, in which Ctrl-C could not end it.


def _new(options: Options, *, json: bool) -> Work:
    from dataclasses import replace
    from urllib.parse import unquote

    from socp.client.errors import SealUnchosen
    from socp.client.profile_folder import Chosen, check_free
    from socp.client.unlocking import UNCHOSEN
    from socp.talk import places

    asked = _named(options)
    folder = asked.folder()
    name = places.checked_name(asked.name or asked.named or unquote(folder.name))
    server = asked.address() or places.SERVER
    check_free(folder)
    lock = asked.lock(folder)
    if lock is None:
        raise SealUnchosen(UNCHOSEN)
    chosen = Chosen(name, server, str(places.downloads_folder(name).absolute()))
    return _made(replace(asked, name=name), folder, chosen, lock, json=json)


async def _made(asked: Whose, folder: Path, chosen: Any, lock: Lock, *, json: bool) -> int:
    import asyncio

    from socp.cli.key_in_the_making import KeyInTheMaking
    from socp.client.profile_folder import open_profile
    from socp.client.unstoppable import finished
    from socp.crypto.keys import RsaSuite

    making = KeyInTheMaking()
    opening = asyncio.to_thread(open_profile, folder, chosen, RsaSuite(), lock, making.begins)
    with making:
        profile = await finished(opening, lambda late: late.store.close())
    await asyncio.to_thread(profile.store.close)
    fingerprint = profile.keys.present.public.fingerprint
    if json:
        return _say_json("profile_made", folder, user_id=profile.user_id, fingerprint=fingerprint)
    return _say(
        f"{asked.name} is you, in {folder}\nid  {profile.user_id}\nkey {fingerprint}\n"
        "go on with `socp chat`"
    )


def _passwd(options: Options, vault: str, file: str | None, *, json: bool) -> Work:
    from socp.cli.locks import lock_for, new_lock
    from socp.cli.whose import Whose
    from socp.client.errors import SealUnchosen
    from socp.client.profile_folder import check_begun
    from socp.client.resealing import reseal

    asked = Whose(**options)
    folder = asked.folder()
    check_begun(folder)
    now = lock_for(folder, None, asked.passphrase_file)
    then = new_lock(vault, file, "the new passphrase")
    if then is None:
        raise SealUnchosen(
            "there is no terminal to type a passphrase at; use --new-passphrase-file FILE"
        )

    def work() -> int:
        if not json:
            click.echo("sealing everything anew ...", err=True)
        removed = reseal(folder, now, then)
        if json:
            return _say_json("profile_sealed", folder, vault=vault, removed=removed)
        copies = f"; {removed} old files in clear were removed" if removed else ""
        if vault == "plain":
            return _say(f"whoever can read {folder} can read all that is in it now{copies}")
        return _say(f"{folder} is sealed by {_SEALED_BY[vault]} now{copies}")

    return _in_thread(folder, work)


_SEALED_BY = {"passphrase": "the new passphrase", "keyring": "the system's keyring"}


def _export(options: Options, target: str, file: str | None, *, json: bool) -> Work:
    from pathlib import Path

    from socp.cli.whose import Whose
    from socp.client import parcel
    from socp.client.profile_folder import check_begun

    asked = Whose(**options)
    folder = asked.folder()
    check_begun(folder)
    lock = asked.lock(folder)
    passphrase = _secret(file, anew=True)

    def work() -> int:
        parcel.pack(folder, lock, Path(target), passphrase)
        if json:
            return _say_json("profile_exported", folder, file=target)
        return _say(f"{target} has all of {folder}; whoever has its passphrase is you")

    return _in_thread(folder, work)


def _import(options: Options, source: str, file: str | None, *, json: bool) -> Work:
    from pathlib import Path

    from socp.cli.locks import new_lock, said
    from socp.client import parcel
    from socp.client.profile_folder import check_free
    from socp.crypto.keys import RsaSuite

    asked = _named(options)
    folder = asked.folder()
    check_free(folder)
    passphrase = _secret(file, anew=False)
    chosen = asked.vault in ("plain", "keyring") or asked.passphrase_file is not None
    lock = new_lock(asked.vault, asked.passphrase_file) if chosen else said(passphrase)
    assert lock is not None, "it was chosen, or the file's passphrase is"

    def work() -> int:
        parcel.unpack(Path(source), passphrase, folder, lock, RsaSuite())
        if json:
            return _say_json("profile_imported", folder, file=source)
        return _say(f"{folder} is you now; go on with `socp chat`, and only here")

    return _in_thread(folder, work)


def _named(options: Options) -> Whose:
    """Who says what a new profile is called. BadName."""
    from dataclasses import replace

    from socp.cli.lines import asking
    from socp.cli.whose import Whose
    from socp.talk.places import BadName

    asked = Whose(**options)
    if asked.profile or asked.profile_dir or asked.name:
        return asked
    if not sys.stdin.isatty():
        raise BadName("say what the new profile is called: --profile NAME")
    return replace(asked, name=asking.ask_name())


def _secret(file: str | None, *, anew: bool) -> str:
    """The passphrase of an exported file. VaultLocked, WeakPassphrase."""
    from socp.cli import locks
    from socp.client.errors import VaultLocked

    if file is not None:
        return locks.first_line(file)
    if not sys.stdin.isatty():
        raise VaultLocked(
            "there is no terminal to type a passphrase at; use --file-passphrase-file FILE"
        )
    return locks.ask_new(_SECRET, plain=False) if anew else locks.typed(f"{_SECRET}: ")


async def _in_thread(folder: Path, work: Callable[[], int]) -> int:
    import asyncio

    from socp.client.opening import next_try

    await next_try(folder)
    return await asyncio.to_thread(work)


def _say(text: str) -> int:
    from socp.wire.text import printable

    click.echo("\n".join(printable(row) for row in text.split("\n")))
    return exits.OK


def _say_json(event: str, folder: Path, **more: object) -> int:
    from socp.cli.event_json import line

    click.echo(line({"event": event, "folder": str(folder), **more}))
    return exits.OK
