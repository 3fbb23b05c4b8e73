"""OPAQUE behind its door: who knows the password gets through, nobody else learns anything."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socp.crypto import opaque
from socp.crypto.keys import RsaSuite
from socp.crypto.opaque import Login, LoginRefused, OpaqueKeeper, Registration
from tests.crypto.scene import ALICE, BOB

SUITE = RsaSuite()
KEEPER = OpaqueKeeper(SUITE)


def record(password: str, user: str = ALICE, keeper: OpaqueKeeper = KEEPER) -> tuple[bytes, bytes]:
    """(record, export_key) of a password that was set."""
    asked = Registration(password)
    upload, export_key = asked.finish(keeper.answer_registration(asked.request, user))
    return keeper.checked_record(upload), export_key


RECORD, EXPORT = record("right")


@pytest.mark.spec("10")
def test_the_right_password_gets_through_and_gives_the_same_export_key() -> None:
    login = Login("right")
    response, hand = KEEPER.begin(login.request, ALICE, RECORD)
    proof, export_key = login.finish(response)
    assert export_key == EXPORT
    assert hand.holds(proof)
    assert not hand.holds(proof), "a login ends once"


@pytest.mark.spec("10")
def test_a_wrong_password_is_found_out_at_both_ends() -> None:
    login = Login("wrong")
    response, hand = KEEPER.begin(login.request, ALICE, RECORD)
    with pytest.raises(LoginRefused):
        login.finish(response)
    assert not hand.holds(secrets.token_bytes(opaque.LOGIN_PROOF_BYTES))


def test_somebody_elses_record_does_not_fit() -> None:
    login = Login("right")
    response, _ = KEEPER.begin(login.request, BOB, RECORD)
    with pytest.raises(LoginRefused):
        login.finish(response)


@pytest.mark.threat("P3")
def test_who_has_no_record_is_answered_with_as_many_bytes_and_never_let_in() -> None:
    login = Login("right")
    response, hand = KEEPER.begin(login.request, BOB, b"")
    real, _ = KEEPER.begin(login.request, ALICE, RECORD)
    assert len(response) == len(real) == opaque.LOGIN_RESPONSE_BYTES
    with pytest.raises(LoginRefused):
        login.finish(response)
    assert not hand.holds(bytes(opaque.LOGIN_PROOF_BYTES))


@pytest.mark.threat("P3")
def test_asked_twice_in_the_same_words_nobody_looks_like_somebody() -> None:
    """The first 32 bytes, the blinded evaluation, are the same each time for both; the rest never
    is."""
    request = Login("guess").request
    for user, kept in ((ALICE, RECORD), (BOB, b"")):
        first, second = (KEEPER.begin(request, user, kept)[0] for _ in range(2))
        assert first[:32] == second[:32]
        assert all(first[at : at + 32] != second[at : at + 32] for at in range(32, 320, 32))


def test_a_stored_setup_serves_the_same_records() -> None:
    again = OpaqueKeeper(SUITE, KEEPER.setup)
    assert again.setup == KEEPER.setup
    assert len(again.setup) == opaque.SETUP_BYTES
    login = Login("right")
    response, hand = again.begin(login.request, ALICE, RECORD)
    assert hand.holds(login.finish(response)[0])


def test_another_servers_setup_does_not() -> None:
    login = Login("right")
    response, _ = OpaqueKeeper(SUITE).begin(login.request, ALICE, RECORD)
    with pytest.raises(LoginRefused):
        login.finish(response)


@pytest.mark.threat("P3")
def test_the_record_of_one_password_is_never_the_same() -> None:
    assert record("right")[0] != RECORD


def test_messages_have_the_sizes_that_the_api_promises() -> None:
    asked, login = Registration("x"), Login("x")
    answer = KEEPER.answer_registration(asked.request, ALICE)
    response, _ = KEEPER.begin(login.request, ALICE, b"")
    assert len(asked.request) == opaque.REGISTRATION_REQUEST_BYTES
    assert len(answer) == opaque.REGISTRATION_RESPONSE_BYTES
    assert len(RECORD) == opaque.RECORD_BYTES
    assert len(login.request) == opaque.LOGIN_REQUEST_BYTES
    assert len(response) == opaque.LOGIN_RESPONSE_BYTES


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_garbage_is_refused_and_nothing_else(data: bytes) -> None:
    for work in (
        lambda: KEEPER.answer_registration(data, ALICE),
        lambda: KEEPER.checked_record(data),
        lambda: KEEPER.begin(data, ALICE, RECORD),
        lambda: Registration("x").finish(data),
        lambda: Login("x").finish(data),
    ):
        with pytest.raises(LoginRefused):
            work()
    assert not KEEPER.begin(Login("x").request, ALICE, RECORD)[1].holds(data)


def test_a_setup_that_is_none_is_refused() -> None:
    with pytest.raises(LoginRefused):
        OpaqueKeeper(SUITE, b"short")


def test_no_secret_has_a_repr() -> None:
    assert repr(KEEPER) == "<OpaqueKeeper>"
