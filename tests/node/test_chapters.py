"""What one who comes without `presence/1` is told of who is here, kept in pieces (section 6)."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from socp.node import chapters
from socp.node.chapters import Chapters
from socp.node.crowd import SHARED_BYTES
from socp.node.effects import Outgoing, Piece
from socp.node.events import Now
from socp.node.roster import Present

NOW = Now(wall=1_700_000_000_000, mono=50_000)
BYTES = 10_000  # of an advert: a chapter takes five of them


def somebody(number: int) -> Present:
    advert = b"%04d" % number + b"x" * (BYTES - 4)
    return Present(f"user {number:04}", "server a", "", 0, 0, number, advert)


def told(some: Chapters, user_id: str = "nobody") -> list[Outgoing | bytes | Piece]:
    return list(some.all_but(user_id, NOW))


def users(some: Chapters, user_id: str = "nobody") -> list[int]:
    """The numbers of all who are told of, in order."""
    found = []
    for each in told(some, user_id):
        frames = each.frames if isinstance(each, Piece) else (each,)
        found += [int(frame[:4]) for frame in frames if isinstance(frame, bytes)]
    return sorted(found)


@pytest.mark.spec("6")
def test_whoever_comes_and_goes_a_newcomer_is_told_of_all_others_once() -> None:
    dice = random.Random(8)
    here = {number: somebody(number) for number in range(30)}
    some = Chapters(here.values())
    for number in range(30, 600):
        if dice.random() < 0.6:
            here[number] = somebody(number)
            some.came(here[number])
        elif here:
            some.left(here.pop(dice.choice(list(here))))
        asks = dice.choice(list(here)) if here else 0
        assert users(some, f"user {asks:04}") == sorted(here.keys() - {asks})


def test_pieces_stay_the_same_objects_but_where_somebody_came_or_went() -> None:
    here = [somebody(number) for number in range(22)]
    some = Chapters(here)
    before = told(some)
    assert all(isinstance(each, Piece) for each in before)
    assert len(before) == 5
    some.came(somebody(30))
    some.left(here[7])
    same = [each is other for each, other in zip(before, told(some), strict=True)]
    assert same == [True, False, True, True, False]


def test_what_was_left_is_filled_again() -> None:
    here = [somebody(number) for number in range(50)]
    some = Chapters(here)
    for present in here[:25:5]:
        some.left(present)
    pieces = len(told(some))
    for present in here[:25:5]:
        some.came(replace(present, ts=1))
    assert len(told(some)) == pieces


def test_a_piece_is_a_write_however_long_the_adverts_are() -> None:
    some = Chapters(somebody(number) for number in range(40))
    sizes = [each.size for each in told(some) if isinstance(each, Piece)]
    assert sum(sizes) == 40 * BYTES
    assert max(sizes) < SHARED_BYTES + BYTES


def test_they_rest_once_nobody_asked_for_a_while() -> None:
    some = Chapters([somebody(1)])
    told(some)
    assert not some.rests(Now(wall=NOW.wall, mono=NOW.mono + chapters.REST_MS - 1))
    assert some.rests(Now(wall=NOW.wall, mono=NOW.mono + chapters.REST_MS))
