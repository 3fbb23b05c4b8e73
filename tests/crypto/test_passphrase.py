"""What a passphrase seals (threat P4)."""

from __future__ import annotations

import struct

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as some

from socp.crypto import passphrase
from socp.crypto.keys import Unreadable
from socp.crypto.passphrase import CHUNK_BYTES, SEALED_CHUNK_BYTES, STREAM_HEAD_BYTES
from socp.crypto.passwords import Cost, argon2id

WORDS = "correct horse battery"
KEY = bytes(range(32))

pytestmark = pytest.mark.threat("P4")


def test_the_passphrase_gives_the_key_back_and_another_does_not() -> None:
    locked = passphrase.lock(WORDS, KEY)
    assert passphrase.unlock(WORDS, locked) == KEY
    for wrong in ("Correct horse battery", "", "\ud800"):
        with pytest.raises(Unreadable):
            passphrase.unlock(wrong, locked)


def test_it_is_the_same_passphrase_however_its_letters_are_composed() -> None:
    assert passphrase.unlock("e\u0301t\u00e9 heures", passphrase.lock("\u00e9te\u0301 heures", KEY))


def test_each_lock_is_another_and_has_nothing_of_the_key_in_it() -> None:
    first, second = passphrase.lock(WORDS, KEY), passphrase.lock(WORDS, KEY)
    assert first[6:] != second[6:]
    assert KEY[:8] not in first


@pytest.mark.parametrize("place", [0, 5, 6, 21, 22, 40, -1])
def test_a_lock_that_was_changed_does_not_open(place: int) -> None:
    locked = bytearray(passphrase.lock(WORDS, KEY))
    locked[place] ^= 1
    with pytest.raises(Unreadable):
        passphrase.unlock(WORDS, bytes(locked))


@settings(deadline=None)
@given(some.binary(max_size=100))
def test_what_is_no_lock_is_unreadable_at_no_cost(junk: bytes) -> None:
    with pytest.raises(Unreadable):
        passphrase.unlock(WORDS, b"\xff\xff\xff\xff\xff\xff" + junk)  # 4 TiB of memory


def test_a_key_wrapped_by_a_random_key_comes_back() -> None:
    wrapping = b"w" * 32
    assert passphrase.unwrap(wrapping, passphrase.wrap(wrapping, KEY)) == KEY
    for wrong in (b"x" * 32, b"", b"w" * 31):
        with pytest.raises(Unreadable):
            passphrase.unwrap(wrong, passphrase.wrap(wrapping, KEY))


def sealed(content: bytes) -> tuple[bytes, list[bytes]]:
    """The head and the pieces of a stream."""
    chunks = [content[at : at + CHUNK_BYTES] for at in range(0, len(content), CHUNK_BYTES)]
    head, *pieces = passphrase.seal_stream(WORDS, chunks)
    assert len(head) == STREAM_HEAD_BYTES
    return head, pieces


def opened(head: bytes, pieces: list[bytes], words: str = WORDS) -> bytes:
    return b"".join(passphrase.open_stream(words, head, pieces))


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1])
def test_a_stream_of_any_size_comes_back(size: int) -> None:
    content = bytes(size)
    head, pieces = sealed(content)
    assert all(len(piece) == SEALED_CHUNK_BYTES for piece in pieces[:-1])
    assert len(pieces[-1]) < SEALED_CHUNK_BYTES
    assert opened(head, pieces) == content


def test_a_stream_that_was_cut_swapped_lengthened_or_changed_does_not_open() -> None:
    head, pieces = sealed(bytes(2 * CHUNK_BYTES + 5))
    other, _ = sealed(b"")
    changed = [pieces[0][:-1] + b"\0", *pieces[1:]]
    for wrong in (
        (head, pieces[:-1]),
        (head, []),
        (head, [pieces[1], pieces[0], pieces[2]]),
        (head, [*pieces, pieces[-1]]),
        (head, changed),
        (other, pieces),
        (b"", pieces),
    ):
        with pytest.raises(Unreadable):
            opened(*wrong)
    with pytest.raises(Unreadable):
        opened(head, pieces, "another passphrase")


def test_a_lock_made_with_10_passes_on_16_lanes_opens_and_one_more_of_either_does_not() -> None:
    for passes, lanes, opens in ((10, 16, True), (11, 1, False), (3, 17, False)):
        head = struct.pack(">IBB", 64 * 1024, passes, lanes) + bytes(16)
        box = AESGCM(argon2id(WORDS, bytes(16), Cost(64 * 1024, passes, lanes)) if opens else KEY)
        locked = head + bytes(12) + box.encrypt(bytes(12), KEY, b"socp-vault-lock/1" + head)
        if opens:
            assert passphrase.unlock(WORDS, locked) == KEY
        else:
            with pytest.raises(Unreadable):
                passphrase.unlock(WORDS, locked)


def test_a_lock_and_a_stream_are_known_by_their_looks() -> None:
    locked = passphrase.lock(WORDS, KEY)
    assert passphrase.is_locked(locked)
    assert not passphrase.is_locked(locked[1:])
    assert not passphrase.is_locked(locked + b"x")
    head, _ = sealed(b"")
    assert passphrase.is_stream(head)
    assert not passphrase.is_stream(head[1:])
    assert not passphrase.is_stream(b"")
