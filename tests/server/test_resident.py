"""How much memory this process holds, and when the brain hears of it (threat S11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from socp.node.events import Event, Measured
from socp.server import resident, sizes
from socp.wire import limits


def watch(sizes_: Iterator[int | None], told: list[Event]) -> resident.Watch:
    def at_once(what: Callable[[], None]) -> None:
        what()

    return resident.Watch(told.append, at_once, 100 * limits.MIB, lambda: next(sizes_))


def test_the_brain_is_told_what_the_system_says() -> None:
    told: list[Event] = []
    watch(iter([5]), told).look()
    assert told == [Measured(5)]


def test_while_much_passes_through_it_is_looked_at_sooner() -> None:
    told: list[Event] = []
    seen = watch(iter([1, 2, 3]), told)
    for _ in range(2 * resident.LOOK_BYTES // limits.MIB):
        seen.passed(limits.MIB)
    assert told == [Measured(1), Measured(2)]


def test_what_is_free_is_given_back_before_anybody_is_told_that_it_is_much() -> None:
    told: list[Event] = []
    watch(iter([101 * limits.MIB, 60 * limits.MIB]), told).look()
    assert told == [Measured(60 * limits.MIB)]


def test_where_the_system_says_nothing_nothing_is_told() -> None:
    told: list[Event] = []
    watch(iter([None]), told).look()
    assert told == []


@pytest.mark.skipif(resident.resident_bytes() is None, reason="no way to see memory here")
def test_the_size_grows_with_what_is_held() -> None:
    before = resident.resident_bytes()
    held = bytearray(32 * limits.MIB)
    held[::4096] = b"x" * len(held[::4096])
    after = resident.resident_bytes()
    assert before is not None
    assert after is not None
    assert after - before > 30 * limits.MIB


@pytest.mark.parametrize(
    ("text", "size"),
    [("256M", 256 << 20), ("1g", 1 << 30), ("2 GiB", 2 << 30), ("300mb", 300 << 20)],
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert sizes.parsed(text) == size
    assert sizes.parsed(sizes.shown(size)) == size


@pytest.mark.parametrize("text", ["", "256", "lots", "-1G", "1.5G", "M"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="256M"):
        sizes.parsed(text)
