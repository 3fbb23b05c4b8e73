"""Safety numbers: what two people compare to be sure that nobody stands between them (section 10;
threat I9; docs/protocol.md).

Sixty digits, thirty for each of the two, in an order that both ends agree on: so both see the same
ones, and one look, one phone call or one QR code compares both keys at once.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from socp.crypto.fields import id_bytes
from socp.wire.errors import Misuse

DIGITS: Final = 60
QR_PREFIX: Final = "socp:verify:1:"
ROUNDS: Final = 5_200
"""Each digit more that somebody wants to look like another's costs them ten times as much: a key of
their own for each try, and so many hashes."""
_LABEL: Final = b"socp-safety-number/1"
_GROUP_DIGITS: Final = 5
_ROW_GROUPS: Final = 6
_GROUP_BYTES: Final = 5
_GROUPS_EACH: Final = 6
_FINGERPRINT_BYTES: Final = 32
_BETWEEN: Final = re.compile(r"[\s.,-]+")
_ALL_DIGITS: Final = re.compile(rf"[0-9]{{{DIGITS}}}")


class NoSafetyNumber(ValueError):
    """A text that is not sixty digits, nor that of a QR code of them. The text says what is."""


def safety_number(own_id: str, own_key: str, their_id: str, their_key: str) -> str:
    """The sixty digits of two people; keys by their fingerprints (64 hex digits).

    It is the same from both ends. PeerFault(BAD_FRAME) for an id that is none.
    """
    return "".join(sorted((_half(own_id, own_key), _half(their_id, their_key))))


def _half(user_id: str, fingerprint: str) -> str:
    """One person's thirty digits."""
    key = bytes.fromhex(fingerprint)
    if len(key) != _FINGERPRINT_BYTES:
        raise Misuse(f"a fingerprint of {len(key)} bytes")
    digest = hashlib.sha512(_LABEL + id_bytes(user_id) + key).digest()
    for _ in range(ROUNDS - 1):
        digest = hashlib.sha512(digest + key).digest()
    groups = (digest[at * _GROUP_BYTES : (at + 1) * _GROUP_BYTES] for at in range(_GROUPS_EACH))
    modulus = 10**_GROUP_DIGITS
    return "".join(f"{int.from_bytes(g) % modulus:0{_GROUP_DIGITS}}" for g in groups)


def grouped(number: str) -> list[str]:
    """The twelve groups of five digits, as people read them to each other."""
    return [number[at : at + _GROUP_DIGITS] for at in range(0, len(number), _GROUP_DIGITS)]


def rows(number: str) -> list[str]:
    """Two rows of six groups, as people compare them."""
    groups = grouped(number)
    return [" ".join(groups[at : at + _ROW_GROUPS]) for at in range(0, len(groups), _ROW_GROUPS)]


def qr_text(number: str) -> str:
    """What the QR code of a safety number says."""
    return QR_PREFIX + number


def parse(text: str) -> str:
    """The sixty digits that somebody typed, or that their camera read. NoSafetyNumber.

    Spaces, line ends, points, commas and hyphens between them do not matter.
    """
    digits = _BETWEEN.sub("", text.strip().removeprefix(QR_PREFIX))
    if not _ALL_DIGITS.fullmatch(digits):
        seen = sum(char.isascii() and char.isdigit() for char in digits)
        others = "" if seen == len(digits) else " and other characters"
        raise NoSafetyNumber(
            f"a safety number has {DIGITS} digits, and these are {seen}{others}; read all twelve"
            " groups of five"
        )
    return digits
