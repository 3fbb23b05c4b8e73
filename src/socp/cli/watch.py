"""`socp watch`: everything that happens, for eyes or for programs."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import click

from socp.cli import exits
from socp.cli.choices import HELP, Options, as_json, whose

if TYPE_CHECKING:
    from socp.client.client import Client


@click.command(context_settings=HELP)
@whose
@as_json
def command(json: bool, **options: str | None) -> int:
    """Show everything that happens, until Ctrl-C or SIGTERM ends it.

    A message that was shown counts as read. With --json each line is one event;
    docs/write-a-bot.md describes them.

    \b
    socp watch
    socp watch --json | jq -r 'select(.event == "message") | .author_name + ": " + .text'

    Exit code 1: the server turned us away, or nobody reads our output; 2: it could not begin; 130,
    143: it was ended.
    """
    return exits.carried_out(lambda: _watch(options, json=json), "watch")


def _watch(options: Options, *, json: bool) -> Coroutine[Any, Any, int]:
    from socp.cli import errand
    from socp.cli.readership import while_read
    from socp.cli.whose import Whose

    told = _events if json else _words
    return errand.with_client(Whose(**options), lambda me: while_read(told(me)), verb="watch")


async def _events(me: Client) -> int:
    import sys

    from socp.cli.event_json import Events, line
    from socp.cli.lines.piped import Printer
    from socp.client.notices import GivenUp

    events, printer = Events(me.contacts.label), Printer(sys.stdout, sys.stderr)
    async for notice in me.events():
        printer.line(line(events.event(notice)))
        if isinstance(notice, GivenUp):
            break
    return exits.FAILED


async def _words(me: Client) -> int:
    import sys

    from socp.cli.lines.piped import Printer
    from socp.talk.desk import Desk

    printer = Printer(sys.stdout, sys.stderr)
    desk = Desk(me, printer.show, printer.once_shown, hold_s=0.5, patience_s=0, has_toolbar=False)
    await desk.follow()
    return exits.FAILED
