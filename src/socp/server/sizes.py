"""Sizes of memory as people write them."""

from __future__ import annotations

import re
from typing import Final

from socp.wire import limits

_SIZE: Final = re.compile(r"([0-9]{1,9})\s*([kmgt])(?:i?b)?", re.IGNORECASE)
_UNITS: Final = {"k": limits.KIB, "m": limits.MIB, "g": 1024 * limits.MIB, "t": 2**20 * limits.MIB}


def parsed(text: str) -> int:
    """The bytes in "256M" or "1G", powers of 1024. Raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError("it is no size of memory; write one such as 256M or 2G")
    return int(found[1]) * _UNITS[found[2].lower()]


def shown(size: int) -> str:
    """In whole MiB, as it can be written."""
    return f"{size // limits.MIB}M"
