"""From the text of a public key, in any form others write it, to DER (section 3).

Only text is understood here: what the DER says is for the suite that parses it.
"""

from __future__ import annotations

from typing import Final

from socp.wire import base64url, limits
from socp.wire.errors import Code, PeerFault

DER_BYTES_MAX: Final = 550
"""SubjectPublicKeyInfo of an RSA-4096 key with exponent 65537, in bytes: none has more."""

_ARMOUR: Final = "-----BEGIN"
_HEAD: Final = "-----BEGIN PUBLIC KEY-----"
_TAIL: Final = "-----END PUBLIC KEY-----"
_URL_ALPHABET: Final = str.maketrans("+/", "-_")


def der_of(text: str) -> bytes:
    """The DER inside `text`: base64url or base64, padded or not, of DER or of PEM, or PEM itself.

    Anything else, and more than DER_BYTES_MAX bytes of it: PeerFault(BAD_KEY), before any parsing.
    """
    if len(text) > limits.KEY_TEXT_CHARS:
        raise refused(f"the key text has {len(text)} characters, more than {limits.KEY_TEXT_CHARS}")
    text = text.strip()
    if not text.startswith(_ARMOUR):
        data = _decode(text)
        if not data.startswith(_ARMOUR.encode()):
            return _capped(data)
        text = data.decode("ascii", "replace").strip()  # COMPAT(section 13): base64 of PEM
    return _capped(_unarmoured(text))


def refused(why: str) -> PeerFault:
    """The refusal of a key: `why` goes to whoever sent it, with what would be accepted."""
    return PeerFault(
        Code.BAD_KEY,
        f"{why}; send an RSA-4096 key with exponent 65537, base64url of its DER "
        "SubjectPublicKeyInfo",
    )


def _unarmoured(text: str) -> bytes:
    if not (text.startswith(_HEAD) and text.endswith(_TAIL)):
        raise refused("the PEM text is not one whole PUBLIC KEY block")
    return _decode("".join(text.removeprefix(_HEAD).removesuffix(_TAIL).split()))


def _decode(text: str) -> bytes:
    try:
        return base64url.decode(text.translate(_URL_ALPHABET))
    except PeerFault:
        raise refused("the key text is neither base64url nor PEM") from None


def _capped(der: bytes) -> bytes:
    if len(der) > DER_BYTES_MAX:
        raise refused(f"the key has {len(der)} bytes of DER, more than {DER_BYTES_MAX}")
    return der
