"""Hands at the keys and the mouse of a full screen, which miss nothing.

Textual's own pilot goes on when the process works little for a moment: so does one that the
machine lets wait. It presses where a widget was last drawn, be it there or not. These go on when
no widget has anything left to do and all is drawn, and press on what is in sight, still, uppermost
and alive."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from textual._queue import Queue
from textual.errors import NoWidget
from textual.events import Click, Key, MouseDown, MouseEvent, MouseMove, MouseUp
from textual.geometry import Offset, Size
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.message import Message
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.widget import Widget

from socp.tui.app import SocpApp

PATIENCE_S: Final = 60.0
TICK_S: Final = 0.001
SIZE: Final = (120, 40)
Target = Widget | type[Widget] | str
Place = tuple[int, int] | Callable[[], tuple[int, int]]
"""Column and row in a widget; a LookupError: it has no such place yet."""


class Hands(Pilot[int]):
    """Of one person."""

    # --- waiting --------------------------------------------------------------------------------

    async def pause(self, delay: float | None = None) -> None:
        """Until nothing is left to do, and `delay` seconds before."""
        if delay is not None:
            await asyncio.sleep(delay)
        await self.settled()

    async def settled(self) -> None:
        """All that was pressed has done what it does, what was said is read, and all is drawn;
        but for what waits for a server or a clock."""
        async with asyncio.timeout(PATIENCE_S):
            calm = 0
            while calm < 2:
                calm = 0 if self._works() else calm + 1
                await asyncio.sleep(TICK_S if calm == 0 else 0)

    def _works(self) -> bool:
        app = self.app
        if app._exit or not app.is_running or app._exception is not None:
            return False
        if not all(map(_waits, (app, *app._registry))) or not app.animator._complete_event.is_set():
            return True
        assert isinstance(app, SocpApp)
        if app.typed_ahead.at_work:
            return True
        if app.talk is not None and app.talk.is_mounted and not app.talk.up_to_date:
            return True
        if app.session is not None and not app.session.up_to_date:
            return True
        screen = app.screen
        if screen._layout_required or screen._repaint_required or screen._dirty_widgets:
            screen._on_timer_update()  # now, and not a sixtieth of a second later
            return True
        return bool(screen._scroll_required or screen._callbacks)

    async def until(self, there: Callable[[], object]) -> None:
        """It is so when nothing is left to do. TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            await self.settled()
            while not there():
                await self.pause(0.01)

    # --- keys -----------------------------------------------------------------------------------

    async def press(self, *keys: str) -> None:
        """One by one: each finds what the one before has opened, closed and moved."""
        for key in keys:
            await self.settled()
            self.app.post_message(pressed(key))
            await self.settled()

    async def resize_terminal(self, width: int, height: int) -> None:
        """See Pilot; it is laid out and drawn in its new size, which the screen is told later."""
        await super().resize_terminal(width, height)
        size = Size(width, height)
        await self.until(lambda: size == self.app.size == self.app.screen._compositor.size)

    # --- the mouse ------------------------------------------------------------------------------

    async def click(  # type: ignore[override]
        self, on: Target, place: Place = (0, 0), *, times: int = 1, ctrl: bool = False
    ) -> None:
        """What was looked at is what is pressed: nothing comes between."""
        at = await self._aimed(on, place)
        for number in range(1, times + 1):
            self._does(MouseDown, at, ctrl=ctrl)
            self._does(MouseUp, at, ctrl=ctrl)
            self._does(Click, at, ctrl=ctrl, chain=number)
        await self.settled()

    async def drag(self, on: Target, begin: Place, end: Place) -> None:
        """Press at the one place, let go at the other, before anything moves."""
        while (first := self._point(on, begin)) is None or (last := self._point(on, end)) is None:
            await self._aimed(on, begin)
            await self._aimed(on, end)
        self._does(MouseDown, first)
        self._does(MouseMove, last)
        self._does(MouseUp, last)
        await self.settled()

    async def _aimed(self, on: Target, place: Place) -> Offset:
        """Where to press, as soon as that cannot miss."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    await self.settled()
                    if (at := self._point(on, place)) is not None:
                        return at
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"never to be pressed: {on} at {place}") from None

    def _point(self, on: Target, place: Place) -> Offset | None:
        found = [on] if isinstance(on, Widget) else list(self.app.screen.query(on))
        if len(found) != 1:
            return None
        target = found[0]
        if target.screen is not self.app.screen or target._self_or_ancestors_disabled:
            return None
        if target.has_class("-active"):  # still pressed from before
            return None
        try:
            at = target.region.offset + (place() if callable(place) else place)
            under, _ = self.app.get_widget_at(*at)
        except (LookupError, NoWidget):
            return None
        return at if target in under.ancestors_with_self else None

    def _does(
        self, kind: type[MouseEvent], at: Offset, *, ctrl: bool = False, chain: int = 0
    ) -> None:
        under, _ = self.app.get_widget_at(*at)
        about = (under, at.x, at.y, 0, 0, 0 if kind is MouseMove else 1, False, False, ctrl)
        event = Click(*about, at.x, at.y, chain=chain) if chain else kind(*about, at.x, at.y)
        self.app.mouse_position = at
        self.app.screen._forward_event(event)


def pressed(key: str) -> Key:
    """What a terminal says of a key that Textual calls so."""
    if len(key) == 1 and not key.isalnum():
        key = _character_to_key(key)
    try:
        character = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(key, key)))
    except KeyError:
        return Key(key, key if len(key) == 1 else None)
    return Key(key, character)


@asynccontextmanager
async def hands_on(app: SocpApp, size: tuple[int, int] = SIZE) -> AsyncIterator[Hands]:
    """Run it, without a terminal."""
    async with app.run_test(size=size):
        yield Hands(app)


def _waits(pump: MessagePump) -> bool:
    """Whether it has nothing to do until something comes."""
    if pump._closed or (pump._task is not None and pump._task.done()):
        return True
    queue: Queue[Message | None] = pump._message_queue
    asleep = bool(queue.ready_event._waiters)
    return asleep and queue.empty() and not pump._next_callbacks
