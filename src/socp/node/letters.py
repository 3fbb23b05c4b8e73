"""What users say, as the records that are kept of it (section 11, `mailbox/1`)."""

from __future__ import annotations

from socp.node.events import Now
from socp.node.hops import author_members
from socp.node.keepers import Keepers
from socp.node.records import MAIL_PART_LAST, Mail, Post
from socp.wire.canonical import canonical
from socp.wire.envelope import Envelope
from socp.wire.payloads import (
    FileChunk,
    FileEnd,
    FileFrame,
    MsgDirect,
    ServerDeliver,
    members_bytes,
)


class Letters:
    """Numbers them as they come: `seq` counts up over all mail and posts."""

    def __init__(self, keepers: Keepers, last_seq: int) -> None:
        self._keepers = keepers
        self._seq = last_seq

    def message(
        self, said: MsgDirect | ServerDeliver, sender: str, reader: str, ts: int, ref: str, now: Now
    ) -> Mail:
        """A direct message of a user of ours."""
        payload = MsgDirect(
            ciphertext=said.ciphertext, sender_pub=said.sender_pub, content_sig=said.content_sig
        )
        kind, text = MsgDirect.TYPE, members_bytes(payload)
        return self._mail(reader, ref, 0, sender, kind, ts, text, "", now)

    def carried(self, deliver: ServerDeliver, ts: int, ref: str, via: str, now: Now) -> Mail:
        """A direct message by way of the server `via`."""
        payload = MsgDirect(
            ciphertext=deliver.ciphertext,
            sender_pub=deliver.sender_pub,
            content_sig=deliver.content_sig,
        )
        kind, text = MsgDirect.TYPE, members_bytes(payload)
        return self._mail(deliver.user_id, ref, 0, deliver.sender, kind, ts, text, via, now)

    def file(
        self, envelope: Envelope, frame: FileFrame, sender: str, reader: str, via: str, now: Now
    ) -> Mail:
        """A file frame, its author's members unchanged."""
        text = canonical(author_members(envelope.members), whole=envelope.whole)
        kind, ref = type(frame).TYPE, frame.file_id
        part = part_of(frame)
        return self._mail(reader, ref, part, sender, kind, envelope.ts, text, via, now)

    def post(self, envelope: Envelope, ref: str, via: str, now: Now) -> Post:
        """A post to the public channel."""
        return Post(
            seq=self._next(),
            msg_ref=ref,
            author=envelope.from_,
            ts=envelope.ts,
            payload=_post_payload(envelope),
            via=via,
            stored_ms=now.wall,
        )

    def _mail(
        self,
        reader: str,
        ref: str,
        part: int,
        sender: str,
        kind: str,
        ts: int,
        payload: bytes,
        via: str,
        now: Now,
    ) -> Mail:
        return Mail(
            seq=self._next(),
            user_id=reader,
            msg_ref=ref,
            part=part,
            sender=sender,
            kind=kind,
            ts=ts,
            payload=payload,
            via=via,
            attach_ts=self._keepers.attach_ts(reader),
            stored_ms=now.wall,
        )

    def _next(self) -> int:
        self._seq += 1
        return self._seq


def part_of(frame: FileFrame) -> int:
    """Where a file frame stands in its file."""
    if isinstance(frame, FileChunk):
        return min(1 + frame.index, MAIL_PART_LAST - 1)
    return MAIL_PART_LAST if isinstance(frame, FileEnd) else 0


def _post_payload(envelope: Envelope) -> bytes:
    """A post travels on unchanged, but for the mark of a release."""
    if "queued" not in envelope.members:
        return envelope.payload
    return canonical({k: v for k, v in envelope.members.items() if k != "queued"})
