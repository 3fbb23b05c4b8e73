"""`socp chat`: talk to people, at a terminal or from a script."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from socp.cli import exits
from socp.cli.choices import HELP, Options, downloading, invited, locking, waiting, whose
from socp.cli.options import choosing

if TYPE_CHECKING:
    from socp.cli.errand import Opening
    from socp.client.client import Client
    from socp.talk.entries import Entry


@click.command(context_settings=HELP)
@whose
@choosing
@downloading
@waiting("In a script: how long to wait, after its last line, for what is not sent yet.")
@invited
@locking(
    "At a terminal: ask for the profile's passphrase again when nobody typed for so long; 0: never."
)
def command(
    downloads: str | None,
    wait_s: float,
    invitation: str,
    lock_after: float,
    **options: str | None,
) -> int:
    """Talk to people. At a terminal type /help; in a script give one command a line.

    \b
    socp chat                                  the first time it asks for your name
    socp chat --as ann --server wss://chat.example.org
    printf '/tell bob hi\\n' | socp chat --as ann

    Exit code 0: all was understood and handed over; 1: something was refused or still waits; 2: it
    could not begin.
    """
    # Who is asked for outside the loop, where Ctrl-C works.
    return exits.carried_out(
        lambda: _chat(_opening(options, downloads, invitation), wait_s, lock_after)
    )


def _opening(options: Options, downloads: str | None, invitation: str) -> Opening:
    """What the profile is opened with; who one is, and a passphrase, may be asked for."""
    from dataclasses import replace
    from pathlib import Path

    from socp.cli.errand import Opening
    from socp.cli.whose import Whose
    from socp.client import unlocking
    from socp.talk import places

    asked = Whose(**options)
    asked = replace(asked, server=asked.address())
    unsaid = asked.profile is None and asked.profile_dir is None and asked.name is None
    if unsaid and (sys.stdin.isatty() or not places.all_profiles()):  # else it is the only one
        asked = replace(asked, profile=_asked_name())
    folder, files = asked.folder(), Path(downloads) if downloads else None
    if unlocking.locked(folder) is None:  # somebody new
        name = asked.named if asked.name is None else asked.name
        name = places.checked_name(_asked_name() if name is None else name)
        asked = replace(asked, name=name)
    code = places.checked_invitation(invitation)
    return Opening(asked, folder, asked.lock(folder), files, code)


def _asked_name() -> str:
    from socp.cli.lines import asking

    return asking.ask_name() if sys.stdin.isatty() else asking.login_name()


async def _chat(opening: Opening, wait_s: float, lock_after: float) -> int:
    from socp.cli.lines import piped, prompt
    from socp.client.unlocking import Passphrase

    idle_s = lock_after * 60 if isinstance(opening.lock, Passphrase) else 0

    async def talk(me: Client) -> int:
        if sys.stdin.isatty() and sys.stdout.isatty():
            return await prompt.talk(me, greeting(me), lock_after_s=idle_s)
        return await piped.talk(me, wait_s)

    return await opening.do(talk)


def greeting(me: Client) -> list[Entry]:
    """Who one is, said once at the start."""
    from socp.talk.entries import Entry
    from socp.talk.words import fingerprint_text

    rows = [f"id  {me.user_id}", f"key {fingerprint_text(me.fingerprint)}"]
    if me.new_key:
        rows.append("the key was made just now: others will see you for the first time")
    return [
        Entry((("class:name", f"you are {me.name}  "),), "\n".join(rows)),
        Entry((("", "/help says what you can do"),)),
    ]
