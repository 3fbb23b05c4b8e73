"""What `socp history` and `socp search` share: a look into a profile, also one that is in use."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socp.cli import exits
from socp.cli.event_json import Event, Events, line
from socp.cli.lines.piped import Printer
from socp.cli.past_json import line_event
from socp.cli.whose import Whose
from socp.client.clock import now_ms
from socp.client.errors import AmbiguousPerson, UnknownPerson
from socp.client.history import History, SavedHistory
from socp.client.profile_folder import check_begun
from socp.client.unlocking import Lock
from socp.member.history_line import HistoryLine
from socp.talk import places
from socp.talk.entries import Entry, Kind
from socp.talk.past import Past
from socp.talk.phrases import Phrases
from socp.wire.ids import PUBLIC


@dataclass(frozen=True, slots=True)
class Look:
    """What a verb works with."""

    saved: SavedHistory
    past: Past
    events: Events
    printer: Printer
    json: bool

    def talk(self, who: str) -> str:
        """A user id, or "public" for "all". UnknownPerson, AmbiguousPerson."""
        return PUBLIC if places.means_everyone(who) else self.saved.find(who)

    def say(self, entry: Entry) -> None:
        """To standard output."""
        self.printer.show(entry)

    def say_json(self, event: Event) -> None:
        """One line on standard output."""
        self.printer.line(line(event))

    async def say_lines(self, lines: list[HistoryLine], *, named: bool = False) -> None:
        """All of them, in this order; `named`: with whom each was said."""
        for said in lines:
            if self.json:
                self.say_json(line_event(said, self.events))
            else:
                self.say(await self.past.row(said, now_ms(), named=named))

    def remark(self, text: str) -> None:
        """To standard error, for people alone."""
        if not self.json:
            self.printer.show(Entry((("class:mark", text),), kind=Kind.ASIDE))


Work = Callable[[Look], Awaitable[int]]


def run(whose: Whose, work: Work, *, json: bool, verb: str) -> Coroutine[Any, Any, int]:
    """Open the profile's history and do the work; its exit code. Call it outside the event loop: a
    passphrase may be asked for, and Ctrl-C must end that."""
    folder = whose.folder()
    check_begun(folder)
    return _look(folder, whose.lock(folder), work, json=json, verb=verb)


async def _look(folder: Path, lock: Lock | None, work: Work, *, json: bool, verb: str) -> int:
    async with History.open(folder, lock) as saved:
        label = saved.contacts.label
        phrases = Phrases(label, saved.user_id, places.SERVER)
        past = Past(saved, phrases)
        look = Look(saved, past, Events(label), Printer(sys.stdout, sys.stderr), json)
        try:
            return await work(look)
        except (UnknownPerson, AmbiguousPerson) as fault:
            exits.complain(str(fault), verb)
            return exits.FAILED
