"""`socp members`: who reads what is said to everybody, and the choice who may."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import click

from socp.cli import exits
from socp.cli.choices import HELP, Options, as_json, whose

if TYPE_CHECKING:
    from socp.cli.errand import Errand
    from socp.member.records import PublicChoice


@click.command(context_settings=HELP)
@click.option(
    "--readers",
    type=click.Choice(["all", "verified"]),
    help="To whom you write: all who are there; or, while somebody there is not verified, nobody.",
)
@click.option(
    "--unbound",
    type=click.Choice(["plain", "leave-out"]),
    help="Members whose clients lack hybrid/1: for them all is sent as plain v1.3, in which you are"
    " not bound as the author; or they cannot read what you write.",
)
@whose
@as_json
def command(readers: str | None, unbound: str | None, json: bool, **options: str | None) -> int:
    """Show who reads what is said to everyone, since when you know them, and how surely.

    Whoever is in the public channel can give its key to others: who may read what you write is kept
    by not writing while somebody is there whom you did not verify (--readers verified).

    \b
    socp members
    socp members --readers verified
    socp members --json | jq -r 'select(.state != "verified") | .user_name'

    Exit code 0: shown; 2: it could not begin.
    """
    return exits.carried_out(lambda: _members(options, readers, unbound, json=json), "members")


def _members(
    options: Options, readers: str | None, unbound: str | None, *, json: bool
) -> Coroutine[Any, Any, int]:
    from socp.cli import errand
    from socp.cli.whose import Whose
    from socp.talk.readers import chosen

    async def work(doing: Errand) -> int:
        choice = doing.me.public_choice
        for word in (readers, unbound):
            choice = chosen(choice, word or "")
        if choice != doing.me.public_choice:
            await doing.me.choose_public(choice)
        _show(doing, choice)
        return exits.OK

    return errand.run(Whose(**options), work, json=json, verb="members")


def _show(doing: Errand, choice: PublicChoice) -> None:
    from socp.cli.errand import now_ms
    from socp.talk.entries import Entry
    from socp.talk.readers import choice_text

    people = doing.me.contacts.members()
    if doing.json:
        chosen = {"verified_only": choice.verified_only, "leave_out": choice.leave_out}
        doing.say_json({"event": "readers", **chosen})
        for person in people:
            doing.say_json({"event": "member", **doing.events.person(person)})
        return
    doing.say(Entry((("class:mark", f"{choice_text(choice)}:"),)))
    for person in people:
        doing.say(doing.phrases.person(person, now_ms()))
