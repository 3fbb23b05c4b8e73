"""`socp admin`: what an operator says to a running server, and does with its data."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from socp.server import flags
from socp.wire import limits

if TYPE_CHECKING:
    from pathlib import Path

    from socp.storage.address import PostgresAddress


@click.group()
@click.option(
    "--data-dir",
    type=click.Path(),
    envvar="SOCP_DATA_DIR",
    help="The server's data folder.  [default: that of --port]",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    envvar="SOCP_PORT",
    default=flags.DEFAULT_PORT,
    show_default=True,
    help="The server's port, where it has its usual data folder.",
)
@click.pass_context
def command(context: click.Context, data_dir: str | None, port: int) -> None:
    """Tell a running server whom to let in, ask it whom it knows; back up, restore and check its
    data."""
    from pathlib import Path

    from socp.server import places

    context.obj = Path(data_dir) if data_dir else places.default_data_folder(port)


@command.command()
@click.argument("fingerprint")
@click.pass_obj
def admit(folder: Path, fingerprint: str) -> int:
    """Let the server with this key join: the FINGERPRINT stands in the line that refused it."""
    return _ask(folder, "admit", fingerprint)


@command.command()
@click.argument("who")
@click.pass_obj
def ban(folder: Path, who: str) -> int:
    """Refuse a server from now on. WHO is a fingerprint or a server id."""
    return _ask(folder, "ban", who)


@command.command()
@click.argument("who")
@click.pass_obj
def forget(folder: Path, who: str) -> int:
    """Remove what is known of a server, by its id or fingerprint, as if it had never come."""
    return _ask(folder, "forget", who)


@command.command()
@click.argument("user_id")
@click.pass_obj
def revoke(folder: Path, user_id: str) -> int:
    """Never take a user of this server again, and cut their link. USER_ID may be its start."""
    return _ask(folder, "revoke", user_id)


@command.command()
@click.pass_obj
def servers(folder: Path) -> int:
    """List the servers that are linked, known, refused and banned."""
    return _ask(folder, "servers")


@command.command()
@click.pass_obj
def status(folder: Path) -> int:
    """Say how the server is: users, links, mail, memory, and whether newcomers find room."""
    return _ask(folder, "status")


def _database(function: Callable[..., int]) -> Callable[..., int]:
    """The option of the verbs that look into the database themselves."""
    return click.option(
        "--database",
        metavar="URL",
        envvar="SOCP_DATABASE",
        callback=flags.each(flags.database),
        help="The server's PostgreSQL, where it has one.",
    )(function)


@command.command()
@click.argument("target", type=click.Path(), metavar="FILE|FOLDER")
@_database
@click.pass_obj
def backup(folder: Path, target: str, database: PostgresAddress | None) -> int:
    """Write everything, the server's private key too, to one new file; it may run meanwhile."""
    from pathlib import Path

    from socp.server import safekeeping

    server = safekeeping.Server(folder, database)
    return _tell(lambda: safekeeping.back_up(server, Path(target)))


@command.command()
@click.argument("file", type=click.Path())
@_database
@click.pass_obj
def restore(folder: Path, file: str, database: PostgresAddress | None) -> int:
    """Make a server of a backup, in an empty data folder; nothing is ever replaced."""
    from pathlib import Path

    from socp.server import safekeeping

    server = safekeeping.Server(folder, database)
    return _tell(lambda: safekeeping.restore(Path(file), server))


@command.command()
@_database
@click.pass_obj
def check(folder: Path, database: PostgresAddress | None) -> int:
    """Look whether database and key are whole and belong together; the server may run meanwhile."""
    from socp.server import safekeeping

    server = safekeeping.Server(folder, database)
    return _tell(lambda: safekeeping.check(server))


def _tell(work: Callable[[], list[str]]) -> int:
    from socp.server import safekeeping
    from socp.wire.text import printable

    try:
        lines = work()
    except safekeeping.FAULTS as fault:
        sys.stderr.write(f"socp admin: {printable(str(fault))}\n")
        return 1
    for line in lines:
        click.echo(printable(line))
    return 0


@command.command()
@click.option("--prefix", default="", help="Only those whose id or name begins with this.")
@click.pass_obj
def users(folder: Path, prefix: str) -> int:
    """List users: id, start of the key's fingerprint, whether proven, home, name."""
    return _ask(folder, "users", prefix)


@command.command()
@click.option(
    "--count",
    type=click.IntRange(1, limits.INVITATIONS_AT_ONCE),
    default=1,
    show_default=True,
    help="How many.",
)
@click.option(
    "--expires",
    "days",
    type=click.IntRange(1, limits.INVITATION_DAYS_MAX),
    default=limits.INVITATION_DAYS,
    show_default=True,
    metavar="DAYS",
    help="For how many days they are good.",
)
@click.pass_obj
def invite(folder: Path, count: int, days: int) -> int:
    """Make codes that let one person each become a user, once. They are shown now and never
    again."""
    return _ask(folder, "invite", count=count, days=days)


def _ask(folder: Path, do: str, who: str = "", **more: Any) -> int:
    """Say it to the server of that data folder; `more` as a `Request` has it."""
    from socp.server import admin
    from socp.wire.text import printable

    try:
        reply = admin.ask(folder, admin.Request(do, who, **more))
    except admin.NotRunning as fault:
        sys.stderr.write(f"socp admin: {fault}\n")
        return 2
    for line in reply.lines:
        click.echo(printable(line), err=not reply.ok)
    return 0 if reply.ok else 1
