"""What came in and nobody looked at yet, of all connections together (threats S1, S11)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest

from socp.server.intake import LEAVE, Account, Intake

MOST = 1000


class Source:
    """One connection."""

    def __init__(self, intake: Intake) -> None:
        self.account: Account = intake.open(self)
        self.reading = self.there = True

    def pause(self) -> None:
        self.reading = False

    def resume(self) -> None:
        self.reading = True

    def give_way(self) -> None:
        self.there = False


class Scene:
    def __init__(self, count: int) -> None:
        self.soon: deque[Callable[[], None]] = deque()
        self.passed = 0
        self.intake = Intake(MOST, self.soon.append, self.count)
        self.sources = [Source(self.intake) for _ in range(count)]

    def count(self, size: int) -> None:
        self.passed += size

    def turn(self) -> None:
        while self.soon:
            self.soon.popleft()()

    @property
    def there(self) -> list[bool]:
        return [each.there for each in self.sources]


@pytest.mark.threat("S11")
def test_over_the_bound_nobody_is_read_from_at_once() -> None:
    scene = Scene(3)
    scene.sources[0].account.came(MOST)
    assert all(each.reading for each in scene.sources)
    scene.sources[1].account.came(1)
    assert not any(each.reading for each in scene.sources)


def test_what_is_whole_is_taken_meanwhile_and_nobody_is_cut() -> None:
    scene = Scene(3)
    scene.sources[0].account.came(MOST + 1)
    scene.sources[0].account.took(MOST)
    scene.turn()
    assert all(scene.there)
    assert all(each.reading for each in scene.sources)
    assert scene.intake.held == 1


@pytest.mark.threat("S11")
def test_who_makes_us_hold_most_gives_way_and_who_sends_little_is_never_hurt() -> None:
    scene = Scene(5)
    for source, size in zip(scene.sources, (300, 10, 500, 5, 200), strict=True):
        source.account.came(size)
    scene.turn()
    assert scene.there == [True, True, False, True, True]
    scene.sources[2].account.close()
    scene.turn()
    assert scene.intake.held == 515 <= MOST * LEAVE // 100
    assert all(each.reading for each in scene.sources if each.there)


@pytest.mark.threat("S11")
def test_what_they_sent_counts_until_it_is_gone_and_till_then_nobody_is_read_from() -> None:
    scene = Scene(3)
    scene.sources[0].account.came(MOST + 1)
    scene.turn()
    assert not scene.sources[0].there
    assert not scene.sources[1].reading
    scene.sources[0].account.took(500)
    scene.turn()
    assert scene.sources[1].reading
    scene.sources[1].account.came(600)
    scene.turn()
    assert scene.there == [False, True, True], "what goes already is enough"
    scene.sources[0].account.close()
    scene.sources[0].account.came(50)
    scene.turn()
    assert scene.intake.held == 600
    assert [each.reading for each in scene.sources[1:]] == [True, True]


def test_a_connection_that_ends_gives_back_what_it_held() -> None:
    scene = Scene(2)
    scene.sources[0].account.came(400)
    scene.sources[1].account.came(100)
    scene.sources[0].account.close()
    assert scene.intake.held == 100


def test_all_that_came_is_told_of_so_that_the_size_is_looked_at_in_time() -> None:
    scene = Scene(1)
    for _ in range(3):
        scene.sources[0].account.came(100)
        scene.sources[0].account.took_all()
    assert (scene.passed, scene.intake.held) == (300, 0)
