"""What is missing of somebody's messages: told after a while, asked for, and told when it is whole
(section 11, `resend`; threat M12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from socp.member.contacts import Contacts
from socp.member.effects import GapClosed, GapFound
from socp.member.emitter import Emitter
from socp.member.events import Now
from socp.member.outbox import Outbox
from socp.member.records import Gap, Thread
from socp.member.resting import NEVER_MS
from socp.member.threads import Key, Threads, key_of
from socp.wire.content import Resend
from socp.wire.ids import PUBLIC

GRACE_MS: Final = 10_000
"""What comes in another order is there by then."""
AGAIN_FIRST_MS: Final = 60_000
AGAIN_MAX_MS: Final = 6 * 3_600_000
ASKED_MAX: Final = 50
"""So many messages are asked for at a time."""
WATCHED_MAX: Final = 1_000
LINKS_MAX: Final = 3
"""A link that comes and goes puts it off so often, no more."""


@dataclass(slots=True)
class _Watch:
    """A thread with gaps, in this run. `told`: first and last of those that the person knows of."""

    due_ms: int  # monotonic
    missing: int  # messages
    asks: int = 0
    links: int = 0
    told: tuple[tuple[int, int], ...] = ()

    def knows(self, gap: Gap) -> bool:
        """Whether it was told, perhaps as part of a larger one."""
        return any(first <= gap.first and gap.last <= last for first, last in self.told)


class Gaps:
    """At each start what is still missing is told again."""

    def __init__(
        self, emitter: Emitter, contacts: Contacts, threads: Threads, outbox: Outbox
    ) -> None:
        self._emit = emitter
        self._contacts = contacts
        self._threads = threads
        self._outbox = outbox
        self._watched: dict[Key, _Watch] = {}

    def attached(self, now: Now) -> None:
        """A new link: what the server kept is about to come."""
        self._threads.forget_old(now.wall)
        for key in self._threads.with_gaps():
            self._watch(key, now)
        for watch in self._watched.values():
            watch.links += 1
            if watch.links <= LINKS_MAX:
                watch.due_ms = max(watch.due_ms, now.mono + GRACE_MS)

    def moved(self, key: Key, now: Now) -> None:
        """A message of this thread came."""
        thread = self._threads.get(key)
        watch = self._watched.get(key)
        if thread is None or not thread.gaps:
            if watch is not None:
                self._closed(key, watch)
        elif watch is None:
            self._watch(key, now)
        else:
            self._moved(thread, watch, now)

    def _moved(self, thread: Thread, watch: _Watch, now: Now) -> None:
        """One more gap, which is due as the first one was, or one message less to wait for."""
        soon_ms = now.mono + GRACE_MS
        missing = _missing(thread)
        if not all(watch.knows(gap) for gap in thread.gaps):
            watch.due_ms = min(watch.due_ms, soon_ms)
        elif missing < watch.missing:
            watch.asks, watch.due_ms = 0, soon_ms
        watch.missing = missing

    @property
    def due_ms(self) -> int:
        """When to look at it next."""
        return min((watch.due_ms for watch in self._watched.values()), default=NEVER_MS)

    def due(self, now: Now) -> None:
        """Tell and ask."""
        if any(now.mono >= watch.due_ms for watch in self._watched.values()):
            self._threads.forget_old(now.wall)
        for key, watch in tuple(self._watched.items()):
            thread = self._threads.get(key)
            if thread is None or not thread.gaps:
                del self._watched[key]  # given up, or forgotten: it is not whole
            elif now.mono >= watch.due_ms:
                self._tell_and_ask(thread, watch, now)

    def _watch(self, key: Key, now: Now) -> None:
        thread = self._threads.get(key)
        if thread is not None and key not in self._watched and len(self._watched) < WATCHED_MAX:
            self._watched[key] = _Watch(now.mono + GRACE_MS, _missing(thread))

    def _tell_and_ask(self, thread: Thread, watch: _Watch, now: Now) -> None:
        asked = self._asked(thread, now)
        for gap in thread.gaps:
            if not watch.knows(gap):
                self._tell(thread, gap, asked=asked)
        watch.told = tuple((gap.first, gap.last) for gap in thread.gaps)
        wait_ms = AGAIN_FIRST_MS << min(3 * watch.asks, 16)
        watch.due_ms = now.mono + min(wait_ms, AGAIN_MAX_MS)
        watch.asks += 1

    def _asked(self, thread: Thread, now: Now) -> bool:
        """Posts are not asked for: each would be sent to everybody once more."""
        if thread.public or not self._contacts.has_content(thread.author):
            return False
        asked = [
            self._outbox.post(
                thread.author,
                Resend(
                    of_run=thread.run,
                    from_seq=gap.first,
                    to_seq=min(gap.last, gap.first + ASKED_MAX - 1),
                ),
                now,
                quiet=True,
                key=f"resend {thread.run} {gap.first}",
            )
            for gap in thread.gaps
        ]
        return any(asked)

    def _tell(self, thread: Thread, gap: Gap, *, asked: bool) -> None:
        self._emit.tell(
            GapFound(
                talk=_talk(key_of(thread)),
                author=thread.author,
                count=gap.last - gap.first + 1,
                after_ts=gap.after_ts,
                before_ts=gap.before_ts,
                asked=asked,
            )
        )

    def _closed(self, key: Key, watch: _Watch) -> None:
        del self._watched[key]
        if watch.told:
            self._emit.tell(GapClosed(_talk(key), key[0]))


def _missing(thread: Thread) -> int:
    return sum(gap.last - gap.first + 1 for gap in thread.gaps)


def _talk(key: Key) -> str:
    author, public, _ = key
    return PUBLIC if public else author
