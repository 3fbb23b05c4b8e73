"""How long a client waits before it tries its server again (section 5)."""

from __future__ import annotations

import pytest

from socp.client.backoff import Backoff


@pytest.mark.spec("5")
def test_waits_double_from_a_second_to_a_minute() -> None:
    backoff = Backoff(loopback=False, chance=lambda: 0.999)
    waits = [backoff.next_s() for _ in range(9)]
    assert [round(wait) for wait in waits] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.spec("5")
def test_on_loopback_no_wait_is_longer_than_two_seconds() -> None:
    backoff = Backoff(loopback=True, chance=lambda: 0.999)
    assert max(backoff.next_s() for _ in range(20)) <= 2


def test_chance_halves_a_wait_at_most() -> None:
    backoff = Backoff(loopback=False, chance=lambda: 0.0)
    assert [backoff.next_s() for _ in range(3)] == [0.5, 1, 2]


def test_after_a_link_that_held_the_next_outage_begins_anew() -> None:
    backoff = Backoff(loopback=False, chance=lambda: 0.999)
    for _ in range(5):
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() <= 1
