"""How much is drawn, counted: nothing flickers, and a key press does not wait for what is not new.
How long that takes is a matter of the machine: `script/bench screen` says it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual.drivers.headless_driver import HeadlessDriver
from textual.strip import Strip

from socp.tui import speech
from socp.tui.conversations import ConversationList
from socp.tui.messages import SLICE_LINES, MessagePane
from socp.tui.people import PeopleList
from socp.tui.row_view import RowView
from socp.tui.rows import Row
from socp.tui.talk_screen import TalkScreen
from socp.tui.waiting import Waiting
from socp.wire.ids import PUBLIC
from tests.client.mailbox_server import Absent
from tests.tui.stage import Stage, stage
from tests.tui.test_window import filled

COME = 100
KEY_BYTES_MAX = 1_200  # the composer's rows in 24-bit colours; all of the screen are 20,000
_COMMAND = re.compile("\x1b\\[[0-9;?]*[A-Za-z]|\x1b\\]8;.*?\x1b\\\\")


class Drawn:
    """What was written to the terminal, and which lists made rows for it."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()  # by the list that they are of
        self.written = ""

    def forget(self) -> None:
        self.rows.clear()
        self.written = ""

    @property
    def shown(self) -> str:
        """Without what moves the cursor and colours."""
        return _COMMAND.sub("", self.written)

    @contextmanager
    def nothing_of(self, *views: type[RowView]) -> Iterator[None]:
        """No row of these is made meanwhile."""
        self.forget()
        yield
        assert [view.__name__ for view in views if self.rows[view.__name__]] == []


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """A terminal that keeps what is written to it."""
    drawn, strip = Drawn(), RowView._strip

    def counted(self: RowView, row: Row, *, marked: bool) -> Strip:
        drawn.rows[type(self).__name__] += 1
        return strip(self, row, marked=marked)

    def written(_: HeadlessDriver, data: str) -> None:
        drawn.written += data

    monkeypatch.setattr(RowView, "_strip", counted)
    monkeypatch.setattr(HeadlessDriver, "is_headless", False)
    monkeypatch.setattr(HeadlessDriver, "write", written)
    return drawn


async def key(it: Stage, drawn: Drawn, letter: str) -> None:
    """Press it; when it is on the screen so is all that was to be drawn before."""
    before = drawn.shown.count(letter)
    await it.types(letter)
    await it.until(lambda: drawn.shown.count(letter) > before, f"{letter} is drawn")


async def settled(it: Stage, drawn: Drawn) -> None:
    """All that was waiting to be drawn is drawn; the cursor stands still."""
    it.composer.cursor_blink = False
    await it.until(lambda: it.talk.up_to_date)
    await key(it, drawn, "q")


async def test_a_key_press_draws_no_row_of_any_list(tmp_path: Path, drawn: Drawn) -> None:
    async with stage(tmp_path, before=filled(300)) as it:
        await it.opens()
        await it.sees("line 300")
        await settled(it, drawn)
        with drawn.nothing_of(MessagePane, ConversationList, PeopleList):
            for letter in "hello":
                await key(it, drawn, letter)
        assert it.composer.text == "qhello"
        assert 0 < len(drawn.written.encode()) < 5 * KEY_BYTES_MAX


async def test_nobody_waits_for_the_profile_under_the_talk_that_it_opened(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        assert isinstance(it.app.screen, TalkScreen)
        assert not it.app.screen_stack[0].query_one(Waiting).display


async def test_a_message_elsewhere_draws_its_rows_in_the_list_alone(
    tmp_path: Path, drawn: Drawn
) -> None:
    async with stage(tmp_path, before=filled(50)) as it:
        it.session.turn_to(PUBLIC)
        await it.bob_says("first")
        await it.until(lambda: "first" in drawn.shown)
        await settled(it, drawn)
        with drawn.nothing_of(MessagePane, PeopleList):
            await it.bob_says("second")
            await it.until(lambda: "second" in drawn.shown)
            await settled(it, drawn)
        assert 0 < drawn.rows["ConversationList"] <= 2


async def test_a_line_that_comes_moves_the_others_and_lays_nothing_out_anew(
    tmp_path: Path, drawn: Drawn
) -> None:
    async with stage(tmp_path, before=filled(300)) as it:
        await it.opens()
        await it.sees("line 300")
        await settled(it, drawn)
        layouts: list[object] = []
        it.talk.screen_layout_refresh_signal.subscribe(it.talk, layouts.append)
        rows = it.messages.virtual_size.height
        await it.bob_says("one more")
        await it.sees("one more")
        assert it.messages.virtual_size.height > rows
        assert it.messages.vertical_scrollbar.window_virtual_size == it.messages.virtual_size.height
        assert it.messages.at_end
        assert layouts == []


async def test_the_same_rows_again_draw_nothing(tmp_path: Path, drawn: Drawn) -> None:
    async with stage(tmp_path, before=filled(50)) as it:
        await it.opens()
        await it.sees("line 50")
        await settled(it, drawn)
        with drawn.nothing_of(MessagePane, ConversationList, PeopleList):
            it.messages.remade()
            it.talk.query_one(ConversationList).remade()
            it.talk.query_one(PeopleList).remade()
            await settled(it, drawn)


async def test_a_long_talk_is_wrapped_anew_a_slice_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = [0]
    remade, rows = MessagePane.remade, speech.line_rows

    def counted(self: MessagePane) -> None:
        made.append(0)
        remade(self)

    def counted_rows(*about: object) -> object:
        made[-1] += 1
        return rows(*about)  # type: ignore[arg-type]

    async with stage(tmp_path, before=filled(300)) as it:
        await it.opens()
        await it.sees("line 300")
        it.session.more(before=True)
        await it.until(lambda: "line 150" in it.shown())
        monkeypatch.setattr(MessagePane, "remade", counted)
        monkeypatch.setattr("socp.tui.messages.line_rows", counted_rows)
        await it.pilot.resize_terminal(90, 30)
        await it.until(lambda: sum(made) >= len(it.session.window.lines))
        await it.sees("line 300")
        assert max(made) <= SLICE_LINES + 1
        assert it.messages.at_end


async def test_many_people_who_come_at_once_are_drawn_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    remade = PeopleList.remade

    async with stage(tmp_path) as it:

        def counted(self: PeopleList) -> None:
            made.append(len(it.session.here))
            remade(self)

        monkeypatch.setattr(PeopleList, "remade", counted)
        for number in range(COME):
            user_id = f"{number:08x}-0000-4000-8000-000000000000"
            await Absent(it.server, it.suite.generate(), f"p{number}", user_id).comes(it.link)
        await it.until(lambda: made and made[-1] >= COME)
        assert len(made) < COME / 4
