"""What a profile's folder keeps: rows under one key, each in its own place (threat P4)."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from socp.crypto.keys import Unreadable
from socp.crypto.vault import Vault, new_master
from socp.wire.errors import Misuse

pytestmark = pytest.mark.threat("P4")
MASTER = bytes(range(32))


def derived(label: bytes) -> bytes:
    """HKDF by hand: one block, no salt."""
    secret = hmac.digest(bytes(32), MASTER, "sha256")
    return hmac.digest(secret, label + b"\x01", "sha256")


def test_a_row_comes_back_from_its_own_place_and_from_no_other() -> None:
    vault = Vault(MASTER)
    sealed = vault.seal("lines", b"7", b"hello")
    assert vault.open("lines", b"7", sealed) == b"hello"
    for other, table, name in (
        (vault, "lines", b"8"),
        (vault, "trust", b"7"),
        (vault, "lines\0", b"7"),
        (Vault(new_master()), "lines", b"7"),
    ):
        with pytest.raises(Unreadable):
            other.open(table, name, sealed)


@pytest.mark.parametrize("at", [0, 11, 12, -1])
def test_a_row_with_one_bit_wrong_does_not_open(at: int) -> None:
    vault = Vault(MASTER)
    sealed = bytearray(vault.seal("lines", b"7", b"hello"))
    sealed[at] ^= 1
    with pytest.raises(Unreadable):
        vault.open("lines", b"7", bytes(sealed))


@pytest.mark.parametrize("junk", [b"", b"short", bytes(27), bytes(100)])
def test_what_is_no_row_is_unreadable(junk: bytes) -> None:
    with pytest.raises(Unreadable):
        Vault(MASTER).open("lines", b"7", junk)


def test_a_row_is_sealed_as_the_page_says_so_old_folders_open() -> None:
    sealed = Vault(MASTER).seal("lines", b"7", b"hello")
    assert len(sealed) == len(b"hello") + 28
    box = AESGCM(derived(b"socp-vault/1 rows"))
    assert box.decrypt(sealed[:12], sealed[12:], b"lines\0007") == b"hello"


def test_each_row_is_sealed_with_a_nonce_of_its_own() -> None:
    vault = Vault(MASTER)
    assert len({vault.seal("lines", b"7", b"hello")[:12] for _ in range(100)}) == 100


def test_a_name_has_one_token_in_each_table_and_nobody_without_the_key_can_tell_it() -> None:
    vault = Vault(MASTER)
    names = derived(b"socp-vault/1 names")
    expected = hmac.digest(names, "lines\0zoë".encode(), hashlib.sha256)[:16]
    assert vault.token("lines", "zoë") == Vault(MASTER).token("lines", "zoë") == expected
    others = {vault.token("trust", "zoë"), vault.token("lines", "zoe")}
    assert len(others | {expected, Vault(new_master()).token("lines", "zoë")}) == 4


def test_a_new_key_has_32_bytes_and_is_another_each_time() -> None:
    assert {len(new_master()) for _ in range(10)} == {32}
    assert len({new_master() for _ in range(10)}) == 10


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_length_makes_no_vault(size: int) -> None:
    with pytest.raises(Misuse, match=f"a vault key of {size} bytes"):
        Vault(bytes(size))


def test_a_vault_knows_the_one_whose_place_it_takes() -> None:
    former = Vault(MASTER)
    assert Vault(new_master(), former).former is former
    assert former.former is None
