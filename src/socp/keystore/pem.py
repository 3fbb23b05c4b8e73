"""PKCS8 PEM, unencrypted, as openssl writes it; and what a vault sealed, in such lines too."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from socp.crypto.keys import KeyRefused
from socp.keystore.private_file import FILE_BYTES_MAX

_HEAD: Final = b"-----BEGIN PRIVATE KEY-----"
_TAIL: Final = b"-----END PRIVATE KEY-----"
_SEALED_HEAD: Final = b"-----BEGIN SOCP SEALED KEY-----"
_SEALED_TAIL: Final = b"-----END SOCP SEALED KEY-----"
_LINE_CHARS: Final = 64


def armour(data: bytes, *, sealed: bool = False) -> bytes:
    """PEM of the DER `data`, in lines of 64 characters; or of what was `sealed`."""
    head, tail = (_SEALED_HEAD, _SEALED_TAIL) if sealed else (_HEAD, _TAIL)
    text = base64.b64encode(data)
    lines = (text[at : at + _LINE_CHARS] for at in range(0, len(text), _LINE_CHARS))
    return b"\n".join((head, *lines, tail, b""))


def is_sealed(content: bytes) -> bool:
    """Whether it is what a vault sealed, whole or not."""
    return content.lstrip().startswith(_SEALED_HEAD)


def unarmour(content: bytes, *, sealed: bool = False) -> bytes:
    """What is in one whole block, or KeyRefused with what is wrong, and never what is in it."""
    head, tail = (_SEALED_HEAD, _SEALED_TAIL) if sealed else (_HEAD, _TAIL)
    if len(content) > FILE_BYTES_MAX:
        raise KeyRefused("it is too long")
    content = content.strip()
    if not content:
        raise KeyRefused("it is empty")
    if content.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----"):
        raise KeyRefused(
            "it is locked by a passphrase (openssl pkcs8 -in FILE -out NEW unlocks it)"
        )
    if content.startswith(b"-----BEGIN RSA PRIVATE KEY-----"):
        raise KeyRefused(
            "it is PKCS1 (openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW turns it into PKCS8)"
        )
    if not (content.startswith(head) and content.endswith(tail)):
        raise KeyRefused("it is cut short or damaged, not one whole PRIVATE KEY block")
    body = b"".join(content.removeprefix(head).removesuffix(tail).split())
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise KeyRefused("it is cut short or damaged") from None
