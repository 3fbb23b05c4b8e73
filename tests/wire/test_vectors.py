"""The golden vectors in vectors/wire and vectors/foreign, which others can run as well."""

from __future__ import annotations

import functools
import hashlib
import json
import operator
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest

from socp.wire import base64url, payloads
from socp.wire.addresses import HostPort, is_loopback, parse_host_port
from socp.wire.bind import check_bind
from socp.wire.canonical import canonical, canonical_utf8, to_members
from socp.wire.envelope import Envelope, decode, encode, reencode
from socp.wire.errors import Code, PeerFault
from socp.wire.msg_ref import dedup_key, msg_ref
from socp.wire.roll import Roll, entry
from socp.wire.strict import loads
from socp.wire.text import printable

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
Case = dict[str, Any]


def read(name: str) -> list[Any]:
    """The cases of one file, each named by its "why"."""
    cases = json.loads((VECTORS / name).read_text(encoding="utf-8"))["cases"]
    return [pytest.param(case, id=case["why"]) for case in cases]


def text_of(case: Case) -> str | bytes:
    """The frame: as text, as pieces with how often each stands in a row, or as base64url."""
    if "bytes" in case:
        return base64url.decode(case["bytes"])
    if "built" in case:
        return "".join(text * times for text, times in case["built"])
    frame: str = case["frame"]
    return frame


def in_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def envelope_of(case: Case) -> Envelope:
    return Envelope(
        case["type"],
        case["from"],
        case["to"],
        case["ts"],
        case["payload"].encode(),
        case.get("sig", ""),
    )


@pytest.mark.spec("2")
@pytest.mark.parametrize("as_bytes", [False, True], ids=["text", "bytes"])
@pytest.mark.parametrize("case", read("wire/good_frames.json"))
def test_a_good_frame_is_read_as_it_stands(case: Case, as_bytes: bool) -> None:
    text = text_of(case)
    read_envelope = decode(in_bytes(text) if as_bytes else text)
    payload = case.get("payload", read_envelope.payload.decode())
    assert read_envelope == envelope_of({**case, "payload": payload})
    assert decode(reencode(read_envelope)) == read_envelope


@pytest.mark.spec("2")
@pytest.mark.threat("M7")
@pytest.mark.threat("S4")
@pytest.mark.parametrize("as_bytes", [False, True], ids=["text", "bytes"])
@pytest.mark.parametrize("case", read("wire/bad_frames.json"))
def test_a_bad_frame_is_refused_by_what_and_where(case: Case, as_bytes: bool) -> None:
    text = text_of(case)
    with pytest.raises(PeerFault) as refusal:
        decode(in_bytes(text) if as_bytes else text)
    fault = refusal.value
    assert (fault.code, fault.close) == (case["code"], case.get("close"))
    assert fault.answerable is case.get("answerable", True)
    assert case["says"] in fault.detail
    assert fault.detail.isprintable()


@pytest.mark.spec("3")
@pytest.mark.threat("M7")
@pytest.mark.parametrize("case", read("wire/canonical.json"))
def test_canonical_json_of_a_received_text(case: Case) -> None:
    value = loads(case["text"])
    assert canonical(value) == case["canonical"].encode("ascii")
    assert canonical_utf8(value) == case["utf8"].encode()


@pytest.mark.spec("11")
@pytest.mark.threat("M1")
@pytest.mark.parametrize("case", read("wire/bind.json"))
def test_bind_must_equal_the_envelope(case: Case) -> None:
    envelope = decode(reencode(envelope_of(case)))
    if case["says"] is None:
        check_bind(envelope, payloads.parse(envelope), required=case["required"])
        return
    with pytest.raises(PeerFault) as refusal:
        check_bind(envelope, payloads.parse(envelope), required=case["required"])
    assert refusal.value.code in (Code.INVALID_SIG, Code.BAD_FRAME)
    assert f"{case['type']}: {case['says']}" in refusal.value.detail


@pytest.mark.spec("9")
@pytest.mark.threat("M6")
@pytest.mark.parametrize("case", read("wire/msg_ref.json"))
def test_a_message_is_named_by_its_msg_ref(case: Case) -> None:
    arguments = (base64url.decode(case["ciphertext"]), case["from"], case["to"], case["ts"])
    if case["msg_ref"] is not None:
        assert msg_ref(*arguments) == case["msg_ref"]
        return
    with pytest.raises(PeerFault) as refusal:
        msg_ref(*arguments)
    assert refusal.value.code == Code.BAD_FRAME


@pytest.mark.spec("4")
@pytest.mark.threat("M2")
@pytest.mark.parametrize("case", read("wire/dedup.json"))
def test_frames_that_say_the_same_have_one_dedup_key(case: Case) -> None:
    keys = [dedup_key(envelope_of(case[which])) for which in ("first", "second")]
    assert [key.hex() for key in keys] == case["keys"]
    assert (keys[0] == keys[1]) is case["same"]


@pytest.mark.spec("11")
@pytest.mark.parametrize("case", read("wire/roll.json"))
def test_a_roll_is_told_by_its_count_and_digest(case: Case) -> None:
    roll = Roll()
    for user in case["users"]:
        roll = roll.with_(entry(user["user_id"], user["fingerprint"], user["attach_ts"]))
    assert (roll.count, roll.text) == (case["count"], case["digest"])
    assert Roll.told(case["count"], case["digest"]) == roll
    left = [
        entry(user["user_id"], user["fingerprint"], user["attach_ts"]) for user in case["users"]
    ]
    while left:
        roll = roll.without(left.pop(0))
        digest = functools.reduce(operator.xor, left, 0)
        assert roll == Roll(len(left), digest)


@pytest.mark.spec("11")
@pytest.mark.parametrize("case", read("wire/roll.json"))
def test_a_second_hand_comes_to_the_same_digest(case: Case) -> None:
    """With nothing of ours: bytes, and XOR a byte at a time."""
    digest = bytearray(32)
    for user in case["users"]:
        said = user["user_id"] + user["fingerprint"] + str(user["attach_ts"] or "")
        for place, byte in enumerate(hashlib.sha256(said.encode()).digest()):
            digest[place] ^= byte
    assert urlsafe_b64encode(digest).decode().rstrip("=") == case["digest"]


@pytest.mark.spec("11")
@pytest.mark.parametrize("case", read("wire/heartbeat.json"))
def test_a_heartbeat_with_gossip_is_read_as_it_says(case: Case) -> None:
    if case["refused"]:
        with pytest.raises(PeerFault) as refusal:
            told_by(case)
        assert refusal.value.code == Code.BAD_FRAME
        return
    links, roll = told_by(case)
    assert links == case["links"]
    assert (None if roll is None else roll.count) == case["count"]


def told_by(case: Case) -> tuple[list[str] | None, Roll | None]:
    beat = payloads.parse_as(payloads.GossipBeat, case["payload"].encode())
    links = None if beat.links is None else list(beat.links)
    roll = None if beat.users is None else Roll.told(beat.users.count, beat.users.digest)
    return links, roll


@pytest.mark.spec("5")
@pytest.mark.parametrize("case", read("wire/addresses.json"))
def test_an_address_is_read_and_written_in_one_way(case: Case) -> None:
    if case["host"] is None:
        with pytest.raises(PeerFault) as refusal:
            parse_host_port(case["text"])
        assert "is not an address; write " in refusal.value.detail
        return
    address = parse_host_port(case["text"])
    assert address == HostPort(case["host"], case["port"])
    assert str(address) == case["written"]
    assert parse_host_port(str(address)) == address
    assert is_loopback(address.host) is case["loopback"]


@pytest.mark.spec("3")
@pytest.mark.parametrize("case", read("wire/base64url.json"))
def test_base64url_has_one_text_for_a_value(case: Case) -> None:
    if case["hex"] is None:
        with pytest.raises(PeerFault) as refusal:
            base64url.decode(case["text"])
        assert refusal.value.code == Code.BAD_FRAME
        return
    data = bytes.fromhex(case["hex"])
    assert base64url.decode(case["text"]) == data
    assert base64url.encode(data) == case["text"].rstrip("=")


@pytest.mark.spec("10")
@pytest.mark.threat("I8")
@pytest.mark.parametrize("case", read("wire/text.json"))
def test_a_text_from_a_stranger_is_shown_harmless(case: Case) -> None:
    multiline = case.get("multiline", False)
    assert printable(case["text"], width=case.get("width"), multiline=multiline) == case["shown"]


@pytest.mark.spec("13")
@pytest.mark.parametrize(
    "case",
    [*read("foreign/types.json"), *read("foreign/members.json"), *read("foreign/welcome.json")],
)
def test_another_implementations_spelling_is_understood(case: Case) -> None:
    payload = json.dumps(case["payload"]).encode()
    envelope = decode(encode(case["type"], "a", "b", 1_760_000_000_000, payload, ""))
    said = payloads.parse(envelope)
    assert case["is"] == said.TYPE
    assert to_members(said) == case["members"]
    assert envelope.members == case["payload"], "what was signed must stay as it was received"
