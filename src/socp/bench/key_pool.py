"""The stored test keys: many users of the load share a few, for making one takes half a second."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

from socp.crypto.keys import RsaPrivateKey, RsaSuite, load_private
from socp.wire import base64url

POOL: Final = Path(__file__).parents[3] / "vectors" / "keys" / "pool.json"
MADE: Final = 4  # where the project's own folder is not at hand


@cache
def keys(count: int) -> tuple[RsaPrivateKey, ...]:
    """So many of them, or as many as there are."""
    if not POOL.exists():
        return tuple(RsaSuite().generate() for _ in range(min(count, MADE)))
    rows = json.loads(POOL.read_text())["keys"][:count]
    return tuple(load_private(base64url.decode(row["private"])) for row in rows)
