"""`bind/1`; vectors/wire/bind.json has the cases (section 11)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socp.wire.bind import bound, check_bind
from socp.wire.envelope import Envelope
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import Ack, Bind, Payload
from tests.wire.examples import ALICE, BOB, EXAMPLES, TS

pytestmark = [pytest.mark.spec("11"), pytest.mark.threat("M1")]


@pytest.mark.parametrize("payload", EXAMPLES, ids=lambda payload: payload.TYPE)
def test_a_bound_payload_fits_its_own_envelope(payload: Payload) -> None:
    tied = bound(payload, type=payload.TYPE, from_=ALICE, to=BOB, ts=TS)
    assert payload.bind is None, "the payload itself stays as it was"
    assert tied.bind == Bind(type=payload.TYPE, from_=ALICE, to=BOB, ts=TS)
    check_bind(Envelope(payload.TYPE, ALICE, BOB, TS, b"{}"), tied, required=True)


texts = st.sampled_from(["ACK", "ERROR", ALICE, BOB]) | st.text()
envelopes = st.builds(Envelope, texts, texts, texts, st.integers(0, 2), st.just(b"{}"))


@given(envelopes, envelopes)
def test_it_fits_no_other(signed: Envelope, sent: Envelope) -> None:
    tied = bound(Ack(), type=signed.type, from_=signed.from_, to=signed.to, ts=signed.ts)
    if sent == signed:
        check_bind(sent, tied, required=False)
        return
    with pytest.raises(PeerFault) as refusal:
        check_bind(sent, tied, required=False)
    assert refusal.value.code == Code.INVALID_SIG
    assert refusal.value.answerable is (sent.type not in ("ACK", "ERROR"))
