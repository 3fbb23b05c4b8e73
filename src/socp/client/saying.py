"""What is said to others, by the person and, where they let it, by their client.

line = await me.send(bob, "hello", reply_to=message.msg_ref)
await me.edit(bob, line.msg_ref, "hello!")
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from socp.client.errors import ProfileUnusable
from socp.client.finding import addressee
from socp.client.line import Line
from socp.client.unstoppable import finished
from socp.member import effects, events
from socp.member.effects import LineMoved
from socp.storage.errors import StorageError

if TYPE_CHECKING:
    from socp.client.walk import Walk
    from socp.member.member import Member
    from socp.member.records import Settings
    from socp.storage.profile_store import ProfileStore


class Saying:
    """The part of a `Client` that says things. Each returns when it is remembered, online or not;
    what becomes of it the `Line` tells. `to` is a user id or "public", or a name as `find` takes
    it: UnknownPerson, AmbiguousPerson."""

    _member: Member
    _walk: Walk
    _store: ProfileStore
    _settings: Settings
    _choosing: asyncio.Lock
    _lines: WeakValueDictionary[int, Line]

    async def send(self, to: str, text: str, *, reply_to: str = "") -> Line:
        """Say `text` to a user id or "public". Returns when it is remembered, online or not.

        `to` may be a name, as `find` takes it: UnknownPerson, AmbiguousPerson. Names can be
        anybody's; a program does better to keep ids. `reply_to`: the msg_ref of what it answers;
        clients without `content/1` get the words alone.
        """
        return await self._said(events.Say(self._addressee(to), text, reply_to))

    async def edit(self, to: str, of: str, text: str) -> Line:
        """Other words for what we said there under the msg_ref `of`."""
        return await self._said(events.Amend(self._addressee(to), of, "edit", text))

    async def delete(self, to: str, of: str) -> Line:
        """Take back what we said there under the msg_ref `of`; who has read it has read it."""
        return await self._said(events.Amend(self._addressee(to), of, "delete", ""))

    async def react(self, to: str, of: str, emoji: str) -> Line:
        """Set an emoji beside a message, anybody's; "" takes ours away."""
        return await self._said(events.Amend(self._addressee(to), of, "reaction", emoji))

    def _addressee(self, to: str) -> str:
        return addressee(self._member.contacts, to)

    async def _said(self, event: events.Say | events.Amend) -> Line:
        batch = self._walk.ask(event)
        moved = [
            effect.notice
            for effect in batch.effects
            if isinstance(effect, effects.Tell) and isinstance(effect.notice, LineMoved)
        ]
        # Older lines may move as well; ids count up, and each new line is told of.
        line = Line(max(moved, key=lambda notice: notice.line_id))
        self._lines[line.line_id] = line
        await batch.done
        return line

    @property
    def tells_read(self) -> bool:
        """Whether authors hear that their messages were read; `choose_receipts` changes it."""
        return self._settings.tell_read

    async def choose_receipts(self, *, delivered: bool, read: bool) -> None:
        """Whether authors hear from now on that their messages are here, and were read."""
        self._walk.check_open()
        await self._choose(lambda was: replace(was, tell_delivered=delivered, tell_read=read))
        await self._walk.ask(events.ChooseReceipts(delivered, read)).done

    async def _choose(self, change: Callable[[Settings], Settings]) -> None:
        """Remember it for later runs, one change after another. ProfileUnusable."""
        async with self._choosing:
            wanted = change(self._settings)
            try:
                keeping = asyncio.to_thread(self._store.set_settings, wanted)
                await finished(keeping, lambda _: None)
            except StorageError as fault:
                raise ProfileUnusable(str(fault)) from None
            self._settings = wanted
