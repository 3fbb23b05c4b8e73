"""Session keys (`fast-sig/1`, section 11): sign and verify in microseconds, for a day at most."""

from __future__ import annotations

from typing import NoReturn, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from socp.wire import base64url, limits
from socp.wire.errors import Code, PeerFault


class FastPublicKey(Protocol):
    """What somebody's session key is known by."""

    @property
    def raw(self) -> bytes:
        """Its 32 bytes, as they are certified."""

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Whether the holder signed `data`. Garbage is False, never an exception."""


class FastKey(Protocol):
    """The holder's half: in memory alone, never printed, never stored."""

    @property
    def public(self) -> FastPublicKey:
        """The half to give away."""

    def sign(self, data: bytes) -> bytes:
        """A signature of 64 bytes, the same for the same data."""


class FastSecretHolder:
    """What session keys of either form share: nobody writes one down."""

    def __init__(self, public: FastPublicKey) -> None:
        self._named = base64url.encode(public.raw)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._named}>"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a session key is not pickled or copied; make another one")


class Ed25519Public:
    """An Ed25519 public key. Safe to use from any thread."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._key = Ed25519PublicKey.from_public_bytes(raw)

    def verify(self, signature: bytes, data: bytes) -> bool:
        """RFC 8032, without a context."""
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


class Ed25519Key(FastSecretHolder):
    """An Ed25519 private key, made here and now."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.public = Ed25519Public(self._key.public_key().public_bytes_raw())
        super().__init__(self.public)

    def sign(self, data: bytes) -> bytes:
        """See FastKey: 25 microseconds, so on the spot."""
        return self._key.sign(data)


def checked_raw(raw: bytes) -> bytes:
    """What may be a session key. Raises PeerFault(BAD_KEY)."""
    if len(raw) != limits.FAST_KEY_BYTES:
        raise PeerFault(
            Code.BAD_KEY,
            f"a session key has {limits.FAST_KEY_BYTES} bytes; send it raw, in base64url",
        )
    return raw
