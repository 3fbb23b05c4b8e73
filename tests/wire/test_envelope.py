"""The envelope: what is kept, what is written, and the clock it carries (sections 1 and 2)."""

from __future__ import annotations

import dataclasses
import json

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from socp.wire import limits
from socp.wire.canonical import canonical
from socp.wire.envelope import Envelope, check_ts, clock_offset_ms, decode, encode, reencode
from socp.wire.errors import Code, PeerFault
from tests.wire.examples import ALICE, BOB, SERVER, TS
from tests.wire.jsontext import NotStrict, json_texts, reference_loads

NOW = TS

plain_texts = st.text(st.characters(exclude_categories=["Cs"]))


def in_our_form(members: dict[str, str]) -> str:
    return canonical(members).decode()


@pytest.mark.spec("2")
@settings(deadline=None)
@given(
    plain_texts.filter(lambda text: 0 < len(text) <= limits.TYPE_CHARS),
    plain_texts,
    plain_texts.filter(bool),
    st.integers(0, limits.INTEGER_MAX),
    st.dictionaries(plain_texts, st.integers(-5, 5) | plain_texts, max_size=5),
    plain_texts,
)
def test_what_is_encoded_is_decoded_again(
    kind: str, from_: str, to: str, ts: int, members: dict[str, object], sig: str
) -> None:
    sent = Envelope(kind, from_, to, ts, canonical(members), sig)
    frame = reencode(sent)
    assert decode(frame) == decode(frame.decode()) == sent
    assert decode(frame).members == sent.members == members


@pytest.mark.spec("2")
def test_the_payload_is_relayed_byte_for_byte() -> None:
    payload = b'{ "b" : 1e0 ,\n "\\u0061" : "\\/" }'
    assert payload in reencode(decode(encode("X", ALICE, BOB, TS, payload, "")))


@pytest.mark.spec("2")
def test_a_frame_is_one_line_of_ascii() -> None:
    frame = encode("X\n", "é", "\u2028", TS, b"{}", "\x7f")
    assert frame.isascii()
    assert frame.decode().isprintable()


@pytest.mark.spec("2")
def test_the_members_are_read_once() -> None:
    envelope = decode(encode("X", ALICE, BOB, TS, b'{"a":1}', ""))
    assert envelope.members is envelope.members


@pytest.mark.spec("3")
@pytest.mark.parametrize("first", ["whole", "members"])
@pytest.mark.parametrize(("payload", "whole"), [(b'{"a":1}', True), (b'{"a":1e2,"b":1}', False)])
def test_an_envelope_knows_whether_its_numbers_are_whole_whatever_is_asked_first(
    payload: bytes, whole: bool, first: str
) -> None:
    envelope = Envelope("X", ALICE, BOB, TS, payload)
    getattr(envelope, first)
    assert envelope.whole is whole
    assert envelope.canonical == canonical(json.loads(payload))


@pytest.mark.spec("2")
def test_what_is_no_frame_and_names_a_member_twice_is_called_a_frame() -> None:
    with pytest.raises(PeerFault, match='frame: member "type" stands twice'):
        decode(b'{"type":1,"type":2}')


@pytest.mark.spec("2")
def test_an_envelope_made_by_hand_reads_its_members_strictly() -> None:
    with pytest.raises(PeerFault, match='X: member "a" stands twice'):
        _ = Envelope("X", ALICE, BOB, TS, b'{"a":1,"a":1}').members
    with pytest.raises(PeerFault, match="X: payload: expected an object"):
        _ = Envelope("X", ALICE, BOB, TS, b"[]").members


@pytest.mark.spec("2")
@pytest.mark.threat("M7")
@settings(max_examples=200, deadline=None)
@given(
    json_texts | st.dictionaries(plain_texts, plain_texts, max_size=4).map(in_our_form),
    st.sampled_from(['"a"', '"::"', r'"\u003a"']),
    st.sampled_from(
        [
            "",
            ',"sig":":"',
            ',"sig":"a","sig":":"',
            r',"sig":"\u003a","ts":1',
            ',"payload":{"a":1}',
            ',"x":":"',
            ',"x":{"a":1,"a":2}',
            r',"x":"\u003a","x":1',
        ]
    ),
)
@example('{"a":1,"a":1}', r'"\u003a"', "")
@example('{"a":1}', '"a"', ',"payload":{"a":1}')
@example('{"a":1}', '"a:"', ',"to":"b"')
def test_a_frame_is_as_strict_as_its_text_in_our_form_or_another(
    payload: str, author: str, rest: str
) -> None:
    text = f'{{"type":"X","from":{author},"to":"b","ts":1,"payload":{payload}{rest}}}'
    try:
        members = reference_loads(text)["payload"]
    except NotStrict:
        members = None
    if isinstance(members, dict):
        received = decode(text)
        assert received.members == members
        assert received.canonical == canonical(members)
    else:
        with pytest.raises(PeerFault):
            decode(text)


@pytest.mark.spec("2")
def test_an_envelope_cannot_be_changed() -> None:
    with pytest.raises((AttributeError, dataclasses.FrozenInstanceError)):
        Envelope("X", ALICE, BOB, TS, b"{}").to = SERVER  # type: ignore[misc]


@pytest.mark.spec("1")
def test_ctrl_close_is_sent_without_an_envelope() -> None:
    assert encode("CTRL_CLOSE", "", "", 0, b"{}", "") == b'{"type":"CTRL_CLOSE"}'
    assert reencode(decode('{"type":"CTRL_CLOSE"}')) == b'{"type":"CTRL_CLOSE"}'


@pytest.mark.spec("1")
def test_ctrl_close_with_an_addressee_keeps_it() -> None:
    read = decode('{"type":"CTRL_CLOSE","from":"","to":"0","ts":0,"payload":{}}')
    assert decode(reencode(read)) == read


@pytest.mark.spec("1")
def test_ctrl_close_is_understood_whatever_else_it_says() -> None:
    assert decode('{"type":"CTRL_CLOSE","ts":"now","payload":[]}').payload == b"{}"


@pytest.mark.spec("2")
@pytest.mark.threat("S3")
@pytest.mark.parametrize("kind", ["ERROR", "ACK"])
@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"%s","from":"a","to":"b","ts":"x","payload":{}}',
        '{"payload":{"a":1,"a":2},"from":"a","to":"b","ts":1,\n"type" :\t"%s"}',
        '{"type":"%s",',
        '{"payload":{"x":"' + "." * 20_000 + '"},"type":"%s"}',
        '{"type":"%s","x":[' + "0," * 60_000 + "0]}",
    ],
    ids=["ts", "twice", "cut", "long, type last", "values"],
)
def test_what_was_an_error_or_an_ack_gets_no_answer(kind: str, frame: str) -> None:
    with pytest.raises(PeerFault) as refusal:
        decode(frame % kind)
    assert not refusal.value.answerable


@pytest.mark.spec("2")
@pytest.mark.parametrize("off_ms", [0, 1, -1, limits.TS_WINDOW_MS, -limits.TS_WINDOW_MS])
def test_a_clock_may_be_off_by_5_minutes(off_ms: int) -> None:
    check_ts(NOW + off_ms, NOW)


@pytest.mark.spec("2")
@pytest.mark.threat("S7")
@pytest.mark.parametrize(
    ("off_ms", "said"),
    [
        (300_001, "your clock is 300.001 s ahead"),
        (-300_001, "your clock is 300.001 s behind"),
        (-NOW, "your clock is 1760000000.000 s behind"),
    ],
)
def test_a_clock_further_off_is_told_by_how_much(off_ms: int, said: str) -> None:
    with pytest.raises(PeerFault) as refusal:
        check_ts(NOW + off_ms, NOW)
    assert refusal.value.code == Code.BAD_FRAME
    assert said in refusal.value.detail


@pytest.mark.spec("2")
@given(st.integers(0, limits.INTEGER_MAX))
def test_a_client_reads_its_clocks_offset_back(ts: int) -> None:
    try:
        check_ts(ts, NOW)
    except PeerFault as fault:
        offset = clock_offset_ms(json.loads(json.dumps(fault.detail)))
        assert offset is not None
        assert ts + offset == NOW


@pytest.mark.spec("2")
@pytest.mark.parametrize("detail", ["", "ts: missing", "your clock is fast", "1.000 s behind"])
def test_no_offset_is_read_from_another_detail(detail: str) -> None:
    assert clock_offset_ms(detail) is None


def test_an_envelope_can_be_a_key() -> None:
    envelope = Envelope("X", ALICE, BOB, TS, b"{}")
    assert {envelope: 1}[msgspec.structs.replace(envelope)] == 1


@pytest.mark.spec("2")
def test_a_refused_time_says_what_would_be_taken() -> None:
    with pytest.raises(
        PeerFault, match=r"ts is outside now ± 300 s: your clock is 300\.001 s behind"
    ):
        check_ts(NOW - limits.TS_WINDOW_MS - 1, NOW)
