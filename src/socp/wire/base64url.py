"""base64url as the wire wants it (section 3): no padding, and one text for each value."""

from __future__ import annotations

import binascii
from typing import Final

from socp.wire.errors import Code, PeerFault

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
# "+" and "/" become a character that no base64 has, so that one alphabet alone is taken.
_FROM_URL: Final = bytes.maketrans(b"-_+/", b"+/!!")
# The last characters possible where it has 4 or 2 bits that belong to no byte: they must be zero.
_LAST: Final = {2: "AQgw", 3: "AEIMQUYcgkosw048"}


def encode(data: bytes) -> str:
    """The text of `data`, without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of `text`, padded or not. PeerFault(BAD_FRAME) for everything else.

    Stray bits in the last character are refused too, for else one value would have several texts.
    """
    bare = text.rstrip("=")
    tail = len(bare) % 4
    missing = -tail % 4
    if not bare.isascii() or tail == 1 or len(text) - len(bare) not in (0, missing):
        raise _fault(text)
    if tail and bare[-1] not in _LAST[tail]:
        raise _fault(text)
    try:
        whole = bare.encode("ascii").translate(_FROM_URL) + b"=" * missing
        return binascii.a2b_base64(whole, strict_mode=True)
    except binascii.Error:
        raise _fault(text) from None


def _fault(text: str) -> PeerFault:
    return PeerFault(Code.BAD_FRAME, f"a text of {len(text)} characters is not base64url")
