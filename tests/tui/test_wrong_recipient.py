"""What is typed reaches those it is for, whatever they are called, and however quickly."""

from __future__ import annotations

from pathlib import Path

import pytest

from socp.talk.naming import typed_name
from socp.wire.content import Text
from tests.client.mailbox_server import Absent
from tests.tui.stage import stage
from tests.tui.test_order import at_once, sent_to
from tests.tui.test_window import filled

OTHER_ID = "22222222-2222-4222-8222-222222222222"


@pytest.mark.parametrize("command", ["/tell bob", "/history bob"])
async def test_what_is_typed_after_a_command_that_turns_is_for_them(
    tmp_path: Path, command: str
) -> None:
    async with stage(tmp_path, before=filled(1)) as it:
        word, name = command.split()
        at_once(it, *word, " ", *name, "enter", *"secret", "enter")
        await it.bob_reads(Text(body="secret"))
        assert not await it.session.me.history("public")


async def test_what_is_typed_after_a_command_that_fails_is_for_nobody(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(1)) as it:
        at_once(it, *"/tell", " ", *"bbo", "enter", *"secret", "enter")
        await it.until(lambda: it.composer.text == "/tell bbosecret")
        await it.sees("bbosecret")
        assert not sent_to(it)
        assert not await it.session.me.history("public")


async def test_a_command_turns_once_and_not_again_when_it_is_carried_out(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(1)) as it:
        at_once(it, *"/tell", " ", *"bob", " ", "x", "enter", "ctrl+n", *"all")
        await it.bob_reads(Text(body="x"))
        await it.until(lambda: it.composer.text == "all")
        assert it.session.turned_to == "public"


@pytest.mark.threat("I8")
@pytest.mark.parametrize("name", ['"bob"', "Public", "bob", "b_ob c", "#", "1f3c"])
async def test_a_file_is_addressed_to_whom_one_talks_with(tmp_path: Path, name: str) -> None:
    async with stage(tmp_path) as it:
        other = Absent(it.server, it.suite.generate(), name, id=OTHER_ID)
        await other.is_known(it.link)
        await it.until(lambda: it.session.me.contacts.label(OTHER_ID))
        me = it.session.me
        await it.until(lambda: any(each.user_id == OTHER_ID for each in me.contacts.members()))
        for user_id in (OTHER_ID, it.bob.id):
            assert me.find(typed_name(me, user_id)) == user_id
        path = tmp_path / "plan.txt"
        path.write_text("nine")
        it.session.turn_to(OTHER_ID)
        await it.pilot.press("f4")
        it.composer.insert(str(path))
        await it.pilot.press("enter")
        await it.sees("▤ plan.txt")
        assert [line.text for line in await me.history(OTHER_ID)] == ["plan.txt"]
        assert not await me.history(it.bob.id)
        assert not await me.history("public")


async def test_up_changes_what_was_said_last_and_not_the_last_in_sight(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(300)) as it:
        await it.opens()
        await it.said_by_me("the last")
        it.session.turn_to(it.bob.id, at=1)
        await it.until(lambda: it.session.window.lines and not it.session.window.to_end)
        it.composer.focus()
        await it.pilot.press("up")
        await it.until(lambda: it.composer.draft.edits)
        assert it.composer.text == "the last"
