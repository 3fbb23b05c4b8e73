"""Files of which only a beginning lies in a mailbox: they wait for nobody, and are in nobody's way
(sections 8 and 11)."""

from __future__ import annotations

import pytest

from tests.sim.town import Town, town

CONTENT = bytes(6_000_000)


def mail(t: Town) -> list[int]:
    return [server.node.status().mail for server in (t.a, t.b, t.c)]


def begun_and_cut_off() -> Town:
    """Alice's server has the beginning of a file for Bob when both it and she are killed, and
    hands it on to his when it is back."""
    t = town()
    t.bob.leave()
    t.b.kill()
    t.run(1)
    t.alice.sends_file(t.bob, "half.bin", CONTENT)
    t.run(1)
    t.a.kill()
    t.alice.kill()
    t.b.start()
    t.a.start()
    t.run(10)
    t.bob.come_back()
    t.run(2)
    assert all(mail(t)[:2])
    return t


@pytest.mark.spec("8")
@pytest.mark.spec("11")
def test_a_beginning_that_nobody_goes_on_with_is_forgotten_after_a_restart_too() -> None:
    t = begun_and_cut_off()
    t.run(130)
    assert mail(t) == [0, 0, 0]
    assert t.bob.received_files == {}


@pytest.mark.spec("8")
@pytest.mark.spec("11")
def test_a_beginning_is_not_in_the_way_of_the_whole_file() -> None:
    t = begun_and_cut_off()
    t.alice.start()
    t.run(30)
    assert t.bob.received_files == {"half.bin": CONTENT}
    t.run(130)
    assert mail(t) == [0, 0, 0]
