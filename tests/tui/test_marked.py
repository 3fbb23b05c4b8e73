"""Which message is marked among the messages: one that can be seen, and the one that is meant."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from socp.tui.emoji_screen import EmojiScreen
from socp.tui.row_view import RowView
from socp.wire.content import Reaction
from tests.tui.stage import Stage, stage
from tests.tui.test_mouse import marked, points
from tests.tui.test_order import at_once
from tests.tui.test_window import filled


def in_sight(it: Stage) -> list[str]:
    blocks = map(it.messages.block_at, range(*it.messages.sight))
    return [block.key for block in blocks if block is not None and block.key]


async def test_who_has_answered_comes_to_the_last_message_next(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.said_by_bob("shall we?")
        await it.pilot.press("escape", "r", "y", "e", "s", "enter")
        await it.until(lambda: it.ends_with("yes"))
        await it.pilot.press("escape")
        assert marked(it).text == "yes"
        await it.pilot.press("e")
        await it.until(lambda: it.composer.text == "yes")


async def test_the_mark_stays_while_one_has_not_answered(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.said_by_bob("the first")
        await it.said_by_bob("the second")
        await it.pilot.press("escape", "up", "r", "escape", "escape")
        assert it.messages.has_focus
        assert marked(it).text == "the first"


async def test_who_looked_further_up_chooses_there(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(100)) as it:
        await it.opens()
        await it.pilot.press("pageup")
        seen = in_sight(it)
        assert str(it.last.number) not in seen
        await it.pilot.press("escape")
        assert in_sight(it) == seen
        assert it.messages.at == seen[-1]


async def test_the_mark_goes_along_page_by_page(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(100)) as it:
        await it.opens()
        await it.pilot.press("escape")
        for key in ("pageup", "pageup", "pagedown", "pagedown"):
            was = in_sight(it)
            await it.pilot.press(key)
            assert in_sight(it) != was
            assert it.messages.at in in_sight(it)
        assert it.messages.at_end


async def test_a_click_marks_what_is_under_it_also_further_up(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(100)) as it:
        await it.opens()
        await it.pilot.press("pageup", "pageup")
        seen = in_sight(it)
        line = it.session.window.line(int(seen[3]))
        assert line is not None
        await points(it, it.messages, line.text)
        assert marked(it).text == line.text
        assert in_sight(it) == seen


async def test_what_is_typed_ahead_of_a_key_that_could_not_be_obeyed_does_nothing(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        for key in ("e", "d"):
            await it.said_by_bob(f"behind {key}")
            it.messages.focus()
            await it.pilot.press("end")
            at_once(it, key, *" a word", "enter")
            await it.sees("nothing of yours" if key == "e" else "only who said it")
            await it.pilot.settled()
            assert it.app.screen is it.talk
            assert it.messages.has_focus
            assert not it.last.reactions
            await it.pilot.press("i")
        at_once(it, *"and on")
        await it.until(lambda: it.composer.text == "and on")


async def test_a_sentence_is_no_emoji(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        theirs = await it.said_by_bob("hello?")
        at_once(it, "escape", *"are you there?", "enter")
        await it.until(lambda: isinstance(it.app.screen, EmojiScreen))
        await it.until(lambda: "no emoji" in it.app.screen.query_one(RowView).text())
        field = it.app.screen.query_one(Input)
        assert field.value == "re you there?"
        field.value = "🫠"
        await it.pilot.settled()
        await it.pilot.press("enter")
        await it.bob_reads(Reaction(of=theirs, emoji="🫠"))
