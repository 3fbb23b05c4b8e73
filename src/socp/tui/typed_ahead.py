"""Keys that are typed while another one is still at work wait for it: what it opens gets them, and
what it closes does not."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from textual.app import App
from textual.events import Key, MouseEvent, MouseUp, Paste
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, TextArea

KEPT_MAX: Final = 4_096
LOOKS_MAX: Final = 500
"""A server or a disk is not waited for. Looks, and no time: a machine may let all of it wait."""
_LOOKS_EVERY_S: Final = 0.001
_IDLE_LOOKS: Final = 2
"""What was done last may have begun something."""


class Refused(Message):
    """A key could not do what it does: nothing is open that what was typed behind it is for."""


class TypedAhead:
    """Of one app, which asks about all that is typed."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._kept: deque[Key | Paste] = deque()
        self._turn: Key | Paste | None = None  # whose turn it is
        self._timer: Timer | None = None
        self._at_work = False
        self._looks = 0
        self._idle_looks = 0  # of the last ones: there was nothing to do
        self._screen: Screen[Any] | None = None  # the uppermost one, which was drawn

    @property
    def at_work(self) -> bool:
        """Whether a key is still at work, or others wait for it."""
        return self._at_work

    def keeps(self, event: Key | Paste | MouseEvent) -> bool:
        """Whether it waits; it comes again when it is its turn."""
        if event is self._turn:
            self._turn = None
        elif self._at_work and isinstance(event, Key | Paste):
            if len(self._kept) < KEPT_MAX:
                self._kept.append(event)
            return True
        if not self._at_work and self._acts(event):
            self._at_work = True
            self._begin()
        return False

    def forget(self) -> None:
        """What waits has nowhere to go."""
        self._kept.clear()

    def _acts(self, event: Key | Paste | MouseEvent) -> bool:
        """Whether it may do more than to add to a text."""
        if isinstance(event, Key | Paste):
            writes = isinstance(event, Paste) or event.is_printable
            return not (writes and isinstance(self._app.focused, Input | TextArea))
        return isinstance(event, MouseUp)

    def _begin(self) -> None:
        self._looks, self._idle_looks, self._screen = 0, 0, self._app.screen
        if self._timer is None:
            self._timer = self._app.set_interval(_LOOKS_EVERY_S, self._look)
        self._timer.resume()

    def _look(self) -> None:
        self._looks += 1
        self._idle_looks = self._idle_looks + 1 if self._nothing_to_do() else 0
        if self._idle_looks < _IDLE_LOOKS and self._looks < LOOKS_MAX:
            return
        if self._kept:
            self._begin()
            self._turn = self._kept.popleft()
            self._app.post_message(self._turn)
        elif self._timer is not None:
            self._at_work = False
            self._timer.pause()

    def _nothing_to_do(self) -> bool:
        screen = self._app.screen
        if screen is not self._screen:
            screen.call_after_refresh(self._drawn, screen)
            return False
        there = screen.walk_children(Widget, with_self=True)
        calm = all(each.is_mounted and not each.message_queue_size for each in there)
        return calm and not self._app.message_queue_size

    def _drawn(self, screen: Screen[Any]) -> None:
        self._screen = screen
