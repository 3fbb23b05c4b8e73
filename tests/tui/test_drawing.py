"""How much is drawn, counted: nothing flickers, and a key press does not wait for what is not new.
How long that takes is a matter of the machine: `script/bench screen` says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import RenderableType
from textual._compositor import Compositor, CompositorUpdate
from textual._context import active_app
from textual.screen import Screen

from socp.tui.conversations import ConversationList
from socp.tui.messages import MessagePane
from socp.tui.people import PeopleList
from socp.tui.row_view import RowView
from tests.client.mailbox_server import Absent
from tests.tui.stage import Stage, stage
from tests.tui.test_window import filled

COME = 100
KEY_BYTES_MAX = 1_200  # the composer's rows in 24-bit colours; all of the screen are 20,000


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Rows that were made for the screen, by the list that they are of; bytes written."""
    count: Counter[str] = Counter()
    row, update = RowView.render_line, Compositor.render_update

    def counted_row(self: RowView, y: int) -> object:
        count[type(self).__name__] += 1
        return row(self, y)

    def counted_bytes(
        self: Compositor, full: bool = False, screen_stack: list[Screen[object]] | None = None
    ) -> RenderableType | CompositorUpdate | None:
        made = update(self, full, screen_stack)
        if isinstance(made, CompositorUpdate):
            count["bytes"] += len(made.render_segments(active_app.get().console).encode())
        return made

    monkeypatch.setattr(RowView, "render_line", counted_row)
    monkeypatch.setattr(Compositor, "render_update", counted_bytes)
    return count


@contextmanager
def nothing_of(drawn: Counter[str], *views: type[RowView]) -> Iterator[None]:
    """No row of these is made meanwhile."""
    drawn.clear()
    yield
    assert {view.__name__: drawn[view.__name__] for view in views} == dict.fromkeys(
        (view.__name__ for view in views), 0
    )


async def settled(it: Stage) -> None:
    """All that was waiting to be drawn is drawn; the cursor stands still."""
    it.composer.cursor_blink = False
    await it.pilot.pause(0.4)


async def test_a_key_press_draws_no_row_of_any_list(tmp_path: Path, drawn: Counter[str]) -> None:
    async with stage(tmp_path, before=filled(300)) as it:
        await it.opens()
        await it.sees("line 300")
        await it.types("a")
        await settled(it)
        with nothing_of(drawn, MessagePane, ConversationList, PeopleList):
            for letter in "hello":
                await it.types(letter)
                await settled(it)
        assert it.composer.text == "ahello"
        assert 0 < drawn["bytes"] < 5 * KEY_BYTES_MAX


async def test_a_message_elsewhere_draws_its_rows_in_the_list_alone(
    tmp_path: Path, drawn: Counter[str]
) -> None:
    async with stage(tmp_path, before=filled(50)) as it:
        await it.bob_says("first")
        await it.until(lambda: "first" in it.talks())
        await settled(it)
        with nothing_of(drawn, MessagePane, PeopleList):
            await it.bob_says("second")
            await it.until(lambda: "second" in it.talks())
            await settled(it)
        assert 0 < drawn["ConversationList"] <= 2


async def test_the_same_rows_again_draw_nothing(tmp_path: Path, drawn: Counter[str]) -> None:
    async with stage(tmp_path, before=filled(50)) as it:
        await it.opens()
        await it.sees("line 50")
        await settled(it)
        await settled(it)
        with nothing_of(drawn, MessagePane, ConversationList, PeopleList):
            it.messages.remade()
            it.talk.query_one(ConversationList).remade()
            it.talk.query_one(PeopleList).remade()
            await settled(it)
        assert drawn["bytes"] == 0


async def test_many_people_who_come_at_once_are_drawn_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    remade = PeopleList.remade

    async with stage(tmp_path) as it:

        def counted(self: PeopleList) -> None:
            made.append(len(it.session.here))
            remade(self)

        monkeypatch.setattr(PeopleList, "remade", counted)
        for number in range(COME):
            user_id = f"{number:08x}-0000-4000-8000-000000000000"
            await Absent(it.server, it.suite.generate(), f"p{number}", user_id).comes(it.link)
        await it.until(lambda: made and made[-1] >= COME)
        assert len(made) < COME / 4
