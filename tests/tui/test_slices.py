"""What takes long is done a slice at a time, and comes to the same: drawing all of a large window,
what lies under a dialog, a long paste. And it is seldom looked for rubbish."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.events import Paste
from textual.geometry import Region
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import Screen
from textual.scrollbar import ScrollBar as PlainScrollBar
from textual.strip import Strip
from textual.widget import Widget

from socp.tui import rubbish, sliced
from socp.tui.behind import Behind
from socp.tui.conversations import ConversationList
from socp.tui.jump_screen import JumpScreen
from socp.tui.messages import MessagePane
from socp.tui.row_view import RowView
from socp.tui.rows import Row
from socp.tui.rubbish import NOBODY_S, PAUSE_S, Rubbish
from socp.tui.scroll_bar import ScrollBar
from socp.tui.sliced import CELLS_AT_ONCE
from socp.tui.talk_screen import TalkScreen
from socp.wire.ids import PUBLIC
from tests.tui.stage import Stage, stage
from tests.tui.test_window import filled

LARGE = (200, 60)


def looks(strips: list[Strip]) -> list[list[tuple[str, str]]]:
    """Every cell and its colours, without what a mouse finds there."""
    return [
        [
            (char, str((style or Style()).clear_meta_and_links()))
            for text, style, _ in strip
            for char in text
        ]
        for strip in strips
    ]


def whole(widget: Widget) -> Region:
    return Region(0, 0, *widget.size)


async def long_talk(it: Stage) -> None:
    await it.opens()
    await it.sees("line 300")
    it.messages.focus()
    await it.pilot.settled()


# --- drawing -------------------------------------------------------------------------------------


async def test_rows_of_a_large_window_are_made_before_it_is_drawn_with_turns_for_others_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sliced, "_SLICE_S", 0.0)
    late: list[str] = []  # lists a row of which was made while all was put together
    turns: list[int] = []  # of the loop, in each whole picture
    drawing = False
    strip, refresh = RowView._strip, Screen._compositor_refresh

    def made(self: RowView, row: Row, *, marked: bool) -> Strip:
        if drawing:
            late.append(type(self).__name__)
        return strip(self, row, marked=marked)

    def drawn(self: Screen[object]) -> None:
        nonlocal drawing
        area = sum(region.area for region in self._compositor._dirty_regions)
        drawing = area > CELLS_AT_ONCE
        refresh(self)
        drawing = False

    async with stage(tmp_path, before=filled(300)) as it:
        await long_talk(it)
        make = TalkScreen._make

        async def counted(self: TalkScreen) -> None:
            turns.append(1)
            await make(self)

        monkeypatch.setattr(RowView, "_strip", made)
        monkeypatch.setattr(Screen, "_compositor_refresh", drawn)
        monkeypatch.setattr(TalkScreen, "_make", counted)
        await it.pilot.resize_terminal(*LARGE)
        await it.sees("line 300")
        await it.pilot.settled()
        assert len(turns) > LARGE[1] // 8
        assert late == []


async def test_little_is_drawn_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path) as it:
        await it.pilot.settled()

        async def never(_: TalkScreen) -> None:
            raise AssertionError("a key press waits")

        monkeypatch.setattr(TalkScreen, "_make", never)
        await it.types("hello")
        assert it.composer.text == "hello"


@pytest.mark.parametrize("view", [MessagePane, ConversationList])
async def test_rows_look_as_they_do_where_textual_draws_them(
    tmp_path: Path, view: type[RowView]
) -> None:
    async with stage(tmp_path, before=filled(300)) as it:
        await long_talk(it)
        it.messages.mark(it.messages.keys()[-2])
        await it.pilot.settled()
        rows = it.talk.query_one(view)
        ours = rows.render_lines(whole(rows))
        rows._styles_cache.clear()
        assert looks(ours) == looks(rows._styles_cache.render_widget(rows, whole(rows)))


async def test_a_scroll_bar_looks_as_it_does_where_textual_draws_it(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(300)) as it:
        await long_talk(it)
        bar = it.messages.vertical_scrollbar
        assert isinstance(bar, ScrollBar)
        for to in (0, 3, it.messages.max_scroll_y // 2, it.messages.max_scroll_y):
            it.messages.scroll_to(y=to, animate=False, force=True, immediate=True)
            await it.pilot.settled()
            ours = bar.render_lines(whole(bar))
            bar._styles_cache.clear()
            bar._dirty_regions.add(whole(bar))
            assert looks(ours) == looks(PlainScrollBar.render_lines(bar, whole(bar)))
            assert [strip.cell_length for strip in ours] == [1] * bar.size.height


async def test_what_lies_under_a_dialog_is_dimmed_as_textual_does(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(300)) as it:
        await long_talk(it)
        await it.pilot.press("ctrl+k")
        await it.until(lambda: isinstance(it.app.screen, JumpScreen))
        dialog = it.app.screen
        under = BackgroundScreen(it.talk, dialog.styles.background)
        ours = Behind(under).render_strips(120, 40, None, None)  # type: ignore[arg-type]
        theirs = [
            Strip(BackgroundScreen.process_segments(strip, under.color), strip.cell_length)
            for strip in it.talk._compositor.render_strips()
        ]
        assert looks(ours) == looks(theirs)
        assert all(isinstance(segment, Segment) for strip in ours for segment in strip)


# --- a long paste --------------------------------------------------------------------------------


async def test_a_long_paste_lets_others_have_their_turn_and_comes_whole(tmp_path: Path) -> None:
    text = "\n".join(f"line {number}" for number in range(9_000))
    async with stage(tmp_path) as it:
        pieces: set[int] = set()
        pasting = asyncio.ensure_future(it.composer._on_paste(Paste(text)))
        while not pasting.done():
            pieces.add(len(it.composer.text))
            await asyncio.sleep(0)
        assert it.composer.text == text
        assert len(pieces) > len(text) // 16_384


async def test_what_is_pasted_stays_with_those_for_whom_it_was_pasted(tmp_path: Path) -> None:
    text = "\n".join(f"line {number}" for number in range(9_000))
    async with stage(tmp_path) as it:
        await it.opens()
        pasting = asyncio.ensure_future(it.composer._on_paste(Paste(text)))
        await asyncio.sleep(0)
        assert it.composer.text
        it.session.turn_to(PUBLIC)
        await pasting
        assert it.composer.talk == PUBLIC
        assert it.composer.text == ""
        await it.opens()
        assert it.composer.text == text


# --- rubbish -------------------------------------------------------------------------------------


def test_all_is_looked_through_while_nobody_is_there_and_not_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = 1_000.0
    monkeypatch.setattr(rubbish, "clock_s", lambda: now_s)
    looked: list[float] = []
    it = Rubbish(lambda: looked.append(now_s))
    it.look(NOBODY_S)
    now_s += PAUSE_S
    it.look(NOBODY_S - 1)
    assert looked == []
    it.look(NOBODY_S)
    it.look(NOBODY_S)
    now_s += PAUSE_S
    it.look(NOBODY_S)
    assert looked == [1_000.0 + PAUSE_S, 1_000.0 + 2 * PAUSE_S]
