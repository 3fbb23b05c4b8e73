"""Identifiers and addressees (section 4)."""

from __future__ import annotations

import re
from typing import Final

PUBLIC: Final = "public"
EVERYONE: Final = "*"
UUID4_PATTERN: Final = "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
_UUID4 = re.compile(UUID4_PATTERN.removesuffix("$") + r"\Z")


def is_uuid4(text: str) -> bool:
    """True for a UUID v4 in lower-case canonical text, 36 characters."""
    return _UUID4.match(text) is not None
