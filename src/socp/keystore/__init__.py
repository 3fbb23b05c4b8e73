"""Private keys at rest (threats S8 and P3)."""

from socp.keystore.keyfile import (
    drop,
    keep,
    load,
    load_or_create,
    promote,
    put,
)
from socp.keystore.private_file import KeyFileError

__all__ = ["KeyFileError", "drop", "keep", "load", "load_or_create", "promote", "put"]
