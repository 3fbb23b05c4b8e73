"""`socp members`: who reads what is said to everybody, and the choice who may."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

import click

from socp.cli import exits
from socp.cli.choices import HELP, Options, as_json, whose

if TYPE_CHECKING:
    from socp.cli.errand import Errand
    from socp.member.records import PublicChoice

_MEETING_S: Final = 3.0


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
    by not writing while somebody is there whom you did not verify (--readers verified). Without a
    server it is not known who is here.

    \b
    socp members
    socp members --readers verified
    socp members --json | jq -r 'select(.state != "verified") | .user_name'

    Exit code 0: shown; 1: the server turned us away; 2: it could not begin.
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
        await _met(doing)
        _show(doing, choice)
        return exits.OK

    return errand.run(Whose(**options), work, json=json, verb="members")


async def _met(doing: Errand) -> None:
    """Return when the server has named who is here, or is not there."""
    import contextlib

    from socp.client.errors import NoAnswer

    if await doing.patience.until(lambda: doing.me.attached, _MEETING_S):
        with contextlib.suppress(NoAnswer):
            await doing.me.list_users()  # those who are here are named before it is answered


def _show(doing: Errand, choice: PublicChoice) -> None:
    from socp.client.clock import now_ms
    from socp.talk.entries import Entry
    from socp.talk.readers import choice_text

    people, attached = doing.me.contacts.members(), doing.me.attached
    if doing.json:
        chosen = {"verified_only": choice.verified_only, "leave_out": choice.leave_out}
        doing.say_json({"event": "readers", **chosen})
        for person in people:
            known = doing.events.person(person)
            if not attached:  # nobody told us who is here
                del known["online"]
            doing.say_json({"event": "member", **known})
        return
    doing.say(Entry((("class:mark", f"{choice_text(choice)}:"),)))
    for person in people:
        doing.say(doing.phrases.person(person, now_ms(), attached=attached))
