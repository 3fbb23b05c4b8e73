"""What became of one's own lines, as it is told: once where all goes well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from socp.client.line import Line
from socp.member.effects import LineMoved
from socp.member.records import LineState
from socp.talk import own_lines
from socp.talk.entries import Entry, layout, plain
from socp.talk.own_lines import OwnLines
from socp.talk.phrases import Phrases

BOB = "11111111-1111-4111-8111-111111111111"
KEPT = "bob is away; a server keeps it until they are back"


class Told:
    """One person's lines and what they read of them."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        phrases = Phrases(lambda _: "bob", "me", "ws://localhost:8001")
        self.lines = OwnLines(phrases, self._show, 0.5)

    def _show(self, entry: Entry) -> None:
        self.rows += [plain(row).split(" ", 1)[1] for row in layout(entry, None)]

    def says(self, number: int, text: str) -> None:
        """They say it, and it is on its way."""
        self.lines.said(Line(LineMoved(number, BOB, text, LineState.SENT, "")))

    def moves(self, number: int, text: str, state: LineState, reason: str = "") -> None:
        self.lines.moved(LineMoved(number, BOB, text, state, reason))


@pytest.mark.spec("11")
async def test_a_line_that_was_kept_is_told_of_again_when_it_arrives() -> None:
    told = Told()
    told.says(1, "hi")
    told.moves(1, "hi", LineState.DONE, KEPT)
    assert told.rows == [f"[private, {KEPT}] you to bob: hi"]
    told.moves(1, "hi", LineState.DELIVERED)
    assert told.rows[1:] == ["delivered to bob: hi"]
    assert not told.lines.refused


@pytest.mark.spec("11")
async def test_a_line_to_somebody_here_is_shown_once() -> None:
    told = Told()
    told.says(1, "hi")
    told.moves(1, "hi", LineState.DONE)
    told.moves(1, "hi", LineState.DELIVERED)
    assert told.rows == ["[private] you to bob: hi"]


@pytest.mark.spec("11")
async def test_what_was_read_is_no_row_of_its_own_but_the_latest_state() -> None:
    told = Told()
    assert told.lines.latest(BOB) == ""
    told.says(1, "hi")
    assert told.lines.latest(BOB) == "on its way"
    told.moves(1, "hi", LineState.DONE)
    told.says(2, "there")
    told.moves(1, "hi", LineState.READ)
    assert told.lines.latest(BOB) == "on its way"
    told.moves(2, "there", LineState.READ)  # before any answer of the server's
    assert told.lines.latest(BOB) == "read"
    assert told.rows == ["[private] you to bob: hi", "[private] you to bob: there"]
    assert told.lines.open == 0


@pytest.mark.spec("11")
async def test_a_change_of_ones_own_is_a_row_only_where_it_does_not_go() -> None:
    told = Told()
    edit = LineMoved(1, BOB, "nine", LineState.SENT, "", kind="edit")
    told.lines.said(Line(edit))
    told.lines.moved(replace(edit, state=LineState.DONE))
    assert told.rows == []
    again = replace(edit, line_id=2, state=LineState.WAITING, reason="bob is away")
    told.lines.said(Line(again))
    assert told.rows == ["[private, waiting] your edit to bob: nine", "     │ (bob is away)"]
    assert told.lines.latest(BOB) == ""


@pytest.mark.spec("11")
async def test_a_line_that_was_kept_and_could_not_be_handed_on_is_told_as_not_sent() -> None:
    told = Told()
    told.says(1, "hi")
    told.moves(1, "hi", LineState.DONE)
    told.moves(1, "hi", LineState.REFUSED, "BAD_KEY: another")
    assert told.rows[1:] == ["! not sent to bob: BAD_KEY: another (hi)"]
    assert told.lines.refused


async def test_lines_that_were_handed_over_are_remembered_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own_lines, "_HANDED_MAX", 2)
    told = Told()
    for number in range(1, 4):
        told.says(number, f"{number}")
        told.moves(number, f"{number}", LineState.DONE, KEPT)
    before = len(told.rows)
    for number in range(1, 4):
        told.moves(number, f"{number}", LineState.DELIVERED)
    assert told.rows[before:] == ["delivered to bob: 2", "delivered to bob: 3"]


async def test_a_line_that_is_delivered_before_it_was_shown_is_shown_once() -> None:
    told = Told()
    told.lines.said(Line(LineMoved(1, BOB, "hi", LineState.DELIVERED, "")))
    assert told.rows == ["[private] you to bob: hi"]
    assert told.lines.outstanding() == []
