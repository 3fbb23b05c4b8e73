"""The screen one lives in, driven by its keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Key
from textual.widgets import Static

from socp.tui.link_line import LinkLine
from socp.tui.offers_line import OffersLine
from socp.tui.people import PeopleList
from socp.tui.take_back_screen import TakeBackScreen
from socp.wire.content import Delete, Edit, Place, Reaction, Receipt, Text, encode
from tests.client.v13_server import now_ms
from tests.tui.stage import THEIR_RUN, stage


async def test_what_one_types_is_said_and_shown_with_how_far_it_came(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.says("hello bob")
        await it.sees("hello bob")
        await it.bob_reads(Text(body="hello bob"))
        await it.sees(" ✓")
        assert it.composer.text == ""
        ref = it.session.window.lines[-1].msg_ref
        await it.bob_says(Receipt(of=(ref,), state="read"))
        await it.sees(" read")


async def test_what_comes_is_shown_changed_and_taken_back(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        first = await it.bob_says("see you at ten")
        await it.sees("see you at ten")
        await it.bob_says(Edit(of=first, body="see you at nine"))
        await it.sees("see you at nine")
        assert "see you at ten" not in it.shown()
        await it.sees("changed at")
        await it.bob_says(Delete(of=first))
        await it.sees("taken back")
        assert "see you" not in it.shown()


async def test_an_answer_stands_with_what_it_answers_and_a_reaction_with_who(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.says("and you?")
        await it.sees("and you?")
        await it.until(lambda: it.session.window.lines[-1].msg_ref)
        mine = it.session.window.lines[-1].msg_ref
        await it.bob_says(Text(body="fine", reply_to=mine))
        await it.sees('↪ your "and you?"')
        await it.bob_says(Reaction(of=mine, emoji="👍"))
        await it.sees("👍 bob")


async def test_a_gap_is_a_line_of_its_own_until_it_closes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socp.member.gaps.GRACE_MS", 200)
    async with stage(tmp_path) as it:
        await it.opens()
        await it.bob_says("one")
        held = Text(body="two"), Place(THEIR_RUN, 2, "")
        it.seq += 1
        await it.bob_says("three")
        await it.sees("⋯ a message of bob")
        at = it.shown()
        assert at.index("one") < at.index("⋯") < at.index("three")
        it.bob.wrote(it.link, encode(*held), now_ms())
        ref = list(it.server.mail)[-1]
        payload, ts = it.server.mail[ref]
        await it.link.say("USER_DELIVER", payload, ts=ts)
        await it.sees("two")
        await it.until(lambda: "⋯" not in it.shown())


@pytest.mark.threat("I8")
async def test_nothing_of_what_others_write_is_markup_or_control(tmp_path: Path) -> None:
    async with stage(tmp_path, name="[red]bob[/]\x1b[31m") as it:
        it.session.turn_to(it.bob.id)
        await it.bob_says("[bold]loud[/bold] \x1b]0;title\x07 \u202eback")
        await it.sees("[bold]loud[/bold] ␛]0;title␇ \\u202eback")
        await it.until(lambda: "[red]bob" in it.talks())
        drawn = it.app.export_screenshot()
        assert "\x1b" not in drawn
        assert "\u202e" not in drawn


async def test_one_answers_and_changes_with_the_keys_of_a_message(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        theirs = await it.bob_says("shall we?")
        await it.sees("shall we?")
        await it.pilot.press("escape", "r")
        await it.until(lambda: it.composer.has_focus)
        assert 'answering bob "shall we?"' in it.read("AboutLine")
        await it.says("yes")
        await it.sees("↪ bob's")
        await it.bob_reads(Text(body="yes", reply_to=theirs))
        await it.until(lambda: it.session.window.lines[-1].msg_ref)
        await it.pilot.press("up")
        assert it.composer.text == "yes"
        await it.types(" please")
        await it.pilot.press("enter")
        await it.sees("yes please")
        await it.sees("changed at")


async def test_an_answer_may_begin_with_a_slash(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        theirs = await it.said_by_bob("where is it?")
        await it.pilot.press("escape", "r")
        await it.until(lambda: it.composer.has_focus)
        await it.says("//srv/data")
        await it.bob_reads(Text(body="/srv/data", reply_to=theirs))


async def test_escape_stops_answering_and_then_leaves_the_composer(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.bob_says("shall we?")
        await it.sees("shall we?")
        await it.pilot.press("escape", "r", "escape")
        assert not it.composer.draft.about
        assert it.composer.has_focus
        await it.pilot.press("escape")
        assert it.messages.has_focus


async def test_one_reacts_and_takes_back_with_the_keys_of_a_message(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.bob_says("done!")
        await it.sees("done!")
        await it.pilot.press("escape", "plus")
        await it.types("tada")
        await it.pilot.press("enter")
        await it.sees("🎉 you")
        await it.pilot.press("i")
        await it.says("wrong talk")
        await it.sees("wrong talk")
        await it.until(lambda: it.session.window.lines[-1].msg_ref)
        await it.pilot.press("escape", "end", "d")
        await it.until(lambda: isinstance(it.app.screen, TakeBackScreen))
        await it.pilot.press("tab", "enter")
        await it.sees("taken back")


async def test_what_is_typed_where_keys_act_takes_nothing_back(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.said_by_me("meant so")
        await it.pilot.press("escape", "end", "d")
        await it.until(lambda: isinstance(it.app.screen, TakeBackScreen))
        shown = " ".join(str(each.render()) for each in it.app.screen.query(Static))
        assert '"meant so"' in shown
        assert "bob will see" in shown
        await it.pilot.press(*"dinner", "enter")
        await it.until(lambda: not isinstance(it.app.screen, TakeBackScreen))
        assert not it.last.deleted


async def test_drafts_stay_with_their_talks(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.types("to all")
        await it.opens()
        await it.until(lambda: it.composer.text == "")
        await it.types("to bob")
        await it.pilot.press("ctrl+n")
        await it.until(lambda: it.composer.text == "to all")
        assert "draft: to bob" in it.talks()
        await it.pilot.press("alt+up")
        await it.until(lambda: it.composer.text == "to bob")


async def test_several_lines_are_one_message_and_what_was_said_comes_back(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.types("one")
        await it.pilot.press("ctrl+j")
        await it.says("two")
        await it.bob_reads(Text(body="one\ntwo"))
        await it.types("begun")
        await it.pilot.press("ctrl+up")
        assert it.composer.text == "one\ntwo"
        await it.pilot.press("ctrl+down")
        assert it.composer.text == "begun"


@pytest.mark.parametrize(
    ("typed", "made"),
    [
        ("/te", "/tell "),
        ("/whois b", "/whois bob "),
        ("ask b", "ask bob"),
        (":tad", "🎉"),
        ("nothing x", "nothing x"),
    ],
)
async def test_tab_completes_commands_names_and_emoji(
    tmp_path: Path, typed: str, made: str
) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.types(typed)
        await it.pilot.press("tab")
        assert it.composer.text == made


async def test_tab_goes_round_and_says_what_there_is(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.types("/re")
        await it.pilot.press("tab")
        seen = [it.composer.text]
        while len(seen) < 2 or it.composer.text != seen[0]:
            await it.pilot.press("tab")
            seen.append(it.composer.text)
        assert set(seen) == {"/reply ", "/react ", "/receipts ", "/revoke-key "}
        assert it.talk.query_one(OffersLine).display
        assert "/react" in it.read("OffersLine")
        await it.types("x")
        await it.until(lambda: not it.talk.query_one(OffersLine).display)


async def test_an_emoji_is_made_of_its_name(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.types("so :fire: and :nosuch:")
        assert it.composer.text == "so 🔥 and :nosuch:"


async def test_commands_of_the_line_client_work_here(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.says("/tell bob hello")
        await it.sees("hello")
        assert it.session.turned_to == it.bob.id
        await it.says("/whois bob")
        await it.sees(f"id  {it.bob.id}")
        await it.says("/receipts off")
        await it.sees("nobody hears from you")
        await it.says("/nonsense")
        await it.sees("there is no /nonsense")
        assert it.composer.text == "/nonsense"
        it.composer.text = ""
        await it.says("/all hi all")
        await it.until(lambda: it.session.turned_to == "public")


async def test_what_is_typed_faster_than_it_is_shown_is_said_as_a_whole(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        for name in ("h", "i", "enter", "y", "o", "u", "enter"):
            character = name if len(name) == 1 else "\r"
            it.app.post_message(Key(name, character))  # all at once, as a terminal hands them over
        await it.bob_reads(Text(body="hi"))
        await it.bob_reads(Text(body="you"))


async def test_quit_leaves(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.says("/quit")
        await it.until(lambda: not it.app.is_running or it.app.return_value is not None)
        assert it.app.return_value == 0


async def test_unread_counts_stand_in_the_list_until_one_looks(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        for text in ("one", "two"):
            await it.bob_says(text)
        await it.until(lambda: " 2\n" in it.talks())
        assert "two" in it.talks()
        await it.pilot.press("f5")
        await it.sees("two")
        assert it.shown().index("new since you left") < it.shown().index("one")
        await it.until(lambda: it.session.unseen.count(it.bob.id) == 0)
        await it.until(lambda: " 2\n" not in it.talks())


async def test_people_fold_away_where_there_is_no_room(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24)) as it:
        people = it.talk.query_one(PeopleList)
        assert not people.display
        await it.pilot.press("f2")
        assert people.display
        await it.opens()
        await it.until(lambda: "○ bob" in people.text())
        await it.bob.is_known(it.link)
    async with stage(tmp_path / "wide", size=(160, 40)) as it:
        assert it.talk.query_one(PeopleList).display


async def test_a_server_that_goes_is_said_and_typing_goes_on(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.types("are you")
        line = it.talk.query_one(LinkLine)
        assert not line.display
        await it.server.stop()
        await it.until(lambda: line.display)
        assert "not connected since" in it.read("LinkLine")
        await it.says(" there")
        await it.sees("are you there")
        await it.sees("waiting:")
