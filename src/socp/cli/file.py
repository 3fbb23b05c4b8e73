"""`socp file`: send a file, and see it arrive."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import click

from socp.cli import exits
from socp.cli.choices import HELP, Options, as_json, waiting, whose

if TYPE_CHECKING:
    from socp.cli.errand import Errand


@click.command(context_settings=HELP)
@click.argument("to", metavar="TO")
@click.argument("path", metavar="PATH", type=click.Path())
@whose
@waiting("How long to wait where it does not move, such as for a reader who is away.")
@as_json
def command(to: str, path: str, wait_s: float, json: bool, **options: str | None) -> int:
    """Send the file PATH to one person, or to everyone ("all").

    It ends when all of it is there, or at the server that keeps it for them. Progress is shown on
    standard error.

    \b
    socp file bob report.pdf
    socp file bob build.tar.gz --json | tail -n 1

    Exit code 0: sent; 1: refused, broken off, or it does not move; 2: it could not begin.
    """
    return exits.carried_out(lambda: _send(options, to, path, wait_s, json=json), "file")


def _send(
    options: Options, to: str, path: str, wait_s: float, *, json: bool
) -> Coroutine[Any, Any, int]:
    from pathlib import Path

    from socp.cli import errand
    from socp.cli.passage import Passage
    from socp.cli.whose import Whose
    from socp.client import sources

    sources.look(Path(path))

    async def work(doing: Errand) -> int:
        passage = Passage(doing, wait_s)
        doing.hear = passage.heard
        user_id = await doing.patience.addressee(to)
        await doing.patience.reached(user_id)
        return await passage.over(await doing.me.send_file(user_id, Path(path)))

    return errand.run(Whose(**options), work, json=json, verb="file")
