"""Everybody who is online, in the order of ids: the list that users ask for (section 6, and
`presence/1` in section 11)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from dataclasses import dataclass
from typing import Final

from socp.node.effects import Outgoing
from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.links import Link
from socp.wire import limits
from socp.wire.features import CONTENT, HYBRID
from socp.wire.ids import EVERYONE
from socp.wire.payloads import Everybody, OnlineRow, UserAdvertise, UserList
from socp.wire.roll import Roll

LIST_BYTES: Final = 768 * limits.KIB  # of rows in one frame
ROW_BYTES: Final = 256  # of one, but for its name
ESCAPED: Final = 12  # bytes that a character of a name takes at the most


class OwnAdvert:
    """What we say of a user of ours: a frame from when somebody hears it, and then always the same
    one, so that it is signed once. Until then it would be a fifth of what its link costs."""

    __slots__ = ("_emit", "_frame", "_ts", "said")

    def __init__(self, emitter: Emitter, said: UserAdvertise, ts: int) -> None:
        self._emit = emitter
        self._ts = ts
        self._frame: Outgoing | None = None
        self.said = said

    @property
    def frame(self) -> Outgoing:
        """To be sent as it is."""
        if self._frame is None:
            self._frame = self._emit.frame(self.said, to=EVERYONE, ts=self._ts, bind=True)
        return self._frame


@dataclass(frozen=True, slots=True)
class Present:
    """One user who is online: what was said of them, ready to be said again."""

    user_id: str
    server_id: str
    display_name: str
    attach_ts: int
    ts: int  # of the ADVERTISE
    entry: int  # in the roll of its server
    advert: OwnAdvert | bytes  # ours, or another server's as received
    able: tuple[str, ...] = ()  # the features that they signed

    @property
    def frame(self) -> Outgoing | bytes:
        """To be said again."""
        return self.advert if isinstance(self.advert, bytes) else self.advert.frame


class Roster:
    """Kept in order as people come and go, so that a page costs no more than its rows."""

    def __init__(self, emitter: Emitter) -> None:
        self._emit = emitter
        self._online: dict[str, Present] = {}
        self._ids: list[str] = []
        self._able: Counter[str] = Counter()  # how many signed each feature
        self._everybody = Roll()

    def came(self, present: Present) -> None:
        """Somebody who was not here."""
        self._online[present.user_id] = present
        insort(self._ids, present.user_id)
        self._able.update(present.able)
        self._everybody = self._everybody.with_(present.entry)

    def left(self, present: Present) -> None:
        """Somebody who was here."""
        del self._online[present.user_id]
        del self._ids[bisect_left(self._ids, present.user_id)]
        self._able.subtract(present.able)
        self._everybody = self._everybody.without(present.entry)

    def listed(self, link: Link, now: Now) -> None:
        """USER_LIST in parts that fit a frame (section 6)."""
        rows = [self._online[user_id] for user_id in self._ids[: limits.LIST_ROWS]]
        while True:
            part = _fitting(rows[: limits.LIST_PAGE])
            rows = rows[len(part) :]
            self._list(link, part, now, more=bool(rows))
            if not rows:
                return

    def page(self, link: Link, after: str, limit: int, unless: str, now: Now) -> None:
        """USER_LIST of those whose ids follow `after` (section 11, `presence/1`); of nobody where
        all is as it was when its digest was `unless`."""
        everybody = Everybody(
            online=len(self._ids),
            hybrid=self._able[HYBRID],
            content=self._able[CONTENT],
            digest=self._everybody.text,
        )
        if unless and unless == everybody.digest:
            return self._list(link, [], now, more=False, everybody=everybody)
        start = bisect_right(self._ids, after)
        rows = _fitting([self._online[each] for each in self._ids[start : start + limit]])
        self._list(link, rows, now, more=start + len(rows) < len(self._ids), everybody=everybody)

    def _list(
        self,
        link: Link,
        rows: list[Present],
        now: Now,
        *,
        more: bool,
        everybody: Everybody | None = None,
    ) -> None:
        online = tuple(
            OnlineRow(user_id=p.user_id, server_id=p.server_id, display_name=p.display_name)
            for p in rows
        )
        users = tuple(row.user_id for row in online)
        self._emit.say(
            link, UserList(users=users, online=online, more=more, everybody=everybody), now
        )


def _fitting(rows: list[Present]) -> list[Present]:
    """As many of the first of these as one frame surely takes, whatever they are called."""
    size = 0
    for count, row in enumerate(rows):
        name = row.display_name
        plain = name.isascii() and name.isprintable()
        size += ROW_BYTES + len(name) * (2 if plain else ESCAPED)
        if size > LIST_BYTES:
            return rows[:count]
    return rows
