"""crypto/content_sig.json: the author's signature, in every form that is accepted (section 3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from socp.wire import base64url
from vectors.make import cast
from vectors.make.cast import ALICE, BOB, CAROL, FILE, TS
from vectors.make.pen import Case, Pen

_HEAD = f"{ALICE}{BOB}{TS}"
_MANIFEST: dict[str, object] = {
    "file_id": FILE,
    "mode": "dm",
    "name": "r\u00e9sum\u00e9.pdf",
    "sha256": sha256(b"what the file holds").hexdigest(),
    "size": 19,
    "total": 1,
}


def cases(pen: Pen) -> list[Case]:
    """Each with the bytes signed (`preimage`), the signature, and what a verifier must say."""
    return [
        *_direct(pen),
        *_public(pen),
        *_chunks(pen),
        *_manifests(pen),
        *_shares(pen),
    ]


def _direct(pen: Pen) -> list[Case]:
    raw = pen.seal("a direct message: raw ciphertext, from, to, ts", "bob", b"hello bob")
    facts = {"kind": "direct", "from": ALICE, "to": BOB, "ts": TS}
    forms = _forms(raw, _HEAD.encode(), {"from": ALICE, "to": BOB, "ts": TS})
    made = _in_every_form(pen, "a direct message: raw ciphertext, from, to, ts", facts, raw, forms)
    good = forms["raw"]
    untrue: dict[str, Mapping[str, object]] = {
        "shown to another recipient: no": {"to": CAROL},
        "shown under another author: no": {"from": CAROL},
        "shown at another time: no": {"ts": TS + 1},
        "shown as a post: no": {"kind": "public"},
        "verified under another key: no": {"key": "bob"},
    }
    for why, lie in untrue.items():
        made.append({**_case(pen, why, facts, raw, None, good), "form": None, **lie})
    unfit: dict[str, Mapping[str, object]] = {
        "an author's id of 35 characters moves the border: refused": {"from": ALICE[:-1]},
        "a recipient's id of 37 characters: refused": {"to": BOB + "1"},
        "an id with a letter outside ASCII, 36 characters and 37 bytes: refused": {
            "from": ALICE[:-1] + "\u00e9"
        },
        "a ts of 12 digits: refused": {"ts": TS // 10},
        "a ts of 14 digits: refused": {"ts": TS * 10},
        "a negative ts: refused": {"ts": -TS},
    }
    for why, change in unfit.items():
        said = {**facts, **change}
        preimage = raw + f"{said['from']}{said['to']}{said['ts']}".encode()
        made.append(_case(pen, why, said, raw, "refused", preimage))
    return made


def _public(pen: Pen) -> list[Case]:
    why = "a post: raw ciphertext, from, ts"
    raw = pen.seal(why, "channel", b"hello all")
    facts = {"kind": "public", "from": ALICE, "ts": TS}
    forms = _forms(raw, f"{ALICE}{TS}".encode(), {"from": ALICE, "to": "public", "ts": TS})
    return _in_every_form(pen, why, facts, raw, forms)


def _chunks(pen: Pen) -> list[Case]:
    why = "a chunk: raw ciphertext, from, to, ts, file_id, index, total"
    raw = pen.seal(why, "bob", b"part")
    place = {"file_id": FILE, "index": 1, "total": 12}
    facts = {"kind": "chunk", "from": ALICE, "to": BOB, "ts": TS, **place}
    forms = _forms(raw, f"{_HEAD}{FILE}112".encode(), {"from": ALICE, "to": BOB, "ts": TS})
    json_form = forms.pop("json")
    made = _in_every_form(pen, why, facts, raw, forms)
    no_place = "a chunk signed as JSON of ciphertext, from, to, ts has no place in its file: no"
    made.append({**_case(pen, no_place, facts, raw, None, json_form), "form": None})
    moved = "a chunk shown at another index: no"
    made.append({**_case(pen, moved, facts, raw, None, forms["raw"]), "index": 2})
    another = "a chunk shown as another file's: no"
    made.append({**_case(pen, another, facts, raw, None, forms["raw"]), "file_id": CAROL})
    joined = "11 of 2 reads like 1 of 12 and is no place: refused"
    case = _case(pen, joined, {**facts, "index": 11, "total": 2}, raw, "refused", forms["raw"])
    made.append(case)
    post = "a chunk for the public channel: `to` is public"
    preimage = raw + f"{ALICE}public{TS}{FILE}112".encode()
    made.append(_case(pen, post, {**facts, "to": "public"}, raw, "raw", preimage))
    return made


def _manifests(pen: Pen) -> list[Case]:
    facts = {"kind": "manifest", "from": ALICE, "to": BOB, "ts": TS}
    ours = _sorted(_MANIFEST) + _HEAD
    raw = _sorted(_MANIFEST, ascii_only=False) + _HEAD
    with_sender = _sorted({**_MANIFEST, "sender": ALICE}) + _HEAD
    hops = {
        "bind": {"type": "FILE_START", "from": ALICE, "to": BOB, "ts": TS},
        "content_sig": "AA",
        "sender": ALICE,
        "user_id": BOB,
    }
    grown = {**_MANIFEST, "size": 20}
    return [
        _manifest(pen, "a manifest: canonical members, from, to, ts", facts, _MANIFEST, ours),
        _manifest(pen, "what hops add is not signed", facts, {**_MANIFEST, **hops}, ours),
        _manifest(pen, "a manifest signed as raw UTF-8 holds as well", facts, _MANIFEST, raw),
        _manifest(
            pen,
            "an author who signed their own `sender` member too",
            facts,
            {**_MANIFEST, "sender": ALICE},
            with_sender,
        ),
        _manifest(
            pen,
            "a manifest for all: `to` is public",
            {**facts, "to": "public"},
            {**_MANIFEST, "mode": "public"},
            _sorted({**_MANIFEST, "mode": "public"}) + f"{ALICE}public{TS}",
        ),
        _manifest(pen, "a manifest with another size: no", facts, grown, ours, holds=False),
    ]


def _shares(pen: Pen) -> list[Case]:
    why = "shares: canonical list, the creator's DER"
    wrapped = pen.keep(
        why,
        ("wrapped",),
        lambda sealed: cast.key("bob").open(sealed) == bytes(32),
        lambda: cast.public("bob").seal(bytes(32)),
    )
    shares = [{"member": BOB, "wrapped_public_channel_key": base64url.encode(wrapped)}]
    foreign = [{"member": BOB, "wrapped": base64url.encode(wrapped)}]
    der = cast.public("alice").der
    return [
        {**_share(pen, why, shares, shares, der, True), "wrapped": base64url.encode(wrapped)},
        _share(
            pen, "shares by their other name are signed as received", foreign, foreign, der, True
        ),
        _share(pen, "shares for somebody else: no", _for_carol(shares), shares, der, False),
        _share(
            pen,
            "shares signed in another creator's name: no",
            shares,
            shares,
            cast.public("bob").der,
            False,
        ),
    ]


def _for_carol(shares: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{**share, "member": CAROL} for share in shares]


def _forms(raw: bytes, tail: bytes, json_members: Mapping[str, object]) -> dict[str, bytes]:
    text = base64url.encode(raw)
    return {
        "raw": raw + tail,
        "text": text.encode() + tail,
        "raw-digested": sha256(raw + tail).digest(),
        "text-digested": sha256(text.encode() + tail).digest(),
        "json": _sorted({"ciphertext": text, **json_members}).encode(),
    }


def _in_every_form(
    pen: Pen, why: str, facts: Mapping[str, object], raw: bytes, forms: Mapping[str, bytes]
) -> list[Case]:
    return [
        _case(pen, why if form == "raw" else f"{why}; in the form `{form}`", facts, raw, form, text)
        for form, text in forms.items()
    ]


def _case(
    pen: Pen,
    why: str,
    facts: Mapping[str, object],
    raw: bytes,
    result: str | None,
    preimage: bytes,
) -> Case:
    return {
        "why": why,
        "key": "alice",
        **facts,
        "ciphertext": base64url.encode(raw),
        "preimage": base64url.encode(preimage),
        "content_sig": base64url.encode(pen.sign(why, "alice", preimage)),
        "form": result,
    }


def _manifest(
    pen: Pen,
    why: str,
    facts: Mapping[str, object],
    members: Mapping[str, object],
    signed: str,
    *,
    holds: bool = True,
) -> Case:
    return {
        "why": why,
        "key": "alice",
        **facts,
        "members": dict(members),
        "preimage": base64url.encode(signed.encode()),
        "content_sig": base64url.encode(pen.sign(why, "alice", signed.encode())),
        "holds": holds,
    }


def _share(pen: Pen, why: str, shown: object, signed: object, creator: bytes, holds: bool) -> Case:
    preimage = _sorted(signed).encode() + creator
    return {
        "why": why,
        "key": "alice",
        "kind": "shares",
        "shares": shown,
        "creator_pub": cast.public("alice").text,
        "preimage": base64url.encode(preimage),
        "content_sig": base64url.encode(pen.sign(why, "alice", preimage)),
        "holds": holds,
    }


def _sorted(value: object, *, ascii_only: bool = True) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=ascii_only)
