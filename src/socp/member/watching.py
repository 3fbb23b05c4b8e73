"""Whom a client with `presence/1` hears of: the people it deals with, and of the others as many as
there is room for (section 11).

Where no more people are online than one may watch, that is everybody, as without it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from socp.member.contacts import Contacts
from socp.member.courier import Courier
from socp.member.events import Now
from socp.member.lists import Lists
from socp.member.resting import NEVER_MS, SOON_MS
from socp.wire import limits
from socp.wire.features import CONTENT, HYBRID
from socp.wire.ids import is_uuid4
from socp.wire.payloads import Everybody, ListPage, PresenceWatch, UserList

OURS_MAX: Final = 700
"""So many places are for people we deal with; the rest is for those who come."""
CROWD: Final = 300
CROWD_OVER: Final = 250
"""With more than 300 online only those we deal with are watched, and OTHERS more; all again when
there are no more than 250."""
OTHERS: Final = 100
ALWAYS: Final = 32
"""So many a server takes from everybody, as long as it takes any."""
UNANSWERED_MS: Final = 15_000
"""It is not asked again sooner where the last answer is still to come."""
LOOK_AGAIN_MS, LOOK_AGAIN_MS_EACH = 2_000, 300
"""After so long it is asked again who else is there: somebody who comes back with a key of the
channel is named to nobody. Longer for each who is watched, as the answer is, so that what all
clients ask together costs their server the same however many they are."""
LOOK_AGAIN_CROWD_MS: Final = 60_000
"""In a crowd that is for the few places that came free, and to know what everybody can."""
GATHER_MS: Final = 250
GATHER_MS_EACH: Final = 5
"""Many changes that follow one another so closely are told together; less closely where the list is
long, which is said whole."""
SOUGHT_MS: Final = 2_000
"""So long whoever was asked about may take to be answered for."""
FREE: Final = 60
SHORT: Final = 50
"""While so many frames may be sent, each change of so short a list is told at once."""


@dataclass(slots=True)
class _Sought:
    """Of these it is to be known whether they are here before somebody goes on."""

    user_ids: set[str]
    since_ms: int
    known: Callable[[], None]


class Watching:
    """Remembers from link to link; each server is told anew."""

    def __init__(self, courier: Courier, contacts: Contacts, lists: Lists) -> None:
        self._courier = courier
        self._contacts = contacts
        self._lists = lists
        self._on = False
        self._ours: OrderedDict[str, None] = OrderedDict()  # who was dealt with last comes last
        self._others: OrderedDict[str, None] = OrderedDict()
        self._told: frozenset[str] = frozenset()
        self._most = limits.WATCHED  # less where this server has no room for so many
        self._changed = False  # somebody got or lost a place since, perhaps
        self._told_ms = -GATHER_MS_EACH * limits.WATCHED
        self._look_ms = 0
        self._looking = False  # a page is still to come
        self._unheard: set[str] = set()  # of those told, whom the server has still to answer for
        self._sought: _Sought | None = None
        self._digest = ""  # of those who were there at the last look
        self._crowd = False  # so many are online that most of them have no place
        self._turned_ms = -UNANSWERED_MS  # when that last changed
        self._lost_sight: Callable[[str, Now], None] = lambda _user_id, _now: None

    def heed(self, lost_sight: Callable[[str, Now], None]) -> None:
        """Whom to tell that somebody's coming and going is not heard of any more."""
        self._lost_sight = lost_sight

    def attached(self, now: Now, *, on: bool) -> None:
        """The server took our hello; `on`: it has `presence/1`."""
        self._on, self._told, self._most = on, frozenset(), limits.WATCHED
        self._unheard.clear()
        self._found()
        self._contacts.more_online = self._crowd = False
        self._digest, self._turned_ms = "", now.mono - UNANSWERED_MS
        if not on:
            return
        for user_id in reversed(self._contacts.acquaintances(OURS_MAX)):
            self._others.pop(user_id, None)
            self._ours.setdefault(user_id)
        self._bound(now)
        self._changed = True
        self._tell(now)
        self._look(now)

    def deals_with(self, user_id: str, now: Now) -> None:
        """The person turns to somebody: they have a place before all others."""
        if not self._is_somebody(user_id):
            return
        self._changed = self._changed or not self._has(user_id)
        self._others.pop(user_id, None)
        self._ours[user_id] = None
        self._ours.move_to_end(user_id)
        self._bound(now)
        self._tell_soon(now)

    def heard_of(self, user_ids: Iterable[str], now: Now) -> None:
        """Somebody is named who may be new here: they take the place of who came first."""
        for user_id in user_ids:
            if self._is_somebody(user_id) and user_id not in self._ours:
                self._others[user_id] = None
                self._others.move_to_end(user_id)
                self._changed = True
        self._bound(now)
        self._tell_soon(now)

    def seek(self, user_ids: Iterable[str], known: Callable[[], None], now: Now) -> None:
        """Call `known` when the server has said of all of these that there is room for whether they
        are here, or does not say it. Who sought before goes on."""
        self._found()
        if self._on:
            self._place(user_ids)
            self._tell(now)
        self._sought = _Sought(self._unheard & set(user_ids), now.mono, known)
        if not self._sought.user_ids:
            self._found()

    def heard(self, user_id: str) -> None:
        """The server said whether they are here."""
        self._unheard.discard(user_id)
        if self._sought is None:
            return
        self._sought.user_ids.discard(user_id)
        if not self._sought.user_ids:
            self._found()

    def refused(self, now: Now) -> None:
        """The server has no room for so many just now: on this link half of them are enough."""
        if len(self._told) <= ALWAYS:
            return
        self._most = max(ALWAYS, len(self._told) // 2)
        self._told, self._told_ms, self._changed = frozenset(), now.mono, True
        self._bound(now)

    def due(self, now: Now) -> None:
        """What changed is told; now and then it is asked who else is there."""
        self._tell_soon(now)
        if self._sought is not None and now.mono - self._sought.since_ms >= SOUGHT_MS:
            self._found()
        if self._on and now.mono - self._look_ms >= self._pause_ms:
            self._look(now)

    @property
    def due_ms(self) -> int:
        """When to look at it next."""
        if not self._on:
            return NEVER_MS if self._sought is None else SOON_MS
        if self._changed or self._sought is not None:
            return SOON_MS
        return self._look_ms + self._pause_ms

    @property
    def _pause_ms(self) -> int:
        if self._crowd:
            return LOOK_AGAIN_CROWD_MS
        known = len(self._ours) + len(self._others)
        least = UNANSWERED_MS if self._looking else LOOK_AGAIN_MS
        return max(least, known * LOOK_AGAIN_MS_EACH)

    def _found(self) -> None:
        sought, self._sought = self._sought, None
        if sought is not None:
            sought.known()

    def _is_somebody(self, user_id: str) -> bool:
        return is_uuid4(user_id) and user_id != self._contacts.own_id

    def _bound(self, now: Now) -> None:
        while len(self._ours) > min(OURS_MAX, self._most):
            user_id, _ = self._ours.popitem(last=False)
            self._others[user_id] = None
        while len(self._others) > self._places:
            user_id, _ = self._others.popitem(last=False)
            self._lost_sight(user_id, now)

    @property
    def _places(self) -> int:
        """For those we do not deal with."""
        left = self._most - len(self._ours)
        return min(OTHERS, left) if self._crowd else left

    def _tell_soon(self, now: Now) -> None:
        if not (self._on and self._changed):
            return
        known = len(self._ours) + len(self._others)
        gathered = now.mono - self._told_ms >= max(GATHER_MS, known * GATHER_MS_EACH)
        if gathered or (known <= SHORT and self._courier.room(now.mono) > FREE):
            self._tell(now)

    def _tell(self, now: Now) -> None:
        if not self._changed:
            return
        listed = (*self._ours, *self._others)
        watched = frozenset(listed)
        if watched == self._told:
            self._changed = False
            return
        if self._courier.post(PresenceWatch(users=listed), now):
            fresh = watched - self._told
            self._courier.spend(len(fresh) // limits.WATCHED_A_FRAME)
            self._told, self._told_ms, self._changed = watched, now.mono, False
            self._unheard = (self._unheard | fresh) & watched

    # --- who else is there ----------------------------------------------------------------------

    def _look(self, now: Now) -> None:
        """All who are there; in a crowd some whose ids follow ours, so that each is watched by
        some."""
        self._look_ms = now.mono
        after, limit = (self._contacts.own_id, OTHERS) if self._crowd else ("", CROWD)
        page = ListPage(after=after, limit=limit, unless=self._digest)
        self._looking = self._lists.ask(page, self._listed, now)
        if self._looking:
            self._courier.spend(limit // 150)

    def _listed(self, users: UserList, now: Now) -> None:
        """Whoever is online and has no place yet gets one, while there is one."""
        if not self._on:
            return None
        self._looking = False
        if users.everybody is not None:
            if self._digest and users.everybody.digest == self._digest:
                return None
            self._digest = users.everybody.digest
        was, self._crowd = self._crowd, self._is_crowd(users)
        self._contacts.more_online = self._crowd
        self._contacts.all_have = _all_have(users.everybody)
        if was is not self._crowd:
            self._digest = ""
            self._bound(now)
            turned_ms, self._turned_ms = self._turned_ms, now.mono
            if now.mono - turned_ms >= UNANSWERED_MS:  # a server cannot have us ask in circles
                return self._look(now)
        self._place(users.users)
        self._tell(now)

    def _is_crowd(self, users: UserList) -> bool:
        if users.everybody is None:  # a server that does not say; one page tells of this link
            return self._crowd or users.more
        return users.everybody.online > (CROWD_OVER if self._crowd else CROWD)

    def _place(self, user_ids: Iterable[str]) -> None:
        """Each that has none gets a place, while there is one."""
        places = self._places
        for user_id in user_ids:
            if len(self._others) >= places:
                return
            if not self._has(user_id) and self._is_somebody(user_id):
                self._others[user_id] = None
                self._changed = True

    def _has(self, user_id: str) -> bool:
        return user_id in self._ours or user_id in self._others


def _all_have(everybody: Everybody | None) -> frozenset[str]:
    """The features that all have who are online."""
    if everybody is None:
        return frozenset()
    counts = ((HYBRID, everybody.hybrid), (CONTENT, everybody.content))
    return frozenset(feature for feature, count in counts if count >= everybody.online)
