"""Who wrote what other servers carry: judged by pins and signatures, never by the frame alone
(sections 3, 5 and 11; threats I2, I3)."""

from __future__ import annotations

from socp.crypto import content_sig
from socp.crypto.keys import PublicKey
from socp.node.directory import Directory
from socp.node.events import Now
from socp.node.hops import author_members
from socp.node.links import Link
from socp.node.presence import Presence
from socp.wire import limits
from socp.wire.envelope import Envelope, check_ts
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import FileFrame, FileStart, ServerDeliver


class Authorship:
    """Every method raises PeerFault for what is not its author's."""

    def __init__(self, directory: Directory, presence: Presence) -> None:
        self._directory = directory
        self._presence = presence

    def check_origin(self, from_: str, sender: str, sender_pub: str, ts: int) -> None:
        """Refuse unless `from` is where `sender` is (or, away,
        their home) and the key is theirs, or was at `ts`."""
        place = self._presence.location(sender) or self._directory.home(sender)
        if place != from_:
            raise PeerFault(Code.NOT_ALLOWED, f"{sender} is not a user of {from_}")
        if sender_pub:
            self._check_key(sender, self._directory.parse(sender_pub), ts)

    def _check_key(self, sender: str, key: PublicKey, ts: int) -> None:
        if not self._directory.knows(sender, key, ts):
            raise self.unknown_key(sender)

    def check_file(self, link: Link, envelope: Envelope, frame: FileFrame) -> None:
        """A file frame of a release. The manifest is signed by its author, or comes from their
        home; what follows it counts only on the link that brought it."""
        if not isinstance(frame, FileStart):
            return
        key = self._directory.key(frame.sender)
        if key is not None and frame.sender_pub:
            said = self._directory.parse(frame.sender_pub)
            key = said if self._directory.knows(frame.sender, said, envelope.ts) else key
        if (
            key is not None
            and frame.content_sig
            and content_sig.verify_manifest(
                key,
                author_members(envelope.members),
                frame.sender,
                frame.user_id,
                envelope.ts,
                frame.content_sig,
            )
        ):
            return
        self.check_origin(link.peer, frame.sender, frame.sender_pub, envelope.ts)

    def first_key(self, from_: str, deliver: ServerDeliver, ts: int, now: Now) -> None:
        """Of an author advertised without a key: the first sender_pub whose content_sig
        verifies."""
        if self._directory.key(deliver.sender) is not None:
            return
        key = self._directory.parse(deliver.sender_pub)
        if content_sig.verify_direct(
            key, deliver.ciphertext, deliver.sender, deliver.user_id, ts, deliver.content_sig
        ):
            self._directory.pin_remote(deliver.sender, key, from_, "", now)

    def author_ts(self, envelope: Envelope, deliver: ServerDeliver) -> int:
        """The envelope's ts; where two disagree, the one that content_sig covers (section 5)."""
        if deliver.orig_ts in (None, envelope.ts):
            return envelope.ts
        assert deliver.orig_ts is not None
        key = self._directory.key(deliver.sender)
        for ts in (envelope.ts, deliver.orig_ts):
            if key is not None and content_sig.verify_direct(
                key, deliver.ciphertext, deliver.sender, deliver.user_id, ts, deliver.content_sig
            ):
                return ts
        raise PeerFault(
            Code.INVALID_SIG, "SERVER_DELIVER: content_sig verifies with neither ts nor orig_ts"
        )

    def check_release(self, deliver: ServerDeliver, ts: int, now: Now) -> None:
        """Raises PeerFault unless its author signed it, with the key pinned for them or, of
        somebody never heard of, with the one it brings."""
        if ts - now.wall > limits.TS_WINDOW_MS:
            check_ts(ts, now.wall)
        key = self._directory.parse(deliver.sender_pub)
        self._check_key(deliver.sender, key, ts)
        if not content_sig.verify_direct(
            key, deliver.ciphertext, deliver.sender, deliver.user_id, ts, deliver.content_sig
        ):
            raise PeerFault(
                Code.INVALID_SIG, "SERVER_DELIVER: content_sig of a release does not verify"
            )

    def unknown_key(self, user_id: str) -> PeerFault:
        """For good, unless their new key is what the disk did not take just now."""
        if user_id in self._directory.histories.unstored:
            return PeerFault(
                Code.TIMEOUT, f"the new key of {user_id} cannot be stored just now; send it again"
            )
        return PeerFault(Code.BAD_KEY, f"sender_pub is not the known key of {user_id}")
