"""Which refusals are news to the log: who tries again and again makes one line, not thousands."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass

from socp.node.events import Now
from socp.node.links import Link

FIRST_PAUSE_MS = 10 * 60_000
PAUSE_MAX_MS = 24 * 60 * 60_000
KEPT_MAX = 1_000
NUMBER = re.compile(r"\b\d+(?:\.\d+)?\b")  # a clock that is wrong is so by other ms each time


@dataclass(slots=True)
class Told:
    """The last line about one peer, and when the same one may be told again (monotonic)."""

    text: str
    pause_ms: int
    again_ms: int


class Repeats:
    """A line is news when it differs from the last of its kind about this peer; the same one only
    after a pause that doubles."""

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[str, str], Told] = OrderedDict()

    def is_news(self, link: Link, kind: str, text: str, now: Now) -> bool:
        """Whether to tell `text` now; it counts as told. `kind`: what was refused, and by whom."""
        about, text = (_who(link), kind), NUMBER.sub("0", text)
        told = self._told.get(about)
        if told is None or told.text != text:
            pause_ms = FIRST_PAUSE_MS
        elif now.mono < told.again_ms:
            return False
        else:
            pause_ms = min(told.pause_ms * 2, PAUSE_MAX_MS)
        self._told[about] = Told(text, pause_ms, now.mono + pause_ms)
        self._told.move_to_end(about)
        if len(self._told) > KEPT_MAX:
            self._told.popitem(last=False)
        return True

    def settled(self, link: Link) -> None:
        """The peer is linked: what is refused after this is news again."""
        names = (_who(link), str(link.dialled))
        for about in [about for about in self._told if about[0] in names]:
            del self._told[about]


def _who(link: Link) -> str:
    """By its key where it showed one: an address may be that of many."""
    if link.key is not None:
        return link.key.fingerprint
    return str(link.dialled or link.opened.address)
