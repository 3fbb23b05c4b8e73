"""What the simulator's keys promise beyond what every test of this room asks of both forms."""

from __future__ import annotations

from timeit import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socp.crypto.keys import Unreadable
from socp.crypto.symbolic import SymbolicSuite
from socp.wire.errors import Code, PeerFault
from tests.keys import test_key


def a_life(seed: int) -> list[bytes]:
    suite = SymbolicSuite(seed)
    key, other = suite.generate(), suite.generate()
    sealed = suite.parse_public(other.public.text).seal(b"hello")
    return [key.public.der, other.to_bytes(), key.sign(b"x"), sealed, suite.random(32)]


def test_one_seed_gives_one_run() -> None:
    assert a_life(1) == a_life(1)


def test_two_seeds_have_nothing_in_common() -> None:
    assert not set(a_life(1)) & set(a_life(2))


def test_keys_of_different_suites_understand_each_other() -> None:
    ours, theirs = SymbolicSuite(1), SymbolicSuite(2)
    holder = theirs.generate()
    seen = ours.parse_public(holder.public.text)
    assert seen == holder.public
    assert holder.open(seen.seal(b"hello")) == b"hello"
    assert seen.verify(holder.sign(b"x"), b"x")


def test_a_real_key_is_not_a_symbolic_one() -> None:
    with pytest.raises(PeerFault) as refusal:
        SymbolicSuite(1).parse_public(test_key(0).public.text)
    assert refusal.value.code == Code.BAD_KEY


@given(st.binary(max_size=600))
def test_no_bytes_make_verifying_or_opening_do_more_than_refuse(data: bytes) -> None:
    key = SymbolicSuite(1).generate()
    for garbage in (data, data.ljust(512, b"\x00")[:512]):
        assert not key.public.verify(garbage, b"x")
        with pytest.raises(Unreadable):
            key.open(garbage)


def test_a_signature_that_held_does_so_for_its_own_data_alone() -> None:
    key = SymbolicSuite(1).generate()
    signature = key.sign(b"x")
    assert key.public.verify(signature, b"x")
    assert key.public.verify(signature, b"x")
    assert not key.public.verify(signature, b"y")
    assert not key.public.verify(key.sign(b"y"), b"x")


def test_the_four_verbs_cost_microseconds() -> None:
    suite = SymbolicSuite(1)
    key = suite.generate()
    signature, sealed = key.sign(b"x" * 600), key.public.seal(b"k" * 32)

    def all_four() -> None:
        key.sign(b"x" * 600)
        key.public.verify(signature, b"x" * 600)
        key.public.seal(b"k" * 32)
        key.open(sealed)

    # Real keys take 2.9 ms for this; the bound is wide for the sake of busy machines.
    assert min(timeit(all_four, number=50) for _ in range(5)) / 50 < 0.3e-3


def test_to_open_ahead_changes_nothing() -> None:
    suite = SymbolicSuite(1)
    key, other = suite.generate(), suite.generate()
    sealed = key.public.seal(b"hello")
    assert key.open_ahead(sealed)
    assert not other.open_ahead(sealed)
    assert not key.open_ahead(sealed[1:])
    assert key.open(sealed) == b"hello"
