"""crypto/oaep.json, hybrid.json, channel_box.json and file_chunk.json (sections 3, 7, 8, 11).

The sealed texts are put together here from the library's primitives, not by our own code.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from socp.wire import base64url
from vectors.make import cast
from vectors.make.cast import ALICE, BOB, CAROL, FILE, TS
from vectors.make.pen import Case, Pen, flipped, opens, random_bytes


def oaep(pen: Pen) -> list[Case]:
    """One RSA block: what bob reads in it (`plaintext`), null where he must read nothing."""
    sizes = {
        "nothing, sealed": b"",
        "a group or content key of 32 bytes": bytes(range(32)),
        "a short message": "h\u00e9llo \U0001f600".encode(),
        "the most that fits, 446 bytes": b"x" * 446,
    }
    good = [
        _block(why, pen.seal(why, "bob", plaintext), plaintext) for why, plaintext in sizes.items()
    ]
    whole = base64url.decode(good[2]["ciphertext"])
    bad = {
        "one bit wrong at the end": flipped(whole),
        "one bit wrong at the start": flipped(whole, 3),
        "one byte short": whole[:-1],
        "one byte long": whole + b"\x00",
        "two blocks in a row are two messages": whole + whole,
        "nothing at all": b"",
        "zeros": bytes(512),
        "more than the modulus": b"\xff" * 512,
        "sealed for alice": pen.keep(
            "sealed for alice",
            ("ciphertext",),
            lambda sealed: opens(cast.key("alice"), sealed) == b"for alice",
            lambda: cast.public("alice").seal(b"for alice"),
        ),
        "OAEP with SHA-1, the library's old default": _other(
            pen,
            "OAEP with SHA-1, the library's old default",
            _oaep(hashes.SHA1(), None),  # noqa: S303
        ),
        "OAEP with a label": _other(pen, "OAEP with a label", _oaep(hashes.SHA256(), b"socp")),
        "PKCS#1 v1.5 padding": _other(pen, "PKCS#1 v1.5 padding", padding.PKCS1v15()),
    }
    return good + [_block(why, sealed, None) for why, sealed in bad.items()]


def hybrid(pen: Pen) -> list[Case]:
    """`hybrid/1` messages as bob is shown them; null where he must read nothing."""
    facts: Mapping[str, object] = {"key": "bob", "from": ALICE, "to": BOB, "ts": TS}
    post = {"key": "channel", "from": ALICE, "to": "public", "ts": TS}
    texts = {
        "a message": b"hello bob",
        "an empty message": b"",
        "longer than one block": b"0123456789" * 100,
        "not only ASCII": "\u4f60\u597d \U0001f600".encode(),
    }
    good = [
        _message(pen, why, facts, text, aad=_aad("bob", f"{ALICE}{BOB}{TS}"))
        for why, text in texts.items()
    ]
    aad = _aad("channel", f"{ALICE}public{TS}")
    good.append(_message(pen, "a post, to the channel's key", post, b"hello all", aad=aad))
    return [*good, *_hybrid_lies(good[0]), *_hybrid_foreign(pen, facts)]


def _hybrid_lies(case: Case) -> list[Case]:
    sealed = base64url.decode(case["ciphertext"])
    lies: dict[str, Case] = {
        "shown under another author (threat M4)": {"from": CAROL},
        "shown to another recipient (threat M3)": {"to": CAROL},
        "shown at another time": {"ts": TS + 1},
        "shown as a post": {"to": "public"},
        "shown under an id of 35 characters (threat M6)": {"from": ALICE[:-1]},
        "opened with another key": {"key": "alice"},
        "tag changed": {"ciphertext": base64url.encode(flipped(sealed))},
        "nonce changed": {"ciphertext": base64url.encode(flipped(sealed, 512))},
        "content key's block changed": {"ciphertext": base64url.encode(flipped(sealed, 100))},
        "cut inside the tag": {"ciphertext": base64url.encode(sealed[:-1])},
        "cut after the nonce": {"ciphertext": base64url.encode(sealed[:524])},
        "cut after the block": {"ciphertext": base64url.encode(sealed[:512])},
    }
    return [{**case, "plaintext": None, **lie, "why": why} for why, lie in lies.items()]


def _hybrid_foreign(pen: Pen, facts: Mapping[str, object]) -> list[Case]:
    right = _aad("bob", f"{ALICE}{BOB}{TS}")
    made = [
        _message(pen, why, facts, b"hello bob", aad=aad, size=size)
        for why, aad, size in (
            ("sealed again by bob for carol's eyes: other recipient's key in the AAD",
             _aad("alice", f"{ALICE}{BOB}{TS}"), 32),
            ("sealed without AAD", b"", 32),
            ("a content key of 16 bytes", right, 16),
        )
    ]  # fmt: skip
    return [{**case, "plaintext": None} for case in made]


def channel_box() -> list[Case]:
    """Boxes of the channel's private key; `holds` says whether a member may use what is inside."""
    why = "the box of version 3"
    key, nonce = random_bytes(why, 32), random_bytes(why + " nonce", 12)
    aad = b"socp-channel/1" + b"3" + sha256(cast.public("channel").der).digest()
    box = nonce + AESGCM(key).encrypt(nonce, cast.key("channel").to_bytes(), aad)
    other = nonce + AESGCM(key).encrypt(nonce, cast.key("alice").to_bytes(), aad)
    junk = nonce + AESGCM(key).encrypt(nonce, b"no key", aad)
    good: Case = {
        "why": why,
        "version": 3,
        "group_key": base64url.encode(key),
        "channel_pub": cast.public("channel").text,
        "box": base64url.encode(box),
        "holds": True,
    }
    lies: dict[str, Case] = {
        "shown as version 4": {"version": 4},
        "shown as version 33, which starts alike": {"version": 33},
        "shown with another public half": {"channel_pub": cast.public("alice").text},
        "opened with another group key": {"group_key": base64url.encode(bytes(32))},
        "a group key of 16 bytes": {"group_key": base64url.encode(key[:16])},
        "holds another private key than the public half says": {"box": base64url.encode(other)},
        "holds no key": {"box": base64url.encode(junk)},
        "cut short": {"box": base64url.encode(box[:-1])},
        "empty": {"box": ""},
    }
    return [good, *({**good, "holds": False, **lie, "why": why} for why, lie in lies.items())]


def file_chunk() -> list[Case]:
    """Chunks under a file's own key; null where nothing must be read."""
    why = "chunk 1 of 12"
    key, nonce = random_bytes(why, 32), random_bytes(why + " nonce", 12)
    sealed = nonce + AESGCM(key).encrypt(nonce, b"part", f"{FILE}112".encode())
    empty = nonce + AESGCM(random_bytes("empty", 32)).encrypt(nonce, b"", f"{FILE}01".encode())
    good: Case = {
        "why": why,
        "file_key": base64url.encode(key),
        "file_id": FILE,
        "index": 1,
        "total": 12,
        "ciphertext": base64url.encode(sealed),
        "plaintext": base64url.encode(b"part"),
    }
    lies: dict[str, Case] = {
        "shown at another index (threat M5)": {"index": 2},
        "shown with another total": {"total": 13},
        "shown as 11 of 2, which is written alike": {"index": 11, "total": 2},
        "shown as another file's": {"file_id": CAROL},
        "opened with another file's key": {"file_key": base64url.encode(bytes(32))},
        "tag changed": {"ciphertext": base64url.encode(flipped(sealed))},
        "cut short": {"ciphertext": base64url.encode(sealed[:20])},
        "empty": {"ciphertext": ""},
    }
    return [
        good,
        {
            **good,
            "why": "an empty chunk, 0 of 1",
            "file_key": base64url.encode(random_bytes("empty", 32)),
            "index": 0,
            "total": 1,
            "ciphertext": base64url.encode(empty),
            "plaintext": "",
        },
        *({**good, "plaintext": None, **lie, "why": why} for why, lie in lies.items()),
    ]


def _block(why: str, sealed: bytes, plaintext: bytes | None) -> Case:
    return {
        "why": why,
        "key": "bob",
        "ciphertext": base64url.encode(sealed),
        "plaintext": None if plaintext is None else base64url.encode(plaintext),
    }


def _oaep(algorithm: hashes.HashAlgorithm, label: bytes | None) -> padding.OAEP:
    return padding.OAEP(padding.MGF1(algorithm), algorithm, label)


def _other(pen: Pen, why: str, scheme: padding.AsymmetricPadding) -> bytes:
    bob = cast.openssl_key("bob")

    def good(sealed: bytes) -> bool:
        try:
            return bob.decrypt(sealed, scheme) == b"hello"
        except ValueError:
            return False

    return pen.keep(why, ("ciphertext",), good, lambda: bob.public_key().encrypt(b"hello", scheme))


def _message(
    pen: Pen, why: str, facts: Mapping[str, object], text: bytes, *, aad: bytes, size: int = 32
) -> Case:
    key, nonce = random_bytes(why, size), random_bytes(why + " nonce", 12)
    sealed = nonce + AESGCM(key).encrypt(nonce, text, aad)
    return {
        "why": why,
        **facts,
        "ciphertext": base64url.encode(pen.seal(why, str(facts["key"]), key) + sealed),
        "plaintext": base64url.encode(text),
    }


def _aad(recipient: str, names: str) -> bytes:
    return b"socp-hybrid/1" + names.encode() + sha256(cast.public(recipient).der).digest()
