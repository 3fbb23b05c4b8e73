"""Private keys at rest (threats S8 and P3)."""

from socp.keystore.keyfile import KeyFileError, load_or_create, put, store_new

__all__ = ["KeyFileError", "load_or_create", "put", "store_new"]
