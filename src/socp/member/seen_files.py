"""Files that were received before, or that nothing more is made of (threats M2, M4)."""

from __future__ import annotations

import hashlib

from socp.member.incoming import Incoming
from socp.member.seen import Seen


class SeenFiles:
    """Each is known by its author and its id, among the messages."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def is_settled(self, author: str, file_id: str) -> bool:
        """Whether it is here, or will never be."""
        return _ref(author, file_id) in self._seen

    def settle(self, author: str, file_id: str, ts: int) -> None:
        """It is so from now on; `ts` is its manifest's, Unix ms."""
        ref = _ref(author, file_id)
        self._seen.remember(ref, hashlib.sha256(ref.encode()).digest(), author, ts)

    def is_theirs(self, incoming: Incoming) -> bool:
        """False where the ciphertext was seen under another author (M4); remembers it else."""
        receiver = incoming.receiver
        fresh = [digest for digest in receiver.digests() if digest not in incoming.digests]
        if not fresh or incoming.remembered:
            return True
        if self._seen.others_words(fresh, receiver.author):
            return False
        # By another name than the whole file's, which may come again until it is stored.
        begun = f"{_ref(receiver.author, receiver.file_id)}/begun"
        self._seen.remember(begun, fresh[0], receiver.author, incoming.ts)
        incoming.remembered = True
        incoming.digests.update(fresh)
        return True


def _ref(author: str, file_id: str) -> str:
    return f"{author}/{file_id}"
