"""The lines that are not over: how many there may be, and whose (sections 8 and 9)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from socp.crypto.symbolic import SymbolicSuite
from socp.member.effects import LineMoved, Persist, Tell
from socp.member.emitter import Emitter
from socp.member.history import History
from socp.member.lines import LINES_MAX, QUIET_EACH_MAX, QUIET_MAX, Lines
from socp.member.records import LineState, OutboxLine
from socp.wire.content import FileState, Place, pack
from tests.member.desk import RUN, an_id

ALICE = an_id("alice")
FILE_ID = "0f6f1a52-0000-4000-8000-000000000001"


@pytest.fixture
def emit() -> Emitter:
    return Emitter(an_id("me"), SymbolicSuite(1).generate())


@pytest.fixture
def lines(emit: Emitter) -> Lines:
    return Lines(emit, History(emit, 0), ())


def said(lines: Lines, text: str = "hi") -> OutboxLine:
    return OutboxLine(lines.new_id(), ALICE, text, LineState.WAITING, (), (), 0)


def quiet(lines: Lines, have: int, key: str = "") -> OutboxLine:
    body = FileState(file_id=FILE_ID, have=have, state="wanted")
    return replace(said(lines, ""), kind=body.KIND, body=pack(body), quiet=True, key=key)


@pytest.mark.threat("S5")
def test_what_is_quiet_takes_no_room_from_the_person(lines: Lines) -> None:
    for have in range(QUIET_MAX):
        line = replace(quiet(lines, have), to=an_id(f"reader {have // QUIET_EACH_MAX}"))
        assert lines.full(line) is None
        lines.add(line)
    assert lines.full(quiet(lines, 0)) is not None
    for _ in range(LINES_MAX):
        assert lines.full(said(lines)) is None
        lines.add(said(lines))
    assert "no room for more" in str(lines.full(said(lines)))


@pytest.mark.threat("S5")
def test_what_is_owed_to_one_reader_leaves_room_for_the_others(lines: Lines) -> None:
    for have in range(QUIET_EACH_MAX):
        lines.add(quiet(lines, have))
    last = quiet(lines, 0)
    assert lines.full(last) is not None
    assert lines.full(replace(last, to=an_id("bob"))) is None
    lines.end(next(iter(lines)), LineState.DONE, "")
    assert lines.full(last) is None


@pytest.mark.threat("S5")
def test_what_is_over_makes_room(emit: Emitter) -> None:
    whole = [OutboxLine(n, ALICE, "hi", LineState.SENT, (), (), 0) for n in range(1, LINES_MAX)]
    lines = Lines(emit, History(emit, 0), whole)
    last = said(lines)
    assert last.line_id == LINES_MAX
    lines.add(last)
    assert lines.full(said(lines)) is not None
    lines.end(last, LineState.DONE, "")
    assert lines.full(said(lines)) is None


@pytest.mark.spec("8")
def test_of_what_is_quiet_nobody_is_told(emit: Emitter, lines: Lines) -> None:
    line = quiet(lines, 1)
    lines.add(line)
    lines.tell(replace(line, state=LineState.SENT))
    lines.end(line, LineState.DONE, "")
    assert [effect for effect in emit.take() if not isinstance(effect, Persist)] == []
    lines.tell(said(lines))
    assert [type(effect.notice) for effect in emit.take() if isinstance(effect, Tell)] == [
        LineMoved
    ]


@pytest.mark.spec("8")
def test_a_line_of_a_key_waits_until_it_has_its_place(lines: Lines) -> None:
    line = quiet(lines, 1, key="file")
    lines.add(line)
    assert lines.waiting(ALICE, "file") == line
    assert lines.waiting(an_id("bob"), "file") is None
    assert lines.waiting(ALICE, "") is None
    lines.keep(replace(line, place=Place(RUN, 1, "")))
    assert lines.waiting(ALICE, "file") is None
