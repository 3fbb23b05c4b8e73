"""`socp tui`: the full screen."""

from __future__ import annotations

import codecs
import os
import sys
from typing import TYPE_CHECKING, Final

import click

from socp.cli import exits
from socp.cli.choices import HELP, Options, downloading, invited, locking, whose
from socp.cli.options import choosing

if TYPE_CHECKING:
    from socp.tui.opening import Opening

_OPENING: Final = "opening ..."
_OPENED: Final = "\r\x1b[K"  # a row that is free again
_TURN_S: Final = 0.001  # a key press waits no longer for a thread of ours that calculates


@click.command(context_settings=HELP)
@whose
@choosing
@downloading
@invited
@locking("Ask for the profile's passphrase again when nobody typed for so long; 0: never.")
@click.option(
    "--choices",
    "choices_file",
    envvar="SOCP_TUI",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Theme, notifications and keys. Not given: tui.toml among the user's settings.",
)
def command(
    downloads: str | None,
    invitation: str,
    lock_after: float,
    choices_file: str | None,
    **options: str | None,
) -> int:
    """Talk to people in the full screen; `socp` alone does the same at a terminal.

    \b
    socp                             asks who you are, the first time and where there are several
    socp tui --profile ann           is ann, without a question
    F1 shows all keys, Ctrl-P finds any command, Ctrl-Q leaves

    Exit code 0: you left; 1: the server turned us away, or the profile broke; 2: it could not
    begin.
    """
    from socp.client.errors import ClientError
    from socp.talk.places import BadName

    if why := _unfit():
        exits.complain(why, "tui")
        return exits.USAGE
    sys.stderr.write(_OPENING)  # what is loaded now takes a second, on a slow machine some
    sys.stderr.flush()
    try:
        opening = _opening(options, downloads, invitation, lock_after)
        return _run(opening, choices_file, options.get("profile"))
    except (BadName, ClientError) as fault:
        sys.stderr.write(_OPENED)
        exits.complain(str(fault), "tui")
        return exits.USAGE


def _unfit() -> str:
    """Why nothing can be drawn here, and what can be done; "" where it can."""
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        return "the full screen needs a terminal; `socp chat` takes a script"
    if os.environ.get("TERM") == "dumb":
        return "this terminal (TERM=dumb) cannot be drawn on; `socp chat` talks line by line"
    said = sys.stderr.encoding  # which the screen is written to
    if codecs.lookup(said).name != "utf-8":
        return f"the full screen is written in UTF-8, not {said}; begin it with LC_ALL=C.UTF-8"
    return ""


def _opening(
    options: Options, downloads: str | None, invitation: str, lock_after: float
) -> Opening:
    """What was said; what is missing the screen asks for."""
    from pathlib import Path

    from socp.cli.locks import first_line, said
    from socp.cli.whose import Whose
    from socp.client.unlocking import Keyring, Lock, Plain
    from socp.talk import places
    from socp.tui.opening import Opening

    asked = Whose(**options)
    lock: Lock | None = None
    if asked.passphrase_file is not None:
        lock = said(first_line(asked.passphrase_file))
    elif asked.vault in ("plain", "keyring"):
        lock = Plain() if asked.vault == "plain" else Keyring()
    named = any(each is not None for each in (asked.profile, asked.profile_dir, asked.name))
    folder = asked.folder() if named else places.only_profile()
    return Opening(
        folder,
        asked.label() or "",
        asked.address(),
        lock,
        Path(downloads) if downloads else None,
        places.checked_invitation(invitation),
        lock_after * 60,
    )


def _run(opening: Opening, choices_file: str | None, profile: str | None) -> int:
    from pathlib import Path

    from socp.cli.lines.asking import login_name
    from socp.cli.whose import is_folder
    from socp.talk import places
    from socp.tui import choices_file as choices
    from socp.tui.app import SocpApp
    from socp.tui.rubbish import look_seldom

    file = Path(choices_file) if choices_file else places.settings_folder() / "tui.toml"
    named = profile if profile and not is_folder(profile) else login_name()
    look_seldom()
    sys.setswitchinterval(_TURN_S)
    app = SocpApp(opening, choices.read(file), login=named)
    sys.stderr.write(_OPENED)
    code = app.run()
    if app.fault:
        exits.complain(app.fault, "tui")
    return code if code is not None else exits.FAILED
