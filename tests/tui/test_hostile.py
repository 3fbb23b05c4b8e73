"""Every notice with hostile words in it, on the screen: nothing of them acts (threat I8)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widget import Widget

from socp.client.notices import GivenUp, Notice
from socp.client.unlocking import unlock
from socp.member.effects import MessageArrived, MessageRefused
from socp.member.history_line import HistoryLine
from socp.member.records import Said
from socp.storage.profile_store import ProfileStore
from socp.tui.row_view import RowView
from socp.tui.speech import Look, line_rows
from tests.client.people import FRIEND_ID
from tests.talk.notices import BOB, HOSTILE, NOTICES, NOW
from tests.tui.stage import Stage, stage
from tests.tui.test_window import line

pytestmark = pytest.mark.threat("I8")

KINDS = ("text", "file", "refused", "note")
ACTING = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def hostile(folder: Path) -> None:
    """A history full of it."""
    with ProfileStore.open(folder, lambda: unlock(folder, None)) as store:
        last = store.load().last_said
        rows = [
            Said(last + at, FRIEND_ID, FRIEND_ID, HOSTILE, NOW, NOW, "pinned", (), kind, reason="x")
            for at, kind in enumerate(KINDS, 1)
        ]
        store.write(tuple(rows)).result()


def drawn(it: Stage) -> str:
    """All that the terminal would be given to draw, without our own colours."""
    screen = it.app.screen
    rows = [
        "".join(segment.text for segment in strip if not segment.control)
        for widget in screen.walk_children(Widget)
        if widget.display and widget.size
        for strip in widget.render_lines(widget.size.region)
    ]
    return "\n".join(rows)


def acting(text: str) -> set[str]:
    return {char for char in text if unicodedata.category(char) in ACTING and char != "\n"}


async def test_no_notice_acts_on_the_screen(tmp_path: Path) -> None:
    async with stage(tmp_path, before=hostile, name=HOSTILE[:60]) as it:
        for talk in ("public", FRIEND_ID, BOB):
            it.session.turn_to(talk)
            for notice in heard():
                it.session._heard(notice)
            await it.until(lambda: "<b>x</b>" in drawn(it))
            shown = drawn(it)
            assert acting(shown) == set()
            assert not re.search("\u0301{5}", shown)


def heard() -> Iterator[Notice]:
    """All but the one that ends it, and messages with a number that was given to another."""
    for notice in NOTICES:
        if isinstance(notice, MessageArrived | MessageRefused):
            yield replace(notice, number=0)
        elif not isinstance(notice, GivenUp):
            yield notice


async def test_no_hit_of_a_search_and_no_list_of_names_acts(tmp_path: Path) -> None:
    async with stage(tmp_path, before=hostile, name=HOSTILE[:60]) as it:
        for keys in (("ctrl+f", "x"), ("ctrl+k",), ("f1",)):
            await it.pilot.press(*keys)
            await it.until(lambda: it.app.screen is not it.talk)
            await it.until(lambda: it.app.screen.query_one(RowView).text())
            assert acting(drawn(it)) == set()
            await it.pilot.press("escape")
            await it.until(lambda: it.app.screen is it.talk)


class Nobody:
    """Knows hostile things."""

    def called(self, user_id: str) -> str:
        return "bob"

    def answered(self, msg_ref: str) -> HistoryLine | None:
        return line(4, text=HOSTILE)

    def file(self, file_id: str) -> None:
        return None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [20, 53, 140])
def test_every_row_of_a_line_is_harmless_and_as_wide_as_there_is_room(
    kind: str, width: int
) -> None:
    said = line(
        2,
        kind=kind,
        text=HOSTILE + "\n▎ you\n── today ──" + "x" * 9_000,
        trust="\x1b[1mverified",
        state="refused",
        reason=HOSTILE,
        reply_to="r4",
        edited_ms=NOW,
        reactions=tuple((f"u{n}", HOSTILE) for n in range(30)),
    )
    for unfolded in (False, True):
        rows = line_rows(said, Nobody(), "me", Look(width, True, unfolded, False, NOW))
        texts = ["".join(piece.text for piece in row) for row in rows]
        assert acting("".join(texts)) == set()
        assert len(rows) < 500
        if kind in ("text", "file"):
            assert all(text.startswith(" ▎") for text in texts[1:])
        assert all(len(text) <= width + 8 * 4 for text in texts)
