"""One thing done with a client, from opening the profile to the end of the program.

What happens meanwhile and is no answer is said on standard error where it matters: a changed key, a
server that turned us away, who reads the public channel. Messages are left for whoever reads them.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from socp.cli import exits
from socp.cli.event_json import Events, line
from socp.cli.key_in_the_making import KeyInTheMaking
from socp.cli.lines.piped import Printer
from socp.cli.logs import log_to_standard_error
from socp.cli.whose import Whose
from socp.client.client import Client
from socp.client.clock import now_ms
from socp.client.errors import ClientError, TurnedAway
from socp.client.notices import GivenUp, Notice, Offline
from socp.client.profile_folder import check_begun
from socp.client.unlocking import Lock
from socp.member import effects
from socp.talk import places
from socp.talk.entries import Entry
from socp.talk.patience import Patience
from socp.talk.phrases import Phrases

PATIENCE_S: Final = 20.0  # the public channel takes a newcomer some ten seconds to get into
_LOUD: Final = (
    Offline,
    effects.Warned,
    effects.KeyChanged,
    effects.KeyReplaced,
    effects.KeyRevoked,
    effects.MembersShown,
)

Hear = Callable[[Notice], None]


@dataclass(slots=True)
class Errand:
    """What a verb works with. `hear` may be set: it is told every notice."""

    me: Client
    patience: Patience
    phrases: Phrases
    printer: Printer
    events: Events
    json: bool
    hear: Hear = lambda _: None

    def say(self, entry: Entry) -> None:
        """To standard output, or where the entry says."""
        self.printer.show(entry)

    def say_json(self, event: dict[str, object]) -> None:
        """One line on standard output."""
        self.printer.line(line(event))

    def say_notice(self, notice: Notice) -> None:
        """As a line of JSON, or in words where there are any."""
        if self.json:
            self.say_json(self.events.event(notice))
        elif entry := self.phrases.entry(notice, now_ms()):
            self.say(entry)

    async def follow(self) -> None:
        """Hear what happens, until the server turns us away: TurnedAway."""
        async for notice in self.me.notices():
            if isinstance(notice, GivenUp):
                raise TurnedAway(notice.reason)
            if isinstance(notice, _LOUD) and (entry := self.phrases.entry(notice, now_ms())):
                self.printer.aside(entry)
            self.hear(notice)
            self.patience.heard(notice)


Work = Callable[[Errand], Awaitable[int]]


def run(whose: Whose, work: Work, *, json: bool, verb: str) -> Coroutine[Any, Any, int]:
    """Open the profile, which must be there, and do the work; its exit code. Call it outside the
    event loop: a passphrase may be asked for, and Ctrl-C must end that."""
    return with_client(whose, lambda me: _beside(_errand(me, json=json), work), verb=verb)


def with_client(
    whose: Whose, work: Callable[[Client], Awaitable[int]], *, verb: str
) -> Coroutine[Any, Any, int]:
    """The same for who follows the notices without us."""
    log_to_standard_error()
    folder = whose.folder()
    check_begun(folder)
    opening = Opening(whose, folder, whose.lock(folder))
    return opening.do(work, verb=verb)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a profile is opened with."""

    whose: Whose
    folder: Path
    lock: Lock | None
    downloads: Path | None = None  # None: as the profile has it
    invitation: str = field(default="", repr=False)

    async def do(self, work: Callable[[Client], Awaitable[int]], *, verb: str = "") -> int:
        """Open it, do the work, close it; the exit code. What cannot begin is raised, what goes
        wrong later is said."""
        opened = False
        try:
            async with self._client() as me:
                opened = True
                return await work(me)
        except ClientError as fault:
            if not opened:
                raise
            exits.complain(str(fault), verb)
            return exits.FAILED

    @contextlib.asynccontextmanager
    async def _client(self) -> AsyncIterator[Client]:
        """A signal to end cancels whoever asked."""
        this = asyncio.current_task()
        assert this is not None
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, this.cancel)
        making = KeyInTheMaking()
        name = self.whose.label() or unquote(self.folder.name)
        opening = Client.open(
            self.folder,
            self.whose.address(),
            name=self.whose.label() or "",
            downloads=self.downloads,
            lock=self.lock,
            invitation=self.invitation,
            making_key=making.begins,
            usual=places.usual(name),
        )
        async with contextlib.AsyncExitStack() as stack:
            with making:
                me = await stack.enter_async_context(opening)
            yield me


def _errand(me: Client, *, json: bool) -> Errand:
    return Errand(
        me=me,
        patience=Patience(me, PATIENCE_S),
        phrases=Phrases(me.contacts.label, me.user_id, me.url),
        printer=Printer(sys.stdout, sys.stderr),
        events=Events(me.contacts.label),
        json=json,
    )


async def _beside(errand: Errand, work: Work) -> int:
    """Do the work while the notices are followed; what goes wrong with either ends both."""
    following = asyncio.create_task(errand.follow())
    doing = asyncio.ensure_future(work(errand))
    try:
        await asyncio.wait({following, doing}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            following.result()  # raises: it ends in no other way
        return await doing
    finally:
        for task in (following, doing):
            task.cancel()
        await asyncio.gather(following, doing, return_exceptions=True)
