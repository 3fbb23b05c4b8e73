"""Mail is kept for 30 days, by whatever clock: where that is set, nothing goes before its time
(section 12; threat S7)."""

from __future__ import annotations

import pytest

from socp.wire import limits
from tests.node.mesh import Mesh, Server
from tests.node.test_mailbox import keeper, says, waiting

pytestmark = [pytest.mark.spec("12"), pytest.mark.threat("S7")]
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def passes(mesh: Mesh, ms: int, *, steps: int = 1) -> None:
    """So much time, in which a server looks around so many times."""
    for _ in range(steps):
        mesh.wall += ms // steps
        mesh.mono += ms // steps
        mesh.run(0.25)


def test_mail_goes_when_its_time_is_over(mesh: Mesh, a: Server) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    says(alice, bob.id)
    passes(mesh, limits.MAILBOX_DAYS * DAY_MS - HOUR_MS, steps=30 * 24)
    assert waiting(a) == 1
    passes(mesh, 3 * HOUR_MS, steps=3)
    assert waiting(a) == 0


@pytest.mark.parametrize("days", [40, 20_000])
def test_a_clock_that_is_set_makes_no_mail_old(mesh: Mesh, a: Server, days: int) -> None:
    """One that was right and goes wrong, or one that began in 1970 and is right now."""
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    says(alice, bob.id)
    passes(mesh, 2 * HOUR_MS)
    mesh.wall += days * DAY_MS
    passes(mesh, DAY_MS, steps=24)
    assert waiting(a) == 1
    passes(mesh, limits.MAILBOX_DAYS * DAY_MS, steps=30 * 24)
    assert waiting(a) == 0


def test_a_machine_that_sleeps_now_and_then_keeps_no_mail_for_ever(mesh: Mesh, a: Server) -> None:
    """The monotonic clock stands still meanwhile: each time it looks as if the other was set."""
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    says(alice, bob.id)
    for _ in range(7):
        passes(mesh, 5 * DAY_MS, steps=5 * 24)
        mesh.wall += 2 * DAY_MS
    assert waiting(a) == 0


def test_a_clock_that_goes_wrong_and_is_set_right_again_changes_nothing(
    mesh: Mesh, a: Server
) -> None:
    alice, bob = keeper(mesh, a, "alice"), keeper(mesh, a, "bob")
    bob.drop()
    says(alice, bob.id)
    passes(mesh, 2 * HOUR_MS, steps=2)
    mesh.wall += 400 * DAY_MS
    passes(mesh, 2 * HOUR_MS, steps=2)
    mesh.wall -= 400 * DAY_MS
    passes(mesh, 29 * DAY_MS, steps=29 * 24)
    assert waiting(a) == 1
    passes(mesh, DAY_MS, steps=24)
    assert waiting(a) == 0
