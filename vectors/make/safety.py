"""crypto/safety_number.json: what two people compare (section 10).

Put together here from SHA-512 alone, not by our own code.
"""

from __future__ import annotations

from hashlib import sha512

from vectors.make import cast
from vectors.make.cast import ALICE, BOB, SERVER
from vectors.make.pen import Case


def _thirty(user_id: str, fingerprint: str) -> str:
    key = bytes.fromhex(fingerprint)
    value = b"socp-safety-number/1" + user_id.encode() + key
    for _ in range(5200):
        value = sha512(value).digest() + key
    return "".join(f"{int.from_bytes(value[at : at + 5]) % 100000:05d}" for at in range(0, 30, 5))


def cases() -> list[Case]:
    """Each with two people, their fingerprints and the number of both."""
    alice, bob = cast.public("alice").fingerprint, cast.public("bob").fingerprint
    other = cast.public("server").fingerprint
    return [
        _case("two people", ALICE, alice, BOB, bob),
        _case("the same seen from the other end", BOB, bob, ALICE, alice),
        _case("with another key of one of them", ALICE, alice, BOB, other),
        _case("the same keys with another id", ALICE, alice, SERVER, bob),
        _case("a fingerprint that begins with zeros", ALICE, "00" * 31 + "01", BOB, bob),
    ]


def _case(why: str, own_id: str, own_key: str, their_id: str, their_key: str) -> Case:
    halves = sorted((_thirty(own_id, own_key), _thirty(their_id, their_key)))
    number = "".join(halves)
    return {
        "why": why,
        "user_id": own_id,
        "fingerprint": own_key,
        "peer_id": their_id,
        "peer_fingerprint": their_key,
        "number": number,
        "qr": f"socp:verify:1:{number}",
    }
