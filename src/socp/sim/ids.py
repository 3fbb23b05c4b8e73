"""UUIDs v4 that are drawn from a seed or a name."""

from __future__ import annotations

import hashlib


def an_id(drawn: str | bytes) -> str:
    """The UUID v4 of this name, or of these random bytes."""
    data = drawn.encode() if isinstance(drawn, str) else drawn
    digits = hashlib.sha256(data).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"
