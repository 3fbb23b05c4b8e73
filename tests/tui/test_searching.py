"""Search in all that was ever said: what stands now is found, where it stands."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from socp.client.errors import ProfileUnusable
from socp.tui.row_view import RowView
from socp.tui.search_screen import SearchScreen
from socp.wire.content import Delete, Edit
from tests.tui.stage import Stage, stage
from tests.tui.test_order import at_once
from tests.tui.test_window import filled


async def looks_for(it: Stage, words: str, count: str) -> str:
    """Open the search and type; what is shown."""
    await it.begins_again()
    await it.enters(f"/search {words}")
    await it.until(lambda: isinstance(it.app.screen, SearchScreen))
    await it.until(lambda: count in it.read("#count"), f"{count} for {words}")
    return it.app.screen.query_one(RowView).text()


async def test_what_was_changed_is_found_by_its_new_words_and_what_was_taken_back_is_not(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        changed = await it.said_by_bob("the old harbour")
        gone = await it.said_by_bob("the other harbour")
        assert "the old harbour" in await looks_for(it, "harbour", "2 found")
        await it.bob_says(Edit(of=changed, body="the new bridge"))
        await it.bob_says(Delete(of=gone))
        await it.until(lambda: "taken back" in it.shown())
        assert "the new bridge" in await looks_for(it, "bridge", "1 found")
        assert "the other" not in await looks_for(it, "other", "nothing has all these words")
        assert "harbour" not in await looks_for(it, "the", "1 found")


async def test_who_presses_enter_before_it_is_found_gets_what_was_looked_for(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path, before=filled(1_000)) as it:
        at_once(it, "ctrl+f", *"line")
        await it.until(lambda: isinstance(it.app.screen, SearchScreen))
        await it.until(lambda: "100 or more found" in it.read("#count"))
        at_once(it, *" 123", "enter")
        await it.until(lambda: it.app.screen is it.talk)
        await it.until(lambda: it.messages.line and it.messages.line.text == "line 123")
        assert it.messages.row_of(it.messages.at) is not None
        top = it.messages.scroll_offset.y
        row = it.messages.row_of(it.messages.at) or 0
        assert top <= row < top + it.messages.size.height  # in sight


@pytest.mark.parametrize("words", ["nosuchword", "\\", "%_'\"", "[@click=app.quit]", "x" * 3_000])
async def test_words_that_nobody_said_are_not_found(tmp_path: Path, words: str) -> None:
    async with stage(tmp_path, before=filled(3)) as it:
        await looks_for(it, words, "nothing has all these words")
        await it.pilot.press("enter")
        assert isinstance(it.app.screen, SearchScreen)


async def test_the_words_stand_out_where_they_are_though_signs_grow_when_they_are_folded(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.said_by_bob("ßßß İİİ and then the harbour of ours")
        await looks_for(it, "HARBOUR", "1 found")
        view = it.app.screen.query_one(RowView)
        found = [piece.text for row in view._rows for piece in row if piece.style == "found"]
        assert found == ["harbour"]


async def test_a_history_that_cannot_be_read_is_said_where_one_searches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def closed(*_: object, **__: object) -> list[object]:
        raise ProfileUnusable("alice is sealed anew; open it again to look back")

    async with stage(tmp_path, before=filled(3)) as it:
        await it.opens()
        monkeypatch.setattr(it.session.me, "search", closed)
        await it.enters("/search line")
        await it.until(lambda: isinstance(it.app.screen, SearchScreen))
        await it.until(lambda: "alice is sealed anew" in it.read("#count"))


async def test_a_search_that_nobody_waits_for_any_more_ends_with_its_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def slow(*_: object, **__: object) -> list[object]:
        asked.set()
        await asyncio.Event().wait()
        return []

    async with stage(tmp_path) as it:
        monkeypatch.setattr(it.session.me, "search", slow)
        await it.enters("/search line")
        await it.until(asked.is_set)
        screen = it.app.screen
        working = [each for each in it.app.workers if each.node is screen]
        assert working
        await it.pilot.press("escape")
        assert all(each.is_cancelled for each in working)
        assert it.app.screen is it.talk
