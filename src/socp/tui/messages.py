"""The open conversation: its lines, with days, gaps, answers to commands and the mark of what is
new between them. More is loaded as one scrolls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import ClassVar, Final

from textual.binding import BindingType
from textual.message import Message

from socp.client.clock import now_ms
from socp.member.effects import GapFound
from socp.member.history_line import HistoryLine
from socp.talk.words import shown_name, some
from socp.tui import keys
from socp.tui.asides import Aside
from socp.tui.gaps import Places
from socp.tui.row_view import RowView
from socp.tui.rows import Block, Piece, Row, entry_rows, links_of, rule, wrapped
from socp.tui.session import Session
from socp.tui.speech import Look, line_rows
from socp.wire.ids import PUBLIC

NEAR_ROWS: Final = 8
ROOMY_ROWS: Final = 28
"""Where there are so many, a row is left free between one who speaks and the next."""
SLICE_LINES: Final = 20
"""Rows of so many lines are made without letting the loop go."""
_TOGETHER_MS: Final = 10 * 60 * 1000
_CACHED_MAX: Final = 1_000
_CONTEXT_ROWS: Final = 3


class MessagePane(RowView):
    """Follows the end while the person looks at the end."""

    DEFAULT_CSS = "MessagePane { overflow-y: scroll; }"  # as wide with much as with little
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("messages")

    class Asked(Message):
        """The person wants something done with a line; `what` is the action's name."""

        def __init__(self, what: str, line: HistoryLine | None) -> None:
            super().__init__()
            self.what = what
            self.line = line

    class Linked(Message):
        """The person wants to go to an address."""

        def __init__(self, address: str) -> None:
            super().__init__()
            self.address = address

    class EndSeen(Message):
        """The end of the conversation is in sight."""

    def __init__(self, session: Session, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._session = session
        self._unfolded: set[int] = set()
        self._cache: dict[int, tuple[object, tuple[Row, ...]]] = {}
        self._fresh = 0  # lines whose rows were made in this slice
        self._going_on = False  # the next slice is due
        self._shown: tuple[str, int] | None = None  # the talk and the jump that are in sight

    # --- what is shown --------------------------------------------------------------------------

    def remade(self) -> None:
        """Look again at what there is, and stay where the person was looking. Where many rows are
        to be made they are made a slice at a time; until then what was there is shown."""
        session = self._session
        was_at_end = self.at_end or session.window.following  # the pane may have shrunk since
        shown = (session.turned_to, session.found)
        anchor = self._anchor()
        if shown != self._shown:
            self._unfolded.clear()
        blocks = self._slice()
        if blocks is None:
            if not self._going_on:
                self._going_on = True
                self.call_later(self._go_on)
            return
        spare = self.size.height - sum(len(block.rows) for block in blocks)
        if spare > 0:  # what is said last stands next to where one types
            blocks = (Block("", ((),) * spare), *blocks)
        self.put(blocks)
        if shown != self._shown:
            was_at_end = not session.found
            if session.found and self.row_of(str(session.found)) is None:
                return  # not loaded yet
            self._shown = shown
            if session.found:
                self._go_to(session.found)
                return
        if was_at_end and session.window.to_end:
            self.scroll_end(animate=False, force=True, immediate=True)
        else:
            self._restore(anchor)
        self._looked()

    async def _go_on(self) -> None:
        """The next slice, when others had their turn."""
        await asyncio.sleep(0)
        self._going_on = False
        self.remade()

    def _slice(self) -> tuple[Block, ...] | None:
        """All blocks, or None once rows of `SLICE_LINES` lines had to be made, which are kept."""
        self._fresh, blocks = 0, []
        for block in self._made():
            if self._fresh > SLICE_LINES:
                return None
            blocks.append(block)
        return tuple(blocks)

    @property
    def at_end(self) -> bool:
        """Whether the last row is in sight."""
        return self.scroll_offset.y >= self.max_scroll_y - 1

    def _made(self) -> Iterator[Block]:
        session, width = self._session, self.room
        window, now = session.window, now_ms()
        asides = self._asides()
        since_ts = window.lines[0].ts if window.lines and not window.to_start else 0
        gaps = session.gaps.places(session.turned_to, since_ts)
        if window.to_start and window.to_end and not window.lines:
            yield Block("", tuple(_nothing(session, width)))
        before: HistoryLine | None = None
        for line in window.lines:
            between = tuple(self._between(before, line, width, gaps))
            headed = bool(between) or before is None or _apart(before, line)
            if headed and before is not None and self.size.height >= ROOMY_ROWS:
                yield Block("", ((),))
            yield from between
            yield Block(str(line.number), self._line_rows(line, headed, width, now))
            while asides and asides[0].after <= line.number:
                yield Block("", entry_rows(asides.pop(0).entry, width))
            before = line
        for aside in asides:
            yield Block("", entry_rows(aside.entry, width))

    def _asides(self) -> list[Aside]:
        """In the order of the lines behind which they stand."""
        session = self._session
        at = {line.file_id: line.number for line in session.window.lines if line.file_id}
        told = session.asides.of(session.turned_to)
        placed = [replace(one, after=at.get(one.file_id, one.after)) for one in told]
        return sorted(placed, key=lambda one: one.after)

    def _between(
        self, before: HistoryLine | None, line: HistoryLine, width: int, gaps: Places
    ) -> Iterator[Block]:
        day = _day(line.ts)
        if before is None or _day(before.ts) != day:
            yield Block("", (rule(day_text(day, _day(now_ms())), "mark", width),))
        new_from = self._session.new_from
        if new_from and line.number >= new_from > (before.number if before else 0):
            yield Block("", (rule("new since you left", "new", width),))
        if gap := gaps.before(line):
            yield Block("", tuple(self._gap(gap, width)))

    def _gap(self, gap: GapFound, width: int) -> Iterator[Row]:
        entry = self._session.phrases.entry(gap, now_ms())
        assert entry is not None
        for at, row in enumerate(wrapped(entry.body, width - 4, style="warn")):
            yield (Piece("warn", "   " if at else " ⋯ "), *row)

    def _line_rows(self, line: HistoryLine, headed: bool, width: int, now: int) -> tuple[Row, ...]:
        unfolded = line.number in self._unfolded
        found = line.number == self._session.found
        about = self._session.answered(line.reply_to) if line.reply_to else None
        at = self._session.file(line.file_id) if line.file_id else None
        today = now // 86_400_000
        names = self._names(line, about)
        made_of = (line, headed, width, unfolded, found, about, at, today, names)
        kept = self._cache.get(line.number)
        if kept is not None and kept[0] == made_of:
            return kept[1]
        self._fresh += 1
        look = Look(width, headed, unfolded, found, now)
        rows = line_rows(line, self._session, self._session.me.user_id, look)
        if len(self._cache) >= _CACHED_MAX:
            self._cache.clear()
        self._cache[line.number] = (made_of, rows)
        return rows

    def _names(self, line: HistoryLine, about: HistoryLine | None) -> tuple[str, ...]:
        """Of all whom the rows of a line name: they may be known only later than the line."""
        people = [line.author, *(who for who, _ in line.reactions)]
        people += [] if about is None else [about.author]
        return tuple(map(self._session.called, people))

    # --- where one looks ------------------------------------------------------------------------

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Load more where the loaded ends."""
        super().watch_scroll_y(old_value, new_value)
        if self.is_mounted and self._shown is not None:
            self._looked()

    def _looked(self) -> None:
        window, top = self._session.window, self.scroll_offset.y
        if top < NEAR_ROWS and not window.to_start and window.lines:
            self._session.more(before=True)
        if self.max_scroll_y - top < NEAR_ROWS and not window.to_end and window.lines:
            self._session.more(before=False)
        window.following = window.to_end and self.at_end
        if window.following:
            self.post_message(self.EndSeen())

    def _anchor(self) -> tuple[str, int] | None:
        """The first block in sight that has a name, and how far above it the sight begins."""
        top = self.scroll_offset.y
        for row in range(top, top + self.size.height):
            block = self.block_at(row)
            if block is not None and block.key:
                start = self.row_of(block.key)
                return block.key, (start or 0) - top
        return None

    def _restore(self, anchor: tuple[str, int] | None) -> None:
        row = self.row_of(anchor[0]) if anchor else None
        if anchor is not None and row is not None:
            self.scroll_to(y=row - anchor[1], animate=False, force=True, immediate=True)

    def _go_to(self, number: int) -> None:
        self.mark(str(number), reveal=False)
        row = self.row_of(str(number)) or 0
        middle = max(row - self.size.height // _CONTEXT_ROWS, 0)
        self.scroll_to(y=middle, animate=False, force=True, immediate=True)

    # --- what one does --------------------------------------------------------------------------

    @property
    def line(self) -> HistoryLine | None:
        """The one that is marked."""
        return self._session.window.line(int(self.at)) if self.at else None

    def action_choose(self) -> None:
        """Unfold, or fold again."""
        if self.at:
            self._unfolded ^= {int(self.at)}
            self.remade()

    def clicked(self, times: int) -> None:
        """Two clicks unfold."""
        if times > 1:
            self.action_choose()

    def linked(self, address: str) -> None:
        """See RowView."""
        self.post_message(self.Linked(address))

    def action_newest(self) -> None:
        """Back to the end."""
        self._session.to_end()
        self.action_last()
        self.scroll_end(animate=False, force=True, immediate=True)

    def action_write(self) -> None:
        """Back to the composer."""
        self.mark("")
        self.post_message(self.Asked("write", None))

    def on_focus(self) -> None:
        """Something is marked while one chooses."""
        self._mark_in_sight()

    def action_page_up(self) -> None:
        """Look further up; what is marked can be seen."""
        self._page(-1)

    def action_page_down(self) -> None:
        """Look further down."""
        self._page(1)

    def _page(self, by: int) -> None:
        to = self.scroll_offset.y + by * self.size.height
        self.scroll_to(y=to, animate=False, force=True, immediate=True)
        self._mark_in_sight()

    def _mark_in_sight(self) -> None:
        """Nobody changes or takes back what they do not see, and nothing moves under a hand that
        points."""
        blocks = filter(None, map(self.block_at, range(*self.sight)))
        seen = [block.key for block in blocks if block.key]
        if self.at in seen:
            return
        if seen:
            self.mark(seen[-1], reveal=False)
        elif not self.at:
            self.action_last()

    def action_copy(self) -> None:
        """What is selected with the mouse, or the words of a line, as they were written."""
        if self.text_selection is not None:
            self.screen.action_copy_text()
        else:
            self._ask("copy")

    def action_copy_link(self) -> None:
        """Its first address."""
        self._ask("copy_link")

    def action_reply(self) -> None:
        """Answer it."""
        self._ask("reply")

    def action_edit(self) -> None:
        """Change it."""
        self._ask("edit")

    def action_take_back(self) -> None:
        """Take it back."""
        self._ask("take_back")

    def action_react(self) -> None:
        """Put an emoji beside it."""
        self._ask("react")

    def action_open(self) -> None:
        """Its link, or its file's folder."""
        self._ask("open")

    def action_cancel(self) -> None:
        """Break off its file."""
        self._ask("cancel")

    def _ask(self, what: str) -> None:
        if self.line is not None:
            self.post_message(self.Asked(what, self.line))


def _apart(before: HistoryLine, line: HistoryLine) -> bool:
    """Whether the name is said again."""
    return (
        before.author != line.author
        or before.trust != line.trust
        or "note" in (before.kind, line.kind)
        or "refused" in (before.kind, line.kind)
        or line.ts - before.ts > _TOGETHER_MS
        or _day(before.ts) != _day(line.ts)
    )


def _day(ts: int) -> date | None:
    try:
        return datetime.fromtimestamp(ts / 1000).date()  # noqa: DTZ006 - people read their own clock
    except (OverflowError, OSError, ValueError):
        return None


def day_text(day: date | None, today: date | None) -> str:
    """As people call it."""
    if day is None:
        return "no day"
    if today is not None and (today - day).days in (0, 1):
        return ("today", "yesterday")[(today - day).days]
    return f"{day:%A} {day.day} {day:%B %Y}"


def _nothing(session: Session, width: int) -> Iterator[Row]:
    who = session.phrases.name(session.turned_to)
    yield ()
    hints = [
        f"You are {shown_name(session.me.name)}. Nothing was said with {who} yet.",
        "Type below and press Enter.",
        f"Only {who} can read it." if session.turned_to != PUBLIC else "Everyone here can read it.",
    ]
    if session.turned_to == PUBLIC and (here := session.here - {session.me.user_id}):
        names = sorted(session.phrases.name(each) for each in here)
        hints.append(f"{some(names)} here. Ctrl-K turns to one of them alone.")
    elif session.turned_to == PUBLIC and session.link.attached:
        hints.append(f"Nobody else is here yet; others come to {session.me.url}.")
    for hint in hints:
        yield from (
            ((Piece("plain", "  ")), *row) for row in wrapped(hint, width - 2, style="mark")
        )


def first_link(line: HistoryLine) -> str:
    """The first address in it, "" for none."""
    return next(iter(links_of(line.text[:20_000])), "")
