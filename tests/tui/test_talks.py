"""The order of talks, and since when the server is gone, by a clock that is set back meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from socp.client.notices import Offline
from socp.member.effects import Online
from socp.member.history_line import Conversation
from socp.talk.entries import Entry
from socp.tui.link import Link
from socp.tui.link_line import LinkLine
from socp.tui.talks import TALKS_MAX, Last, Talks
from socp.wire.ids import PUBLIC
from tests.tui.stage import stage
from tests.tui.test_window import filled, line

HOUR_MS = 3_600_000


def test_who_said_something_last_is_first_though_the_clock_was_set_back() -> None:
    talks = Talks()
    said = (line(5, talk="ann", at_ms=9 * HOUR_MS), line(7, talk="bob", at_ms=8 * HOUR_MS))
    talks.load([Conversation(each.talk, each, 0) for each in said])
    assert talks.order(3) == ["bob", "ann", PUBLIC]
    talks.put("ann", Last("ann", "news", 7 * HOUR_MS))
    assert talks.order(3) == ["ann", "bob", PUBLIC]
    talks.said(line(7, talk="bob", at_ms=8 * HOUR_MS))  # read again: it is no news
    assert talks.order(1) == ["ann"]
    talks.put(PUBLIC, Last("bob", "all", 6 * HOUR_MS))
    assert talks.order(3) == [PUBLIC, "ann", "bob"]


def test_the_oldest_gives_way_and_never_everyone() -> None:
    talks = Talks()
    for number in range(TALKS_MAX + 1):
        talks.put(f"u{number}", Last("x", "y", -number))
    assert "u0" not in talks
    assert "u1" not in talks
    assert "u2" in talks
    assert PUBLIC in talks


async def test_since_when_is_told_by_the_clock_as_it_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = (
        Link(since_s=100.0)
        .moved(Online("s", "", True, False), 200.0)
        .moved(Offline("gone"), 1_000.0)
    )
    assert link.moved(Offline("still"), 2_000.0).since_s == 1_000.0
    monkeypatch.setattr("socp.tui.link_line.clock_s", lambda: 1_600.0)  # ten minutes later
    monkeypatch.setattr("socp.tui.link_line.time_of", lambda ts, now: f"{(ts - now) // 60_000} min")
    async with stage(tmp_path) as it:
        it.talk.query_one(LinkLine).tell(link, "ws://x")
        assert "not connected since -10 min" in it.read("LinkLine")


async def test_what_is_told_before_the_talk_is_read_stands_at_its_end(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(5)) as it:
        await it.sees("line 5")
        it.session.turn_to(PUBLIC)
        it.session.turn_to(it.bob.id)
        it.session.say(Entry((("", "told at once"),)))
        await it.until(lambda: "told at once" in it.shown() and "line 5" in it.shown())
        assert it.shown().index("line 5") < it.shown().index("told at once")
