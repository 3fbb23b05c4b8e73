"""Private keys at rest (threats S8 and P3)."""

from socp.keystore.keyfile import (
    KeyFileError,
    drop,
    keep,
    load,
    load_or_create,
    promote,
    put,
)

__all__ = ["KeyFileError", "drop", "keep", "load", "load_or_create", "promote", "put"]
