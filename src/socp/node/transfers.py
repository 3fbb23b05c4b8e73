"""File frames: carried like messages, limited by bytes, never looked into (sections 5 and 8)."""

from __future__ import annotations

import json

from socp.node.dedup import SeenIds
from socp.node.delivery import away, next_server, said_of
from socp.node.directory import Directory
from socp.node.effects import Outgoing
from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.handed_files import HandedFile, HandedFiles
from socp.node.hops import author_members
from socp.node.keeping import Keeping
from socp.node.letters import part_of
from socp.node.links import Link, Links
from socp.node.mailbox import DELIVERED, QUEUED
from socp.node.posts import check_hop, fan_out
from socp.node.presence import Presence
from socp.node.queries import FindMail, MailFound
from socp.node.recall import Step
from socp.node.records import MailState
from socp.wire import limits
from socp.wire.canonical import canonical
from socp.wire.envelope import Envelope, check_ts, reencode
from socp.wire.errors import Code, PeerFault
from socp.wire.ids import PUBLIC, is_uuid4
from socp.wire.payloads import (
    Ack,
    Error,
    FileChunk,
    FileEnd,
    FileFrame,
    FileStart,
    Payload,
    ServerDeliver,
)

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
        seen: SeenIds,
        keeping: Keeping,
    ) -> None:
        self._emit = emitter
        self._links = links
        self._directory = directory
        self._presence = presence
        self._authors = keeping.authors
        self._seen = seen
        self._keepers = keeping.keepers
        self._file_mail = keeping.file_mail
        self._recall = keeping.recall
        self._mailbox = keeping.mailbox
        self._handed = HandedFiles()

    def from_user(self, link: Link, envelope: Envelope, frame: FileFrame, now: Now) -> None:
        if frame.sender not in ("", link.peer):
            raise PeerFault(Code.NOT_ALLOWED, "sender is not the user of this link")
        self._check_start(frame)
        sender_pub = getattr(frame, "sender_pub", "")
        if sender_pub and self._directory.parse(sender_pub) != link.key:
            raise PeerFault(Code.BAD_KEY, "sender_pub is not the key you said hello with")
        if envelope.to != PUBLIC and not is_uuid4(envelope.to):
            raise PeerFault(Code.BAD_FRAME, f'{envelope.type}: to must be a user id or "{PUBLIC}"')
        if envelope.to == PUBLIC:
            status = self._to_all(link, envelope, frame, now)
        elif self._is_mail(link, link.peer, envelope.to, frame):
            return self._keep(link, envelope, frame, link.peer, envelope.to, now)
        else:
            status = self._to_one(link, envelope, frame, now)
        if not isinstance(frame, FileChunk):
            self._ack(link, frame, status, now)

    def _to_all(self, link: Link, envelope: Envelope, frame: FileFrame, now: Now) -> str:
        if not self._again(link, envelope, frame, now):
            servers = self._links.servers.values()
            fan_out(self._emit, self._links, self._named(envelope, frame), servers)
        return ""

    def _to_one(self, link: Link, envelope: Envelope, frame: FileFrame, now: Now) -> str:
        location = self._presence.location(envelope.to)
        here = location == self._emit.server_id
        if not here and location not in self._links.servers:
            raise away(envelope.to, frame.file_id)
        if isinstance(frame, FileStart) and not here:
            self._handed.begun(location, frame.file_id, HandedFile(link.id, envelope.to))
        if not self._again(link, envelope, frame, now):
            self._direct(link, envelope, frame, envelope.from_, envelope.to)
        return DELIVERED if here else ""

    def failed(self, link: Link, error: Error, now: Now) -> bool:
        """Another server says that the reader of a file is not there: its author begins again. No
        frame of it is here to be sent where they are by now. False where it is about no file."""
        handed = None
        if error.code == Code.USER_NOT_FOUND:
            handed = self._handed.refused(link.peer, error.msg_ref)
        if handed is None:
            return False
        author = self._links.all.get(handed.link)
        if author is not None:
            fault = away(handed.user_id, error.msg_ref)
            of = error.of if error.of in INNER else ""
            told = Error(code=fault.code, detail=fault.detail, msg_ref=error.msg_ref, of=of)
            self._emit.say(author, told, now)
        return True

    # --- into the mailbox -----------------------------------------------------------------------

    def _is_mail(self, link: Link, sender: str, reader: str, frame: FileFrame) -> bool:
        """A file begun while its reader is away goes into their mailbox to its end."""
        if self._file_mail.holds(sender, frame.file_id, link):
            return True
        if not isinstance(frame, FileStart):
            return False
        location = self._presence.location(reader)
        if location == self._emit.server_id or location in self._links.servers:
            return False
        home = self._keepers.home(reader)
        return bool(home) and self._keepers.keeps(home)

    def _keep(
        self,
        link: Link,
        envelope: Envelope,
        frame: FileFrame,
        sender: str,
        reader: str,
        now: Now,
    ) -> None:
        if isinstance(frame, FileStart):
            self._file_mail.begin(link, sender, reader, frame, now)
        elif self._file_mail.reader_of(sender, frame.file_id) != reader:
            raise away(reader, frame.file_id)
        via = "" if link.peer == sender else link.peer
        self._file_mail.take(self._named(envelope, frame), frame, sender, via, now)
        self._ack(link, frame, QUEUED, now)

    def _ack(self, link: Link, frame: FileFrame, status: str, now: Now) -> None:
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
        members = author_members(envelope.members)
        members["sender"] = author
        kind, ts = type(frame).TYPE, envelope.ts
        if location == self._emit.server_id:
            target, said = self._links.users[user_id], (kind, author, user_id, ts)
        else:
            server = self._links.servers.get(location)
            if server is None or server is link:
                raise away(user_id, frame.file_id)
            target, said = server, (kind, self._emit.server_id, server.peer, ts)
            members["user_id"] = user_id
            if server.bound:
                members["bind"] = dict(zip(("type", "from", "to", "ts"), said, strict=True))
        text = canonical(members, whole=envelope.whole)
        self._emit.send((target.id,), Outgoing(*said, text, fast=target.fast))

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
        reader = frame.user_id
        released = frame.queued and link.acks  # from others, who keep nothing, it means nothing
        if released:
            self._authors.check_file(link, envelope, frame)
        else:
            check_ts(envelope.ts, now.wall)
            sender_pub = getattr(frame, "sender_pub", "")
            self._authors.check_origin(envelope.from_, frame.sender, sender_pub, envelope.ts)
            if isinstance(frame, FileStart) and self._is_here(reader):
                self._file_mail.goes_live(frame.sender, frame.file_id)
        if released or (link.acks and self._is_mail(link, frame.sender, reader, frame)):
            return self._release(link, envelope, frame, now)
        if not self._is_here(reader):
            location = self._presence.location(reader)
            return self._forward(link, outer or envelope, frame, location, now)
        if not self._again(link, envelope, frame, now):
            self._direct(link, envelope, frame, frame.sender, reader)

    def _is_here(self, reader: str) -> bool:
        return self._presence.location(reader) == self._emit.server_id

    def _release(self, link: Link, envelope: Envelope, frame: FileFrame, now: Now) -> None:
        """A frame for our reader's mailbox. One that was handed over before may come again."""
        if not self._keepers.is_ours(frame.user_id):
            fault = away(frame.user_id, frame.file_id)
            fault.moved_to = self._keepers.home(frame.user_id)
            raise fault
        request = self._recall.next_request() if frame.queued else 0
        step = Step(link.id, envelope, frame, self._released, request)
        query = FindMail(request, frame.user_id, frame.file_id, part_of(frame))
        if not request and not self._recall.waits(frame.sender, frame.user_id):
            return self._released(link.id, envelope, frame, None, now)
        self._recall.enter(frame.sender, step, query, ask=bool(request))

    def _released(
        self,
        link_id: LinkId,
        envelope: Envelope,
        payload: Payload,
        found: MailFound | None,
        now: Now,
    ) -> None:
        assert isinstance(payload, FileFrame)
        link = self._links.all.get(link_id)
        if link is None:
            return None  # its server keeps it, and hands it over again
        state = self._mailbox.known(payload.user_id, payload.file_id, found)
        if state is not None and state is not MailState.FORWARDED:
            if state is MailState.WAITING:
                self._file_mail.again(link, payload, now)
            return self._ack(link, payload, said_of(state), now)
        if not isinstance(payload, FileStart) and not self._file_mail.holds(
            payload.sender, payload.file_id, link
        ):
            raise PeerFault(
                Code.TIMEOUT,
                f"{type(payload).TYPE}: its FILE_START is not here; begin again from there",
                msg_ref=payload.file_id,
            )
        self._keep(link, envelope, payload, payload.sender, payload.user_id, now)

    def _forward(
        self, link: Link, envelope: Envelope, frame: FileFrame, location: str, now: Now
    ) -> None:
        """The user is at another server by now: on to it as it came, signed by the author's
        server. Once only, chunks too, so that servers of two minds do not play it to and fro."""
        key = self._seen.key(envelope)
        if key in self._seen:
            return
        server = next_server(self._links, link, envelope, frame.user_id, location, frame.file_id)
        self._seen.add(key, link.peer, now.mono)
        self._emit.relay((server.id,), reencode(envelope))

    def _public_from_server(
        self, link: Link, envelope: Envelope, frame: FileFrame, now: Now
    ) -> None:
        check_ts(envelope.ts, now.wall)
        if self._presence.location(envelope.from_) != link.peer:
            return
        self._check_start(frame)
        sender_pub = getattr(frame, "sender_pub", "")
        self._authors.check_origin(link.peer, envelope.from_, sender_pub, envelope.ts)
        check_hop(link, envelope, now)
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
