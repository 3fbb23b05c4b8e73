"""The part of a conversation that is loaded: some hundred lines of however many there are.

It is read from the history, beside whatever is being written, and read again where something
changed; nothing here is the only place where it is known.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final, Protocol

from socp.member.history_line import HistoryLine

PAGE: Final = 100
LINES_MAX: Final = 400
_SINGLE_MAX: Final = 16  # more changed lines than that are read again as a whole


class Book(Protocol):
    """What knows what was said: a client."""

    async def history(
        self, who: str, *, before: int = 0, limit: int = PAGE
    ) -> list[HistoryLine]: ...

    async def history_after(
        self, who: str, number: int, *, limit: int = PAGE
    ) -> list[HistoryLine]: ...

    async def line_of(self, msg_ref: str) -> HistoryLine | None: ...


class Window:
    """`lines` rise by number. `to_start` and `to_end`: nothing was said before, or after, them."""

    def __init__(self, book: Book, talk: str) -> None:
        self.talk = talk
        self.lines: list[HistoryLine] = []
        self.to_start = False
        self.to_end = False
        self.following = True  # somebody looks at the end, and wants it to grow
        self.about: dict[str, HistoryLine | None] = {}  # what replies here answer, by msg_ref
        self._book = book
        self._changed: set[int] = set()
        self._changed_refs: set[str] = set()

    async def open_end(self) -> None:
        """Begin with the newest lines."""
        lines = await self._book.history(self.talk, limit=PAGE)
        self.to_start, self.to_end = await self._is_start(lines), True
        await self._put(lines)

    async def open_at(self, number: int) -> None:
        """Begin around the line of that number."""
        before = await self._book.history(self.talk, before=number + 1, limit=PAGE)
        after = await self._book.history_after(self.talk, number, limit=PAGE)
        self.to_start, self.to_end = await self._is_start(before), await self._is_end(after)
        await self._put([*before, *after])

    async def older(self) -> bool:
        """Load what was said before; False where that is nothing."""
        if self.to_start or not self.lines:
            return False
        more = await self._book.history(self.talk, before=self.lines[0].number, limit=PAGE)
        self.to_start = await self._is_start(more)
        lines = [*more, *self.lines]
        if len(lines) > LINES_MAX:
            self.to_end = False
        await self._put(lines[:LINES_MAX])
        return bool(more)

    async def newer(self) -> bool:
        """Load what was said after; False where that is nothing."""
        last = self.lines[-1].number if self.lines else 0
        more = await self._book.history_after(self.talk, last, limit=PAGE)
        self.to_end = await self._is_end(more)
        lines = [*self.lines, *more]
        if len(lines) > LINES_MAX:
            self.to_start = False
        if more:
            await self._put(lines[-LINES_MAX:])
        return bool(more)

    async def catch_up(self) -> None:
        """Read again what changed, and what came after the end where the end is loaded."""
        numbers, refs = self._changed, self._changed_refs
        self._changed, self._changed_refs = set(), set()
        if len(numbers) + len(refs) > _SINGLE_MAX and self.lines:
            first, count = self.lines[0].number, len(self.lines)
            self.lines = await self._book.history_after(self.talk, first - 1, limit=count)
        else:
            await self._read_again(numbers, refs)
        if len(self.lines) >= LINES_MAX and not self.following:
            self.to_end = False  # what is being read stays; the rest comes when it is scrolled to
        while self.to_end and await self.newer() and not self.to_end:
            self.to_end = True  # more came than a page has: go on to the end

    def moved(self, number: int) -> None:
        """The line of that number is not as it was."""
        self._changed.add(number)

    def amended(self, msg_ref: str) -> None:
        """So is the line that went, or came, under that name."""
        self._changed_refs.add(msg_ref)

    def file_moved(self, file_id: str) -> None:
        """So are the lines of that file."""
        self._changed |= {line.number for line in self.lines if line.file_id == file_id}

    def line(self, number: int) -> HistoryLine | None:
        """One that is loaded."""
        at = self._at(number)
        return None if at is None else self.lines[at]

    def last(self, *, by: str) -> HistoryLine | None:
        """The newest loaded text of theirs that stands and has a name."""
        return next(
            (
                line
                for line in reversed(self.lines)
                if line.author == by and line.kind == "text" and line.msg_ref and not line.deleted
            ),
            None,
        )

    async def _is_start(self, page: list[HistoryLine]) -> bool:
        """Whether nothing was said before these, which were asked for as a page. That they are few
        does not tell: of very long lines no more come at once."""
        if not page or len(page) >= PAGE:
            return not page
        return not await self._book.history(self.talk, before=page[0].number, limit=1)

    async def _is_end(self, page: list[HistoryLine]) -> bool:
        """The same of what was said after them."""
        if not page or len(page) >= PAGE:
            return not page
        return not await self._book.history_after(self.talk, page[-1].number, limit=1)

    def _at(self, number: int) -> int | None:
        at = bisect_left(self.lines, number, key=lambda line: line.number)
        there = at < len(self.lines) and self.lines[at].number == number
        return at if there else None

    async def _read_again(self, numbers: set[int], refs: set[str]) -> None:
        for ref in refs:
            line = await self._book.line_of(ref)
            if line is not None and line.talk == self.talk:
                self._replace(line)
        for number in numbers:
            if self._at(number) is not None:
                for line in await self._book.history(self.talk, before=number + 1, limit=1):
                    self._replace(line)

    def _replace(self, line: HistoryLine) -> None:
        at = self._at(line.number)
        if at is not None:
            self.lines[at] = line
        if line.msg_ref in self.about:
            self.about[line.msg_ref] = line

    async def _put(self, lines: list[HistoryLine]) -> None:
        """These are loaded now; what they answer is looked up."""
        here = {line.msg_ref: line for line in lines if line.msg_ref}
        about: dict[str, HistoryLine | None] = {}
        for ref in {line.reply_to for line in lines if line.reply_to}:
            if ref in here:
                about[ref] = here[ref]
            elif ref in self.about:
                about[ref] = self.about[ref]
            else:
                about[ref] = await self._book.line_of(ref)
        self.lines, self.about = lines, about
