"""Passwords: what a guess costs, and the box that only the right one opens (section 10, P3)."""

from __future__ import annotations

import pytest

from socp.crypto import passwords
from socp.crypto.keys import PRIVATE_BYTES_MAX, RsaSuite, Unreadable
from socp.crypto.passwords import COST, Cost, WeakPassword
from socp.wire.errors import Misuse
from tests.crypto.scene import ALICE, BOB

SERVER = "5e44e400-0000-4000-8000-000000000004"
SUITE = RsaSuite()
EXPORT = bytes(range(64))
STRETCHED = bytes(range(32))
KEY = b"the private key"


def box(private: bytes = KEY) -> bytes:
    return passwords.seal_key(SUITE, private, STRETCHED, EXPORT, SERVER, ALICE)


@pytest.mark.spec("10")
def test_what_was_sealed_opens_again_and_never_twice_alike() -> None:
    first, second = box(), box()
    assert first != second
    assert passwords.open_key(first, STRETCHED, EXPORT, SERVER, ALICE) == KEY
    assert KEY not in first
    assert passwords.cost_of(first) == COST


@pytest.mark.spec("10")
@pytest.mark.parametrize(
    ("stretched", "export", "server", "user"),
    [
        (STRETCHED[::-1], EXPORT, SERVER, ALICE),
        (STRETCHED, EXPORT[::-1], SERVER, ALICE),
        (STRETCHED, EXPORT, BOB, ALICE),
        (STRETCHED, EXPORT, SERVER, BOB),
    ],
    ids=["password", "exchange", "server", "user"],
)
def test_another_password_server_or_user_opens_nothing(
    stretched: bytes, export: bytes, server: str, user: str
) -> None:
    with pytest.raises(Unreadable):
        passwords.open_key(box(), stretched, export, server, user)


@pytest.mark.parametrize("at", [0, 14, 18, 19, 20, 31, 40, -1])
def test_a_box_with_one_bit_wrong_opens_nothing(at: int) -> None:
    bent = bytearray(box())
    bent[at] ^= 1
    with pytest.raises(Unreadable):
        passwords.open_key(bytes(bent), STRETCHED, EXPORT, SERVER, ALICE)


@pytest.mark.parametrize("cut", [b"", b"socp-key-box/1", box()[:-60], box() + bytes(9000)])
def test_what_is_no_box_is_unreadable(cut: bytes) -> None:
    with pytest.raises(Unreadable):
        passwords.cost_of(cut)


@pytest.mark.threat("P3")
@pytest.mark.parametrize(
    "cost",
    [
        Cost(8, 1, 1),
        Cost(COST.memory_kib, COST.passes - 1, COST.lanes),
        Cost(COST.memory_kib - 1, COST.passes, COST.lanes),
        Cost(2**31, 3, 4),
        Cost(1024 * 1024 + 1, COST.passes, COST.lanes),
        Cost(COST.memory_kib, 11, COST.lanes),
        Cost(COST.memory_kib, COST.passes, 17),
        Cost(COST.memory_kib, 255, 4),
        Cost(COST.memory_kib, COST.passes, 0),
    ],
)
def test_a_cost_that_is_too_cheap_or_would_choke_us_is_not_paid(cost: Cost) -> None:
    with pytest.raises(Misuse, match="a cost of Cost"):
        passwords.stretch("correct horse battery", SERVER, ALICE, cost)
    head = bytearray(box())
    head[14:20] = passwords._COST.pack(cost.memory_kib, cost.passes, cost.lanes)
    with pytest.raises(Unreadable):
        passwords.cost_of(bytes(head))


@pytest.mark.threat("P3")
@pytest.mark.parametrize("cost", [COST, Cost(1024 * 1024, 10, 16), Cost(COST.memory_kib, 3, 1)])
def test_a_cost_is_fair_up_to_1_gib_10_passes_and_16_lanes(cost: Cost) -> None:
    assert cost.is_fair


def test_a_guess_costs_at_least_64_mib_and_3_passes() -> None:
    assert COST.memory_kib >= 64 * 1024
    assert (COST.passes, COST.lanes) == (3, 4)


def test_each_user_of_each_server_has_another_stretch_of_one_password() -> None:
    password = "correct horse battery"
    found = {
        passwords.stretch(password, server, user)
        for server, user in ((SERVER, ALICE), (SERVER, BOB), (BOB, ALICE))
    }
    assert len(found) == 3


def test_a_letter_and_its_two_spellings_are_one_password() -> None:
    composed = passwords.stretch("caf\u00e9 caf\u00e9 caf\u00e9", SERVER, ALICE)
    assert composed == passwords.stretch("cafe\u0301 cafe\u0301 cafe\u0301", SERVER, ALICE)


def test_what_goes_into_the_exchange_is_neither_password_nor_stretch() -> None:
    said = passwords.exchange_password(STRETCHED)
    assert said == passwords.exchange_password(STRETCHED)
    assert len(said) == 43
    assert said.encode() not in (STRETCHED, EXPORT)


@pytest.mark.parametrize(
    "password", ["", "ninechars", "aaaaaaaaaaaaaaaaaaa", "abababababab", "é" * 2000]
)
def test_a_weak_password_is_refused_with_the_remedy(password: str) -> None:
    with pytest.raises(WeakPassword, match=r"^too (short|long|simple): take"):
        passwords.check_strength(password)


def test_a_long_enough_password_is_taken() -> None:
    passwords.check_strength("correct horse battery")


def test_a_key_too_long_for_the_box_is_a_bug() -> None:
    with pytest.raises(Misuse):
        box(bytes(PRIVATE_BYTES_MAX + 1))
