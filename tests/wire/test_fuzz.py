"""One narrow door: whatever bytes come in, decode gives an Envelope or a PeerFault (section 2)."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from socp.wire import limits, payloads
from socp.wire.bind import check_bind
from socp.wire.canonical import canonical
from socp.wire.envelope import Envelope, decode, encode, reencode
from socp.wire.errors import Code, PeerFault
from socp.wire.msg_ref import dedup_key
from tests.wire.examples import EXAMPLES, envelope
from tests.wire.jsontext import doubtful_texts

pytestmark = [pytest.mark.spec("2"), pytest.mark.threat("M7"), pytest.mark.threat("S4")]

FRAMES = [reencode(envelope(payload)) for payload in EXAMPLES]
CODES = {Code.BAD_FRAME, Code.UNKNOWN_TYPE, Code.TOO_LARGE, Code.INVALID_SIG}


def lives_through(data: str | bytes) -> None:
    """All that the wire does with a frame, as far as it gets; no other exception leaves it."""
    fault = None
    try:
        take(data)
    except PeerFault as raised:
        fault = raised
    if fault is not None:
        assert fault.code in CODES
        assert fault.detail.replace("\u200d", "").isprintable()
        assert len(fault.detail) <= limits.ERROR_DETAIL_CHARS


def take(data: str | bytes) -> None:
    read = decode(data)
    assert isinstance(read, Envelope)
    assert decode(reencode(read)) == read
    assert len(dedup_key(read)) == 32
    assert decode(encode("X", "a", "b", 1, canonical(read.members), "")).members == read.members
    check_bind(read, payloads.parse(read), required=True)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200))
@example(b"[" * 1_000_000)
@example('{"a":' * 200_000)
@example("1" * 1_000_000)
@example("-" * 1_000_000)
@example('"' * 1_000_000)
@example("\\" * 1_000_000)
@example('{"type":"' + "\x1b" * 50 + '","from":"a","to":"b","ts":1,"payload":{}}')
@example(b'{"type":1e999999999}')
@example("\ud800" * 10)
@example("\U0001f600" * 1000)
@example(b"")
def test_arbitrary_bytes_and_texts(data: str | bytes) -> None:
    lives_through(data)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_frames_with_some_bytes_changed(data: st.DataObject) -> None:
    frame = bytearray(data.draw(st.sampled_from(FRAMES)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(frame)))
        end = min(len(frame), start + data.draw(st.integers(0, 6)))
        frame[start:end] = data.draw(
            st.binary(max_size=4)
            | st.sampled_from([b"null", b"1e5", b"{}", b"[[[[", b'"a":1,', b"\\ud800", b"9" * 20])
        )
    lives_through(bytes(frame))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(payloads.TYPES)), doubtful_texts, st.text(max_size=40))
def test_frames_with_any_payload(type_name: str, payload: str, addressee: str) -> None:
    text = payload.encode("utf-8", "surrogatepass")
    lives_through(encode(type_name, addressee, addressee or "*", 1, text, ""))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_payloads_with_a_member_of_another_kind(data: st.DataObject) -> None:
    frame = envelope(data.draw(st.sampled_from(EXAMPLES)))
    members = dict(frame.members)
    name = data.draw(st.sampled_from([*sorted(members), "bind", "clients", "shares", "snapshot"]))
    members[name] = data.draw(
        st.recursive(
            st.none() | st.booleans() | st.integers(-5, 2**53) | st.floats(-5, 5) | st.text(),
            lambda items: st.lists(items) | st.dictionaries(st.text(max_size=5), items),
            max_leaves=5,
        )
    )
    lives_through(encode(frame.type, "a", "b", 1, canonical(members), ""))
