"""crypto/labelled.json: the texts that are signed with a label (sections 10 and 11)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from socp.wire import base64url
from vectors.make import cast
from vectors.make.cast import ALICE, SERVER, TS
from vectors.make.pen import Case, Pen, random_bytes

_NONCE = random_bytes("nonce", 32)
_OTHER_NONCE = random_bytes("other nonce", 32)
_EXPORTER = random_bytes("exporter", 32)
_SIGNATURE = random_bytes("signature", 512)


def cases(pen: Pen) -> list[Case]:
    """Each with its members, the bytes signed (`preimage`) and a signature over them."""
    return [
        *_link_auth(pen),
        *_attach(pen),
        *_directory(pen),
        *_login(pen),
        *_password(pen),
        *_rotate(pen),
        *_rotate_new(pen),
        *_revoke(pen),
    ]


def _link_auth(pen: Pen) -> list[Case]:
    facts = {"label": "socp-link-auth/1", "own_id": ALICE, "peer_id": SERVER}
    plain = {**facts, "nonce": base64url.encode(_NONCE), "exporter": ""}
    signed = f"socp-link-auth/1{ALICE}{SERVER}".encode() + _NONCE
    auto = f"socp-link-auth/1auto{SERVER}".encode() + _NONCE
    tls = {**plain, "exporter": base64url.encode(_EXPORTER)}
    other = {**plain, "nonce": base64url.encode(_OTHER_NONCE)}
    short = {**plain, "nonce": base64url.encode(_NONCE[:31])}
    return [
        _case(pen, "a user's or server's proof to a server", plain, signed, True),
        _case(pen, "over TLS the exporter value follows", tls, signed + _EXPORTER, True),
        _case(pen, "an id is signed as sent: auto", {**plain, "own_id": "auto"}, auto, True),
        _case(pen, "a proof over another nonce: no", other, signed, False),
        _case(pen, "the exporter left out where there is one: no", tls, signed, False),
        _case(pen, "a nonce of 31 bytes is refused, whatever is signed", short, signed[:-1], None),
    ]


def _attach(pen: Pen) -> list[Case]:
    features = ["hybrid/1", "bind/1"]
    facts = {
        "label": "socp-attach/1",
        "user_id": ALICE,
        "server_id": SERVER,
        "ts": TS,
        "features": features,
    }
    signed = f"socp-attach/1{ALICE}{SERVER}{TS}".encode() + _stated(features)
    none = f"socp-attach/1{ALICE}{SERVER}{TS}".encode() + _stated([])
    turned = {**facts, "features": features[::-1]}
    stripped = {**facts, "features": ["bind/1"]}
    return [
        _case(pen, "a user's attach, features in the order sent", facts, signed, True),
        _case(pen, "an attach without features", {**facts, "features": []}, none, True),
        _case(pen, "features in another order: no", turned, signed, False),
        _case(pen, "a feature stripped (threat M15): no", stripped, signed, False),
        _case(pen, "at another time: no", {**facts, "ts": TS + 1}, signed, False),
        _case(pen, "at another server: no", {**facts, "server_id": ALICE}, signed, False),
        _case(
            pen,
            "a ts of 12 digits is refused, whatever is signed",
            {**facts, "ts": TS // 10},
            f"socp-attach/1{ALICE}{SERVER}{TS // 10}".encode() + _stated(features),
            None,
        ),
    ]


def _directory(pen: Pen) -> list[Case]:
    fingerprint = cast.public("bob").fingerprint
    facts = {
        "label": "socp-directory/1",
        "user_id": ALICE,
        "fingerprint": fingerprint,
        "version": 7,
    }
    signed = f"socp-directory/1{ALICE}{fingerprint}7".encode()
    return [
        _case(pen, "the directory's word for a key", facts, signed, True),
        _case(pen, "for another version: no", {**facts, "version": 77}, signed, False),
    ]


def _login(pen: Pen) -> list[Case]:
    facts = {
        "label": "socp-login/1",
        "user_id": ALICE,
        "server_id": SERVER,
        "client_nonce": base64url.encode(_NONCE),
        "server_nonce": base64url.encode(_OTHER_NONCE),
    }
    swapped = {
        **facts,
        "client_nonce": facts["server_nonce"],
        "server_nonce": facts["client_nonce"],
    }
    signed = f"socp-login/1{ALICE}{SERVER}".encode() + _NONCE + _OTHER_NONCE
    other_label = b"socp-link-auth/1" + signed.removeprefix(b"socp-login/1")
    return [
        _case(pen, "a login: both sides' nonces", facts, signed, True),
        _case(pen, "the nonces swapped: no", swapped, signed, False),
        _case(pen, "a text with another label is no login (threat M11)", facts, other_label, False),
    ]


def _password(pen: Pen) -> list[Case]:
    request, response = random_bytes("request", 32), random_bytes("response", 64)
    facts = {
        "label": "socp-password/1",
        "user_id": ALICE,
        "server_id": SERVER,
        "request": base64url.encode(request),
        "response": base64url.encode(response),
    }
    ids = f"socp-password/1{ALICE}{SERVER}".encode()
    signed = ids + sha256(request).digest() + sha256(response).digest()
    other = {**facts, "response": base64url.encode(response[::-1])}
    swapped = {**facts, "request": facts["response"], "response": facts["request"]}
    why = "the server's word for its answer in the setting of a password"
    return [
        _case(pen, why, facts, signed, True, key="server"),
        _case(pen, "for another answer: no", other, signed, False, key="server"),
        _case(pen, "request and answer swapped: no", swapped, signed, False, key="server"),
    ]


def _step(label: str) -> dict[str, object]:
    """Alice's key is replaced by the one called bob."""
    return {
        "label": label,
        "user_id": ALICE,
        "old_fingerprint": cast.public("alice").fingerprint,
        "new_fingerprint": cast.public("bob").fingerprint,
        "version": 2,
        "ts": TS,
    }


def _step_text(facts: Mapping[str, object], label: str = "") -> bytes:
    old, new = facts["old_fingerprint"], facts["new_fingerprint"]
    label = label or str(facts["label"])
    return f"{label}{facts['user_id']}{old}{new}{facts['version']}{facts['ts']}".encode()


def _rotate(pen: Pen) -> list[Case]:
    facts = _step("socp-rotate/1")
    signed = _step_text(facts)
    later, other = {**facts, "version": 3}, {**facts, "user_id": cast.BOB}
    turned = {
        **facts,
        "old_fingerprint": facts["new_fingerprint"],
        "new_fingerprint": facts["old_fingerprint"],
    }
    early, many = {**facts, "ts": TS // 10}, {**facts, "version": 1001}
    return [
        _case(pen, "the old key says which key follows it", facts, signed, True),
        _case(pen, "a rotation as another version: no", later, signed, False),
        _case(pen, "a rotation of another user: no", other, signed, False),
        _case(pen, "a rotation turned round: no", turned, signed, False),
        _case(
            pen,
            "the new key's text is not the old key's",
            facts,
            _step_text(facts, "socp-rotate-new/1"),
            False,
        ),
        _case(pen, "a rotation whose ts has 12 digits is refused", early, _step_text(early), None),
        _case(pen, "version 1001 is refused", many, _step_text(many), None),
    ]


def _rotate_new(pen: Pen) -> list[Case]:
    facts = {**_step("socp-rotate-new/1"), "old_sig": base64url.encode(_SIGNATURE)}
    signed = _step_text(facts) + _SIGNATURE
    other = {**facts, "old_fingerprint": cast.public("server").fingerprint}
    word = {**facts, "old_sig": base64url.encode(_SIGNATURE[::-1])}
    return [
        _case(pen, "the new key says which key it follows", facts, signed, True, key="bob"),
        _case(pen, "the new key says that it follows another: no", other, signed, False, key="bob"),
        _case(pen, "another word of the old key: no", word, signed, False, key="bob"),
    ]


def _revoke(pen: Pen) -> list[Case]:
    facts = {
        "label": "socp-revoke/1",
        "user_id": ALICE,
        "fingerprint": cast.public("alice").fingerprint,
        "version": 1,
        "ts": TS,
    }
    signed = f"socp-revoke/1{ALICE}{facts['fingerprint']}1{TS}".encode()
    none = {**facts, "version": 0}
    none_text = f"socp-revoke/1{ALICE}{facts['fingerprint']}0{TS}".encode()
    return [
        _case(pen, "a key revokes its id", facts, signed, True),
        _case(pen, "a revocation of another id: no", {**facts, "user_id": cast.BOB}, signed, False),
        _case(pen, "a revocation at another time: no", {**facts, "ts": TS + 1}, signed, False),
        _case(pen, "version 0 is refused", none, none_text, None),
    ]


def _case(
    pen: Pen,
    why: str,
    facts: Mapping[str, object],
    signed: bytes,
    holds: bool | None,
    *,
    key: str = "alice",
) -> Case:
    return {
        "why": why,
        "key": key,
        **facts,
        "preimage": base64url.encode(signed),
        "sig": base64url.encode(pen.sign(why, key, signed)),
        "holds": bool(holds),
        **({"refused": True} if holds is None else {}),
    }


def _stated(features: list[str]) -> bytes:
    text = json.dumps({"features": features}, separators=(",", ":"))
    return sha256(text.encode()).digest()
