"""content_sig: its forms, its fixed widths, and what it is tried in first (section 3)."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from socp.crypto import content_sig
from socp.crypto.content_sig import Form
from socp.crypto.keys import PrivateKey, PublicKey
from socp.crypto.signing import sign
from socp.wire import base64url, payloads
from socp.wire.canonical import canonical, to_members
from socp.wire.errors import Code, PeerFault
from tests.crypto.conftest import Cast
from tests.crypto.scene import ALICE, BOB, CAROL, FILE, TS

RAW = bytes(range(256)) * 2
TEXT = base64url.encode(RAW)
MANIFEST: dict[str, object] = {
    "file_id": FILE,
    "name": "résumé.pdf",
    "size": 19,
    "sha256": sha256(b"x").hexdigest(),
    "mode": "dm",
    "total": 3,
}
FORMS: dict[Form, Callable[[bytes], bytes]] = {
    Form.RAW: lambda tail: RAW + tail,
    Form.TEXT: lambda tail: TEXT.encode() + tail,
    Form.RAW_DIGESTED: lambda tail: sha256(RAW + tail).digest(),
    Form.TEXT_DIGESTED: lambda tail: sha256(TEXT.encode() + tail).digest(),
}


class Counting:
    """A public key that counts what it is asked."""

    def __init__(self, key: PublicKey) -> None:
        self._key = key
        self.asked = 0

    def verify(self, signature: bytes, data: bytes) -> bool:
        self.asked += 1
        return self._key.verify(signature, data)


def direct_json(ciphertext: str = TEXT, to: str = BOB) -> bytes:
    return canonical({"ciphertext": ciphertext, "from": ALICE, "to": to, "ts": TS})


@pytest.mark.spec("3")
def test_what_is_signed_is_the_plain_concatenation() -> None:
    head = f"{ALICE}{BOB}{TS}".encode()
    assert content_sig.direct_preimage(RAW, ALICE, BOB, TS) == RAW + head
    assert content_sig.public_preimage(RAW, ALICE, TS) == RAW + f"{ALICE}{TS}".encode()
    place = content_sig.chunk_preimage(RAW, ALICE, BOB, TS, FILE, 0, 12)
    assert place == RAW + head + f"{FILE}012".encode()
    assert content_sig.manifest_preimage(MANIFEST, ALICE, BOB, TS) == canonical(MANIFEST) + head
    assert content_sig.shares_preimage([{"member": BOB}], b"DER") == b'[{"member":"%s"}]DER' % (
        BOB.encode()
    )


@pytest.mark.spec("3")
def test_what_we_sign_holds_in_our_own_form(cast: Cast) -> None:
    key = cast.alice
    direct = content_sig.sign_direct(key, RAW, ALICE, BOB, TS)
    post = content_sig.sign_public(key, RAW, ALICE, TS)
    chunk = content_sig.sign_chunk(key, RAW, ALICE, BOB, TS, FILE, 0, 1)
    manifest = content_sig.sign_manifest(key, MANIFEST, ALICE, BOB, TS)
    shares = [{"member": BOB, "wrapped_public_channel_key": TEXT}]
    shared = content_sig.sign_shares(key, shares)
    pub = key.public
    assert content_sig.verify_direct(pub, TEXT, ALICE, BOB, TS, direct) is Form.RAW
    assert content_sig.verify_public(pub, TEXT, ALICE, TS, post) is Form.RAW
    assert content_sig.verify_chunk(pub, TEXT, ALICE, BOB, TS, FILE, 0, 1, chunk) is Form.RAW
    assert content_sig.verify_manifest(pub, MANIFEST, ALICE, BOB, TS, manifest)
    assert content_sig.verify_shares(pub, shares, pub.der, shared)


@pytest.mark.spec("3")
@pytest.mark.spec("13")
@pytest.mark.parametrize("form", FORMS)
def test_a_foreign_form_is_accepted_and_named(cast: Cast, form: Form) -> None:
    key, text = cast.alice, FORMS[form]
    head = f"{ALICE}{BOB}{TS}".encode()
    direct = sign(key, text(head))
    post = sign(key, text(f"{ALICE}{TS}".encode()))
    chunk = sign(key, text(head + f"{FILE}29".encode()))
    pub = key.public
    assert content_sig.verify_direct(pub, TEXT, ALICE, BOB, TS, direct) is form
    assert content_sig.verify_public(pub, TEXT, ALICE, TS, post) is form
    assert content_sig.verify_chunk(pub, TEXT, ALICE, BOB, TS, FILE, 2, 9, chunk) is form


@pytest.mark.spec("3")
@pytest.mark.spec("13")
def test_canonical_json_is_accepted_for_messages_and_posts(cast: Cast) -> None:
    direct = sign(cast.alice, direct_json())
    post = sign(cast.alice, direct_json(to="public"))
    pub = cast.alice.public
    assert content_sig.verify_direct(pub, TEXT, ALICE, BOB, TS, direct) is Form.JSON
    assert content_sig.verify_public(pub, TEXT, ALICE, TS, post) is Form.JSON


@pytest.mark.spec("8")
@pytest.mark.threat("M5")
def test_canonical_json_is_not_accepted_for_a_chunk_whose_place_it_leaves_open(cast: Cast) -> None:
    sig = sign(cast.alice, direct_json())
    chunk = (TEXT, ALICE, BOB, TS, FILE, 0, 1, sig)
    assert content_sig.verify_chunk(cast.alice.public, *chunk, first=Form.JSON) is None


@pytest.mark.spec("3")
def test_a_padded_ciphertext_text_is_signed_as_its_author_wrote_it(cast: Cast) -> None:
    padded = TEXT + "=" * (-len(TEXT) % 4)
    sig = sign(cast.alice, padded.encode() + f"{ALICE}{BOB}{TS}".encode())
    pub = cast.alice.public
    assert content_sig.verify_direct(pub, padded, ALICE, BOB, TS, sig) is Form.TEXT


@pytest.mark.spec("3")
@pytest.mark.parametrize("form", [*FORMS, Form.JSON])
def test_the_form_that_matched_before_is_tried_first(cast: Cast, form: Form) -> None:
    head = f"{ALICE}{BOB}{TS}".encode()
    preimage = direct_json() if form is Form.JSON else FORMS[form](head)
    sig = sign(cast.alice, preimage)
    key = Counting(cast.alice.public)
    found = content_sig.verify_direct(key, TEXT, ALICE, BOB, TS, sig, first=form)  # type: ignore[arg-type]
    assert (found, key.asked) == (form, 1)


@pytest.mark.spec("3")
@pytest.mark.threat("M3")
@pytest.mark.parametrize(
    "shown",
    [
        (TEXT, CAROL, BOB, TS),
        (TEXT, ALICE, CAROL, TS),
        (TEXT, ALICE, BOB, TS + 1),
        (base64url.encode(RAW + b"x"), ALICE, BOB, TS),
        (base64url.encode(RAW[:-1]), ALICE, BOB, TS),
    ],
    ids=["author", "recipient", "time", "longer", "shorter"],
)
def test_a_message_shown_otherwise_than_signed_holds_in_no_form(
    cast: Cast, shown: tuple[str, str, str, int]
) -> None:
    for form in Form:
        head = f"{ALICE}{BOB}{TS}".encode()
        preimage = direct_json() if form is Form.JSON else FORMS[form](head)
        sig = sign(cast.alice, preimage)
        assert content_sig.verify_direct(cast.alice.public, *shown, sig) is None


@pytest.mark.spec("3")
@pytest.mark.threat("M1")
def test_a_message_is_no_post_and_a_post_no_message(cast: Cast) -> None:
    pub = cast.alice.public
    direct = content_sig.sign_direct(cast.alice, RAW, ALICE, BOB, TS)
    post = content_sig.sign_public(cast.alice, RAW, ALICE, TS)
    assert content_sig.verify_public(pub, TEXT, ALICE, TS, direct) is None
    assert content_sig.verify_direct(pub, TEXT, ALICE, BOB, TS, post) is None


@pytest.mark.spec("8")
@pytest.mark.threat("M5")
@pytest.mark.parametrize(
    "place", [(FILE, 2, 12), (FILE, 1, 13), (CAROL, 1, 12)], ids=["index", "total", "file"]
)
def test_a_chunk_holds_at_its_own_place_alone(cast: Cast, place: tuple[str, int, int]) -> None:
    sig = content_sig.sign_chunk(cast.alice, RAW, ALICE, BOB, TS, FILE, 1, 12)
    found = content_sig.verify_chunk(cast.alice.public, TEXT, ALICE, BOB, TS, *place, sig)
    assert found is None


@pytest.mark.spec("8")
@pytest.mark.threat("M5")
@pytest.mark.threat("M6")
@pytest.mark.parametrize("place", [(11, 2), (2, 2), (0, 0), (-1, 5), (0, 2**53)])
def test_a_chunk_outside_its_file_is_refused(place: tuple[int, int]) -> None:
    with pytest.raises(PeerFault) as refusal:
        content_sig.chunk_preimage(RAW, ALICE, BOB, TS, FILE, *place)
    assert refusal.value.code == Code.BAD_FRAME


@pytest.mark.spec("3")
@pytest.mark.threat("M6")
@pytest.mark.parametrize(
    ("from_", "to", "ts"),
    [
        (ALICE[:-1], BOB, TS),
        (ALICE + "1", BOB, TS),
        ("", BOB, TS),
        (ALICE[:-1] + "é", BOB, TS),
        (ALICE, BOB[1:], TS),
        (ALICE, "*", TS),
        (ALICE, BOB, 999_999_999_999),
        (ALICE, BOB, 10_000_000_000_000),
        (ALICE, BOB, -TS),
        (ALICE, BOB, 0),
    ],
)
def test_a_field_of_another_width_is_refused_whatever_was_signed(
    cast: Cast, from_: str, to: str, ts: int
) -> None:
    verify_any: list[Callable[..., Any]] = [
        lambda sig: content_sig.verify_direct(cast.alice.public, TEXT, from_, to, ts, sig),
        lambda sig: content_sig.verify_manifest(cast.alice.public, MANIFEST, from_, to, ts, sig),
        lambda sig: content_sig.verify_chunk(
            cast.alice.public, TEXT, from_, to, ts, FILE, 0, 1, sig
        ),
        lambda sig: content_sig.sign_direct(cast.alice, RAW, from_, to, ts),
    ]
    sig = sign(cast.alice, RAW + f"{from_}{to}{ts}".encode())
    for attempt in verify_any:
        with pytest.raises(PeerFault) as refusal:
            attempt(sig)
        assert refusal.value.code == Code.BAD_FRAME


@pytest.mark.spec("3")
@pytest.mark.threat("M6")
def test_a_direct_message_is_not_addressed_to_public() -> None:
    with pytest.raises(PeerFault):
        content_sig.direct_preimage(RAW, ALICE, "public", TS)


@pytest.mark.spec("3")
@pytest.mark.threat("S3")
@pytest.mark.parametrize(
    "sig", ["", "A", "A" * 682, "A" * 685, "*" * 683, "ed:" + "A" * 86, "é" * 683]
)
def test_what_cannot_be_a_signature_costs_no_rsa(cast: Cast, sig: str) -> None:
    key: Any = Counting(cast.alice.public)
    assert content_sig.verify_direct(key, TEXT, ALICE, BOB, TS, sig) is None
    assert content_sig.verify_public(key, TEXT, ALICE, TS, sig) is None
    assert not content_sig.verify_manifest(key, MANIFEST, ALICE, BOB, TS, sig)
    assert not content_sig.verify_shares(key, [{"member": BOB}], b"", sig)
    assert key.asked == 0


@pytest.mark.spec("3")
@pytest.mark.parametrize("text", ["not base64url!", "A", "é"])
def test_a_ciphertext_that_does_not_decode_holds_in_no_form(cast: Cast, text: str) -> None:
    sig = sign(cast.alice, text.encode() + f"{ALICE}{BOB}{TS}".encode())
    assert content_sig.verify_direct(cast.alice.public, text, ALICE, BOB, TS, sig) is None


@pytest.mark.spec("8")
def test_what_hops_add_to_a_manifest_is_not_signed(cast: Cast) -> None:
    sig = content_sig.sign_manifest(cast.alice, MANIFEST, ALICE, BOB, TS)
    received = {
        **MANIFEST,
        "content_sig": sig,
        "sender": ALICE,
        "user_id": BOB,
        "bind": {"type": "FILE_START"},
    }
    assert content_sig.verify_manifest(cast.alice.public, received, ALICE, BOB, TS, sig)


@pytest.mark.spec("8")
def test_a_sender_member_the_author_signed_is_accepted_but_no_other(cast: Cast) -> None:
    signed = canonical({**MANIFEST, "sender": ALICE}) + f"{ALICE}{BOB}{TS}".encode()
    sig = sign(cast.alice, signed)
    received = {**MANIFEST, "sender": ALICE, "content_sig": sig}
    pub = cast.alice.public
    assert content_sig.verify_manifest(pub, received, ALICE, BOB, TS, sig)
    assert not content_sig.verify_manifest(pub, MANIFEST, ALICE, BOB, TS, sig)
    other = {**received, "sender": CAROL}
    assert not content_sig.verify_manifest(pub, other, ALICE, BOB, TS, sig)


@pytest.mark.spec("8")
@pytest.mark.threat("M5")
@pytest.mark.parametrize("member", sorted(MANIFEST))
def test_no_member_of_a_manifest_can_be_changed_or_dropped(cast: Cast, member: str) -> None:
    sig = content_sig.sign_manifest(cast.alice, MANIFEST, ALICE, BOB, TS)
    dropped = {name: value for name, value in MANIFEST.items() if name != member}
    for changed in (dropped, {**MANIFEST, member: "another"}):
        assert not content_sig.verify_manifest(cast.alice.public, changed, ALICE, BOB, TS, sig)


@pytest.mark.spec("8")
def test_a_manifest_may_be_for_all(cast: Cast) -> None:
    sig = content_sig.sign_manifest(cast.alice, MANIFEST, ALICE, "public", TS)
    assert content_sig.verify_manifest(cast.alice.public, MANIFEST, ALICE, "public", TS, sig)
    assert not content_sig.verify_manifest(cast.alice.public, MANIFEST, ALICE, BOB, TS, sig)


@pytest.mark.spec("3")
@pytest.mark.spec("13")
@pytest.mark.parametrize("digested", [False, True])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_manifest_in_raw_utf8_or_digested_first_holds(
    cast: Cast, ascii_only: bool, digested: bool
) -> None:
    text = canonical(MANIFEST)
    if not ascii_only:
        text = text.replace(b"\\u00e9", "é".encode())
    signed = text + f"{ALICE}{BOB}{TS}".encode()
    sig = sign(cast.alice, sha256(signed).digest() if digested else signed)
    assert content_sig.verify_manifest(cast.alice.public, MANIFEST, ALICE, BOB, TS, sig)


@pytest.mark.spec("7")
def test_shares_may_be_given_as_parts_or_as_received(cast: Cast) -> None:
    shares = (payloads.Share(member=BOB, wrapped_public_channel_key=TEXT),)
    sig = content_sig.sign_shares(cast.alice, shares)
    received = [to_members(share) for share in shares]
    der = cast.alice.public.der
    assert content_sig.verify_shares(cast.alice.public, received, der, sig)
    assert content_sig.verify_shares(cast.alice.public, shares, der, sig)


@pytest.mark.spec("7")
@pytest.mark.threat("M10")
def test_shares_hold_neither_changed_nor_in_another_creators_name(cast: Cast) -> None:
    shares = [{"member": BOB, "wrapped_public_channel_key": TEXT}]
    sig = content_sig.sign_shares(cast.alice, shares)
    pub = cast.alice.public
    changed = [{**shares[0], "member": CAROL}]
    assert not content_sig.verify_shares(pub, changed, pub.der, sig)
    assert not content_sig.verify_shares(pub, shares * 2, pub.der, sig)
    assert not content_sig.verify_shares(pub, shares, cast.bob.public.der, sig)
    assert not content_sig.verify_shares(cast.bob.public, shares, pub.der, sig)


@pytest.mark.spec("3")
@pytest.mark.threat("M4")
def test_another_authors_signature_on_the_same_ciphertext_is_theirs_alone(cast: Cast) -> None:
    def signed(key: PrivateKey, author: str) -> str:
        return content_sig.sign_direct(key, RAW, author, BOB, TS)

    theirs = signed(cast.mallory, ALICE)
    assert content_sig.verify_direct(cast.alice.public, TEXT, ALICE, BOB, TS, theirs) is None
    own = signed(cast.mallory, CAROL)
    assert content_sig.verify_direct(cast.mallory.public, TEXT, CAROL, BOB, TS, own) is Form.RAW
