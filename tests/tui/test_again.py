"""What one finds when one comes back: after quitting, after a kill, after looking elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from textual.events import AppBlur, AppFocus

from socp.member.draft import Draft
from socp.tui.choices_file import Choices
from socp.tui.notifying import Notifying
from socp.wire.content import Text
from socp.wire.ids import PUBLIC
from tests.tui.stage import again, stage

NEW = "new since you left"


async def test_what_was_being_typed_is_there_after_quitting(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.types("to all")
        await it.opens()
        await it.bob_says("and you?")
        await it.sees("and you?")
        await it.pilot.press("escape", "r")
        await it.types("half a sen")
        await it.until(lambda: it.composer.draft.about)
        draft = it.composer.draft
        async with again(it, tmp_path) as back:
            assert back.session.turned_to == back.bob.id  # with whom the last words were
            assert back.composer.draft == draft
            await back.until(lambda: "draft: to all" in back.talks())
            assert "draft: half a sen" not in back.talks()  # it is in sight
            await back.says("tence")
            await back.bob_reads(Text(body="half a sentence", reply_to=draft.about))
            await back.until(lambda: back.composer.text == "")
            async with again(back, tmp_path) as last:
                await last.opens()
                assert last.composer.draft == Draft()


@pytest.mark.threat("S8")
async def test_a_kill_costs_the_last_seconds_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socp.tui.session.KEEP_S", 0.5)
    async with stage(tmp_path) as it:
        kept: list[Draft] = []
        keep_drafts = it.session.me.keep_drafts

        async def keeping(drafts: dict[str, Draft]) -> None:
            await keep_drafts(drafts)
            kept.extend(drafts.values())

        monkeypatch.setattr(it.session.me, "keep_drafts", keeping)
        await it.types("half a sentence")
        await it.until(lambda: Draft("half a sentence") in kept)
        assert len(kept) < len("half a sentence")  # not at each key
        shutil.copytree(tmp_path / "alice", tmp_path / "killed")
        async with again(it, tmp_path, profile="killed") as back:
            assert back.composer.text == "half a sentence"


async def test_what_one_said_before_can_be_had_again_after_a_start(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.says("first")
        await it.bob_reads(Text(body="first"))
        await it.says("second")
        await it.bob_reads(Text(body="second"))
        async with again(it, tmp_path) as back:
            await back.until(lambda: back.session.drafts.before(2))
            await back.pilot.press("ctrl+up")
            assert back.composer.text == "second"
            await back.pilot.press("ctrl+up")
            assert back.composer.text == "first"


async def test_what_looked_like_a_command_is_no_command_when_it_is_had_again(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.says("//delete")
        await it.bob_reads(Text(body="/delete"))
        async with again(it, tmp_path) as back:
            await back.until(lambda: back.session.drafts.before(1))
            await back.pilot.press("ctrl+up")
            assert back.composer.text == "//delete"


async def test_what_was_not_read_is_new_after_a_start_and_once_alone(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.bob_says("seen")
        await it.sees("seen")
        await it.until(lambda: not it.session.unseen.count(it.bob.id))
        it.session.turn_to(PUBLIC)
        await it.bob_says("not seen")
        await it.until(lambda: it.session.unseen.count(it.bob.id) == 1)
        async with again(it, tmp_path) as back:
            assert back.session.turned_to == back.bob.id  # who spoke last
            await back.sees(NEW)
            at = back.shown()
            assert at.index(" seen") < at.index(NEW) < at.index("not seen")
            await back.until(lambda: not back.session.unseen.count(it.bob.id))
            async with again(back, tmp_path) as last:
                await last.opens()
                await last.sees("not seen")
                assert NEW not in last.shown()


async def test_what_was_left_at_the_server_meanwhile_is_new(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.bob_says("before")
        await it.sees("before")
        async with again(it, tmp_path) as back:
            await back.opens()
            await back.sees("before")
            await it.bob_says("while you were here")  # to a link that is gone: it stays there
            back.seq = it.seq
        assert it.server.mail
        async with again(back, tmp_path) as last:
            await last.opens()
            await last.sees(NEW)
            await last.sees("while you were here")


async def test_what_comes_while_one_looks_elsewhere_is_new(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.opens()
        await it.bob_says("before")
        await it.sees("before")
        await it.until(lambda: not it.session.unseen.count(it.bob.id))
        assert NEW not in it.shown()
        await it.app.on_event(AppBlur())
        await it.bob_says("meanwhile")
        await it.sees(NEW)
        await it.app.on_event(AppFocus())
        await it.until(lambda: not it.session.unseen.count(it.bob.id))
        at = it.shown()
        assert at.index("before") < at.index(NEW) < at.index("meanwhile")
        await it.app.on_event(AppBlur())  # seen by now: only what comes next is new
        await it.bob_says("later")
        await it.sees("later")
        at = it.shown()
        assert at.index("meanwhile") < at.index(NEW) < at.index("later")


async def test_a_gap_is_there_after_a_start_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socp.member.gaps.GRACE_MS", 200)
    async with stage(tmp_path) as it:
        await it.opens()
        await it.bob_says("one")
        for text in ("three", "five"):
            it.seq += 1
            await it.bob_says(text)
        await it.until(lambda: it.shown().count("⋯ a message of bob") == 2)
        async with again(it, tmp_path) as back:
            await back.opens()
            await back.until(lambda: back.shown().count("⋯ a message of bob") == 2)
            words = [word for word in back.shown().split() if word in ("one", "three", "five", "⋯")]
            assert words == ["one", "⋯", "three", "⋯", "five"]


async def test_after_a_start_the_terminal_is_told_once_for_each_talk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("socp.tui.app.Notifying", lambda way, _: Notifying(way, told.append))
    async with stage(tmp_path) as it:
        for number in range(5):
            await it.bob_says(f"number {number}")
        await it.until(lambda: it.session.unseen.count(it.bob.id) == 5)
        assert told == []  # switched off
        await it.says("to everyone")  # which is where one is at the next start
        async with again(it, tmp_path, choices=Choices(notify="osc9")) as back:
            await back.until(lambda: back.session.unseen.count(it.bob.id) == 5)
            assert told == ["\x1b]9;bob: a message\x1b\\"]
