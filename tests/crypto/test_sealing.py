"""hybrid/1, the channel's box, and file chunks (sections 7, 8 and 11)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from socp.crypto import channel_box, file_box, hybrid
from socp.crypto.keys import PrivateKey, Unreadable
from socp.wire.errors import Misuse, PeerFault
from tests.crypto.conftest import Cast
from tests.crypto.scene import ALICE, BOB, CAROL, FILE, TS


def sealed(cast: Cast, text: bytes = b"hello bob", *, to: str = BOB) -> bytes:
    return hybrid.seal(cast.suite, cast.bob.public, text, from_=ALICE, to=to, ts=TS)


def opened(
    key: PrivateKey, ciphertext: bytes, *, from_: str = ALICE, to: str = BOB, ts: int = TS
) -> bytes:
    return hybrid.open_(key, ciphertext, from_=from_, to=to, ts=ts)


@pytest.mark.spec("11")
@pytest.mark.parametrize("size", [0, 1, 446, 447, 100_000])
def test_a_hybrid_message_of_any_length_opens(cast: Cast, size: int) -> None:
    ciphertext = sealed(cast, b"x" * size)
    assert len(ciphertext) == size + 540
    assert hybrid.is_hybrid(ciphertext)
    assert opened(cast.bob, ciphertext) == b"x" * size


@pytest.mark.spec("11")
def test_one_bare_block_is_not_hybrid(cast: Cast) -> None:
    assert not hybrid.is_hybrid(cast.bob.public.seal(b"hello"))


@pytest.mark.spec("11")
@pytest.mark.threat("M4")
def test_a_hybrid_message_opens_under_no_other_author(cast: Cast) -> None:
    with pytest.raises(Unreadable):
        opened(cast.bob, sealed(cast), from_=CAROL)


@pytest.mark.spec("11")
@pytest.mark.threat("M3")
def test_a_hybrid_message_opens_for_no_other_addressee_or_time(cast: Cast) -> None:
    for to, ts in ((CAROL, TS), ("public", TS), (BOB, TS + 1)):
        with pytest.raises(Unreadable):
            opened(cast.bob, sealed(cast), to=to, ts=ts)


@pytest.mark.spec("11")
@pytest.mark.threat("M3")
def test_the_recipient_cannot_seal_the_content_key_again_for_another_reader(cast: Cast) -> None:
    ciphertext = sealed(cast)
    content_key = cast.bob.open(ciphertext[:512])
    forwarded = cast.mallory.public.seal(content_key) + ciphertext[512:]
    with pytest.raises(Unreadable):
        opened(cast.mallory, forwarded)


@pytest.mark.spec("11")
@pytest.mark.threat("M8")
@pytest.mark.parametrize("at", [0, 100, 511, 512, 523, 524, -1])
def test_one_wrong_bit_anywhere_makes_it_unreadable(cast: Cast, at: int) -> None:
    turned = bytearray(sealed(cast))
    turned[at] ^= 1
    with pytest.raises(Unreadable):
        opened(cast.bob, bytes(turned))


@pytest.mark.spec("11")
@pytest.mark.threat("M8")
@pytest.mark.parametrize("size", [0, 1, 511, 512, 523, 524, 539, 540])
def test_a_hybrid_message_cut_short_is_unreadable(cast: Cast, size: int) -> None:
    with pytest.raises(Unreadable):
        opened(cast.bob, sealed(cast)[:size])


@pytest.mark.spec("11")
@pytest.mark.parametrize("size", [0, 16, 24, 31, 33])
def test_a_content_key_of_another_size_is_unreadable(cast: Cast, size: int) -> None:
    block = cast.bob.public.seal(b"k" * size)
    with pytest.raises(Unreadable):
        opened(cast.bob, block + sealed(cast)[512:])


@pytest.mark.spec("11")
@pytest.mark.threat("M6")
def test_unfit_names_are_refused_when_sealing_and_unreadable_when_opening(cast: Cast) -> None:
    with pytest.raises(PeerFault):
        sealed(cast, to=BOB[:-1])
    for from_, ts in ((ALICE[:-1], TS), (ALICE, 12)):
        with pytest.raises(Unreadable):
            opened(cast.bob, sealed(cast), from_=from_, ts=ts)


@pytest.mark.spec("7")
@pytest.mark.spec("11")
def test_a_post_is_sealed_to_the_channels_key(cast: Cast) -> None:
    key = cast.channel
    ciphertext = hybrid.seal(cast.suite, key.public, b"hi all", from_=ALICE, to="public", ts=TS)
    assert opened(key, ciphertext, to="public") == b"hi all"


# --- the channel's box ------------------------------------------------------------------------


def box(cast: Cast, group_key: bytes, version: int = 3) -> bytes:
    return channel_box.seal_private(cast.suite, group_key, cast.channel, version)


@pytest.mark.spec("7")
def test_a_member_with_the_group_key_opens_the_box(cast: Cast) -> None:
    group_key = channel_box.new_group_key(cast.suite)
    wrapped = cast.bob.public.seal(group_key)
    private = channel_box.open_private(
        cast.suite, cast.bob.open(wrapped), box(cast, group_key), 3, cast.channel.public
    )
    assert private.public == cast.channel.public
    assert private.open(cast.channel.public.seal(b"post")) == b"post"


@pytest.mark.spec("7")
@pytest.mark.threat("M10")
def test_a_box_opens_with_its_own_version_key_and_public_half_alone(cast: Cast) -> None:
    key = channel_box.new_group_key(cast.suite)
    sealed_box = box(cast, key)
    for group_key, version, pub in (
        (channel_box.new_group_key(cast.suite), 3, cast.channel.public),
        (key[:16], 3, cast.channel.public),
        (b"", 3, cast.channel.public),
        (key, 4, cast.channel.public),
        (key, 33, cast.channel.public),
        (key, 3, cast.mallory.public),
    ):
        with pytest.raises(Unreadable):
            channel_box.open_private(cast.suite, group_key, sealed_box, version, pub)


@pytest.mark.spec("7")
@pytest.mark.threat("M10")
def test_a_box_that_holds_another_private_key_than_it_says_is_unreadable(cast: Cast) -> None:
    key, nonce = channel_box.new_group_key(cast.suite), bytes(12)
    aad = b"socp-channel/13" + bytes.fromhex(cast.channel.public.fingerprint)
    honest = nonce + AESGCM(key).encrypt(nonce, cast.channel.to_bytes(), aad)
    swapped = nonce + AESGCM(key).encrypt(nonce, cast.mallory.to_bytes(), aad)
    junk = nonce + AESGCM(key).encrypt(nonce, b"junk", aad)
    assert channel_box.open_private(cast.suite, key, honest, 3, cast.channel.public)
    for wrong in (swapped, junk):
        with pytest.raises(Unreadable):
            channel_box.open_private(cast.suite, key, wrong, 3, cast.channel.public)


@pytest.mark.spec("7")
@pytest.mark.parametrize("size", [0, 11, 12, 27, 60])
def test_a_box_cut_short_is_unreadable(cast: Cast, size: int) -> None:
    key = channel_box.new_group_key(cast.suite)
    with pytest.raises(Unreadable):
        channel_box.open_private(cast.suite, key, box(cast, key)[:size], 3, cast.channel.public)


@pytest.mark.spec("7")
def test_a_group_key_of_another_size_is_never_sealed_with(cast: Cast) -> None:
    with pytest.raises(Misuse):
        box(cast, b"k" * 16)


# --- files ------------------------------------------------------------------------------------


@pytest.mark.spec("8")
@pytest.mark.parametrize("size", [0, 400, 256 * 1024])
def test_a_chunk_opens_at_its_place(cast: Cast, size: int) -> None:
    key = file_box.new_file_key(cast.suite)
    chunk = file_box.seal_chunk(cast.suite, key, b"x" * size, FILE, 1, 12)
    assert len(chunk) == size + 28
    assert file_box.open_chunk(key, chunk, FILE, 1, 12) == b"x" * size


@pytest.mark.spec("8")
@pytest.mark.threat("M5")
def test_a_chunk_opens_at_no_other_place(cast: Cast) -> None:
    key = file_box.new_file_key(cast.suite)
    chunk = file_box.seal_chunk(cast.suite, key, b"part", FILE, 1, 12)
    for place in ((FILE, 2, 12), (FILE, 1, 13), (CAROL, 1, 12), (FILE, 11, 2), (FILE[:-1], 1, 12)):
        with pytest.raises(Unreadable):
            file_box.open_chunk(key, chunk, *place)


@pytest.mark.spec("8")
@pytest.mark.threat("M8")
def test_a_chunk_changed_cut_or_under_another_key_is_unreadable(cast: Cast) -> None:
    key = file_box.new_file_key(cast.suite)
    chunk = file_box.seal_chunk(cast.suite, key, b"part", FILE, 0, 1)
    turned = chunk[:-1] + bytes([chunk[-1] ^ 1])
    other = file_box.new_file_key(cast.suite)
    for wrong_key, wrong in ((key, turned), (key, chunk[:-1]), (key, b""), (other, chunk)):
        with pytest.raises(Unreadable):
            file_box.open_chunk(wrong_key, wrong, FILE, 0, 1)
    with pytest.raises(Unreadable):
        file_box.open_chunk(key[:16], chunk, FILE, 0, 1)


@pytest.mark.spec("8")
@pytest.mark.threat("M5")
@pytest.mark.parametrize("place", [(1, 1), (-1, 1), (0, 0)])
def test_a_chunk_outside_its_file_is_never_sealed(cast: Cast, place: tuple[int, int]) -> None:
    with pytest.raises(PeerFault):
        file_box.seal_chunk(cast.suite, file_box.new_file_key(cast.suite), b"", FILE, *place)


@pytest.mark.spec("8")
def test_a_files_key_reaches_its_recipient_bound_to_its_author(cast: Cast) -> None:
    key = file_box.new_file_key(cast.suite)
    wrapped = file_box.wrap_file_key(cast.suite, cast.bob.public, key, from_=ALICE, to=BOB, ts=TS)
    assert file_box.unwrap_file_key(cast.bob, wrapped, from_=ALICE, to=BOB, ts=TS) == key
    with pytest.raises(Unreadable):
        file_box.unwrap_file_key(cast.bob, wrapped, from_=CAROL, to=BOB, ts=TS)


@pytest.mark.spec("8")
def test_a_wrapped_key_of_another_size_is_unreadable_and_never_made(cast: Cast) -> None:
    wrapped = sealed(cast, b"k" * 31)
    with pytest.raises(Unreadable):
        file_box.unwrap_file_key(cast.bob, wrapped, from_=ALICE, to=BOB, ts=TS)
    with pytest.raises(Misuse):
        file_box.wrap_file_key(cast.suite, cast.bob.public, b"k", from_=ALICE, to=BOB, ts=TS)
    with pytest.raises(Misuse):
        file_box.seal_chunk(cast.suite, b"k", b"", FILE, 0, 1)
