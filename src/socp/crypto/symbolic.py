"""Keys for simulation: RSA's algebra (who opens, who signed, sizes) at a thousandth of its cost.

They keep nobody out who reads this file: whoever knows a public key could compute what its holder
would. Code that only uses the four verbs cannot, and that is all a simulation needs. Everything is
drawn from the seed and a counter, so one seed gives one run.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from itertools import count
from typing import Final

from socp.crypto import key_text
from socp.crypto.fast_keys import FastSecretHolder, checked_raw
from socp.crypto.keys import KeyIdentity, KeyRefused, SecretHolder, Unreadable
from socp.wire import limits
from socp.wire.errors import Misuse

_PARSED_KEPT: Final = 65_536  # one suite serves all servers and users of a simulation
_NONCE: Final = 16
_HASH: Final = 32
_SIZE: Final = slice(_NONCE + _HASH, _NONCE + _HASH + 2)
_MASK_MAX: Final = limits.OAEP_PLAINTEXT_BYTES + 2
_SIG_FILL: Final = b"\xa5" * (limits.RSA_BYTES - _NONCE - _HASH)
_SEAL_FILL: Final = b"\x5a" * limits.RSA_BYTES
_DER_HEAD: Final = b"socp symbolic public key, worth nothing\x00"
_DER_FILL: Final = b"\x00" * (key_text.DER_BYTES_MAX - len(_DER_HEAD) - _HASH)
_PRIVATE_HEAD: Final = b"socp symbolic private key, worth nothing\x00"
_FAST_HEAD: Final = b"socp symbolic session key, worth nothing\x00"


class _Dice:
    """Bytes that never repeat, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._seed = hashlib.sha256(b"dice %d" % seed).digest()
        self._count = count()

    def nonce(self) -> bytes:
        return self._seed[: _NONCE - 8] + next(self._count).to_bytes(8, "big")

    def roll(self, size: int) -> bytes:
        return hashlib.shake_128(self._seed + b"%d" % next(self._count)).digest(size)


class SymbolicPublicKey(KeyIdentity):
    """Stands where RsaPublicKey does."""

    def __init__(self, name: bytes, dice: _Dice) -> None:
        super().__init__(_DER_HEAD + name + _DER_FILL)
        self._name = name
        self._dice = dice
        self._held = (b"", b"")  # a signature, and what it was for

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Whether the holder's `sign` gave `signature` for `data`. What was asked last is asked
        again by many, of whom each has to know it."""
        if (signature, data) == self._held:
            return True
        holds = signature == _signature(self._name, signature[:_NONCE], data)
        if holds:
            self._held = (signature, data)
        return holds

    def seal(self, plaintext: bytes) -> bytes:
        """512 bytes in which `plaintext` is not to be seen, different each time."""
        if len(plaintext) > limits.OAEP_PLAINTEXT_BYTES:
            raise Misuse(f"{len(plaintext)} bytes do not fit one OAEP block")
        nonce = self._dice.nonce()
        body = len(plaintext).to_bytes(2, "big") + plaintext
        body = _xor(body, _mask(self._name, nonce, len(body)))
        sealed = nonce + _tag(self._name, nonce, plaintext) + body
        return sealed + _SEAL_FILL[: limits.RSA_BYTES - len(sealed)]


class SymbolicPrivateKey(SecretHolder):
    """Stands where RsaPrivateKey does."""

    def __init__(self, secret: bytes, dice: _Dice) -> None:
        self._name = hashlib.sha256(_PRIVATE_HEAD + secret).digest()
        self.public = SymbolicPublicKey(self._name, dice)
        super().__init__(self.public)
        self._secret = secret
        self._dice = dice

    def sign(self, data: bytes) -> bytes:
        """512 bytes, different each time as PSS is."""
        return _signature(self._name, self._dice.nonce(), data)

    def open(self, ciphertext: bytes) -> bytes:
        """The plaintext, or Unreadable for another's or a changed ciphertext."""
        if len(ciphertext) != limits.RSA_BYTES:
            raise Unreadable
        nonce, tag = ciphertext[:_NONCE], ciphertext[_NONCE : _NONCE + _HASH]
        mask = _mask(self._name, nonce, _MASK_MAX)
        size = int.from_bytes(_xor(ciphertext[_SIZE], mask[:2]), "big")
        if size > limits.OAEP_PLAINTEXT_BYTES:
            raise Unreadable
        end = _SIZE.stop + size
        plaintext = _xor(ciphertext[_SIZE.stop : end], mask[2 : 2 + size])
        fill = _SEAL_FILL[: limits.RSA_BYTES - end]
        if ciphertext[end:] != fill or tag != _tag(self._name, nonce, plaintext):
            raise Unreadable
        return plaintext

    def open_ahead(self, ciphertext: bytes) -> bool:
        """Costs nothing, whenever it is done."""
        try:
            self.open(ciphertext)
        except Unreadable:
            return False
        return True

    def to_bytes(self) -> bytes:
        """The secret with a heading, 73 bytes."""
        return _PRIVATE_HEAD + self._secret


class SymbolicFastPublic:
    """Stands where Ed25519Public does."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Whether the holder's `sign` gave `signature` for `data`."""
        return signature == _fast_signature(self.raw, data)


class SymbolicFastKey(FastSecretHolder):
    """Stands where Ed25519Key does."""

    def __init__(self, secret: bytes) -> None:
        self.public = SymbolicFastPublic(hashlib.sha256(_FAST_HEAD + secret).digest())
        super().__init__(self.public)

    def sign(self, data: bytes) -> bytes:
        """64 bytes, the same each time as Ed25519's are."""
        return _fast_signature(self.public.raw, data)


class SymbolicSuite:
    """A Suite, deterministic from its seed: one for all parties, or a seed for each."""

    def __init__(self, seed: int) -> None:
        self._dice = _Dice(seed)
        self._parsed = lru_cache(_PARSED_KEPT)(self._parse)

    def generate(self) -> SymbolicPrivateKey:
        """The next key of this seed, at once."""
        return SymbolicPrivateKey(self._dice.roll(_HASH), self._dice)

    def parse_public(self, text: str) -> SymbolicPublicKey:
        """A symbolic key of any suite, in any form of text that is accepted for a real one."""
        return self._parsed(text)

    def load_private(self, data: bytes) -> SymbolicPrivateKey:
        """The inverse of `to_bytes`, or KeyRefused."""
        if len(data) != len(_PRIVATE_HEAD) + _HASH or not data.startswith(_PRIVATE_HEAD):
            raise KeyRefused("not a symbolic private key")
        return SymbolicPrivateKey(data.removeprefix(_PRIVATE_HEAD), self._dice)

    def random(self, size: int) -> bytes:
        """The next `size` bytes of this seed."""
        return self._dice.roll(size)

    def fast_key(self) -> SymbolicFastKey:
        """The next session key of this seed."""
        return SymbolicFastKey(self._dice.roll(_HASH))

    def parse_fast(self, raw: bytes) -> SymbolicFastPublic:
        """A symbolic session key of any suite."""
        return SymbolicFastPublic(checked_raw(raw))

    def _parse(self, text: str) -> SymbolicPublicKey:
        der = key_text.der_of(text)
        name = der[len(_DER_HEAD) : len(_DER_HEAD) + _HASH]
        if len(name) != _HASH or der != _DER_HEAD + name + _DER_FILL:
            raise key_text.refused("the key is not a symbolic one")
        return SymbolicPublicKey(name, self._dice)


def _signature(name: bytes, nonce: bytes, data: bytes) -> bytes:
    return nonce + hashlib.sha256(b"sign" + name + nonce + data).digest() + _SIG_FILL


def _fast_signature(name: bytes, data: bytes) -> bytes:
    return hashlib.sha512(b"fast" + name + data).digest()


def _tag(name: bytes, nonce: bytes, plaintext: bytes) -> bytes:
    return hashlib.sha256(b"seal" + name + nonce + plaintext).digest()


def _mask(name: bytes, nonce: bytes, size: int) -> bytes:
    return hashlib.shake_128(b"mask" + name + nonce).digest(size)


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")
