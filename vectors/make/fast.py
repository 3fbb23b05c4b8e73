"""crypto/fast_sig.json: session keys, and the signatures of frames by them (section 11)."""

from __future__ import annotations

import json
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from socp.wire import base64url
from vectors.make.cast import ALICE, BOB, SERVER, TS
from vectors.make.pen import Case, Pen, random_bytes

_DAY = 24 * 3_600_000
_WINDOW = 300_000
_SIMPLE = '{"msg_ref":"m","status":"delivered"}'
_ACCENTS = '{"detail":"h\u00e9 \u4f60\u597d \U0001f600","code":"X"}'
_SPACED = '{ "status" : "queued",\n"msg_ref" : "m" , "x-new" : [1, {"b":1,"a":2}] }'


def cases(pen: Pen) -> list[Case]:
    """`kind` says which: what certifies a session key, and what that key signed."""
    return [*_sessions(pen), *_frames()]


# --- what certifies them ------------------------------------------------------------------------


def _sessions(pen: Pen) -> list[Case]:
    end = TS + _DAY
    return [
        _session(pen, "a user's session key, for a day", ALICE, "alice", TS, end, TS, None),
        _session(
            pen, "a server's session key, for a millisecond", SERVER, "server", TS, TS + 1, TS, None
        ),
        _session(
            pen, "its owner's clock is 5 min ahead", ALICE, "alice", TS + _WINDOW, end, TS, None
        ),
        _session(
            pen, "it ended 5 min ago by our clock", ALICE, "alice", TS, end, end + _WINDOW, None
        ),
        _session(
            pen, "not valid yet: refused", ALICE, "alice", TS + _WINDOW + 1, end, TS, "INVALID_SIG"
        ),
        _session(
            pen, "expired: refused", ALICE, "alice", TS, end, end + _WINDOW + 1, "INVALID_SIG"
        ),
        _session(
            pen, "for more than 24 h: refused", ALICE, "alice", TS, end + 1, TS, "INVALID_SIG"
        ),
        _session(pen, "for no time: refused", ALICE, "alice", TS, TS, TS, "INVALID_SIG"),
        _session(
            pen, "its end before its begin: refused", ALICE, "alice", TS + 1, TS, TS, "INVALID_SIG"
        ),
        *_foreign(pen),
        *_misshapen(pen),
    ]


def _foreign(pen: Pen) -> list[Case]:
    end, why = TS + _DAY, "signed by another's key: refused"
    other = _session(pen, why, ALICE, "bob", TS, end, TS, "INVALID_SIG")
    anothers = _session(
        pen, "certified for another id: refused", BOB, "alice", TS, end, TS, "INVALID_SIG"
    )
    swapped = _session(
        pen, "another session key put in: refused", ALICE, "alice", TS, end, TS, "INVALID_SIG"
    )
    longer = _session(
        pen, "its time made longer: refused", ALICE, "alice", TS, end - 1, TS, "INVALID_SIG"
    )
    garbage = _session(pen, "no signature: refused", ALICE, "alice", TS, end, TS, "INVALID_SIG")
    return [
        {**other, "key": "alice"},
        {**anothers, "owner_id": ALICE},
        {**swapped, "session": {**swapped["session"], "key": _public("other session")}},
        {**longer, "session": {**longer["session"], "until_ts": end}},
        {**garbage, "session": {**garbage["session"], "sig": ""}},
    ]


def _misshapen(pen: Pen) -> list[Case]:
    end = TS + _DAY
    short = _session(
        pen, "a session key of 31 bytes: refused", ALICE, "alice", TS, end, TS, "BAD_KEY"
    )
    early = _session(
        pen, "a time of 12 digits: refused", ALICE, "alice", TS // 10, TS, TS, "BAD_FRAME"
    )
    raw = base64url.encode(base64url.decode(short["session"]["key"])[:31])
    return [{**short, "session": {**short["session"], "key": raw}}, early]


def _session(
    pen: Pen,
    why: str,
    owner_id: str,
    key: str,
    from_ts: int,
    until_ts: int,
    now: int,
    refused: str | None,
) -> Case:
    public = base64url.decode(_public("session"))
    text = f"socp-session-key/1{owner_id}".encode() + public + f"{from_ts}{until_ts}".encode()
    sig = pen.sign(why, key, text, within="session")
    return {
        "why": why,
        "kind": "session",
        "key": key,
        "owner_id": owner_id,
        "session": {
            "key": base64url.encode(public),
            "from_ts": from_ts,
            "until_ts": until_ts,
            "sig": base64url.encode(sig),
        },
        "now": now,
        "refused": refused,
    }


# --- what they sign -----------------------------------------------------------------------------


def _frames() -> list[Case]:
    plain = _signed(_SIMPLE)
    label = _sign("session", b"socp-login/1" + _SIMPLE.encode())
    bare = _sign("session", _SIMPLE.encode())
    raw = json.dumps(
        json.loads(_ACCENTS), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    utf8 = _sign("session", b"socp-frame/1" + raw.encode())
    turned = bytearray(base64url.decode(plain))
    turned[0] ^= 1
    return [
        _frame("an ACK", "ACK", _SIMPLE, plain, True),
        _frame(
            "canonical: sorted, without spaces, unknown members too",
            "ACK",
            _SPACED,
            _signed(_SPACED),
            True,
        ),
        _frame("outside ASCII everything is escaped", "ERROR", _ACCENTS, _signed(_ACCENTS), True),
        _frame("the raw UTF-8 form is not taken here", "ERROR", _ACCENTS, utf8, False),
        _frame("another payload: no", "ACK", _SIMPLE.replace('"m"', '"n"'), plain, False),
        _frame(
            "by another session key: no", "ACK", _SIMPLE, _signed(_SIMPLE, "other session"), False
        ),
        _frame("under another label: no", "ACK", _SIMPLE, label, False),
        _frame("under no label: no", "ACK", _SIMPLE, bare, False),
        _frame("one bit of it wrong: no", "ACK", _SIMPLE, base64url.encode(bytes(turned)), False),
        _frame("a byte short: no", "ACK", _SIMPLE, plain[:-1], False),
        _frame("padded: no", "ACK", _SIMPLE, plain + "==", False),
        _frame("not base64url: no", "ACK", _SIMPLE, "*" * 86, False),
        _frame("empty: no", "ACK", _SIMPLE, "", False),
        _frame("presence travels on: no", "USER_ADVERTISE", _SIMPLE, plain, False),
        _frame("key shares travel on: no", "PUBLIC_CHANNEL_KEY_SHARE", _SIMPLE, plain, False),
        _frame("a new key's word is its owner's alone: no", "KEY_ROTATE", _SIMPLE, plain, False),
    ]


def _frame(why: str, kind: str, payload: str, sig: str, holds: bool) -> Case:
    return {
        "why": why,
        "kind": "frame",
        "type": kind,
        "session_key": _public("session"),
        "payload": payload,
        "sig": f"ed:{sig}",
        "holds": holds,
    }


def _signed(payload: str, by: str = "session") -> str:
    canonical = json.dumps(json.loads(payload), sort_keys=True, separators=(",", ":"))
    return _sign(by, b"socp-frame/1" + canonical.encode())


def _sign(by: str, text: bytes) -> str:
    return base64url.encode(_key(by).sign(text))


def _public(name: str) -> str:
    return base64url.encode(_key(name).public_key().public_bytes_raw())


@cache
def _key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(random_bytes(name, 32))
