"""JSON as it is signed (section 3), and base64url: this room's own."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Final


def canonical(value: Any) -> bytes:
    """Keys by code point, `,` and `:`, all but printable ASCII escaped."""
    return _written(value, ascii_only=True, separators=(",", ":"))


def raw_utf8(value: Any) -> bytes:
    """The same with characters outside ASCII as they are: a dialect."""
    return _written(value, ascii_only=False, separators=(",", ":"))


def _written(value: Any, *, ascii_only: bool, separators: tuple[str, str]) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=separators, ensure_ascii=ascii_only)
    return text.encode("utf-8", "surrogatepass")


def foreign_forms(payload: Any, envelope: dict[str, Any]) -> dict[str, bytes]:
    """Texts that others were seen to sign in place of the canonical payload, by their names."""
    unsigned = {name: value for name, value in envelope.items() if name != "sig"}
    return {
        "its payload as raw UTF-8": raw_utf8(payload),
        'its payload with ", " and ": " between': _written(
            payload, ascii_only=True, separators=(", ", ": ")
        ),
        "its payload in the order of its members": json.dumps(
            payload, separators=(",", ":")
        ).encode(),
        "its whole envelope without sig": canonical(unsigned),
    }


_ALPHABET: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text: str) -> bytes:
    """The bytes of base64url, padded or not. Raises ValueError."""
    bare = text.rstrip("=")
    if not _ALPHABET.issuperset(bare):
        raise ValueError("no base64url")
    try:
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error as fault:
        raise ValueError("no base64url") from fault
