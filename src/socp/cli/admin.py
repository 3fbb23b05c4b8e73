"""`socp admin`: what an operator says to a running server."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from socp.server import admin, config, places
from socp.wire.text import printable


@click.group()
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    envvar="SOCP_DATA_DIR",
    help="The server's data folder.  [default: that of --port]",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    envvar="SOCP_PORT",
    default=config.DEFAULT_PORT,
    show_default=True,
    help="The server's port, where it has its usual data folder.",
)
@click.pass_context
def command(context: click.Context, data_dir: Path | None, port: int) -> None:
    """Tell a running server whom to let in."""
    context.obj = data_dir or places.default_data_folder(port)


@command.command()
@click.argument("fingerprint")
@click.pass_obj
def admit(folder: Path, fingerprint: str) -> int:
    """Let the server with this key join: the FINGERPRINT stands in the line that refused it."""
    return _ask(folder, admin.Request("admit", fingerprint))


@command.command()
@click.argument("who")
@click.pass_obj
def ban(folder: Path, who: str) -> int:
    """Refuse a server from now on. WHO is a fingerprint or a server id."""
    return _ask(folder, admin.Request("ban", who))


@command.command()
@click.argument("who")
@click.pass_obj
def forget(folder: Path, who: str) -> int:
    """Remove what is known of a server, by its id or fingerprint, as if it had never come."""
    return _ask(folder, admin.Request("forget", who))


@command.command()
@click.argument("user_id")
@click.pass_obj
def revoke(folder: Path, user_id: str) -> int:
    """Never take a user of this server again, and cut their link. USER_ID may be its start."""
    return _ask(folder, admin.Request("revoke", user_id))


@command.command()
@click.pass_obj
def servers(folder: Path) -> int:
    """List the servers that are linked, known, refused and banned."""
    return _ask(folder, admin.Request("servers"))


def _ask(folder: Path, request: admin.Request) -> int:
    try:
        reply = admin.ask(folder, request)
    except admin.NotRunning as fault:
        sys.stderr.write(f"socp admin: {fault}\n")
        return 2
    for line in reply.lines:
        click.echo(printable(line), err=not reply.ok)
    return 0 if reply.ok else 1
