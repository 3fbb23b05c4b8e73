"""content_sig: the author's own signature over what they said, to whom and when (section 3).

The texts signed are plain concatenations. They mean one thing only because ids have 36 characters,
ts 13 digits and `total` is fixed by the manifest; anything else is refused as PeerFault(BAD_FRAME)
(threat M6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

from socp.crypto.fields import addressee_bytes, digest, id_bytes, place_bytes, ts_bytes
from socp.crypto.keys import PrivateKey, PublicKey
from socp.crypto.signing import sign, signature_bytes
from socp.wire import base64url
from socp.wire.canonical import canonical, canonical_utf8, to_members
from socp.wire.errors import PeerFault
from socp.wire.ids import PUBLIC
from socp.wire.part import Part


class Form(StrEnum):
    """What the author put in the ciphertext's place. A diagnostic, never a trust level."""

    RAW = "raw"  # ours; COMPAT(section 13): the others
    TEXT = "text"
    RAW_DIGESTED = "raw-digested"
    TEXT_DIGESTED = "text-digested"
    JSON = "json"


_HOP_MEMBERS: Final = frozenset(
    ("content_sig", "bind", "inner_type", "late", "queued", "sender", "user_id")
)
"""What links and servers add to a FILE_START: its author did not sign these."""


def direct_preimage(raw_ciphertext: bytes, from_: str, to: str, ts: int) -> bytes:
    """What the author of a direct message signs; `raw_ciphertext` is the decoded one."""
    return raw_ciphertext + id_bytes(from_) + id_bytes(to) + ts_bytes(ts)


def public_preimage(raw_ciphertext: bytes, from_: str, ts: int) -> bytes:
    """What the author of a post to the public channel signs."""
    return raw_ciphertext + id_bytes(from_) + ts_bytes(ts)


def chunk_preimage(
    raw_ciphertext: bytes, from_: str, to: str, ts: int, file_id: str, index: int, total: int
) -> bytes:
    """What the author of a file chunk signs: its place in the file with it (threat M5)."""
    place = place_bytes(file_id, index, total)
    return raw_ciphertext + id_bytes(from_) + addressee_bytes(to) + ts_bytes(ts) + place


def manifest_preimage(members: Mapping[str, object], from_: str, to: str, ts: int) -> bytes:
    """What the author of a file signs: the FILE_START's own members, `to` may be `public`.

    content_sig and what hops add (bind, sender, user_id...) is left out here, whoever calls.
    """
    return canonical(_manifest(members)) + _manifest_tail(from_, to, ts)


def shares_preimage(shares: Sequence[object], creator_der: bytes) -> bytes:
    """What a member signs who shares the channel's key: the frame's shares, then their own key."""
    return canonical(_plain(shares)) + creator_der


def sign_direct(key: PrivateKey, raw_ciphertext: bytes, from_: str, to: str, ts: int) -> str:
    """content_sig of a direct message, base64url."""
    return sign(key, direct_preimage(raw_ciphertext, from_, to, ts))


def sign_public(key: PrivateKey, raw_ciphertext: bytes, from_: str, ts: int) -> str:
    """content_sig of a post, base64url."""
    return sign(key, public_preimage(raw_ciphertext, from_, ts))


def sign_chunk(
    key: PrivateKey,
    raw_ciphertext: bytes,
    from_: str,
    to: str,
    ts: int,
    file_id: str,
    index: int,
    total: int,
) -> str:
    """content_sig of a file chunk, base64url."""
    return sign(key, chunk_preimage(raw_ciphertext, from_, to, ts, file_id, index, total))


def sign_manifest(
    key: PrivateKey, members: Mapping[str, object], from_: str, to: str, ts: int
) -> str:
    """content_sig of a file's manifest, base64url."""
    return sign(key, manifest_preimage(members, from_, to, ts))


def sign_shares(key: PrivateKey, shares: Sequence[object]) -> str:
    """content_sig of a key share by `key`'s holder, base64url."""
    return sign(key, shares_preimage(shares, key.public.der))


def verify_direct(
    key: PublicKey,
    ciphertext_text: str,
    from_: str,
    to: str,
    ts: int,
    sig_text: str,
    *,
    first: Form = Form.RAW,
) -> Form | None:
    """The form in which `key` signed this direct message, `first` tried first; None: in no form."""
    members = {"ciphertext": ciphertext_text, "from": from_, "to": to, "ts": ts}
    return _matching(
        key,
        ciphertext_text,
        sig_text,
        first,
        lambda ciphertext: direct_preimage(ciphertext, from_, to, ts),
        json=members,
    )


def verify_public(
    key: PublicKey,
    ciphertext_text: str,
    from_: str,
    ts: int,
    sig_text: str,
    *,
    first: Form = Form.RAW,
) -> Form | None:
    """The form in which `key` signed this post; in JSON its `to` is `public`."""
    members = {"ciphertext": ciphertext_text, "from": from_, "to": PUBLIC, "ts": ts}
    return _matching(
        key,
        ciphertext_text,
        sig_text,
        first,
        lambda ciphertext: public_preimage(ciphertext, from_, ts),
        json=members,
    )


def verify_chunk(
    key: PublicKey,
    ciphertext_text: str,
    from_: str,
    to: str,
    ts: int,
    file_id: str,
    index: int,
    total: int,
    sig_text: str,
    *,
    first: Form = Form.RAW,
) -> Form | None:
    """The form in which `key` signed this chunk. JSON is none: it leaves the place open (M5)."""
    return _matching(
        key,
        ciphertext_text,
        sig_text,
        first,
        lambda ciphertext: chunk_preimage(ciphertext, from_, to, ts, file_id, index, total),
        json=None,
    )


def verify_manifest(
    key: PublicKey, members: Mapping[str, object], from_: str, to: str, ts: int, sig_text: str
) -> bool:
    """Whether `key` signed this manifest; `members` are the FILE_START's payload as received."""
    tail = _manifest_tail(from_, to, ts)
    manifest = _manifest(members)
    if _holds(key, sig_text, _both_ways(manifest, tail)):
        return True
    if "sender" not in members:
        return False
    # COMPAT(section 13): authors who put `sender` into their own payload sign it with the rest.
    return _holds(key, sig_text, _both_ways({**manifest, "sender": members["sender"]}, tail))


def verify_shares(
    key: PublicKey, shares: Sequence[object], creator_der: bytes, sig_text: str
) -> bool:
    """Whether `key` signed `shares`, the payload's list as received, in that creator's name."""
    return _holds(key, sig_text, _both_ways(_plain(shares), creator_der))


def _matching(
    key: PublicKey,
    ciphertext_text: str,
    sig_text: str,
    first: Form,
    concatenation: Callable[[bytes], bytes],
    *,
    json: Mapping[str, object] | None,
) -> Form | None:
    raw = _decoded(ciphertext_text)
    plain = concatenation(raw or b"")  # refuses what is not of fixed width, whatever was signed
    signature = signature_bytes(sig_text)
    if raw is None or signature is None:
        return None
    for form in (first, *(form for form in Form if form is not first)):
        match form:
            case Form.RAW:
                preimage = plain
            case Form.RAW_DIGESTED:
                preimage = digest(plain)
            case Form.TEXT:
                preimage = concatenation(ciphertext_text.encode())
            case Form.TEXT_DIGESTED:
                preimage = digest(concatenation(ciphertext_text.encode()))
            case Form.JSON:
                if json is None:
                    continue
                preimage = canonical(json)
        if key.verify(signature, preimage):
            return form
    return None


def _decoded(ciphertext_text: str) -> bytes | None:
    try:
        return base64url.decode(ciphertext_text)
    except PeerFault:
        return None


def _manifest(members: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if name not in _HOP_MEMBERS}


def _manifest_tail(from_: str, to: str, ts: int) -> bytes:
    return id_bytes(from_) + addressee_bytes(to) + ts_bytes(ts)


def _plain(shares: Sequence[object]) -> list[object]:
    return [to_members(share) if isinstance(share, Part) else share for share in shares]


def _both_ways(value: object, tail: bytes) -> Iterator[bytes]:
    """The canonical form and the raw UTF-8 one, each as it is and digested first, ours first."""
    ours = canonical(value) + tail
    raw = canonical_utf8(value) + tail
    for preimage in (ours,) if raw == ours else (ours, raw):
        yield preimage
        yield digest(preimage)


def _holds(key: PublicKey, sig_text: str, preimages: Iterator[bytes]) -> bool:
    signature = signature_bytes(sig_text)
    return signature is not None and any(key.verify(signature, text) for text in preimages)
