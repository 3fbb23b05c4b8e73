"""What clients without `presence/1` hear: of everybody who comes and goes, so all of them the same.

Where they are many they hear it once a tick, in one write that is the same for all: an event costs
an entry in a list, not a frame for each. Whoever is told anything else meanwhile is told before
that what is due to them, so the order on a link stays the order of events. That somebody left is
held for a while, because most are back by then, and then nothing has to be said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

from socp.node.effects import Bundle, Effect, Outgoing, Piece, Relay, Send, Snapshot
from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.links import Link
from socp.wire import limits, strict
from socp.wire.envelope import decode

Frame = Outgoing | bytes

HELD_MS = 3_000  # a USER_REMOVE
TICK_BYTES = 256 * limits.KIB  # told in one tick, or a quarter of what waits where that is more
SHARED_BYTES = 48 * limits.KIB  # joined once for all who are told of much; with one more a write
FRAME_BYTES = 1024  # of an envelope and its `sig`, around a payload
DAY_MS = 24 * 3_600_000


class Said(Protocol):
    """Where somebody is, in the words that say so."""

    @property
    def server_id(self) -> str: ...

    @property
    def frame(self) -> Frame: ...


@dataclass(frozen=True, slots=True)
class _Gone:
    """Somebody who left, of whom the crowd does not know that yet."""

    was: Said
    remove: Frame
    due_ms: int
    after: int  # who came after that many was never told of them


class Crowd:
    """What is held is bounded by the tables of presence: one entry for each user who was online;
    what is due by bytes."""

    def __init__(self, emitter: Emitter, few: int, bytes_max: int) -> None:
        """`few`: while no more are here all is told at once, and nothing is held. Where more than
        `bytes_max` is due some of it is told before its tick."""
        self._bytes_max = bytes_max
        self._emit = emitter
        self._few = few
        self._links: dict[LinkId, tuple[str, int]] = {}  # in their order: whose, and how many-th
        self._came = 0
        self._log: list[Frame] = []  # due to all, less what some were told before
        self._bytes = 0  # of it
        self._ahead: dict[LinkId, int] = {}  # how much of the log these were told
        self._gone: dict[str, _Gone] = {}  # in the order of their going
        emitter.heed(self._owed)

    @property
    def many(self) -> bool:
        """Whether it hears by the tick."""
        return len(self._links) > self._few or bool(self._log)

    # --- who is in it ---------------------------------------------------------------------------

    def joined(self, link: Link) -> None:
        """Its user knows all that is true now: its snapshot is on its way."""
        self._came += 1
        self._links[link.id] = (link.peer, self._came)
        if self._log:
            self._ahead[link.id] = len(self._log)

    def lost(self, link: Link) -> None:
        """A link is gone."""
        self._links.pop(link.id, None)
        self._ahead.pop(link.id, None)

    def links(self) -> tuple[LinkId, ...]:
        """All of it."""
        return tuple(self._links)

    # --- what it hears --------------------------------------------------------------------------

    def came(self, user_id: str, said: Said, before: Said | None) -> None:
        """Somebody is here; `before`: what was said of them where they were online until now."""
        gone = self._gone.pop(user_id, None)
        if not self._links:
            return
        advert = said.frame
        if gone is None:
            if before is None or not self.many or not _is_same(before, said):
                self._hear(advert, but=user_id)
        elif gone.was.server_id != said.server_id:  # or who heeds the rules would not let them move
            self._hear(gone.remove, but=user_id)
            self._hear(advert, but=user_id)
        elif not _is_same(gone.was, said):
            self._hear(advert, but=user_id)
        else:
            self._at_once(self._newer_than(gone.after, but=user_id), advert)

    def left(self, user_id: str, was: Said, remove: Frame, now: Now) -> None:
        """Somebody left the server where they were."""
        if not self.many:
            return self._hear(remove, but=user_id)
        due_ms = now.mono + HELD_MS
        self._gone[user_id] = _Gone(was, remove, due_ms, self._came)

    def tell(self, links: Iterable[LinkId], frame: Frame) -> None:
        """One frame for all of these, whoever they are; the crowd, where all of it is among them,
        hears it in its turn."""
        targets = tuple(links)
        if self.many and sum(link in self._links for link in targets) == len(self._links):
            self._is_due(frame)
            targets = tuple(link for link in targets if link not in self._links)
        self._at_once(targets, frame)

    def _hear(self, frame: Frame, *, but: str) -> None:
        """Of `but`, whom it is about, nobody is in the crowd once that is many: they left it before
        this, or come to it after."""
        if self.many:
            self._is_due(frame)
        else:
            self._at_once((link for link, (peer, _) in self._links.items() if peer != but), frame)

    def _is_due(self, frame: Frame) -> None:
        self._log.append(frame)
        self._bytes += size_of(frame)
        if self._bytes > self._bytes_max:
            self._tell_all(self._so_much(TICK_BYTES))

    def _newer_than(self, number: int, *, but: str) -> Iterator[LinkId]:
        newest_first = reversed(self._links.items())
        newer = takewhile(lambda item: item[1][1] > number, newest_first)
        return (link for link, (peer, _) in newer if peer != but)

    def _at_once(self, links: Iterable[LinkId], frame: Frame) -> None:
        if isinstance(frame, bytes):
            self._emit.relay(links, frame)
        else:
            self._emit.send(links, frame)

    # --- when it hears it -----------------------------------------------------------------------

    def due(self, now: Now) -> None:
        """A tick: who did not come back left, and what is due goes out."""
        for user_id, gone in tuple(self._gone.items()):
            if now.mono < gone.due_ms:
                break
            del self._gone[user_id]
            self._hear(gone.remove, but=user_id)
        if self._log:
            # A server that came back with thousands of users is no reason to cut those who are told
            # of them.
            self._tell_all(self._so_much(max(TICK_BYTES, self._bytes // 4)))

    def _so_much(self, most: int) -> int:
        """How many of the log's frames are so many bytes."""
        told = 0
        for count, frame in enumerate(self._log):
            if told >= most:
                return count
            told += size_of(frame)
        return len(self._log)

    def _tell_all(self, end: int) -> None:
        groups: dict[int, list[LinkId]] = {}
        for link in self._links:
            groups.setdefault(self._ahead.get(link, 0), []).append(link)
        due, self._log = self._log[:end], self._log[end:]
        self._bytes -= sum(map(size_of, due))
        self._ahead = {link: ahead - end for link, ahead in self._ahead.items() if ahead > end}
        for start, links in groups.items():
            if start < end:
                self._emit.add(Bundle(tuple(links), tuple(due[start:])))

    def _owed(self, effect: Effect) -> Iterable[Effect]:
        """What has to be said before this."""
        if not self._log or not isinstance(effect, Send | Relay | Snapshot):
            return ()
        return self._behind(effect)

    def _behind(self, effect: Send | Relay | Snapshot) -> Iterator[Effect]:
        """What the log still has for its links."""
        targets = (effect.link,) if isinstance(effect, Snapshot) else effect.links
        groups: dict[int, list[LinkId]] = {}
        for link in targets:
            ahead = self._ahead.get(link, 0)
            if link in self._links and ahead < len(self._log):
                groups.setdefault(ahead, []).append(link)
                self._ahead[link] = len(self._log)
        for start, links in groups.items():
            frames = tuple(self._log[start:])
            if sum(map(size_of, frames)) <= TICK_BYTES:
                yield Bundle(tuple(links), frames)
            else:
                pieces = tuple(_pieces(frames))  # joined once for all of them
                yield from (Snapshot(link, pieces) for link in links)


def _pieces(frames: Iterable[Frame]) -> Iterator[Piece]:
    piece: list[Frame] = []
    size = 0
    for frame in frames:
        piece.append(frame)
        size += size_of(frame)
        if size >= SHARED_BYTES:
            yield Piece(tuple(piece), size)
            piece, size = [], 0
    if piece:
        yield Piece(tuple(piece), size)


def size_of(frame: Frame) -> int:
    """Bytes, about."""
    return len(frame) if isinstance(frame, bytes) else len(frame.payload) + FRAME_BYTES


def _is_same(before: Said, said: Said) -> bool:
    """Whether two adverts of one user say the same to a client: all but when they attached, which
    counts by the day (clients expect mail of who attached within a month)."""
    return _told(before.frame) == _told(said.frame)


def _told(advert: Frame) -> dict[str, object]:
    if isinstance(advert, bytes):
        members = dict(decode(advert).members)
    else:
        loaded = strict.loads(advert.payload.decode(), what="payload")
        assert isinstance(loaded, dict)
        members = dict(loaded)
    members.pop("bind", None)
    attach = members.pop("attach", None)
    ts = attach.get("ts") if isinstance(attach, dict) else None
    return {**members, "attached": ts // DAY_MS if isinstance(ts, int) else None}
