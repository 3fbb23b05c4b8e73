"""The screens that lie over the talk, and what is done with files, links and long texts."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest
from textual.content import Content
from textual.events import Key, Paste
from textual.widgets import Input, OptionList

from socp.client.errors import ClientClosed
from socp.member.effects import FileFailed, FileOffered, FileProgress, FileWaits, Trust
from socp.member.history_line import HistoryLine
from socp.tui import keys
from socp.tui.choices_file import Choices
from socp.tui.help_screen import HelpScreen, HelpView
from socp.tui.jump_screen import JumpScreen
from socp.tui.people import PeopleList
from socp.tui.row_view import RowView
from socp.tui.rows import links_of
from socp.tui.search_screen import SearchScreen
from tests.client.mailbox_server import Absent
from tests.tui.stage import Stage, stage
from tests.tui.test_window import filled

FILE_ID = "44444444-4444-4444-8444-444444444444"


def found(it: Stage) -> str:
    """What a list on the uppermost screen shows."""
    return it.app.screen.query_one(RowView).text()


async def test_one_jumps_to_a_talk_by_part_of_a_name(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(1)) as it:
        await it.pilot.press("ctrl+k")
        await it.until(lambda: isinstance(it.app.screen, JumpScreen))
        await it.types("ob")
        await it.until(lambda: "bob" in found(it) and "everyone" not in found(it))
        await it.pilot.press("enter")
        await it.until(lambda: it.session.turned_to == it.bob.id)
        await it.pilot.press("ctrl+k")
        await it.types("every")
        await it.until(lambda: "everyone" in found(it) and "bob" not in found(it))
        await it.pilot.press("enter")
        await it.until(lambda: it.session.turned_to == "public")


async def test_what_is_typed_before_a_screen_is_there_is_not_lost(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        for name in ("ctrl+k", "b", "o", "b", "enter"):
            it.app.post_message(Key(name, name if len(name) == 1 else None))
        await it.until(lambda: it.session.turned_to == it.bob.id)
        assert it.composer.text == ""


async def test_of_a_thousand_who_are_here_one_is_found_by_the_words_of_their_name(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as it:
        ids = [str(uuid.UUID(int=number, version=4)) for number in range(1_000)]
        for number, user_id in enumerate(ids):
            await Absent(it.server, it.bob.key, f"Ann {number:03} Lee", user_id).comes(it.link)
        await it.until(lambda: len(it.session.here) == 1_000)
        people = it.talk.query_one(PeopleList)
        await it.until(lambda: "… 700 more, by jump" in people.text())
        assert " Ann 000 Lee" in people.text().split("\n")[1]
        await it.pilot.press("ctrl+k", *"lee", "space", *"77")
        await it.until(lambda: found(it).count("\n") == 18)
        assert found(it).split("\n")[0] == "● Ann 077 Lee"
        await it.pilot.press("down", "enter")
        await it.until(lambda: it.session.turned_to == ids[177])


async def test_somebody_who_is_away_and_never_spoke_is_found_by_their_name(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.pilot.press("ctrl+k")
        await it.types("bob")
        await it.until(lambda: "○ bob" in found(it))
        await it.types("x")
        await it.until(lambda: "nobody is called that" in found(it))
        await it.pilot.press("escape")
        await it.until(lambda: it.app.screen is it.talk)


async def test_a_hit_of_a_search_is_shown_in_its_place(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(2_000)) as it:
        await it.pilot.press("ctrl+f")
        await it.until(lambda: isinstance(it.app.screen, SearchScreen))
        await it.types("line 1555")
        await it.until(lambda: "line 1555" in found(it))
        await it.until(lambda: "1 found" in it.read("#count"))
        await it.pilot.press("enter")
        await it.sees("line 1555")
        await it.until(lambda: it.messages.line is not None)
        assert it.messages.line is not None
        assert it.messages.line.text == "line 1555"
        assert "line 1556" in it.shown()
        assert "line 2000" not in it.shown()
        await it.pilot.press("end")
        await it.sees("line 2000")


async def test_a_search_for_nothing_says_so(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.says("/search nosuchword")
        await it.until(lambda: isinstance(it.app.screen, SearchScreen))
        await it.until(lambda: "nothing has all these words" in it.read("#count"))
        await it.pilot.press("enter")
        assert isinstance(it.app.screen, SearchScreen)
        await it.pilot.press("escape")
        await it.until(lambda: it.app.screen is it.talk)


async def test_help_says_every_key_and_every_command_and_ones_own_keys(tmp_path: Path) -> None:
    mine = Choices(notify="off", keys={"jump": "ctrl+o", "send": "alt+s"})
    async with stage(tmp_path, choices=mine) as it:
        await it.pilot.press("f1")
        await it.until(lambda: isinstance(it.app.screen, HelpScreen))
        page = it.app.screen.query_one(HelpView)
        await it.until(lambda: page.text())
        for each in (key for where in keys.TABLE.values() for key in where):
            assert each.purpose.split()[0] in page.text()
        assert "Ctrl-O" in page.text()
        assert "Ctrl-K" not in page.text()
        assert "/rotate-key yes" in page.text()
        await it.pilot.press("escape")
        await it.until(lambda: it.app.screen is it.talk)
        await it.pilot.press("ctrl+o")
        await it.until(lambda: isinstance(it.app.screen, JumpScreen))
        await it.pilot.press("escape")
        await it.opens()
        await it.types("hi")
        await it.pilot.press("enter")
        assert it.composer.text == "hi\n"
        await it.pilot.press("alt+s")
        await it.sees("▎ hi")


async def test_any_command_is_found_in_the_palette(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        titles = [each.title for each in it.talk.app.get_system_commands(it.app.screen)]
        offered = {Content.from_markup(title).plain for title in titles}
        assert {"Jump to a talk", "Search", "/whois NAME", "/history [NAME|all] [lines]"} <= offered
        await it.pilot.press("ctrl+p")
        await it.until(lambda: it.app.screen is not it.talk)
        await it.types("whois")
        found = it.app.screen.query_one(OptionList)
        await it.until(lambda: found.option_count == 1 and found.highlighted == 0)
        assert "/whois NAME" in str(found.get_option_at_index(0).prompt)
        await it.pilot.press("enter")
        await it.until(lambda: it.composer.text == "/whois ")


async def test_themes_go_round(tmp_path: Path) -> None:
    async with stage(tmp_path, choices=Choices("light", "off")) as it:
        seen = [it.app.theme]
        for _ in range(3):
            await it.pilot.press("f8")
            seen.append(it.app.theme)
        assert seen == ["socp-light", "socp-high-contrast", "socp-dark", "socp-light"]


async def test_without_colour_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with stage(tmp_path) as it:
        await it.opens()
        await it.bob_says("see https://example.org")
        await it.sees("https://")
        drawn = it.app.export_screenshot()
        colours = {c.lower() for c in re.findall(r"fill: (#[0-9a-fA-F]{6})", drawn)}
        assert colours <= {"#c5c8c6", "#292929", "#868887"}  # those of the picture itself, and dim


async def test_a_terminal_of_few_colours_shows_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLORTERM")
    async with stage(tmp_path) as it:
        assert it.app.theme == "socp-terminal"
        await it.opens()
        await it.bob_says("hello")
        await it.sees("hello")
        await it.pilot.press("escape")
        await it.until(lambda: it.messages.at)
        row = it.messages.row_of(it.messages.at)
        assert row is not None
        strip = it.messages.render_line(row - it.messages.scroll_offset.y)
        assert all(part.style and part.style.reverse for part in strip)


async def test_a_long_text_is_folded_and_unfolds(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.bob_says("\n".join(f"row {number}" for number in range(60)))
        await it.sees("Enter unfolds")
        assert "row 7" in it.shown()
        assert "row 30" not in it.shown()
        await it.pilot.press("escape", "enter")
        await it.sees("row 59")
        await it.pilot.press("enter")
        await it.until(lambda: "row 59" not in it.shown())


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://example.org/a?b=c#d.", ["https://example.org/a?b=c#d"]),
        ("(http://x.org) and https://y.org, z", ["http://x.org", "https://y.org"]),
        ("file:///etc/passwd javascript:alert(1) ftp://x", []),
        ("https://x.org\x1b]8;;evil", ["https://x.org"]),
        ("https://x.org/\u202egnp", ["https://x.org/"]),
    ],
)
def test_only_plain_web_addresses_are_links(text: str, links: list[str]) -> None:
    assert links_of(text) == links


async def test_a_link_is_one_for_the_terminal(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.bob_says("see https://example.org/" + "long/" * 30)
        await it.sees("https://")
        height = it.messages.size.height
        segments = [s for y in range(height) for s in it.messages.render_line(y)]
        linked = {s.style.link for s in segments if s.style and s.style.link}
        assert linked == {"https://example.org/" + "long/" * 30}


async def test_a_file_is_a_row_with_its_progress_and_can_be_broken_off(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        (tmp_path / "plan.pdf").write_bytes(bytes(3_000_000))
        await it.pilot.press("f4")
        assert it.composer.text == "/file bob "
        it.composer.insert(str(tmp_path / "pl"))
        await it.pilot.press("tab")
        assert it.composer.text.endswith("/plan.pdf")
        await it.pilot.press("enter")
        await it.sees("▤ plan.pdf")
        file_id = it.session.window.lines[-1].file_id
        it.session._heard(FileProgress(file_id, it.bob.id, "plan.pdf", 1_500_000, 3_000_000, True))
        await it.sees("50% of 2.9 MiB")
        await it.pilot.press("escape", "end", "x")
        await it.until(lambda: it.session.transfers.at(file_id) is None)
        await it.until(lambda: "50% of" not in it.shown())


async def test_what_is_told_of_a_file_stands_with_it_whatever_is_said_since(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.file_waits()
        await it.until(lambda: "you: long.bin" in it.talks())
        file_id = it.last.file_id
        await it.pilot.press("escape", "end", "r")
        await it.sees("a file cannot be answered")
        await it.pilot.press("i")
        await it.said_by_me("and since then")
        of = (file_id, it.bob.id, "long.bin")
        it.session._heard(FileWaits(*of, 0, 3_000_000, sending=True, reason="full"))
        await it.sees("full")
        it.session._heard(FileFailed(*of, sending=True, reason="broken off"))
        await it.sees("not sent to bob")
        await it.until(lambda: "you: and since then" in it.talks())
        shown = it.shown()
        assert "full" not in shown
        assert shown.index("▤ long.bin") < shown.index("not sent to bob")
        assert shown.index("not sent to bob") < shown.index("and since then")


async def test_ctrl_c_says_how_one_leaves_from_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    async with stage(tmp_path, choices=Choices(notify="off", keys={"quit": "ctrl+x"})) as it:
        monkeypatch.setattr(it.app, "notify", lambda said, **_: told.append(said))
        await it.pilot.press("ctrl+c")
        await it.until(lambda: told == ["Ctrl-X leaves"])
        await it.pilot.press("ctrl+k", "ctrl+c")
        await it.until(lambda: told[1:] == ["Esc closes this, Ctrl-X leaves"])


async def test_a_key_for_what_is_unread_is_shown_while_something_is(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as it:
        assert "F5" not in it.read("KeysLine")
        await it.bob_says("hello")
        await it.until(lambda: it.read("KeysLine").startswith("F1 help  F5 unread  Ctrl-K jump"))
        assert "Ctrl-Q quit" in it.read("KeysLine")  # there is room for all
        await it.pilot.press("f5")
        await it.until(lambda: "F5" not in it.read("KeysLine"))


async def test_the_last_row_says_where_escape_leads(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as it:
        await it.opens()
        await it.said_by_bob("hello")
        row = "F1 help  Ctrl-K jump  Ctrl-F find  Ctrl-P commands  Ctrl-Q quit  Esc messages"
        await it.until(lambda: it.read("KeysLine").strip() == row)
        await it.pilot.press("escape")
        await it.until(lambda: "r answer" in it.read("KeysLine"))
        await it.pilot.press("r")
        await it.until(lambda: it.composer.has_focus)
        assert "Esc" not in it.read("KeysLine")  # it stops answering, as is said above
        assert "Esc stops" in it.read("AboutLine")
        await it.pilot.press("escape")
        await it.until(lambda: "Esc messages" in it.read("KeysLine"))


async def test_who_reads_on_while_one_leaves_breaks_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        session, ended = it.session, []

        async def shut(*_: object, **__: object) -> list[HistoryLine]:
            session.leave()
            ended.append(True)
            raise ClientClosed("the folder is closed; open it again to look back")

        session.me.history = shut  # type: ignore[method-assign]
        session.turn_to(it.bob.id)
        await it.until(lambda: it.app.return_value is not None)
        assert ended
        assert it.app.return_value == 0
        assert it.app.fault == ""


async def test_a_file_that_comes_is_in_the_list(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        offered = FileOffered(FILE_ID, it.bob.id, "[b]x[/b].txt", 10, False, Trust.PINNED)
        it.session._heard(offered)
        await it.until(lambda: "[b]x[/b].txt" in it.talks())


async def test_a_file_dropped_on_the_window_is_one_to_be_sent(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        (tmp_path / "a plan.pdf").write_bytes(b"x")
        it.app.post_message(Paste(f"'{tmp_path}/a plan.pdf' "))
        await it.until(lambda: it.composer.text == f"/file bob {tmp_path}/a plan.pdf")
        it.composer.text = ""
        it.app.post_message(Paste("/etc is a folder\nand more"))
        await it.until(lambda: it.composer.text == "/etc is a folder\nand more")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_all_screens_open_and_close_at_every_size(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with stage(tmp_path, size=size) as it:
        await it.opens()
        await it.bob_says("hello")
        await it.sees("hello")
        for key in ("f1", "f3", "ctrl+f", "ctrl+k"):
            await it.pilot.press(key)
            await it.until(lambda: it.app.screen is not it.talk)
            await it.pilot.settled()
            for each in it.app.screen.query(Input):
                assert it.app.screen.region.contains_region(each.region)
            await it.pilot.press("escape")
            await it.until(lambda: it.app.screen is it.talk)
        assert it.talk.region.contains_region(it.composer.region)
        assert it.composer.size.width > 20
