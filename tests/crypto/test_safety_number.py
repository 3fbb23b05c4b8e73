"""Safety numbers: what both ends see, and what may be typed."""

from __future__ import annotations

import pytest

from socp.crypto import safety_number
from socp.crypto.safety_number import NoSafetyNumber
from socp.wire.errors import Misuse, PeerFault
from tests.crypto.scene import ALICE, BOB

ONE, TWO = "ab" * 32, "cd" * 32
NUMBER = safety_number.safety_number(ALICE, ONE, BOB, TWO)


@pytest.mark.spec("10")
def test_both_ends_see_the_same_sixty_digits() -> None:
    assert safety_number.safety_number(BOB, TWO, ALICE, ONE) == NUMBER
    assert len(NUMBER) == safety_number.DIGITS
    assert NUMBER.isdecimal()


@pytest.mark.spec("10")
@pytest.mark.parametrize(
    "other",
    [
        safety_number.safety_number(ALICE, ONE, BOB, "ce" * 32),
        safety_number.safety_number(ALICE, "ac" * 32, BOB, TWO),
        safety_number.safety_number(BOB, ONE, ALICE, TWO),
    ],
    ids=["their key", "our key", "whose key is whose"],
)
def test_it_depends_on_both_keys_and_on_whose_they_are(other: str) -> None:
    assert other != NUMBER


@pytest.mark.parametrize(
    "typed",
    [
        NUMBER,
        " ".join(safety_number.grouped(NUMBER)),
        "\n".join(safety_number.grouped(NUMBER)) + "\n",
        "-".join(safety_number.grouped(NUMBER)),
        ", ".join(safety_number.grouped(NUMBER)) + ".",
        safety_number.qr_text(NUMBER),
        f"  {safety_number.qr_text(NUMBER)} ",
    ],
)
def test_however_it_is_typed_it_is_the_same_number(typed: str) -> None:
    assert safety_number.parse(typed) == NUMBER


@pytest.mark.parametrize(
    "typed",
    [
        "",
        NUMBER[:-1],
        NUMBER + "0",
        "x" + NUMBER,
        "socp:verify:2:" + NUMBER,
        NUMBER[:-1] + "\u0663",  # a digit of another script
        NUMBER[:-1] + "\uff13",
    ],
)
def test_what_is_no_safety_number_says_how_many_digits_it_has(typed: str) -> None:
    with pytest.raises(NoSafetyNumber, match="60 digits, and these are"):
        safety_number.parse(typed)


def test_it_is_read_in_twelve_groups_of_five() -> None:
    groups = safety_number.grouped(NUMBER)
    assert len(groups) == 12
    assert {len(group) for group in groups} == {5}
    assert "".join(groups) == NUMBER


def test_an_id_or_fingerprint_that_is_none_has_no_number() -> None:
    with pytest.raises(PeerFault):
        safety_number.safety_number(ALICE[1:], ONE, BOB, TWO)
    with pytest.raises(Misuse):
        safety_number.safety_number(ALICE, ONE[2:], BOB, TWO)


def test_it_is_compared_in_two_rows_of_six_groups() -> None:
    first, second = safety_number.rows(NUMBER)
    assert first == " ".join(safety_number.grouped(NUMBER)[:6])
    assert second == " ".join(safety_number.grouped(NUMBER)[6:])


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("12 34", "these are 4; read all"),
        (NUMBER + "0", "these are 61; read all"),
        ("x" + NUMBER, "these are 60 and other characters; read all"),
        (NUMBER[:-1] + "\u0663", "these are 59 and other characters; read all"),
    ],
)
def test_who_typed_something_else_reads_what_was_seen(typed: str, said: str) -> None:
    with pytest.raises(NoSafetyNumber, match=said):
        safety_number.parse(typed)
