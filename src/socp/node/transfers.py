"""File frames: carried like messages, limited by bytes, never looked into (sections 5 and 8)."""

from __future__ import annotations

import json

from socp.node.dedup import SeenIds
from socp.node.delivery import DELIVERED, Delivery, away, check_hop, fan_out
from socp.node.directory import Directory
from socp.node.effects import Outgoing
from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.links import Link, Links
from socp.node.presence import Presence
from socp.wire import limits
from socp.wire.canonical import canonical
from socp.wire.envelope import Envelope, check_ts, reencode
from socp.wire.errors import Code, PeerFault
from socp.wire.ids import PUBLIC, is_uuid4
from socp.wire.payloads import Ack, FileChunk, FileEnd, FileFrame, FileStart, ServerDeliver

HOP_MEMBERS = (
    "sender",
    "user_id",
    "bind",
)  # servers add these; the author's members stay unchanged
INNER = {
    name: kind for kind in (FileStart, FileChunk, FileEnd) for name in (kind.TYPE, *kind.ALIASES)
}


class Transfers:
    """FILE_START, FILE_CHUNK and FILE_END of our users and of other servers."""

    def __init__(
        self,
        emitter: Emitter,
        links: Links,
        directory: Directory,
        presence: Presence,
        delivery: Delivery,
        seen: SeenIds,
    ) -> None:
        self._emit = emitter
        self._links = links
        self._directory = directory
        self._presence = presence
        self._delivery = delivery
        self._seen = seen

    def from_user(self, link: Link, envelope: Envelope, frame: FileFrame, now: Now) -> None:
        if frame.sender not in ("", link.peer):
            raise PeerFault(Code.NOT_ALLOWED, "sender is not the user of this link")
        self._check_start(frame)
        sender_pub = getattr(frame, "sender_pub", "")
        if sender_pub and self._directory.parse(sender_pub) != link.key:
            raise PeerFault(Code.BAD_KEY, "sender_pub is not the key you said hello with")
        if envelope.to != PUBLIC and not is_uuid4(envelope.to):
            raise PeerFault(Code.BAD_FRAME, f'{envelope.type}: to must be a user id or "{PUBLIC}"')
        location = self._presence.location(envelope.to)
        status = DELIVERED if location == self._emit.server_id else ""
        if envelope.to == PUBLIC:
            if not self._again(link, envelope, frame, now):
                servers = self._links.server_links()
                fan_out(self._emit, self._links, self._named(envelope, frame), servers)
        elif location != self._emit.server_id and location not in self._links.servers:
            raise away(envelope.to, frame.file_id)
        elif not self._again(link, envelope, frame, now):
            self._direct(link, envelope, frame, envelope.from_, envelope.to)
        if not isinstance(frame, FileChunk):
            ack = Ack(msg_ref=frame.file_id, of=type(frame).TYPE, status=status)
            self._emit.say(link, ack, now)

    @staticmethod
    def _check_start(frame: FileFrame) -> None:
        if isinstance(frame, FileStart) and frame.size > limits.FILE_BYTES:
            raise PeerFault(
                Code.TOO_LARGE,
                f"{frame.size} bytes; a file may have {limits.FILE_BYTES}",
                msg_ref=frame.file_id,
            )

    def _again(self, link: Link, envelope: Envelope, frame: FileFrame, now: Now) -> bool:
        """True for a START or END that passed before.

        Chunks are told apart by the reader's index.
        """
        if isinstance(frame, FileChunk):
            return False
        key = self._seen.key(envelope)
        if key in self._seen:
            return True
        self._seen.add(key, link.peer, now.mono)
        return False

    @staticmethod
    def _named(envelope: Envelope, frame: FileFrame) -> Envelope:
        """The same frame under our own name for its type (COMPAT section 13: USER_FILE_*)."""
        return Envelope(
            type=type(frame).TYPE,
            from_=envelope.from_,
            to=envelope.to,
            ts=envelope.ts,
            payload=envelope.payload,
            sig="",
        )

    def _direct(
        self, link: Link, envelope: Envelope, frame: FileFrame, author: str, user_id: str
    ) -> None:
        """On to the user, or to the user's server. Raises USER_NOT_FOUND."""
        location = self._presence.location(user_id)
        members = {k: v for k, v in envelope.members.items() if k not in HOP_MEMBERS}
        members["sender"] = author
        kind, ts = type(frame).TYPE, envelope.ts
        if location == self._emit.server_id:
            target = self._links.users[user_id]
            out = Outgoing(kind, author, user_id, ts, canonical(members))
            return self._emit.send((target.id,), out)
        server = self._links.servers.get(location)
        if server is None or server is link:
            raise away(user_id, frame.file_id)
        members["user_id"] = user_id
        if server.bound:
            own_id = self._emit.server_id
            members["bind"] = {"type": kind, "from": own_id, "to": server.peer, "ts": ts}
        out = Outgoing(kind, self._emit.server_id, server.peer, ts, canonical(members))
        self._emit.send((server.id,), out)

    # --- from other servers ---------------------------------------------------------------------

    def from_server(
        self,
        link: Link,
        envelope: Envelope,
        frame: FileFrame,
        now: Now,
        outer: Envelope | None = None,
    ) -> None:
        """To all: as posts go, one hop. To one: like SERVER_DELIVER, which may be `outer`."""
        if envelope.to == PUBLIC:
            return self._public_from_server(link, envelope, frame, now)
        if not frame.sender or not frame.user_id:
            raise PeerFault(Code.BAD_FRAME, f"{envelope.type}: sender and user_id are missing")
        self._check_start(frame)
        sender_pub = getattr(frame, "sender_pub", "")
        self._delivery.check_origin(envelope.from_, frame.sender, sender_pub)
        location = self._presence.location(frame.user_id)
        if location != self._emit.server_id:
            return self._forward(link, outer or envelope, frame, location, now)
        if not self._again(link, envelope, frame, now):
            self._direct(link, envelope, frame, frame.sender, frame.user_id)

    def _forward(
        self, link: Link, envelope: Envelope, frame: FileFrame, location: str, now: Now
    ) -> None:
        """The user is at another server by now: on to it as it came, signed by the author's
        server. Once only, chunks too, so that servers of two minds do not play it to and fro."""
        key = self._seen.key(envelope)
        if key in self._seen:
            return
        server = self._delivery.next_server(link, envelope, frame.user_id, location, frame.file_id)
        self._seen.add(key, link.peer, now.mono)
        self._emit.relay((server.id,), reencode(envelope))

    def _public_from_server(
        self, link: Link, envelope: Envelope, frame: FileFrame, now: Now
    ) -> None:
        if self._presence.location(envelope.from_) != link.peer:
            return
        self._check_start(frame)
        self._delivery.check_origin(link.peer, envelope.from_, getattr(frame, "sender_pub", ""))
        check_hop(link, envelope)
        if not self._again(link, envelope, frame, now):
            fan_out(self._emit, self._links, self._named(envelope, frame), ())

    def wrapped(
        self, link: Link, envelope: Envelope, deliver: ServerDeliver, now: Now
    ) -> tuple[Envelope, type[FileFrame]]:
        """A foreign server's SERVER_DELIVER with `inner_type`: the file frame in it (section 5)."""
        kind = INNER.get(deliver.inner_type)
        if kind is None:
            raise PeerFault(
                Code.UNKNOWN_TYPE, f"SERVER_DELIVER: inner_type {deliver.inner_type!r} is not known"
            )
        check_ts(envelope.ts, now.wall)
        members = {k: v for k, v in envelope.members.items() if k != "inner_type"}
        payload = json.dumps(members).encode()
        inner = Envelope(
            type=kind.TYPE,
            from_=envelope.from_,
            to=envelope.to,
            ts=envelope.ts,
            payload=payload,
            sig="",
        )
        return inner, kind
