"""Keys do what they do in the order in which they were pressed: nothing goes to somebody else
because one was quicker than the screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from socp.member.records import TrustState
from socp.tui import typed_ahead
from socp.tui.jump_screen import JumpScreen
from socp.tui.typed_ahead import TypedAhead
from socp.wire.content import Delete, Reaction, Text
from socp.wire.ids import PUBLIC
from tests.client.people import FRIEND_ID, somebody
from tests.tui.hands import pressed
from tests.tui.stage import Stage, stage
from tests.tui.test_window import filled


def at_once(it: Stage, *names: str) -> None:
    """All in one piece, as a terminal hands them over that was held up on its way."""
    for name in names:
        it.app.post_message(pressed(name))


def sent_to(it: Stage) -> list[str]:
    """Whom anything was said to; what waits has not gone yet, and is in the history."""
    return [frame["to"] for frame in it.link.heard if frame["type"].startswith("MSG_")]


async def test_what_is_said_goes_to_whom_it_was_typed_for(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(1)) as it:
        await it.opens()
        at_once(it, "h", "i", "enter", "ctrl+n", "y", "o")
        await it.until(lambda: it.session.turned_to == "public")
        await it.until(lambda: it.composer.text == "yo")
        await it.bob_reads(Text(body="hi"))
        assert "▎ hi" not in it.shown()
        assert sent_to(it) == [it.bob.id]
        at_once(it, "alt+up", "y", "o", "u", "enter", "alt+down")
        await it.bob_reads(Text(body="you"))
        await it.until(lambda: it.composer.text == "yo")
        assert it.session.turned_to == "public"
        assert not await it.session.me.history("public")


async def test_what_is_said_before_one_leaves_is_said(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        at_once(it, "h", "i", "enter", "ctrl+q")
        await it.until(lambda: it.app.return_value is not None)
    async with somebody(tmp_path, it.server.url, it.suite, attached=False) as alice:
        assert [line.text for line in await alice.me.history(FRIEND_ID)] == ["hi"]


async def test_a_screen_that_opens_gets_what_is_typed_after_it(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(1)) as it:
        it.session.turn_to(PUBLIC)
        at_once(it, "h", "i", "ctrl+k", "o", "b")
        await it.until(lambda: isinstance(it.app.screen, JumpScreen))
        await it.pilot.press("enter")
        await it.until(lambda: it.session.turned_to == it.bob.id)
        assert it.composer.text == ""
        assert it.session.drafts.of("public").text == "hi"


async def test_what_could_not_be_said_comes_back_where_it_was_typed(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(1)) as it:
        await it.opens()
        at_once(it, *"/whois", " ", *"zz", "enter", "ctrl+n")
        await it.until(lambda: it.session.turned_to == "public")
        await it.until(lambda: it.session.drafts.of(it.bob.id).text == "/whois zz")
        assert it.composer.text == ""


async def test_what_is_typed_ahead_goes_where_it_goes_when_it_is_typed_slowly(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path, before=filled(30)) as it:
        for key in ("ctrl+k", "ctrl+f", "f1", "f3", "ctrl+p"):
            await it.begins_again()
            at_once(it, key, "escape", "x", "y")
            await it.until(lambda: it.composer.text == "xy", key)
            assert it.app.screen is it.talk
        await it.begins_again()
        at_once(it, "ctrl+k", "enter", *"hi")
        await it.until(lambda: it.session.turned_to == "public" and it.composer.text == "hi")


async def test_what_is_typed_ahead_of_a_question_answers_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        theirs = await it.said_by_bob("shall I?")
        at_once(it, "escape", "end", "+", *"tada", "enter", "i", "y")
        await it.bob_reads(Reaction(of=theirs, emoji="🎉"))
        await it.until(lambda: it.composer.text == "y")
        await it.begins_again()
        ref = await it.said_by_me("no")
        at_once(it, "escape", "end", "d", "tab", "enter", "i", "z")
        await it.bob_reads(Delete(of=ref))
        await it.until(lambda: it.composer.text == "z")
        await it.begins_again()
        number = it.session.me.safety_number(it.bob.id)
        at_once(it, *"/verify bob", "enter", *number, "enter", "escape", "y")
        await it.until(lambda: it.session.state_of(it.bob.id) is TrustState.VERIFIED)
        await it.until(lambda: it.composer.text == "y")


async def test_what_waits_for_its_turn_has_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typed_ahead, "KEPT_MAX", 3)
    async with stage(tmp_path) as it:
        at_once(it, "ctrl+k", *"bobby")
        await it.until(lambda: isinstance(it.app.screen, JumpScreen))
        assert it.app.screen.query_one(Input).value == "bob"


async def test_what_takes_long_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typed_ahead, "LOOKS_MAX", 10)
    monkeypatch.setattr(TypedAhead, "_nothing_to_do", lambda _: False)
    async with stage(tmp_path) as it:
        at_once(it, "f8", "y")
        await it.until(lambda: it.composer.text == "y")
