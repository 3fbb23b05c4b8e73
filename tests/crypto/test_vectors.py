"""The golden vectors in vectors/crypto, which any other implementation can run as well."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from socp.crypto import (
    channel_box,
    content_sig,
    fast_sig,
    file_box,
    hybrid,
    passwords,
    rotation,
    safety_number,
    signing,
)
from socp.crypto.keys import (
    PrivateKey,
    PublicKey,
    RsaSuite,
    Unreadable,
    load_foreign_private,
)
from socp.wire import base64url, payloads
from socp.wire.canonical import canonical
from socp.wire.envelope import Envelope
from socp.wire.errors import Code, PeerFault
from tests.crypto.scene import ALICE, BOB, TS
from vectors.make.main import texts

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
SUITE = RsaSuite()
Case = dict[str, Any]


def read(name: str) -> list[Any]:
    """The cases of one file, each named by its "why"."""
    cases = json.loads((VECTORS / name).read_text())["cases"]
    return [pytest.param(case, id=case.get("name", case["why"])) for case in cases]


@cache
def keys() -> dict[str, PrivateKey]:
    return {
        row["name"]: load_foreign_private(row["private_pem"].encode())
        for row in json.loads((VECTORS / "keys/test-keys.json").read_text())["cases"]
    }


def public(case: Case) -> PublicKey:
    return keys()[case["key"]].public


def raw(case: Case, member: str) -> bytes:
    return base64url.decode(case[member])


@pytest.mark.spec("3")
@pytest.mark.parametrize("row", read("keys/test-keys.json"))
def test_the_test_keys_are_what_they_say(row: Case) -> None:
    key = keys()[row["name"]].public
    assert (key.text, key.fingerprint) == (row["public"], row["fingerprint"])
    assert SUITE.parse_public(row["public_pem"]) == key


@pytest.mark.spec("2")
@pytest.mark.spec("3")
@pytest.mark.parametrize("case", read("crypto/transport.json"))
def test_transport(case: Case) -> None:
    envelope = Envelope("X", ALICE, BOB, 0, case["payload"].encode(), case["sig"])
    if case["holds"] and case["signed"].isascii():
        assert canonical(envelope.members).decode() == case["signed"]
    assert signing.verify_transport(public(case), envelope) is case["holds"]


@pytest.mark.spec("3")
@pytest.mark.spec("8")
@pytest.mark.threat("M6")
@pytest.mark.parametrize("case", read("crypto/content_sig.json"))
def test_content_sig(case: Case) -> None:
    if case.get("form") == "refused":
        with pytest.raises(PeerFault) as refusal:
            said_of(case)
        assert refusal.value.code == Code.BAD_FRAME
    else:
        assert said_of(case) == case.get("form", case.get("holds"))


def said_of(case: Case) -> str | bool | None:
    key, sig = public(case), case["content_sig"]
    match case["kind"]:
        case "direct":
            names = (case["from"], case["to"], case["ts"])
            return content_sig.verify_direct(key, case["ciphertext"], *names, sig)
        case "public":
            text = case["ciphertext"]
            return content_sig.verify_public(key, text, case["from"], case["ts"], sig)
        case "chunk":
            names = (case["from"], case["to"], case["ts"])
            place = (case["file_id"], case["index"], case["total"])
            return content_sig.verify_chunk(key, case["ciphertext"], *names, *place, sig)
        case "manifest":
            names = (case["from"], case["to"], case["ts"])
            return content_sig.verify_manifest(key, case["members"], *names, sig)
        case "shares":
            creator = SUITE.parse_public(case["creator_pub"])
            return content_sig.verify_shares(key, case["shares"], creator.der, sig)
    raise AssertionError(case["kind"])


@pytest.mark.spec("3")
@pytest.mark.threat("M8")
@pytest.mark.parametrize("case", read("crypto/oaep.json"))
def test_oaep(case: Case) -> None:
    assert what_opens(lambda: keys()[case["key"]].open(raw(case, "ciphertext"))) == wanted(case)


@pytest.mark.spec("11")
@pytest.mark.threat("M3")
@pytest.mark.threat("M4")
@pytest.mark.parametrize("case", read("crypto/hybrid.json"))
def test_hybrid(case: Case) -> None:
    opened = what_opens(
        lambda: hybrid.open_(
            keys()[case["key"]],
            raw(case, "ciphertext"),
            from_=case["from"],
            to=case["to"],
            ts=case["ts"],
        )
    )
    assert opened == wanted(case)


@pytest.mark.spec("7")
@pytest.mark.threat("M10")
@pytest.mark.parametrize("case", read("crypto/channel_box.json"))
def test_channel_box(case: Case) -> None:
    channel_pub = SUITE.parse_public(case["channel_pub"])

    def opened() -> bytes:
        box, group_key = raw(case, "box"), raw(case, "group_key")
        private = channel_box.open_private(SUITE, group_key, box, case["version"], channel_pub)
        return private.public.der

    assert what_opens(opened) == (channel_pub.der if case["holds"] else None)


@pytest.mark.spec("8")
@pytest.mark.threat("M5")
@pytest.mark.parametrize("case", read("crypto/file_chunk.json"))
def test_file_chunk(case: Case) -> None:
    place = (case["file_id"], case["index"], case["total"])
    key, ciphertext = raw(case, "file_key"), raw(case, "ciphertext")
    assert what_opens(lambda: file_box.open_chunk(key, ciphertext, *place)) == wanted(case)


@pytest.mark.spec("10")
@pytest.mark.spec("11")
@pytest.mark.threat("M11")
@pytest.mark.threat("M15")
@pytest.mark.parametrize("case", read("crypto/labelled.json"))
def test_labelled(case: Case) -> None:
    assert signing.verify(public(case), case["sig"], raw(case, "preimage"))
    if case["label"] == "socp-attach/1":
        stated = payloads.Attach(ts=case["ts"], sig=case["sig"])
        names = (case["user_id"], case["server_id"])
        held = signing.attach_holds(public(case), *names, stated, case["features"])
        assert held is case["holds"]
    if "refused" in case:
        with pytest.raises(PeerFault):
            labelled(case)
    else:
        assert (labelled(case) == raw(case, "preimage")) is case["holds"]


def labelled(case: Case) -> bytes:
    match case["label"]:
        case "socp-link-auth/1":
            nonce, exporter = raw(case, "nonce"), raw(case, "exporter")
            return signing.link_auth(case["own_id"], case["peer_id"], nonce, exporter)
        case "socp-attach/1":
            names = (case["user_id"], case["server_id"], case["ts"])
            return signing.attach(*names, case["features"])
        case "socp-directory/1":
            return signing.directory(case["user_id"], case["fingerprint"], case["version"])
        case "socp-login/1":
            nonces = (raw(case, "client_nonce"), raw(case, "server_nonce"))
            return signing.login(case["user_id"], case["server_id"], *nonces)
        case "socp-password/1":
            said = (raw(case, "request"), raw(case, "response"))
            return signing.password_answer(case["user_id"], case["server_id"], *said)
        case "socp-rotate/1":
            return rotation.rotate_text(*step(case))
        case "socp-rotate-new/1":
            return rotation.rotate_new_text(*step(case), case["old_sig"])
        case "socp-revoke/1":
            user_id, fingerprint = case["user_id"], case["fingerprint"]
            return rotation.revoke_text(user_id, fingerprint, case["version"], case["ts"])
    raise AssertionError(case["label"])


def step(case: Case) -> tuple[str, str, str, int, int]:
    names = (case["user_id"], case["old_fingerprint"], case["new_fingerprint"])
    return (*names, case["version"], case["ts"])


def of_fast(kind: str) -> list[Any]:
    return [each for each in read("crypto/fast_sig.json") if each.values[0]["kind"] == kind]


@pytest.mark.spec("11")
@pytest.mark.parametrize("case", of_fast("session"))
def test_session_keys(case: Case) -> None:
    stated = msgspec.convert(case["session"], payloads.Session)
    owner = (public(case), case["owner_id"])
    if case["refused"] is None:
        session = fast_sig.believed(SUITE, *owner, stated, case["now"])
        assert session.key.raw == base64url.decode(stated.key)
    else:
        with pytest.raises(PeerFault) as refusal:
            fast_sig.believed(SUITE, *owner, stated, case["now"])
        assert refusal.value.code == case["refused"]


@pytest.mark.spec("11")
@pytest.mark.parametrize("case", of_fast("frame"))
def test_signatures_by_session_keys(case: Case) -> None:
    session = fast_sig.PeerSession(SUITE.parse_fast(raw(case, "session_key")), TS, TS + 1)
    envelope = Envelope(case["type"], ALICE, BOB, TS, case["payload"].encode(), case["sig"])
    assert fast_sig.hop_signed(None, session, envelope, TS) is case["holds"]
    assert not fast_sig.hop_signed(None, None, envelope, TS)


@pytest.mark.spec("3")
@pytest.mark.threat("I6")
@pytest.mark.threat("I7")
@pytest.mark.parametrize("case", read("crypto/key_text.json"))
def test_key_text(case: Case) -> None:
    if case["verdict"] == "refuse":
        with pytest.raises(PeerFault) as refusal:
            SUITE.parse_public(case["text"])
        assert refusal.value.code == Code.BAD_KEY
        assert case["text"] == "" or case["text"] not in refusal.value.detail
    else:
        parsed = SUITE.parse_public(case["text"])
        assert parsed == public(case)
        assert parsed.text == public(case).text


def test_making_the_vectors_again_changes_none() -> None:
    changed = [name for name, text in texts().items() if (VECTORS / name).read_text() != text]
    assert changed == []


def what_opens(opened: Any) -> bytes | None:
    try:
        result: bytes = opened()
    except Unreadable:
        return None
    return result


def wanted(case: Case) -> bytes | None:
    return None if case["plaintext"] is None else raw(case, "plaintext")


def of_kind(kind: str) -> list[Any]:
    return [each for each in read("crypto/login.json") if each.values[0]["kind"] == kind]


@pytest.mark.spec("10")
@pytest.mark.parametrize("case", of_kind("stretch"))
def test_a_password_is_stretched_as_on_file(case: Case) -> None:
    stretched = passwords.stretch(case["password"], case["server_id"], case["user_id"])
    assert base64url.encode(stretched) == case["stretched"]
    assert passwords.exchange_password(stretched) == case["exchange"]


@pytest.mark.spec("10")
@pytest.mark.parametrize("case", of_kind("box"))
def test_the_box_of_a_key_opens_as_on_file(case: Case) -> None:
    def opened() -> bytes:
        box, stretched, export_key = (raw(case, n) for n in ("box", "stretched", "export_key"))
        return passwords.open_key(box, stretched, export_key, case["server_id"], case["user_id"])

    if case["plaintext"] is None:
        with pytest.raises(Unreadable):
            opened()
    else:
        assert opened() == raw(case, "plaintext")


@pytest.mark.spec("10")
@pytest.mark.parametrize("case", of_kind("request"))
def test_the_nonce_of_a_request_is_as_on_file(case: Case) -> None:
    said = signing.request_nonce(case["method"], case["path"], raw(case, "salt"), raw(case, "body"))
    assert base64url.encode(said) == case["client_nonce"]


@pytest.mark.spec("10")
@pytest.mark.parametrize("case", read("crypto/safety_number.json"))
def test_safety_numbers(case: Case) -> None:
    own = (case["user_id"], case["fingerprint"])
    peer = (case["peer_id"], case["peer_fingerprint"])
    assert safety_number.safety_number(*own, *peer) == case["number"]
    assert safety_number.qr_text(case["number"]) == case["qr"]
    assert safety_number.parse(case["qr"]) == case["number"]
