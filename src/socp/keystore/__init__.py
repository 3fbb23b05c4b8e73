"""Private keys at rest (threats S8 and P3)."""

from socp.keystore.keyfile import (
    drop,
    is_sealed,
    keep,
    load,
    load_or_create,
    promote,
    put,
    seal,
)
from socp.keystore.private_file import KeyFileError

__all__ = [
    "KeyFileError",
    "drop",
    "is_sealed",
    "keep",
    "load",
    "load_or_create",
    "promote",
    "put",
    "seal",
]
