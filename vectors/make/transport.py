"""crypto/transport.json: `sig` over canonical(payload), section 3."""

from __future__ import annotations

import json

from socp.wire import base64url
from vectors.make.pen import Case, Pen

_SIMPLE = '{"user_id":"u","server_id":"s"}'
_ACCENTS = '{"text":"h\u00e9 \u4f60\u597d \U0001f600"}'


def cases(pen: Pen) -> list[Case]:
    """Payload texts as received, with signatures that hold and that do not."""
    return [*_canonical(pen), *_tolerated(pen), *_refused(pen)]


def _canonical(pen: Pen) -> list[Case]:
    texts = {
        "an empty payload is signed too": "{}",
        "members are sorted, at every level": '{"b":{"d":1,"c":[{"z":0,"a":0}]},"a":true}',
        "white space between members is not signed": '{ "b" : 1 ,\n\t"a" : [ 1 , 2 ] }',
        "outside ASCII everything is escaped, in lower-case hex, above U+FFFF as two": _ACCENTS,
        "an escape that was not needed is undone": '{"a":"\\u0041\\/\\u00E9"}',
        "control characters and DEL are escaped as Python does": (
            '{"a":"\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f"}'
        ),
        "names sort by code point: U+FFFD stands before U+1F600, unlike in UTF-16": (
            '{"\U0001f600":1,"\ufffd":2,"z":3}'
        ),
        "members that nobody knows are covered": '{"user_id":"u","x-new":{"deep":[1,2,3]}}',
        "the greatest and the least integer": '{"a":9007199254740991,"b":-9007199254740991,"c":0}',
        "a fraction in an unknown member counts in Python's shortest form": '{"x":0.50,"y":1.5}',
    }
    return [_case(pen, why, text, _sorted(text), True) for why, text in texts.items()]


def _tolerated(pen: Pen) -> list[Case]:
    raw = _sorted(_ACCENTS, ascii_only=False)
    short = "a salt of 32 bytes holds as well"
    raw_why = "the raw UTF-8 form of the same object holds as well"
    padded_why = "a signature with its base64 padding holds as well"
    padded = _case(pen, padded_why, _SIMPLE, _sorted(_SIMPLE), True)
    return [
        _case(pen, short, _SIMPLE, _sorted(_SIMPLE), True, salt=32),
        _case(pen, raw_why, _ACCENTS, raw, True),
        {**padded, "sig": padded["sig"] + "="},
    ]


def _refused(pen: Pen) -> list[Case]:
    ours = _sorted(_SIMPLE)
    spaced = json.dumps(json.loads(_SIMPLE), sort_keys=True)
    changed = _case(pen, "a payload changed after signing does not hold", _SIMPLE, ours, False)
    other = _case(pen, "another key's signature does not hold", _SIMPLE, ours, False, by="bob")
    return [
        {**changed, "payload": '{"user_id":"v","server_id":"s"}'},
        {**other, "key": "alice"},
        _case(pen, "with one bit of the signature wrong: no", _SIMPLE, ours, False, turned=True),
        _case(pen, "signed with spaces after separators: does not hold", _SIMPLE, spaced, False),
        _case(pen, "signed in the order received: does not hold", _SIMPLE, _SIMPLE, False),
        *_garbage(),
    ]


def _garbage() -> list[Case]:
    texts = {
        "no signature does not hold": "",
        "a signature one byte short does not hold": "A" * 682,
        "a signature one byte long does not hold": "A" * 684,
        "zeros do not hold": "A" * 683,
        "ones, more than the modulus, do not hold": "_" * 682 + "w",
        "what is not base64url does not hold": "*" * 683,
        "an Ed25519 session signature is not for this key": "ed:" + "A" * 86,
    }
    return [
        {"why": why, "key": "alice", "payload": _SIMPLE, "sig": sig, "holds": False}
        for why, sig in texts.items()
    ]


def _case(
    pen: Pen,
    why: str,
    payload: str,
    signed: str,
    holds: bool,
    *,
    by: str = "alice",
    salt: int = 478,
    turned: bool = False,
) -> Case:
    sig = pen.sign(why, by, signed.encode(), salt=salt, turned=turned)
    return {
        "why": why,
        "key": by,
        "payload": payload,
        "signed": signed,
        "salt": salt,
        "sig": base64url.encode(sig),
        "holds": holds,
    }


def _sorted(text: str, *, ascii_only: bool = True) -> str:
    """Canonical JSON by Python's own json, as most others make it: a second opinion on ours."""
    return json.dumps(
        json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=ascii_only
    )
