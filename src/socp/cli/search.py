"""`socp search`: where words were said."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

import click

from socp.cli import exits
from socp.cli.choices import HELP, Options, as_json, here

if TYPE_CHECKING:
    from socp.cli.looking_back import Look

LINES: Final = 50
LINES_MAX: Final = 100_000


@click.command(context_settings=HELP)
@click.argument("words", nargs=-1, required=True)
@click.option("--with", "who", metavar="WHO", help='Only with one person, or "all".')
@click.option(
    "--limit",
    type=click.IntRange(1, LINES_MAX),
    default=LINES,
    show_default=True,
    metavar="N",
    help="At most the newest N lines.",
)
@here
@as_json
def command(
    words: tuple[str, ...], who: str | None, limit: int, json: bool, **options: str | None
) -> int:
    """Show the lines that have all WORDS in them, the newest last.

    Parts of words are found as well, in small letters and capitals alike. It is read from the disk,
    where everything is sealed; no server learns what is looked for, and the profile may be in use
    meanwhile.

    \b
    socp search harbour
    socp search --with bob build failed
    socp search invoice --json | jq -r .id

    Exit code 0: found; 1: nothing is found, or nobody is called that; 2: it could not begin.
    """
    asked = " ".join(words)
    return exits.carried_out(lambda: _search(options, asked, who, limit, json=json), "search")


def _search(
    options: Options, asked: str, who: str | None, limit: int, *, json: bool
) -> Coroutine[Any, Any, int]:
    from socp.cli import looking_back
    from socp.cli.whose import Whose

    async def work(look: Look) -> int:
        talk = look.talk(who) if who else ""
        found = await look.saved.search(asked, talk=talk, limit=limit)
        await look.say_lines(found[::-1], named=True)
        if len(found) == limit:
            look.remark(f"the newest {limit} are shown; --limit for more")
        if not found:
            look.remark("nothing is found")
        return exits.OK if found else exits.FAILED

    return looking_back.run(Whose(**options), work, json=json, verb="search")
