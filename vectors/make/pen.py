"""Writes signatures and ciphertexts, and keeps those on file that still do what their case says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from socp.crypto.keys import PrivateKey, Unreadable
from socp.wire import base64url
from socp.wire.errors import PeerFault
from vectors.make import cast

Case = dict[str, Any]


class Pen:
    """One per file of vectors; `old` are the cases that file holds now."""

    def __init__(self, old: list[Case]) -> None:
        self._old = {case["why"]: case for case in old}

    def sign(
        self,
        why: str,
        name: str,
        preimage: bytes,
        *,
        salt: int = 478,
        turned: bool = False,
        within: str = "",
    ) -> bytes:
        """A signature of `name` over `preimage` for the case `why`; `turned`: one bit wrong;
        `within`: the member of the case that holds it."""
        key = cast.openssl_key(name)
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
        damage = flipped if turned else bytes

        def good(signature: bytes) -> bool:
            try:
                key.public_key().verify(damage(signature), preimage, pss, hashes.SHA256())
            except InvalidSignature:
                return False
            return True

        return self.keep(
            why,
            ("sig", "content_sig"),
            good,
            lambda: damage(key.sign(preimage, pss, hashes.SHA256())),
            within=within,
        )

    def seal(self, why: str, name: str, plaintext: bytes, *, member: str = "ciphertext") -> bytes:
        """An OAEP ciphertext of `plaintext` for `name`."""
        return self.keep(
            why,
            (member,),
            lambda sealed: opens(cast.key(name), sealed[:512]) == plaintext,
            lambda: cast.public(name).seal(plaintext),
        )[:512]

    def keep(
        self,
        why: str,
        members: tuple[str, ...],
        good: Callable[[bytes], bool],
        make: Callable[[], bytes],
        *,
        within: str = "",
    ) -> bytes:
        """What the old case has in one of `members`, if it is still good; else a new one."""
        old = self._old.get(why, {})
        old = old.get(within, {}) if within else old
        for member in members:
            try:
                found = base64url.decode(old[member])
            except (KeyError, PeerFault):
                continue
            if good(found):
                return found
        return make()


def random_bytes(why: str, size: int) -> bytes:
    """Drawn from `why`: only RSA's own random bytes are left to chance."""
    return hashlib.shake_256(why.encode()).digest(size)


def opens(key: PrivateKey, sealed: bytes) -> bytes | None:
    """What `key` reads in one OAEP block, or None."""
    try:
        return key.open(sealed)
    except Unreadable:
        return None


def flipped(data: bytes, at: int = -1) -> bytes:
    """`data` with the lowest bit of one byte turned round."""
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)
