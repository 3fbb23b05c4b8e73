"""What a person reads beside the progress of a transfer."""

from __future__ import annotations

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
