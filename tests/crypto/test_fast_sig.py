"""Session keys in both forms: who is believed, for how long, and what they may sign."""

from __future__ import annotations

import copy
import pickle

import pytest

from socp.crypto import fast_sig
from socp.crypto.fast_sig import OwnSession, PeerSession
from socp.wire import base64url, limits
from socp.wire.canonical import canonical
from socp.wire.envelope import Envelope
from socp.wire.errors import Code, PeerFault
from tests.crypto.conftest import Cast
from tests.crypto.scene import ALICE, BOB, TS

DAY = limits.SESSION_MS
PAYLOAD = {"msg_ref": "m"}


def believed(cast: Cast, own: OwnSession, wall: int = TS) -> PeerSession:
    return fast_sig.believed(cast.suite, cast.alice.public, ALICE, own.stated, wall)


def signed(own: OwnSession, kind: str = "ACK") -> Envelope:
    text = canonical(PAYLOAD)
    return Envelope(kind, ALICE, BOB, TS, text, own.sign(text))


@pytest.mark.spec("11")
def test_a_session_key_speaks_for_its_owner(cast: Cast) -> None:
    own = fast_sig.made(cast.suite, cast.alice, ALICE, TS)
    session = believed(cast, own)
    assert session.signed(signed(own), TS)
    assert len(signed(own).sig) == len("ed:") + 86
    assert fast_sig.hop_signed(cast.alice.public, session, signed(own), TS)
    other = fast_sig.made(cast.suite, cast.alice, ALICE, TS)
    assert not session.signed(signed(other), TS)


@pytest.mark.spec("11")
def test_without_a_session_no_fast_signature_counts_and_an_own_key_always_does(cast: Cast) -> None:
    own = fast_sig.made(cast.suite, cast.alice, ALICE, TS)
    assert not fast_sig.hop_signed(cast.alice.public, None, signed(own), TS)
    text = canonical(PAYLOAD)
    sig = base64url.encode(cast.alice.sign(text))
    frame = Envelope("USER_ADVERTISE", ALICE, BOB, TS, text, sig)
    assert fast_sig.hop_signed(cast.alice.public, believed(cast, own), frame, TS)
    assert not fast_sig.hop_signed(cast.bob.public, believed(cast, own), frame, TS)
    assert not fast_sig.hop_signed(None, believed(cast, own), frame, TS)


@pytest.mark.spec("11")
def test_a_session_key_signs_nothing_that_travels_on(cast: Cast) -> None:
    own = fast_sig.made(cast.suite, cast.alice, ALICE, TS)
    session = believed(cast, own)
    travels = ("USER_ADVERTISE", "USER_REMOVE", "PUBLIC_CHANNEL_KEY_SHARE", "KEY_ROTATE", "X")
    assert [session.signed(signed(own, kind), TS) for kind in travels] == [False] * len(travels)


@pytest.mark.spec("11")
def test_a_session_key_ends_with_its_day_give_or_take_what_clocks_differ(cast: Cast) -> None:
    own = fast_sig.made(cast.suite, cast.alice, ALICE, TS)
    session, frame = believed(cast, own), signed(own)
    assert own.is_good(TS + DAY - 1)
    assert not own.is_good(TS + DAY), "its owner does not make use of the tolerance"
    assert session.signed(frame, TS + DAY + limits.TS_WINDOW_MS)
    assert not session.signed(frame, TS + DAY + limits.TS_WINDOW_MS + 1)


@pytest.mark.spec("11")
def test_the_one_before_counts_until_its_own_end(cast: Cast) -> None:
    first = fast_sig.made(cast.suite, cast.alice, ALICE, TS)
    second = fast_sig.made(cast.suite, cast.alice, ALICE, TS + DAY // 2)
    third = fast_sig.made(cast.suite, cast.alice, ALICE, TS + DAY)
    later = TS + DAY // 2
    session = believed(cast, first).followed_by(believed(cast, second, later))
    assert session.signed(signed(second), later)
    assert session.signed(signed(first), later)
    assert not session.signed(signed(first), TS + DAY + limits.TS_WINDOW_MS + 1)
    session = session.followed_by(believed(cast, third, TS + DAY))
    assert session.signed(signed(second), TS + DAY)
    assert not session.signed(signed(first), TS + DAY), "two are kept"


@pytest.mark.spec("11")
@pytest.mark.threat("M2")
def test_an_older_one_never_comes_after_a_newer_one(cast: Cast) -> None:
    first = believed(cast, fast_sig.made(cast.suite, cast.alice, ALICE, TS))
    second = believed(cast, fast_sig.made(cast.suite, cast.alice, ALICE, TS + 1))
    for replay in (first, second):
        with pytest.raises(PeerFault, match="not newer") as refusal:
            second.followed_by(replay)
        assert refusal.value.code == Code.INVALID_SIG


@pytest.mark.threat("P5")
def test_a_session_key_is_never_printed_or_written(cast: Cast) -> None:
    own = fast_sig.made(cast.suite, cast.alice, ALICE, TS)
    assert own.stated.key in repr(own.key)
    for write in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="session key"):
            write(own.key)


@pytest.mark.spec("11")
def test_there_is_need_for_another_once_a_session_key_is_half_over_or_not_begun(
    cast: Cast,
) -> None:
    own = fast_sig.made(cast.suite, cast.alice, ALICE, TS)
    half = TS + DAY // 2
    early = TS - limits.TS_WINDOW_MS
    assert [own.is_fresh(at) for at in (early, TS, half - 1)] == [True] * 3
    assert [own.is_fresh(at) for at in (early - 1, half, TS + DAY)] == [False] * 3


@pytest.mark.spec("11")
@pytest.mark.threat("I10")
def test_a_session_key_that_another_key_certified_is_refused_with_whose_it_is_not(
    cast: Cast,
) -> None:
    forged = fast_sig.made(cast.suite, cast.bob, ALICE, TS)
    with pytest.raises(PeerFault, match=f"is not signed by the key of {ALICE}") as refusal:
        believed(cast, forged)
    assert refusal.value.code == Code.INVALID_SIG
