"""Messages that wait for a key: in order, within bounds, and nobody's at another's cost (S5)."""

from __future__ import annotations

import pytest

from socp.member.handed import DETAIL_COLUMNS, refusal_text
from socp.member.held import (
    CHANNEL_WAIT_MS,
    HELD_BYTES_MAX,
    HELD_MAX,
    HELD_PER_AUTHOR_MAX,
    Held,
    Wait,
)
from socp.member.letters import Letter
from tests.member.desk import START_MS, an_id

pytestmark = pytest.mark.threat("S5")


def letter(author: str, n: int = 0, *, size: int = 10) -> Letter:
    raw = b"%d" % n
    return Letter(an_id(author), an_id("me"), "", raw.ljust(size), "", "", (START_MS + n,))


def test_what_waits_for_a_key_is_taken_out_in_order_and_once() -> None:
    held = Held()
    for n, author in enumerate(("alice", "bob", "alice")):
        assert held.hold(letter(author, n), Wait.AUTHOR, 0)
    assert held.authors() == sorted((an_id("alice"), an_id("bob")))
    assert held.waits(an_id("alice"))
    assert held.for_author(an_id("alice")) == [letter("alice", 0), letter("alice", 2)]
    assert held.for_author(an_id("alice")) == []
    assert not held.waits(an_id("alice"))
    assert held.authors() == [an_id("bob")]


def test_a_second_copy_takes_no_place() -> None:
    held = Held()
    for _ in range(3):
        assert held.hold(letter("alice"), Wait.AUTHOR, 0)
    assert held.for_author(an_id("alice")) == [letter("alice")]


def test_one_author_fills_no_more_than_their_share_and_all_no_more_than_there_is() -> None:
    held = Held()
    for n in range(HELD_PER_AUTHOR_MAX):
        assert held.hold(letter("alice", n), Wait.AUTHOR, 0)
    assert not held.hold(letter("alice", 1_000), Wait.AUTHOR, 0)
    for n in range(HELD_MAX - HELD_PER_AUTHOR_MAX):
        assert held.hold(letter(f"author {n % 8}", n), Wait.AUTHOR, 0)
    assert not held.hold(letter("bob"), Wait.AUTHOR, 0)
    held.for_author(an_id("alice"))
    assert held.hold(letter("bob"), Wait.AUTHOR, 0)


def test_the_bytes_that_wait_are_bounded_and_free_again_when_they_are_taken_out() -> None:
    held = Held()
    half = HELD_BYTES_MAX // 2
    for _ in range(3):
        assert held.hold(letter("alice", 1, size=half), Wait.AUTHOR, 0)
        assert held.hold(letter("bob", 2, size=half), Wait.AUTHOR, 0)
        assert not held.hold(letter("carol", 3, size=1), Wait.AUTHOR, 0)
        held.for_author(an_id("alice"))
        assert held.hold(letter("carol", 4, size=half), Wait.AUTHOR, 0)
        assert not held.hold(letter("dora", 5, size=1), Wait.AUTHOR, 0)
        held.for_author(an_id("bob"))
        held.for_author(an_id("carol"))


def test_what_waits_for_the_channels_key_goes_back_with_its_time_and_is_overdue_by_it() -> None:
    held = Held()
    held.hold(letter("alice"), Wait.CHANNEL, 1_000)
    held.hold(letter("bob"), Wait.AUTHOR, 1_000)
    (waiting,) = held.for_channel()
    assert held.for_channel() == []
    held.back(waiting)
    assert held.overdue(1_000 + CHANNEL_WAIT_MS - 1) == []
    assert held.overdue(1_000 + CHANNEL_WAIT_MS) == [letter("alice")]
    assert held.overdue(10 * CHANNEL_WAIT_MS) == []
    assert held.waits(an_id("bob"))


@pytest.mark.threat("I8")
def test_a_refusal_is_short_and_harmless_whatever_the_server_says() -> None:
    said = refusal_text("\x1b[2J" + "C" * 100, "d" * 1_000 + "\x07")
    assert said.isprintable()
    code, detail = said.split(": ", 1)
    assert (len(code), len(detail)) == (40, DETAIL_COLUMNS)
    assert refusal_text("BAD_KEY", "not his") == "BAD_KEY: not his"
