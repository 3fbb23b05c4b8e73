"""What the brain may not make itself: the time, nonces and ids."""

from __future__ import annotations

import secrets
import time
import uuid

from socp.node.events import Now

NONCE_BYTES = 32


def now() -> Now:
    """The two clocks, in ms."""
    return Now(wall=time.time_ns() // 1_000_000, mono=time.monotonic_ns() // 1_000_000)


def nonce() -> bytes:
    return secrets.token_bytes(NONCE_BYTES)


def server_id() -> str:
    """A new UUID v4 in lower-case canonical text."""
    return str(uuid.uuid4())
