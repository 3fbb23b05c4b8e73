"""Who is online, as those are told of it who hear of everybody (section 6): in pieces that stay the
same objects while nobody in them comes or goes. The shell keeps their bytes, so one who comes costs
a look at each piece, not at each user.

There is none of it but while such users come: the bytes of a piece are those of its frames again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from socp.node.crowd import SHARED_BYTES, size_of
from socp.node.effects import Outgoing, Piece
from socp.node.events import Now
from socp.node.roster import Present

REST_MS = 10_000


class _Chapter:
    """Some of those who are online."""

    __slots__ = ("piece", "size", "users")

    def __init__(self) -> None:
        self.users: dict[str, Present] = {}
        self.size = 0
        self.piece: Piece | None = None

    def add(self, present: Present) -> None:
        self.users[present.user_id] = present
        self._changed(size_of(present.frame))

    def drop(self, present: Present) -> None:
        del self.users[present.user_id]
        self._changed(-size_of(present.frame))

    def _changed(self, size: int) -> None:
        self.size += size
        self.piece = None

    def whole(self) -> Piece:
        """All of it, the same object until it changes."""
        if self.piece is None:
            frames = tuple(present.frame for present in self.users.values())
            self.piece = Piece(frames, self.size)
        return self.piece


class Chapters:
    """One of them takes who comes until it is full; those that somebody left are filled again."""

    def __init__(self, online: Iterable[Present]) -> None:
        self._of: dict[str, _Chapter] = {}
        self._open = _Chapter()
        self._all: dict[_Chapter, None] = {self._open: None}
        self._torn: dict[_Chapter, None] = {}
        self._asked_ms = 0
        for present in online:
            self.came(present)

    def came(self, present: Present) -> None:
        """Somebody who was not here."""
        if self._open.size >= SHARED_BYTES:  # with one more it is still a write
            self._open = self._torn.popitem()[0] if self._torn else _Chapter()
            self._all[self._open] = None
        self._open.add(present)
        self._of[present.user_id] = self._open

    def left(self, present: Present) -> None:
        """Somebody who was here."""
        chapter = self._of.pop(present.user_id)
        chapter.drop(present)
        if chapter is self._open:
            return
        if chapter.users:
            self._torn[chapter] = None
        else:
            self._torn.pop(chapter, None)
            del self._all[chapter]

    def all_but(self, user_id: str, now: Now) -> Iterator[Outgoing | bytes | Piece]:
        """What this one is told when they come."""
        self._asked_ms = now.mono
        own = self._of.get(user_id)
        for chapter in self._all:
            if chapter is own:
                others = (each for each in chapter.users.values() if each.user_id != user_id)
                yield from (each.frame for each in others)
            elif chapter.users:
                yield chapter.whole()

    def rests(self, now: Now) -> bool:
        """Whether nobody asked for a while."""
        return now.mono - self._asked_ms >= REST_MS
