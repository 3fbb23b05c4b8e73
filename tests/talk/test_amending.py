"""`/reply`, `/edit`, `/delete` and `/react`: which line is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest

from socp.client.client import Client
from socp.member.history_line import HistoryLine
from socp.talk.amending import Amending
from socp.talk.commands import Delete, Edit, React, Reply, Unclear
from tests.talk.notices import ANN, BOB, NOW


def line(number: int, author: str, kind: str = "text") -> HistoryLine:
    ref = f"r{number}" if kind == "text" else ""
    return HistoryLine(number, BOB, author, "x", NOW, NOW, "", ref, kind, "", "", "", "")


@dataclass
class Me:
    """Knows what was said, and notes what it was asked to do with which line."""

    lines: list[HistoryLine]
    user_id: str = ANN
    did: tuple[Any, ...] = ()

    async def history(self, who: str, *, before: int = 0, limit: int = 0) -> list[HistoryLine]:
        return [each for each in self.lines if not before or each.number < before][-limit:]

    async def send(self, to: str, text: str, reply_to: str) -> None:
        self.did = ("reply", reply_to, text)

    async def edit(self, to: str, of: str, text: str) -> None:
        self.did = ("edit", of, text)

    async def delete(self, to: str, of: str) -> None:
        self.did = ("delete", of)

    async def react(self, to: str, of: str, emoji: str) -> None:
        self.did = ("react", of, emoji)


SAID = [line(1, BOB), line(2, ANN), line(3, BOB, "file"), line(4, ANN, "file")]


@pytest.mark.parametrize(
    ("command", "did"),
    [
        (Reply(0, "yes"), ("reply", "r1", "yes")),
        (Edit(0, "no"), ("edit", "r2", "no")),
        (Delete(0), ("delete", "r2")),
        (React(0, "+"), ("react", "r1", "+")),
        (React(2, "+"), ("react", "r2", "+")),
    ],
)
async def test_without_a_number_the_last_one_that_can_be_is_meant(
    command: Any, did: tuple[str, ...]
) -> None:
    me = Me(SAID[:2])
    await Amending(cast("Client", me)).do(BOB, command)
    assert me.did == did


@pytest.mark.parametrize(
    ("command", "number"),
    [(Reply(0, "x"), 3), (React(0, "+"), 3), (Edit(0, "x"), 4), (Delete(0), 4), (Delete(4), 4)],
)
async def test_a_file_is_said_to_be_one_and_nothing_before_it_is_changed_by_mistake(
    command: Any, number: int
) -> None:
    me = Me(SAID)
    with pytest.raises(Unclear, match=f"#{number} is a file"):
        await Amending(cast("Client", me)).do(BOB, command)
    assert me.did == ()
