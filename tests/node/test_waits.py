"""Mail for a home that does not take it: how long until it is offered again (section 11)."""

from __future__ import annotations

import pytest

from socp.node.waits import PAUSE_FIRST_MS, PAUSE_MAX_MS, Pauses

pytestmark = pytest.mark.spec("11")


def pause_ms(pauses: Pauses, mono: int) -> int:
    """How long the pause lasts that begins now."""
    pauses.begin("bob", mono)
    assert pauses.holds("bob")
    wait = 0
    while not pauses.over(mono + wait):
        wait += 1_000
    return wait


def test_each_refusal_in_a_row_is_waited_out_twice_as_long_up_to_a_bound() -> None:
    pauses, mono, waited = Pauses(), 5_000, []
    for _ in range(12):
        waited.append(pause_ms(pauses, mono))
        mono += waited[-1]
    assert waited[:3] == [PAUSE_FIRST_MS, 2 * PAUSE_FIRST_MS, 4 * PAUSE_FIRST_MS]
    assert waited[-2:] == [PAUSE_MAX_MS] * 2


def test_what_changed_ends_the_pause_and_the_next_is_short_again() -> None:
    pauses = Pauses()
    pause_ms(pauses, 0)
    pause_ms(pauses, 0)
    pauses.end("bob")
    assert not pauses.holds("bob")
    assert pause_ms(pauses, 0) == PAUSE_FIRST_MS
