"""Payloads: every frame has one class, and a wrong member is named (sections 2 and 5 to 11)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from socp.wire import payloads
from socp.wire.bind import bound
from socp.wire.canonical import canonical, to_members
from socp.wire.complaints import complaint
from socp.wire.envelope import Envelope, decode, reencode
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import (
    KINDS,
    TYPES,
    Ack,
    FileChunk,
    FileEnd,
    MsgDirect,
    Payload,
    UserHello,
    UserRemove,
    members_bytes,
    parse,
    parse_as,
)
from tests.wire.examples import ALICE, BOB, EXAMPLES, FILE, KEY, SERVER, SIG, TS, envelope

by_type = pytest.mark.parametrize("payload", EXAMPLES, ids=lambda payload: payload.TYPE)


def parse_members(kind: str, members: object) -> Payload:
    return parse(decode(reencode(Envelope(kind, ALICE, BOB, TS, canonical(members)))))


def detail_of(kind: str, members: object) -> str:
    with pytest.raises(PeerFault) as refusal:
        parse_members(kind, members)
    assert refusal.value.code == Code.BAD_FRAME
    return refusal.value.detail


@pytest.mark.spec("2")
def test_every_frame_has_an_example_here() -> None:
    assert [type(payload) for payload in EXAMPLES] == list(KINDS)


@pytest.mark.spec("2")
def test_every_payload_class_is_a_member_of_the_package() -> None:
    assert all(getattr(payloads, kind.__name__) is kind for kind in KINDS)
    assert {kind.TYPE for kind in KINDS} <= TYPES.keys()


@pytest.mark.spec("2")
@by_type
def test_what_we_send_is_what_the_other_side_reads(payload: Payload) -> None:
    sent = bound(payload, type=payload.TYPE, from_=ALICE, to=BOB, ts=TS)
    read = decode(reencode(envelope(sent)))
    assert parse(read) == parse_as(type(sent), read.members) == parse_as(type(sent), read.payload)
    assert parse(read) == sent


@pytest.mark.spec("2")
@by_type
def test_unknown_members_are_ignored(payload: Payload) -> None:
    members = to_members(payload) | {"unknown": {"a": [1.5, None]}, "x-y": "z"}
    assert parse_members(payload.TYPE, members) == payload


@pytest.mark.spec("2")
@by_type
def test_a_member_of_the_wrong_kind_is_named_with_its_frame(payload: Payload) -> None:
    for field in msgspec.structs.fields(payload):
        if field.name == "bind" or field.type is Any:
            continue
        wrong: Any = {"no": "such"} if field.type in (str, int, bool) else 1.5
        detail = detail_of(payload.TYPE, to_members(payload) | {field.encode_name: wrong})
        assert detail.startswith(f"{payload.TYPE}: {field.encode_name}: expected ")


@pytest.mark.spec("2")
@by_type
def test_a_missing_member_is_named_with_its_frame(payload: Payload) -> None:
    for field in msgspec.structs.fields(payload):
        if field.required:
            members = to_members(payload)
            del members[field.encode_name]
            said = f"{payload.TYPE}: {field.encode_name}: missing"
            assert detail_of(payload.TYPE, members) == said


HELLO: dict[str, object] = {"client": "c", "pubkey": KEY}
SHARE = {"member": BOB, "wrapped_public_channel_key": "AA"}


@pytest.mark.spec("2")
@pytest.mark.parametrize(
    ("kind", "members", "detail"),
    [
        ("USER_HELLO", {"pubkey": 5}, "pubkey: expected text, got a number"),
        (
            "USER_HELLO",
            HELLO | {"pubkey": "x" * 4097},
            "pubkey: expected text of at most 4096 characters",
        ),
        (
            "USER_HELLO",
            HELLO | {"features": ["x"] * 33},
            "features: expected a list of at most 32 items",
        ),
        ("USER_HELLO", HELLO | {"features": [None]}, "features[0]: expected text, got null"),
        (
            "USER_HELLO",
            HELLO | {"meta": {"display_name": []}},
            "meta.display_name: expected text, got a list",
        ),
        (
            "USER_HELLO",
            HELLO | {"meta": "Zoe"},
            "meta: expected an object or null, got text",
        ),
        ("USER_HELLO", HELLO | {"auth_nonce": "a+b"}, "auth_nonce: expected base64url text"),
        ("USER_HELLO", HELLO | {"auth_nonce": "AA\n"}, "auth_nonce: expected base64url text"),
        (
            "PUBKEY_REQUEST",
            {"user_id": BOB.upper()},
            "user_id: expected a UUID v4 in lower case",
        ),
        ("PUBKEY_REQUEST", {"user_id": BOB + "\n"}, "user_id: expected text of at most 36"),
        (
            "FILE_START",
            {"file_id": FILE, "name": "a", "size": 1, "sha256": "F" * 64},
            "sha256: expected 64 hex digits in lower case",
        ),
        (
            "FILE_CHUNK",
            {"file_id": FILE, "index": -1, "ciphertext": "AA"},
            "index: expected a whole number of at least 0",
        ),
        (
            "FILE_CHUNK",
            {"file_id": FILE, "index": 1.0, "ciphertext": "AA"},
            "index: expected a whole number, got a number with a fraction or an exponent",
        ),
        (
            "FILE_CHUNK",
            {"file_id": FILE, "index": True, "ciphertext": "AA"},
            "index: expected a whole number, got true or false",
        ),
        (
            "SERVER_ANNOUNCE",
            {"host": "h", "port": 65536, "pubkey": KEY},
            "port: expected a whole number of at most 65535",
        ),
        (
            "PUBLIC_CHANNEL_KEY_SHARE",
            {"shares": [], "creator_pub": KEY, "content_sig": SIG},
            "shares: expected a list of at least 1 items",
        ),
        (
            "PUBLIC_CHANNEL_KEY_SHARE",
            {"shares": [SHARE, {"member": BOB}], "creator_pub": KEY, "content_sig": SIG},
            "shares[1].wrapped_public_channel_key: missing",
        ),
        (
            "PUBLIC_CHANNEL_ADD",
            {"add": [BOB, "bob"]},
            "add[1]: expected a UUID v4 in lower case",
        ),
        ("MSG_DIRECT", {}, "ciphertext: missing"),
        ("USER_LIST", {"more": 1}, "more: expected true or false, got a number"),
    ],
)
def test_a_refusal_says_which_member_what_for_and_what_instead(
    kind: str, members: dict[str, object], detail: str
) -> None:
    assert detail_of(kind, members).startswith(f"{kind}: {detail}")


class Known(msgspec.Struct, forbid_unknown_fields=True):
    """A body in which nothing else may stand."""

    inner: Known | None = None


@pytest.mark.parametrize(
    ("text", "member"), [('{"X.X":1}', "X.X"), ('{"inner":{"b":1}}', "inner.b")]
)
def test_an_unknown_member_is_named_where_none_may_be(text: str, member: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refusal:
        msgspec.json.decode(text, type=Known)
    assert complaint(refusal.value) == f"{member}: unknown; leave it out"


@pytest.mark.spec("2")
def test_an_alias_is_refused_under_the_name_it_came_with() -> None:
    assert detail_of("GET_PUBKEY", {}) == "GET_PUBKEY: user_id: missing"


@pytest.mark.spec("2")
@pytest.mark.parametrize("kind", ["DANCE", "msg_direct", "MSG_DIRECT ", "\x1b[2J", "Payload"])
def test_an_unknown_type_is_named(kind: str) -> None:
    with pytest.raises(PeerFault) as refusal:
        parse(Envelope(kind, ALICE, BOB, TS, b"{}"))
    assert refusal.value.code == Code.UNKNOWN_TYPE
    assert refusal.value.detail == f"no frame is called {kind}".replace("\x1b", "\u241b")


@pytest.mark.spec("2")
@pytest.mark.parametrize("kind", ["ERROR", "ACK", "USER_WELCOME"])
def test_a_wrong_error_or_ack_gets_no_answer(kind: str) -> None:
    with pytest.raises(PeerFault) as refusal:
        parse(
            Envelope(
                kind, ALICE, BOB, TS, b'{"msg_ref":5}' if kind != "USER_WELCOME" else b'{"of":5}'
            )
        )
    assert not refusal.value.answerable


@pytest.mark.spec("9")
def test_an_error_may_have_any_code() -> None:
    said = parse_members("ERROR", {"code": "TEAPOT", "detail": "short and stout"})
    assert isinstance(said, payloads.Error)
    assert said.code == "TEAPOT"


@pytest.mark.spec("5")
def test_a_remove_shows_the_members_of_an_advertise_that_it_should_not_have() -> None:
    said = parse_members("USER_REMOVE", {"user_id": BOB, "server_id": SERVER, "meta": {}})
    assert isinstance(said, UserRemove)
    assert said.meta is not UNSET
    assert said.pubkey is UNSET


@pytest.mark.spec("5")
def test_a_file_frame_is_read_out_of_a_deliver() -> None:
    members = {"user_id": BOB, "sender": ALICE, "inner_type": "FILE_END", "file_id": FILE}
    assert parse_as(FileEnd, members) == FileEnd(file_id=FILE, sender=ALICE, user_id=BOB)


@pytest.mark.spec("2")
def test_members_given_as_text_are_read_strictly() -> None:
    with pytest.raises(PeerFault, match='FILE_END: member "file_id" stands twice'):
        parse_as(FileEnd, f'{{"file_id":"{FILE}","file_id":"{FILE}"}}'.encode())
    with pytest.raises(PeerFault, match="FILE_END: payload: expected an object"):
        parse_as(FileEnd, b"[]")


@pytest.mark.spec("3")
@by_type
def test_what_we_send_is_canonical_ascii(payload: Payload) -> None:
    text = members_bytes(payload)
    assert text == canonical(envelope(payload).members)
    assert text.isascii()


def test_payloads_are_values() -> None:
    chunk = FileChunk(file_id=FILE, index=1, ciphertext="AA")
    assert chunk == FileChunk(file_id=FILE, index=1, ciphertext="AA")
    assert len({chunk, FileChunk(file_id=FILE, index=1, ciphertext="AA")}) == 1
    with pytest.raises(AttributeError):
        chunk.index = 2  # type: ignore[misc]


@pytest.mark.spec("13")
def test_what_is_in_our_spelling_is_read_from_the_received_text_itself() -> None:
    read = decode(reencode(envelope(Ack(msg_ref=UserHello.TYPE))))
    assert parse(read) == Ack(msg_ref=UserHello.TYPE)
    said = {"ciphertext": "AA", "sender_pub": KEY, "content_sig": SIG}
    assert parse_as(MsgDirect, said) == MsgDirect(ciphertext="AA", sender_pub=KEY, content_sig=SIG)


def test_a_damaged_frame_that_is_no_answer_is_answered() -> None:
    with pytest.raises(PeerFault) as refusal:
        parse(Envelope("MSG_DIRECT", ALICE, BOB, TS, b"{}"))
    assert refusal.value.answerable is True
