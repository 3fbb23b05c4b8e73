"""An invitation's code as people see it: 128 bits in groups of four, such as k7f2-....

Letters and digits of base32, so that it can be read out; hyphens, spaces and case do not matter.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from socp.wire import limits

CODE_BYTES: Final = 16
_DIGITS: Final = 26  # 128 bits, 5 each
_GROUP: Final = 4


def written(code: bytes) -> str:
    """The text to give away."""
    text = base64.b32encode(code).decode().rstrip("=").lower()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def read(text: str) -> bytes | None:
    """The 16 bytes of a code; None for anything else."""
    if len(text) > limits.INVITATION_CHARS:
        return None
    bare = "".join(text.replace("-", " ").split()).upper()
    if len(bare) != _DIGITS or not bare.isascii():
        return None
    try:
        code = base64.b32decode(bare + "=" * (-_DIGITS % 8))
    except (binascii.Error, ValueError):
        return None
    # Stray bits in the last digit are refused: one code has one text.
    return code if written(code).replace("-", "").upper() == bare else None
