"""The mouse does everywhere what one expects of it, and nothing that one does not."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from textual.events import MouseScrollUp
from textual.widget import Widget
from textual.widgets import Button

from socp.member.effects import GapFound
from socp.member.history_line import HistoryLine
from socp.member.records import TrustState
from socp.tui.changed_key import ChangedKey
from socp.tui.conversations import ConversationList
from socp.tui.jump_screen import JumpScreen
from socp.tui.people import PeopleList
from socp.tui.row_view import RowView
from socp.tui.search_screen import SearchScreen
from socp.tui.verify_screen import VerifyScreen
from socp.wire.text import columns
from tests.tui.stage import Stage, stage
from tests.tui.test_changed_key import changes
from tests.tui.test_window import filled


def place(view: RowView, text: str) -> tuple[int, int]:
    """Where a text stands in what can be seen of a list: its column and row. LookupError."""
    for at, row in enumerate(view.text().split("\n")):
        if text in row:
            return columns(row[: row.index(text)]), at - view.scroll_offset.y
    raise LookupError(text)


async def points(
    it: Stage, view: RowView, text: str, *, times: int = 1, ctrl: bool = False
) -> None:
    """Click on a text in it."""
    await it.pilot.click(view, lambda: place(view, text), times=times, ctrl=ctrl)


async def clicks_key(it: Stage, name: str) -> None:
    """On its name in the last row."""

    def there() -> tuple[int, int]:
        words = it.read("KeysLine")
        if name not in words:
            raise LookupError(name)
        return words.index(name) + 1, 0

    await it.pilot.click("KeysLine", there)


async def drags(it: Stage, view: RowView, begin: str, end: str) -> None:
    """Select from the beginning of one text to the end of another."""

    def last() -> tuple[int, int]:
        x, y = place(view, end)
        return x + len(end) - 1, y

    await it.pilot.drag(view, lambda: place(view, begin), last)


async def test_a_click_turns_to_a_talk_and_to_a_person(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(1)) as it:
        await points(it, it.talk.query_one(ConversationList), "bob")
        await it.until(lambda: it.session.turned_to == it.bob.id)
        assert it.composer.has_focus
        await points(it, it.talk.query_one(ConversationList), "everyone")
        await it.until(lambda: it.session.turned_to == "public")
        await points(it, it.talk.query_one(PeopleList), "○ bob")
        await it.until(lambda: it.session.turned_to == it.bob.id)
        assert it.composer.has_focus
        await points(it, it.talk.query_one(PeopleList), "away")  # a head is nobody
        assert it.session.turned_to == it.bob.id


async def test_a_click_marks_a_message_whose_keys_can_be_clicked(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.said_by_bob("the first one")
        await it.said_by_bob("the second one")
        await points(it, it.messages, "the first one")
        assert marked(it).text == "the first one"
        await clicks_key(it, "copy")
        await it.until(lambda: it.app.clipboard == "the first one")
        await clicks_key(it, "answer")
        await it.until(lambda: 'answering bob "the first one"' in it.read("AboutLine"))
        assert it.composer.has_focus


def marked(it: Stage) -> HistoryLine:
    assert it.messages.line is not None
    return it.messages.line


async def test_a_click_opens_nothing_and_ctrl_opens_the_link_under_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(click, "launch", opened.append)
    async with stage(tmp_path) as it:
        await it.opens()
        await it.said_by_bob("see https://x.org/a and https://x.org/b")
        await points(it, it.messages, "https://x.org/b")
        assert marked(it).text.startswith("see")
        await points(it, it.messages, "see", ctrl=True)
        await points(it, it.messages, "https://x.org/b", ctrl=True)
        await it.until(lambda: opened)
        assert opened == ["https://x.org/b"]


async def test_a_file_is_broken_off_by_a_click_and_its_folder_is_opened_by_the_key_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(click, "launch", opened.append)
    async with stage(tmp_path) as it:
        await it.opens()
        await it.file_waits()
        await points(it, it.messages, "long.bin", times=2)
        await points(it, it.messages, "long.bin", ctrl=True)
        await it.until(lambda: "open" in it.read("KeysLine"))
        await clicks_key(it, "open")
        await it.sees("press the key to open the folder")
        assert not opened
        await points(it, it.messages, "long.bin")
        await it.pilot.press("o")
        await it.until(lambda: opened == [str(it.session.me.downloads)])
        await clicks_key(it, "break")
        await it.sees("you stopped it")


async def test_two_clicks_unfold_a_long_paste_and_fold_it_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.bob_says("\n".join(f"row {number}" for number in range(20)))
        await it.sees("Enter unfolds")
        await points(it, it.messages, "row 3", times=2)
        await it.sees("row 19")
        await points(it, it.messages, "row 13", times=2)
        await it.until(lambda: "row 19" not in it.shown())


async def test_a_line_that_nobody_said_cannot_be_marked(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.said_by_bob("one")
        before = it.last.ts
        await it.said_by_bob("two")
        gap = GapFound(it.bob.id, it.bob.id, 2, before, it.last.ts, asked=True)
        it.session._heard(gap)
        await points(it, it.messages, "two")
        marked = it.messages.at
        assert marked == str(it.last.number)
        for text in ("today", "⋯ 2 messages"):
            await points(it, it.messages, text)
            assert it.messages.at == marked


async def test_the_wheel_goes_back_through_all_that_was_said(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(350)) as it:
        await it.opens()
        await it.until(lambda: it.messages.at_end)
        for _ in range(600):
            if "line 1\n" in it.shown() or it.session.window.lines[0].text == "line 1":
                break
            it.messages.post_message(wheel_up(it.messages))
            await it.pilot.settled()
        assert it.session.window.lines[0].text == "line 1"
        assert not it.messages.at_end


def wheel_up(view: Widget) -> MouseScrollUp:
    return MouseScrollUp(view, 1, 1, 0, -1, 0, False, False, False)


# --- selecting and copying -----------------------------------------------------------------------


async def test_what_is_selected_is_copied_as_it_was_said(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.said_by_bob("日本 is far")
        await it.said_by_bob(
            "a [b]word[/b] that is not short, " + "and goes on " * 12 + "to its end"
        )
        await it.said_by_me("first line\nsecond line")
        await drags(it, it.messages, "is far", "second")
        await it.until(lambda: it.composer.has_focus)  # what is typed next is a message
        await it.pilot.press("ctrl+c")
        assert it.app.clipboard.split("\n") == [
            "is far",
            "a [b]word[/b] that is not short, " + "and goes on " * 12 + "to its end",
            "first line",
            "second",
        ]
        await it.types("x")
        assert it.composer.text == "x"


async def test_one_word_can_be_copied_and_is_shown_where_it_stands(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.said_by_bob("日本 hello there")
        await drags(it, it.messages, "hello", "hello")
        selected = it.app.screen.get_component_rich_style("screen--selection").bgcolor
        _, y = place(it.messages, "hello")
        strip = it.messages.render_line(y)
        shown = "".join(s.text for s in strip if s.style and s.style.bgcolor == selected)
        assert shown == "hello"
        await it.pilot.press("ctrl+c")
        assert it.app.clipboard == "hello"


async def test_answers_to_commands_can_be_copied(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.enters("/whois bob")
        await drags(it, it.messages, it.bob.id, it.bob.id)
        await it.pilot.press("ctrl+c")
        assert it.app.clipboard == it.bob.id


@pytest.mark.threat("I8")
async def test_what_is_copied_does_not_act_where_it_is_pasted(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.bob_says("\tcd /\x1b[201~\nrm -rf x\r\n\x9b31m\u202eend")
        await it.sees("rm -rf x")
        written: list[str] = []
        assert it.app._driver is not None
        it.app._driver.write = written.append  # type: ignore[method-assign, assignment]
        await it.pilot.press("escape", "end", "c")
        assert it.app.clipboard == "\tcd /␛[201~\nrm -rf x\n\\u009b31m\\u202eend"
        assert any(each.startswith("\x1b]52;c;") for each in written)
        await drags(it, it.messages, "cd /", "end")
        await it.pilot.press("ctrl+c")
        assert "\x1b" not in it.app.clipboard
        assert "\u202e" not in it.app.clipboard


# --- screens -------------------------------------------------------------------------------------


async def test_lists_and_buttons_of_screens_are_clicked(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(3)) as it:
        await clicks_key(it, "jump")
        await it.until(lambda: isinstance(it.app.screen, JumpScreen))
        await points(it, it.app.screen.query_one(RowView), "bob")
        await it.until(lambda: it.session.turned_to == it.bob.id)
        await it.until(lambda: it.app.screen is it.talk)
        await clicks_key(it, "find")
        await it.until(lambda: isinstance(it.app.screen, SearchScreen))
        await it.types("line")
        await points(it, it.app.screen.query_one(RowView), "line 2")
        await it.until(lambda: it.messages.line is not None)
        assert marked(it).text == "line 2"
        await it.pilot.press("escape", "f3")
        await it.until(lambda: isinstance(it.app.screen, VerifyScreen))
        await it.until(lambda: it.read("#number"))
        await it.pilot.click("#close")
        await it.until(lambda: it.app.screen is it.talk)


async def test_a_changed_key_is_decided_with_the_mouse(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await changes(it)
        await it.until(lambda: it.talk.query_one(ChangedKey).display)
        await it.pilot.click("#compare")
        await it.until(lambda: isinstance(it.app.screen, VerifyScreen))
        await it.until(lambda: it.app.screen.query_one("#keep", Button).display)
        await it.pilot.press("escape")
        await it.pilot.click("#keep")
        await it.until(lambda: it.session.state_of(it.bob.id) is TrustState.UNVERIFIED)
