"""`socp chat`: talk to people, at a terminal or from a script."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from socp.cli import options

if TYPE_CHECKING:
    from socp.cli.lines.entries import Entry
    from socp.client.client import Client
    from socp.client.unlocking import Lock

WAIT_S = 30.0
USAGE_ERROR = 2


@dataclass(frozen=True, slots=True)
class Choices:
    """What was asked for."""

    server: str
    name: str
    profile: Path
    downloads: Path
    wait_s: float
    invitation: str = field(repr=False)
    interactive: bool
    lock: Lock | None


class _Aside(logging.Handler):
    """To the standard error of the moment: at a terminal it prints above the line being typed."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record) + "\n")


def _a_number(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    if math.isnan(value):  # which is in every range
        raise click.BadParameter("write a number of seconds")
    return value


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--server",
    envvar="SOCP_SERVER",
    default="ws://localhost:8001",
    show_default=True,
    metavar="URL",
    help="The server to attach to: ws://host:port, or wss://host for TLS.",
)
@click.option(
    "--as",
    "name",
    envvar="SOCP_NAME",
    metavar="NAME",
    help="Your profile, and the name that others see. Asked for at a terminal.",
)
@click.option(
    "--profile-dir",
    envvar="SOCP_PROFILE_DIR",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where this profile's key and memory are kept, if not with the others.",
)
@click.option(
    "--downloads",
    envvar="SOCP_DOWNLOADS",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where received files are saved.",
)
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0, 86_400),
    default=WAIT_S,
    callback=_a_number,
    show_default=True,
    metavar="SECONDS",
    help="In a script: how long to wait, after its last line, for what is not sent yet.",
)
@click.option(
    "--invitation",
    envvar="SOCP_INVITATION",
    default="",
    metavar="CODE",
    help="The code that the server's operator gave you, where it wants one; once is enough.",
)
@options.sealing
def command(
    server: str,
    name: str | None,
    profile_dir: Path | None,
    downloads: Path | None,
    wait_s: float,
    invitation: str,
    vault: str | None,
    passphrase_file: str | None,
) -> int:
    """Talk to people. At a terminal type /help; in a script give one command a line."""
    # Imported here: `socp --help` and a wrong flag need none of it.
    from socp.cli.lines import asking, places
    from socp.cli.lines.piped import Unwritable
    from socp.cli.lines.places import BadName
    from socp.cli.locks import lock_for
    from socp.client import server_url
    from socp.client.errors import ClientError

    logging.basicConfig(format="%(levelname)s:%(name)s:%(message)s", handlers=[_Aside()])
    try:
        server_url.parse(server)
        if name is None:
            name = asking.ask_name() if sys.stdin.isatty() else asking.login_name()
        name = places.checked_name(name)
        profile = profile_dir or places.profile_folder(name)
        chosen = Choices(
            server=server,
            name=name,
            profile=profile,
            downloads=downloads or places.downloads_folder(name),
            wait_s=wait_s,
            invitation=places.checked_invitation(invitation),
            interactive=sys.stdin.isatty() and sys.stdout.isatty(),
            lock=lock_for(profile, vault, passphrase_file),
        )
        return asyncio.run(_chat(chosen))
    except (BadName, ClientError) as fault:
        sys.stderr.write(f"socp: {fault}\n")
        return USAGE_ERROR
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    except BrokenPipeError:  # whoever read our output is gone
        _let_go_of_streams()
        return 1
    except Unwritable as fault:
        _let_go_of_streams()
        with contextlib.suppress(OSError):
            sys.stderr.write(f"socp: {fault}\n")
        return 1


def _let_go_of_streams() -> None:
    """What cannot be written must not be tried again at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


async def _chat(chosen: Choices) -> int:
    from socp.cli.lines import piped, prompt
    from socp.client.client import Client
    from socp.client.errors import ClientError

    this = asyncio.current_task()
    assert this is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    making, opened = KeyInTheMaking(), False
    try:
        async with contextlib.AsyncExitStack() as stack:
            opening = Client.open(
                chosen.profile,
                chosen.server,
                name=chosen.name,
                downloads=chosen.downloads,
                lock=chosen.lock,
                invitation=chosen.invitation,
                making_key=making.begins,
            )
            with making:
                me = await stack.enter_async_context(opening)
            opened = True
            if chosen.interactive:
                return await prompt.talk(me, greeting(me))
            return await piped.talk(me, chosen.wait_s)
    except ClientError as fault:
        sys.stderr.write(f"socp: {fault}\n")
    return 1 if opened else USAGE_ERROR


class KeyInTheMaking:
    """Says so, and keeps showing that something happens, while a key is made."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._dots: asyncio.Task[None] | None = None

    def begins(self) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(self._show)

    def _show(self) -> None:
        sys.stderr.write("making your key (RSA-4096), which takes some seconds ")
        self._dots = self._loop.create_task(_dots())

    def __enter__(self) -> None:
        """Until it leaves, dots may be shown."""

    def __exit__(self, *_: object) -> None:
        if self._dots:
            self._dots.cancel()
            sys.stderr.write("\n")


async def _dots() -> None:
    while True:
        sys.stderr.write(".")
        sys.stderr.flush()
        await asyncio.sleep(0.5)


def greeting(me: Client) -> list[Entry]:
    """Who one is, said once at the start."""
    from socp.cli.lines.entries import Entry
    from socp.cli.lines.phrases import fingerprint_text

    rows = [f"id  {me.user_id}", f"key {fingerprint_text(me.fingerprint)}"]
    if me.new_key:
        rows.append("the key was made just now: others will see you for the first time")
    return [
        Entry((("class:name", f"you are {me.name}  "),), "\n".join(rows)),
        Entry((("", "/help says what you can do"),)),
    ]
