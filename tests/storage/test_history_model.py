"""The history against a few lines that say what it is, whatever is written in whichever batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sqlalchemy import Connection

from socp.member.history_line import DELETE, EDIT, REACTION, HistoryLine, laid_over
from socp.member.records import Amendment, LineState, Said, SaidMoved, SaidReached
from socp.storage import history_queries, history_segments
from socp.storage.profile_store import ProfileStore
from socp.wire.ids import PUBLIC
from tests.storage.examples import ALICE, BOB, VAULT, a_vault

CAROL = "ca401000-0000-4000-8000-000000000000"
ROW = Said | SaidMoved | SaidReached | Amendment
RANKS = {"delivered": 1, "read": 2}

numbers = some.integers(1, 12)
people = some.sampled_from((ALICE, BOB, CAROL))
talks = some.sampled_from((BOB, CAROL, PUBLIC))
texts = some.sampled_from(("one", "two", "one two", "three", "ONE\nfour", ""))


def ref(number: int) -> str:
    return f"{number:043d}"


def a_said(number: int, talk: str, author: str, text: str) -> Said:
    ours = author == ALICE
    refs = () if ours else (ref(number),)
    return Said(number, talk, author, text, number, number, "", refs, state="sent" * ours)


moved = some.builds(
    SaidMoved,
    numbers,
    some.sampled_from(LineState),
    some.sampled_from(("", "why")),
    some.lists(numbers.map(ref), max_size=1).map(tuple),
)
reached = some.builds(
    SaidReached, numbers.map(ref), some.sampled_from(("delivered", "read")), people | some.just("")
)
amended = some.builds(
    Amendment,
    some.integers(50, 60),
    talks,
    numbers.map(ref),
    people,
    some.sampled_from((EDIT, DELETE, REACTION)),
    texts,
    some.integers(1, 5),
    some.integers(70, 79).map(ref),
)
said = some.lists(some.tuples(talks, people, texts), min_size=1, max_size=12)


@some.composite
def written(draw: some.DrawFn) -> list[list[ROW]]:
    """Lines in their order, and other rows anywhere between them, in batches."""
    rows: list[ROW] = [a_said(n, *one) for n, one in enumerate(draw(said), 1)]
    for later in draw(some.lists(moved | reached | amended, max_size=25)):
        rows.insert(draw(some.integers(0, len(rows))), later)
    batches: list[list[ROW]] = [[]]
    for row in rows:
        if draw(some.booleans()):
            batches.append([])
        batches[-1].append(row)
    return batches


@dataclass
class Model:
    """What is meant."""

    lines: dict[int, Said] = field(default_factory=dict)
    of: dict[str, int] = field(default_factory=dict)  # msg_ref -> line
    changes: dict[tuple[str, ...], Amendment] = field(default_factory=dict)

    def take(self, row: ROW) -> None:
        match row:
            case Said():
                self.lines[row.number] = row
                self.of.update(dict.fromkeys(row.msg_refs, row.number))
            case SaidMoved():
                self.move(row)
            case SaidReached():
                line = self.lines.get(self.of.get(row.msg_ref, 0))
                if line and line.state and row.by in ("", line.talk):
                    self.reach(line, row)
            case Amendment():
                key = (row.talk, row.of, row.author, row.kind)
                known = self.changes.get(key)
                if known is None or (row.ts, row.msg_ref) > (known.ts, known.msg_ref):
                    self.changes[key] = row

    def move(self, row: SaidMoved) -> None:
        line = self.lines.get(row.number)
        if line is None:
            return
        kept = tuple(one for one in line.msg_refs if one not in row.msg_refs)
        line = replace(line, msg_refs=kept + row.msg_refs)
        self.of.update(dict.fromkeys(row.msg_refs, row.number))
        if RANKS.get(row.state, 0) >= RANKS.get(line.state, 0):
            line = replace(line, state=row.state, reason=row.reason)
        self.lines[row.number] = line

    def reach(self, line: Said, row: SaidReached) -> None:
        higher = RANKS[row.state] > RANKS.get(line.state, 0)
        if higher and line.msg_refs[-1:] == (row.msg_ref,):
            self.lines[line.number] = replace(line, state=row.state, reason="")

    def now(self) -> list[HistoryLine]:
        return [laid_over(line, self.changes.values()) for line in self.lines.values()]


def answers(store: ProfileStore, text: str) -> tuple[list[HistoryLine], list[int]]:
    """Every line, and the numbers of those with this word."""

    def ask(connection: Connection) -> tuple[list[HistoryLine], list[int]]:
        talks = (BOB, CAROL, PUBLIC)
        lines = [
            line
            for talk in talks
            for line in history_queries.lines(
                connection, VAULT, talk, since_ms=0, before=0, limit=99
            )
        ]
        found = history_queries.search(connection, VAULT, text, talk="", limit=99)
        return lines, [line.number for line in found]

    return store._ask(ask).result()


@pytest.mark.spec("11")
@settings(max_examples=150, deadline=None)
@given(written(), some.sampled_from(("one", "two", "our", "three")))
def test_the_history_is_what_its_rows_say(batches: Sequence[Sequence[ROW]], word: str) -> None:
    model = Model()
    with (
        mock.patch.object(history_segments, "SEGMENT_LINES", 3),
        ProfileStore.open(None, a_vault) as store,
    ):
        for batch in batches:
            store.write(batch).result()
            for row in batch:
                model.take(row)
        lines, found = answers(store, word)
    expected = sorted(model.now(), key=lambda line: line.number)
    assert sorted(lines, key=lambda line: line.number) == expected
    wanted = [line.number for line in reversed(expected) if word in line.text.lower()]
    assert found == wanted
