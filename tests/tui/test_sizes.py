"""From 40 columns to 200: parts fold away, and nothing that stays is cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from socp.tui.conversations import ConversationList
from socp.tui.people import PeopleList
from socp.tui.too_small import TINY_COLUMNS, TINY_ROWS, TooSmall
from tests.tui import group
from tests.tui.pictures import PICTURES, taken
from tests.tui.stage import stage

SIZES = ((40, 12), (60, 20), (80, 24), (120, 36), (200, 60))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_what_one_types_and_who_is_here_fit(tmp_path: Path, size: tuple[int, int]) -> None:
    async with stage(tmp_path, size=size, before=group.has_talked, name="Bob") as it:
        await it.opens("Bob")
        await it.sees("harbour?")
        columns, rows = size
        assert it.composer.region.bottom == rows - 1
        assert it.composer.region.right <= columns
        assert it.messages.size.height >= 5
        assert it.messages.size.width >= min(columns, 52)
        assert it.talk.query_one(ConversationList).size.width == (
            0 if columns < 64 else 25 if columns < 110 else 31 if columns < 160 else 41
        )
        assert it.talk.query_one(PeopleList).display is (columns >= 110)
        assert not it.talk.query_one(TooSmall).display


async def test_what_is_too_small_says_so_and_nothing_is_lost(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as it:
        await it.opens()
        await it.types("half a sen")
        await it.pilot.resize_terminal(TINY_COLUMNS - 1, TINY_ROWS)
        await it.until(lambda: it.talk.query_one(TooSmall).display)
        assert "too small" in it.read("TooSmall")
        await it.types("tence")
        await it.pilot.resize_terminal(80, 24)
        await it.until(lambda: not it.talk.query_one(TooSmall).display)
        assert it.composer.text == "half a sentence"
        assert it.composer.has_focus


@pytest.mark.parametrize("size", SIZES[:3], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_digits_are_read_at_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    """With the code beside them where both are whole."""
    async with stage(tmp_path, size=size) as it:
        await it.opens()
        await it.pilot.press("f3")
        await it.until(lambda: it.app.screen.query("#number") and it.read("#number"))
        number = it.app.screen.query_one("#number")
        assert number.size.width >= 35  # six groups of five, and what is between them
        whole = it.app.screen.query_one("#words").region
        assert whole.right <= size[0]
        code = it.app.screen.query_one("#code")
        assert code.display is (size[0] >= 80)
        if code.display:
            assert code.region.bottom < size[1]
            assert code.region.right < whole.x + 1


async def test_the_place_one_reads_is_kept_while_the_window_changes(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24), before=group.has_talked, name="Bob") as it:
        await it.opens("Bob")
        await it.sees("harbour?")
        it.messages.scroll_to(y=8, animate=False)
        await it.pilot.settled()
        first = it.messages.scroll_offset.y
        blocks = (it.messages.block_at(row) for row in range(first, first + 10))
        top = next(block.key for block in blocks if block and block.key)
        for columns, rows in ((120, 36), (60, 20), (80, 24)):
            await it.pilot.resize_terminal(columns, rows)
            in_sight = range(it.messages.scroll_offset.y, it.messages.scroll_offset.y + rows)
            assert it.messages.row_of(top) in in_sight


def test_there_are_eight_screens_in_three_sizes() -> None:
    assert len(PICTURES) == 24
    assert len({picture.name for picture in PICTURES}) == 8


async def test_a_picture_is_the_same_each_time() -> None:
    picture = next(each for each in PICTURES if each.file == "verify-80x24.svg")
    assert await taken(picture) == await taken(picture)
