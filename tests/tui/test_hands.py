"""The hands of the other tests miss nothing, however late the screen is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from socp.tui.changed_key import ChangedKey
from socp.tui.jump_screen import JumpScreen
from socp.tui.verify_screen import VerifyScreen
from tests.tui import hands
from tests.tui.stage import stage

LATE_S = 0.2


async def test_what_is_not_there_yet_is_waited_for_and_then_clicked(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        banner, loop = it.talk.query_one(ChangedKey), asyncio.get_running_loop()
        assert not banner.display
        loop.call_later(LATE_S, banner.tell, it.bob.id, "bob")
        await it.pilot.click("#compare")
        assert isinstance(it.app.screen, VerifyScreen)


async def test_what_lies_under_something_else_is_not_clicked_through_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path) as it:
        it.talk.query_one(ChangedKey).tell(it.bob.id, "bob")
        await it.pilot.press("ctrl+k")
        assert isinstance(it.app.screen, JumpScreen)
        monkeypatch.setattr(hands, "PATIENCE_S", LATE_S)
        with pytest.raises(AssertionError, match="never to be pressed"):
            await it.pilot.click("#compare")
        with pytest.raises(AssertionError, match="never to be pressed"):
            await it.pilot.click("Input", (500, 0))


async def test_a_key_finds_what_the_one_before_has_opened(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.pilot.press("ctrl+k", "x", "escape", "y", "f3")
        assert it.app.screen is it.talk  # everyone has no key that could be compared
        assert it.composer.text == "y"
