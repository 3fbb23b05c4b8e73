"""The referee's own code for frames and keys does as the golden vectors say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from socp.conform import preimages, sealing
from socp.conform.canonical import b64, canonical, raw_utf8, unb64
from socp.conform.contents import NotContent, read_content
from socp.conform.frames import Frame
from socp.conform.keys import NotAKey, PrivateKey, read_key
from socp.conform.rolls import NotABeat, digest_of, entry, read_beat
from socp.conform.sessions import NotASession, Session, read_session

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
Case = dict[str, Any]


def read(name: str) -> list[Any]:
    cases = json.loads((VECTORS / name).read_text())["cases"]
    return [pytest.param(case, id=case["why"]) for case in cases]


@pytest.fixture(scope="module")
def keys() -> dict[str, PrivateKey]:
    found = {}
    for row in json.loads((VECTORS / "keys/test-keys.json").read_text())["cases"]:
        key = load_pem_private_key(
            row["private_pem"].encode(), None, unsafe_skip_rsa_key_validation=True
        )
        assert isinstance(key, rsa.RSAPrivateKey)
        found[row["name"]] = PrivateKey(key)
    return found


@pytest.mark.parametrize("case", read("wire/canonical.json"))
def test_canonical(case: Case) -> None:
    value = json.loads(case["text"])
    assert canonical(value).decode() == case["canonical"]
    assert raw_utf8(value).decode() == case["utf8"]


@pytest.mark.parametrize("case", read("crypto/transport.json"))
def test_transport(case: Case, keys: dict[str, PrivateKey]) -> None:
    key, payload = keys[case["key"]].public, json.loads(case["payload"])
    holds = any(key.signed(case["sig"], text) for text in (canonical(payload), raw_utf8(payload)))
    assert holds is case["holds"]


@pytest.mark.parametrize("case", [c for c in read("crypto/transport.json") if c.values[0]["holds"]])
def test_the_length_of_the_salt_is_told(case: Case, keys: dict[str, PrivateKey]) -> None:
    key = keys[case["key"]].public
    assert key.salt_of(case["sig"], case["signed"].encode()) == case["salt"]


SAID: dict[str, Callable[[Case], bytes]] = {
    "direct": lambda c: preimages.direct(unb64(c["ciphertext"]), c["from"], c["to"], c["ts"]),
    "public": lambda c: preimages.post(unb64(c["ciphertext"]), c["from"], c["ts"]),
    "shares": lambda c: preimages.shares(c["shares"], read_key(c["creator_pub"]).der),
}


@pytest.mark.parametrize(
    "case",
    [
        c
        for c in read("crypto/content_sig.json")
        if c.values[0]["kind"] in SAID and c.values[0].get("form", "raw") in ("raw", None)
    ],
)
def test_content_sig(case: Case, keys: dict[str, PrivateKey]) -> None:
    try:
        text = SAID[case["kind"]](case)
    except ValueError:
        assert case.get("form") is None
        return
    holds = keys[case["key"]].public.signed(case["content_sig"], text)
    assert holds is case.get("holds", case.get("form") == "raw")


@pytest.mark.parametrize(
    "case",
    [c for c in read("crypto/content_sig.json") if c.values[0]["kind"] == "manifest"],
)
def test_manifest(case: Case, keys: dict[str, PrivateKey]) -> None:
    said = preimages.manifests(case["members"], case["from"], case["to"], case["ts"])
    key = keys[case["key"]].public
    assert any(key.signed(case["content_sig"], each) for each in said) is case["holds"]


@pytest.mark.parametrize("case", [c for c in read("wire/msg_ref.json") if c.values[0]["msg_ref"]])
def test_msg_ref(case: Case) -> None:
    raw = unb64(case["ciphertext"])
    assert preimages.msg_ref(raw, case["from"], case["to"], case["ts"]) == case["msg_ref"]


@pytest.mark.parametrize("case", read("crypto/oaep.json"))
def test_oaep(case: Case, keys: dict[str, PrivateKey]) -> None:
    opened = keys[case["key"]].opened(unb64(case["ciphertext"]))
    assert (None if opened is None else b64(opened)) == case["plaintext"]


def prints(case: Case) -> tuple[str, str]:
    return case["old_fingerprint"], case["new_fingerprint"]


LABELLED: dict[str, Callable[[Case], bytes]] = {
    "socp-link-auth/1": lambda c: (
        preimages.link_auth(c["own_id"], c["peer_id"], unb64(c["nonce"])) + unb64(c["exporter"])
    ),
    "socp-attach/1": lambda c: preimages.attach(
        c["user_id"], c["server_id"], c["ts"], c["features"]
    ),
    "socp-directory/1": lambda c: preimages.directory(c["user_id"], c["fingerprint"], c["version"]),
    "socp-rotate/1": lambda c: preimages.rotation(c["user_id"], *prints(c), c["version"], c["ts"]),
    "socp-rotate-new/1": lambda c: preimages.rotation_new(
        c["user_id"], *prints(c), c["version"], c["ts"], unb64(c["old_sig"])
    ),
    "socp-revoke/1": lambda c: preimages.revocation(
        c["user_id"], c["fingerprint"], c["version"], c["ts"]
    ),
}


@pytest.mark.parametrize(
    "case",
    [
        c
        for c in read("crypto/labelled.json")
        if c.values[0]["label"] in LABELLED and not c.values[0].get("refused")
    ],
)
def test_labelled(case: Case, keys: dict[str, PrivateKey]) -> None:
    text = LABELLED[case["label"]](case)
    assert (text == unb64(case["preimage"])) is case["holds"]
    assert keys[case["key"]].public.signed(case["sig"], text) is case["holds"]


@pytest.mark.parametrize("case", read("crypto/key_text.json"))
def test_key_text(case: Case, keys: dict[str, PrivateKey]) -> None:
    try:
        key = read_key(case["text"])
    except NotAKey:
        assert case["verdict"] != "accept"
        return
    assert case["verdict"] != "refuse"
    assert key.fingerprint == keys[case["key"]].public.fingerprint


@pytest.mark.parametrize("case", read("wire/roll.json"))
def test_roll(case: Case) -> None:
    entries = [entry(u["user_id"], u["fingerprint"], u["attach_ts"]) for u in case["users"]]
    assert len(entries) == case["count"]
    assert b64(digest_of(entries)) == case["digest"]


@pytest.mark.parametrize("case", read("wire/heartbeat.json"))
def test_heartbeat(case: Case) -> None:
    try:
        beat = read_beat(json.loads(case["payload"]))
    except NotABeat:
        assert case["refused"]
        return
    assert not case["refused"]
    assert beat.links == (None if case["links"] is None else tuple(case["links"]))
    assert beat.count == case["count"]


@pytest.mark.parametrize("case", read("crypto/hybrid.json"))
def test_hybrid(case: Case, keys: dict[str, PrivateKey]) -> None:
    where = (case["from"], case["to"], keys[case["key"]], case["ts"])
    opened = sealing.opened(unb64(case["ciphertext"]), *where)
    assert (None if opened is None else b64(opened)) == case["plaintext"]


@pytest.mark.parametrize("case", read("crypto/file_chunk.json"))
def test_file_chunk(case: Case) -> None:
    where = (case["file_id"], case["index"], case["total"])
    opened = sealing.opened_chunk(unb64(case["file_key"]), unb64(case["ciphertext"]), *where)
    assert (None if opened is None else b64(opened)) == case["plaintext"]


def test_what_is_sealed_opens_and_only_there(keys: dict[str, PrivateKey]) -> None:
    bob = keys["bob"]
    sealed = sealing.sealed(b"hello", "ann", "bob", bob.public, 1)
    assert sealing.opened(sealed, "ann", "bob", bob, 1) == b"hello"
    assert sealing.opened(sealed, "eve", "bob", bob, 1) is None
    chunk = sealing.sealed_chunk(bytes(32), b"part", "f", 1, 2)
    assert sealing.opened_chunk(bytes(32), chunk, "f", 1, 2) == b"part"
    assert sealing.opened_chunk(bytes(32), chunk, "f", 0, 2) is None


@pytest.mark.parametrize("case", read("wire/content.json"))
def test_content(case: Case) -> None:
    try:
        content = read_content(case["text"].encode("utf-8", "surrogatepass"))
    except NotContent:
        assert case["kind"] is None
        return
    assert case["kind"] in (content.kind, "unknown")
    assert (content.run, content.seq) == (case["run"], case["seq"])
    assert (content.prev, content.first) == (case["prev"], case.get("first", ""))
    assert b64(hashlib.sha256(content.said).digest()) == case["digest"]


def fast(kind: str) -> list[Any]:
    return [case for case in read("crypto/fast_sig.json") if case.values[0]["kind"] == kind]


@pytest.mark.parametrize("case", fast("session"))
def test_session(case: Case, keys: dict[str, PrivateKey]) -> None:
    refused = False
    try:
        session = read_session(case["session"], keys[case["key"]].public, case["owner_id"])
        session.check_time(case["now"])
    except NotASession:
        refused = True
    assert refused is (case["refused"] is not None)


@pytest.mark.parametrize("case", fast("frame"))
def test_frame_by_a_session_key(case: Case) -> None:
    key = Ed25519PublicKey.from_public_bytes(unb64(case["session_key"]))
    payload = json.loads(case["payload"])
    frame = Frame("", {"type": case["type"], "payload": payload, "sig": case["sig"]})
    assert Session(key, 0, 0).signed(frame) is case["holds"]
