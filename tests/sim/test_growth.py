"""What is measured of a mesh of one size (docs/growth.md)."""

from __future__ import annotations

from socp.sim.growth import Growth


def test_a_run_tells_what_servers_sent_and_how_soon_they_agreed_after_a_partition() -> None:
    grown = Growth(1, 4, 2, users_each=3).measure()
    assert (grown.servers, grown.users, grown.law) == (4, 12, "")
    assert grown.said >= 12
    assert grown.joins_bytes > 1_000 * grown.joins_frames > 1_000
    assert grown.calm_bytes_s > 100 * grown.calm_frames_s > 0
    assert grown.healing_bytes > 0
    assert 0 < grown.converged_s <= 90
    assert Growth(1, 4, 2, users_each=3).measure() == grown
