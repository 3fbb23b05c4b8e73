"""Some hundred lines of however many there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from socp.client.unlocking import unlock
from socp.member.history_line import HistoryLine
from socp.member.records import Said
from socp.storage.profile_store import ProfileStore
from socp.tui.window import LINES_MAX, PAGE, Window
from tests.client.people import FRIEND_ID
from tests.tui.stage import stage

NOW = 1_790_000_000_000
TALK = "11111111-1111-4111-8111-111111111111"


class Book:
    """A conversation with every second number, and how it was asked for."""

    def __init__(self, count: int) -> None:
        self.lines = [line(number) for number in range(2, 2 * count + 1, 2)]
        self.asked = 0

    async def history(self, who: str, *, before: int = 0, limit: int = PAGE) -> list[HistoryLine]:
        self.asked += 1
        found = [each for each in self.lines if not before or each.number < before]
        return found[-limit:]

    async def history_after(self, who: str, number: int, *, limit: int = PAGE) -> list[HistoryLine]:
        self.asked += 1
        return [each for each in self.lines if each.number > number][:limit]

    async def line_of(self, msg_ref: str) -> HistoryLine | None:
        self.asked += 1
        return next((each for each in self.lines if each.msg_ref == msg_ref), None)


def line(number: int, **more: object) -> HistoryLine:
    made = HistoryLine(
        number,
        TALK,
        TALK,
        f"line {number}",
        NOW,
        NOW,
        "pinned",
        f"r{number}",
        "text",
        "",
        "",
        "",
        "",
    )
    return replace(made, **more)  # type: ignore[arg-type]


def numbers(window: Window) -> tuple[int, int]:
    return window.lines[0].number, window.lines[-1].number


async def test_it_begins_with_the_end_and_goes_back_to_the_start() -> None:
    window = Window(Book(1_000), TALK)
    await window.open_end()
    assert numbers(window) == (1_802, 2_000)
    while await window.older():
        assert len(window.lines) <= LINES_MAX
    assert numbers(window) == (2, 2 * LINES_MAX)
    assert window.to_start
    assert not window.to_end
    while await window.newer():
        assert len(window.lines) <= LINES_MAX
    assert numbers(window)[1] == 2_000
    assert window.to_end


@pytest.mark.parametrize(("count", "to_start"), [(0, True), (1, True), (PAGE - 1, True)])
async def test_a_short_talk_is_there_as_a_whole(count: int, to_start: bool) -> None:
    window = Window(Book(count), TALK)
    await window.open_end()
    assert (window.to_start, window.to_end) == (to_start, True)
    assert len(window.lines) == count
    assert not await window.older()


class LongLines(Book):
    """Of which only a few come at once, however many are asked for."""

    MOST = 7

    async def history(self, who: str, *, before: int = 0, limit: int = PAGE) -> list[HistoryLine]:
        return await super().history(who, before=before, limit=min(limit, self.MOST))

    async def history_after(self, who: str, number: int, *, limit: int = PAGE) -> list[HistoryLine]:
        return await super().history_after(who, number, limit=min(limit, self.MOST))


async def test_very_long_lines_hide_nothing_of_what_was_said_before_or_after_them() -> None:
    book = LongLines(50)
    window = Window(book, TALK)
    await window.open_end()
    assert (numbers(window), window.to_start) == ((88, 100), False)
    book.lines += [line(number) for number in range(102, 142, 2)]
    await window.catch_up()
    assert (numbers(window)[1], window.to_end) == (140, True)
    while await window.older():
        assert not window.to_start or window.lines[0].number == 2
    assert numbers(window) == (2, 140)
    await window.open_at(50)
    assert (window.to_start, window.to_end) == (False, False)


async def test_it_opens_around_a_line() -> None:
    window = Window(Book(1_000), TALK)
    await window.open_at(1_000)
    assert numbers(window) == (802, 1_200)
    assert window.line(1_000) == line(1_000)
    assert window.line(1_001) is None
    assert (window.to_start, window.to_end) == (False, False)


async def test_what_comes_is_added_while_somebody_looks_at_the_end() -> None:
    book = Book(10)
    window = Window(book, TALK)
    await window.open_end()
    book.lines += [line(number) for number in range(22, 22 + 2 * 250, 2)]
    await window.catch_up()
    assert window.lines[-1] == book.lines[-1]
    assert window.to_end


async def test_what_one_reads_stays_while_more_comes_than_fits() -> None:
    book = Book(1_000)
    window = Window(book, TALK)
    await window.open_end()
    for _ in range(3):
        await window.older()
    was = numbers(window)
    window.following = False
    book.lines += [line(2_002)]
    await window.catch_up()
    assert numbers(window) == was
    assert not window.to_end
    assert await window.newer()
    assert numbers(window)[1] == 2_002


async def test_a_changed_line_is_read_again_and_nothing_else() -> None:
    book = Book(300)
    window = Window(book, TALK)
    await window.open_end()
    book.lines[-1] = changed = line(600, text="other", edited_ms=NOW)
    window.moved(600)
    window.moved(2)  # not loaded: not asked for
    before = book.asked
    await window.catch_up()
    assert window.lines[-1] == changed
    assert book.asked == before + 2  # the line, and what comes after
    book.lines[-2] = again = line(598, deleted=True, text="")
    window.amended("r598")
    await window.catch_up()
    assert window.lines[-2] == again


async def test_many_changed_lines_are_read_again_as_a_whole() -> None:
    book = Book(90)
    window = Window(book, TALK)
    await window.open_end()
    book.lines = [replace(each, text="new") for each in book.lines]
    for each in book.lines:
        window.moved(each.number)
    before = book.asked
    await window.catch_up()
    assert {each.text for each in window.lines} == {"new"}
    assert book.asked == before + 2


async def test_what_a_reply_answers_is_looked_up_once() -> None:
    book = Book(300)
    book.lines[-1] = line(600, reply_to="r4")
    book.lines[-2] = line(598, reply_to="r596")
    book.lines[-3] = line(596, reply_to="gone")
    window = Window(book, TALK)
    await window.open_end()
    assert window.about == {"r4": line(4), "r596": book.lines[-3], "gone": None}
    before = book.asked
    await window.older()
    assert book.asked == before + 1


def filled(count: int) -> Callable[[Path], None]:
    """So many lines with the friend."""

    def fill(folder: Path) -> None:
        with ProfileStore.open(folder, lambda: unlock(folder, None)) as store:
            known = store.load()
            rows = [
                Said(
                    known.last_said + number,
                    FRIEND_ID,
                    FRIEND_ID,
                    f"line {number}",
                    NOW + number,
                    NOW + number,
                    "pinned",
                    (f"{number:043d}",),
                )
                for number in range(1, count + 1)
            ]
            for at in range(0, count, 500):
                store.write(tuple(rows[at : at + 500])).result()

    return fill


async def test_one_scrolls_through_a_long_talk_without_loading_it(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(3_000)) as it:
        await it.opens()
        await it.sees("line 3000")
        seen = 3_000
        while seen >= 3_000 - LINES_MAX:
            it.messages.scroll_page_up(animate=False)
            await it.pilot.settled()
            assert len(it.session.window.lines) <= LINES_MAX
            first = it.session.window.lines[0].text
            seen = min(seen, int(first.removeprefix("line ")))
        await it.pilot.press("escape", "end")
        await it.sees("line 3000")
        assert it.messages.at_end


async def test_what_one_reads_does_not_move_when_something_comes(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(300)) as it:
        await it.opens()
        await it.sees("line 300")
        it.messages.scroll_page_up(animate=False)
        it.messages.scroll_page_up(animate=False)
        await it.pilot.settled()
        row = it.messages.block_at(it.messages.scroll_offset.y + 5)
        await it.bob_says("news")
        await it.sees("news")
        assert it.messages.block_at(it.messages.scroll_offset.y + 5) == row
        assert it.session.unseen.count(it.bob.id) == 1
        await it.pilot.press("escape", "end")
        await it.until(lambda: it.session.unseen.count(it.bob.id) == 0)
