"""`socp history`: what was said with somebody, or with whom anything was."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

import click

from socp.cli import exits
from socp.cli.choices import HELP, Options, as_json, here

if TYPE_CHECKING:
    from socp.cli.looking_back import Look
    from socp.member.history_line import HistoryLine

LINES: Final = 50
LINES_MAX: Final = 100_000


@click.command(context_settings=HELP)
@click.argument("who", required=False)
@click.option(
    "--since",
    metavar="WHEN",
    help='Only what came since: "2026-11-20", "2026-11-20 14:30", "today", "yesterday", or so long'
    " ago: 90m, 2h, 3d, 1w.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, LINES_MAX),
    metavar="N",
    help=f"At most the newest N lines; {LINES} if not said, and all with --since.",
)
@here
@as_json
def command(
    who: str | None, since: str | None, limit: int | None, json: bool, **options: str | None
) -> int:
    """Show what was said with WHO, the newest last; without WHO, with whom there are conversations.

    WHO is a name as `socp list` shows it, the start of an id, or "all" for what is said to
    everyone. It is read from the disk: no server is asked, nothing counts as read by it, and the
    profile may be in use meanwhile.

    \b
    socp history
    socp history bob --since yesterday
    socp history all --since 2h --json | jq -r '.author_name + ": " + .text'

    Exit code 0: shown, be it nothing; 1: nobody is called that; 2: it could not begin.
    """
    return exits.carried_out(lambda: _history(options, who, since, limit, json=json), "history")


def _history(
    options: Options, who: str | None, since: str | None, limit: int | None, *, json: bool
) -> Coroutine[Any, Any, int]:
    from socp.cli import looking_back
    from socp.cli.whose import Whose

    since_ms = _since(since) if since is not None else 0
    count = limit or (LINES if since is None else LINES_MAX)

    async def work(look: Look) -> int:
        if who is None:
            return await _conversations(look, count)
        lines = await _lines(look, look.talk(who), since_ms, count)
        await look.say_lines(lines)
        if not lines:
            look.remark("nothing was said there yet" if since is None else "nothing since then")
        elif len(lines) == count and since is None:
            look.remark(f"the newest {count} are shown; --limit or --since for more")
        return exits.OK

    return looking_back.run(Whose(**options), work, json=json, verb="history")


async def _lines(look: Look, talk: str, since_ms: int, count: int) -> list[HistoryLine]:
    """The newest of a conversation, the oldest of them first. Where lines are long, fewer than
    were asked for come at once."""
    pages: list[list[HistoryLine]] = []
    before = 0
    while page := await look.saved.lines(talk, since_ms=since_ms, before=before, limit=count):
        pages.append(page)
        before, count = page[0].number, count - len(page)
        if not count:
            break
    return [line for page in reversed(pages) for line in page]


async def _conversations(look: Look, limit: int) -> int:
    from socp.cli.past_json import conversation_event
    from socp.client.clock import now_ms

    found = await look.saved.conversations(limit=limit)
    for one in reversed(found):
        if look.json:
            look.say_json(conversation_event(one, look.events))
        else:
            look.say(look.past.conversation(one, now_ms()))
    if not found:
        look.remark("nothing was said with anybody yet")
    return exits.OK


def _since(text: str) -> int:
    """Unix ms. BadName."""
    from datetime import datetime

    from socp.cli.moments import moment
    from socp.talk.places import BadName

    then = moment(text, datetime.now())  # noqa: DTZ005 - people read their own clock
    if then is None:
        raise BadName(
            'no such time; write --since 2026-11-20, "2026-11-20 14:30", yesterday, 2h or 3d'
        )
    return then
