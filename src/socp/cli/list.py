"""`socp list`: who is registered at the server, and who is here."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import click

from socp.cli import exits
from socp.cli.choices import HELP, Options, as_json, whose

if TYPE_CHECKING:
    from socp.cli.errand import Errand


@click.command(context_settings=HELP)
@whose
@as_json
def command(json: bool, **options: str | None) -> int:
    """Show who is registered at the server, who is here, and since when you know them.

    \b
    socp list
    socp list --json | jq -r 'select(.online) | .user_name'

    Exit code 0: the list is shown; 1: the server was not there; 2: it could not begin.
    """
    return exits.carried_out(lambda: _list(options, json=json), "list")


def _list(options: Options, *, json: bool) -> Coroutine[Any, Any, int]:
    from socp.cli import errand
    from socp.cli.whose import Whose
    from socp.client.clock import now_ms
    from socp.talk.listing import listing

    async def work(doing: Errand) -> int:
        await doing.patience.attached()
        users = await doing.me.list_users()
        if not json:
            for entry in listing(doing.me, doing.phrases, users, now_ms()):
                doing.say(entry)
            return exits.OK
        people = {person.user_id: person for person in doing.me.contacts.members()}
        for user_id in users:
            person = people.get(user_id)
            known = doing.events.person(person) if person else doing.events.named("user", user_id)
            doing.say_json({"event": "user", "you": user_id == doing.me.user_id, **known})
        return exits.OK

    return errand.run(Whose(**options), work, json=json, verb="list")
