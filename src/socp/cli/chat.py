"""`socp chat`: talk to people, at a terminal or from a script."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from socp.cli import exits
from socp.cli.choices import HELP, Options, waiting, whose

if TYPE_CHECKING:
    from pathlib import Path

    from socp.cli.lines.entries import Entry
    from socp.cli.whose import Whose
    from socp.client.client import Client


@click.command(context_settings=HELP)
@whose
@click.option(
    "--downloads",
    envvar="SOCP_DOWNLOADS",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Where received files are saved.",
)
@waiting("In a script: how long to wait, after its last line, for what is not sent yet.")
@click.option(
    "--invitation",
    envvar="SOCP_INVITATION",
    default="",
    metavar="CODE",
    help="The code that the server's operator gave you, where it wants one; once is enough.",
)
def command(downloads: str | None, wait_s: float, invitation: str, **options: str | None) -> int:
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
        lambda: _chat(*_who(options), downloads, wait_s=wait_s, invitation=invitation)
    )


async def _chat(
    asked: Whose, folder: Path, downloads: str | None, *, wait_s: float, invitation: str
) -> int:
    # Imported here: `socp --help` and a wrong flag need none of it.
    from pathlib import Path

    from socp.cli import errand
    from socp.cli.lines import piped, places, prompt
    from socp.cli.logs import log_to_standard_error
    from socp.client.errors import ClientError

    log_to_standard_error()
    opening = errand.client(
        asked,
        folder,
        downloads=Path(downloads) if downloads else None,
        invitation=places.checked_invitation(invitation),
    )
    opened = False
    try:
        async with opening as me:
            opened = True
            if sys.stdin.isatty() and sys.stdout.isatty():
                return await prompt.talk(me, greeting(me))
            return await piped.talk(me, wait_s)
    except ClientError as fault:
        if not opened:
            raise
        exits.complain(str(fault))
        return exits.FAILED


def _who(options: Options) -> tuple[Whose, Path]:
    """As asked for, with a name and a server where none was given, and the profile's folder."""
    from dataclasses import replace

    from socp.cli.lines import asking, places
    from socp.cli.whose import Whose
    from socp.client import server_url

    asked = Whose(**options)
    server = asked.server or places.SERVER
    server_url.parse(server)
    name = asked.named if asked.name is None else asked.name
    if name is None:
        name = asking.ask_name() if sys.stdin.isatty() else asking.login_name()
    asked = replace(asked, server=server, name=name)
    return replace(asked, name=asked.label()), asked.folder()


def greeting(me: Client) -> list[Entry]:
    """Who one is, said once at the start."""
    from socp.cli.lines.entries import Entry
    from socp.cli.lines.words import fingerprint_text

    rows = [f"id  {me.user_id}", f"key {fingerprint_text(me.fingerprint)}"]
    if me.new_key:
        rows.append("the key was made just now: others will see you for the first time")
    return [
        Entry((("class:name", f"you are {me.name}  "),), "\n".join(rows)),
        Entry((("", "/help says what you can do"),)),
    ]
