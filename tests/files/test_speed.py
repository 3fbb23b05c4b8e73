"""What a person reads beside the progress of a transfer."""

from __future__ import annotations

import tracemalloc

from socp.files.speed import LATELY_MS, Speed


def test_nothing_is_said_before_there_is_something_to_say() -> None:
    speed = Speed()
    assert (speed.bytes_per_s(), speed.remaining_s(10)) == (0, None)
    speed.moved(0, 5_000)
    speed.moved(100, 5_500)
    assert (speed.bytes_per_s(), speed.remaining_s(1_000)) == (0, None)


def test_a_steady_transfer_has_its_rate_and_the_rest_of_its_time() -> None:
    speed = Speed()
    for step in range(21):
        speed.moved(step * 100, 1_000 + step * 100)
    assert speed.bytes_per_s() == 1_000
    assert speed.remaining_s(5_000) == 3
    assert speed.remaining_s(2_000) == 0


def test_what_is_long_past_does_not_count() -> None:
    speed = Speed()
    for step in range(100):
        speed.moved(step * 1_000, step * 100)
    for step in range(1, 2 * LATELY_MS // 100):
        speed.moved(99_000 + step, 9_900 + step * 100)
    assert speed.bytes_per_s() == 10


def test_a_transfer_that_begins_anew_is_measured_anew() -> None:
    speed = Speed()
    speed.moved(0, 0)
    speed.moved(1_000_000, 2_000)
    speed.moved(500_000, 3_000)
    assert speed.bytes_per_s() == 0
    speed.moved(501_000, 4_000)
    assert speed.bytes_per_s() == 1_000


def test_a_rate_is_whole_bytes_and_the_rest_whole_seconds_rounded_up() -> None:
    speed = Speed()
    speed.moved(0, 0)
    speed.moved(1_000, 3_000)
    assert (str(speed.bytes_per_s()), str(speed.remaining_s(1_334))) == ("333", "2")


def test_what_was_said_a_moment_ago_is_said_anew() -> None:
    """Of steps within a fifth of a second the last one counts, and the first of all stays."""
    speed = Speed()
    for done, mono in ((0, 0), (10, 100), (500, 1_000), (900, 1_100), (1_000, 1_150)):
        speed.moved(done, mono)
    assert speed.bytes_per_s() == 1_000 * 1_000 // 1_150


def test_however_often_it_is_fed_it_keeps_no_more_than_it_needs() -> None:
    speed = Speed()
    tracemalloc.start()
    for mono in range(2 * LATELY_MS):
        speed.moved(mono, mono)
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert speed.bytes_per_s() == 1_000
    assert kept_bytes < 50_000
