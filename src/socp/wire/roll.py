"""A roll: how many users a server has, and a digest by which two servers can tell that they have
the same ones down (section 11, `gossip/1`)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from socp.wire import base64url
from socp.wire.errors import Code, PeerFault

DIGEST_BYTES: Final = 32


def entry(user_id: str, fingerprint: str, attach_ts: int | None) -> int:
    """One user's part of the digest: SHA-256(user_id || fingerprint || attach ts or nothing).

    `fingerprint` is 64 hex digits, `attach_ts` Unix ms in decimal, both as text.
    """
    said = f"{user_id}{fingerprint}{'' if attach_ts is None else attach_ts}"
    return int.from_bytes(hashlib.sha256(said.encode()).digest())


@dataclass(frozen=True, slots=True)
class Roll:
    """`digest` is the XOR of the entries, so that users come and go in any order."""

    count: int = 0
    digest: int = 0

    def with_(self, one: int) -> Roll:
        return Roll(self.count + 1, self.digest ^ one)

    def without(self, one: int) -> Roll:
        return Roll(self.count - 1, self.digest ^ one)

    @property
    def text(self) -> str:
        """The digest as it goes on the wire: base64url of its 32 bytes."""
        return base64url.encode(self.digest.to_bytes(DIGEST_BYTES))

    @classmethod
    def told(cls, count: int, digest: str) -> Roll:
        """What a server said. Raises PeerFault(BAD_FRAME)."""
        raw = base64url.decode(digest)
        if len(raw) != DIGEST_BYTES:
            raise PeerFault(Code.BAD_FRAME, f"users.digest: expected {DIGEST_BYTES} bytes")
        return cls(count, int.from_bytes(raw))
