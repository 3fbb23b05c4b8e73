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
