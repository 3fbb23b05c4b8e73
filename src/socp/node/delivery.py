"""Direct messages: who may say what for whom, and where it goes (sections 5, 6, 9 and 11)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from socp.node.dedup import SeenIds, mail_key
from socp.node.directory import Directory
from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.keeping import Keeping
from socp.node.links import Link, Links
from socp.node.mailbox import DELIVERED, QUEUED
from socp.node.pending import PENDING_MS, Pending
from socp.node.presence import Presence
from socp.node.queries import FindMail, MailFound
from socp.node.recall import Go, Step
from socp.node.records import MailState
from socp.wire import base64url, limits
from socp.wire.envelope import Envelope, check_ts, reencode
from socp.wire.errors import Code, PeerFault
from socp.wire.hop import FAST_PREFIX
from socp.wire.ids import is_uuid4
from socp.wire.msg_ref import msg_ref
from socp.wire.payloads import (
    Ack,
    Error,
    MsgDirect,
    Payload,
    ServerDeliver,
    UserDeliver,
)


def away(user_id: str, ref: str) -> PeerFault:
    return PeerFault(
        Code.USER_NOT_FOUND,
        f"{user_id} is not online anywhere this server can reach; send again when they are",
        msg_ref=ref,
    )


def dead(user_id: str, ref: str) -> PeerFault:
    return PeerFault(
        Code.NOT_ALLOWED,
        f"{user_id} revoked their id and reads nothing any more; ask them for their new one",
        msg_ref=ref,
    )


def check_author(directory: Directory, link: Link, sender: str, sender_pub: str) -> None:
    """The link's own user, the link's own key (I2). Raises PeerFault."""
    if sender not in ("", link.peer):
        raise PeerFault(Code.NOT_ALLOWED, "sender is not the user of this link")
    if directory.parse(sender_pub) != link.key:
        raise PeerFault(Code.BAD_KEY, "sender_pub is not the key you said hello with")


def is_late(link: Link, ts: int, now: Now, *, late: bool) -> bool:
    """True for a message from an outbox whose ts is outside the window: proven users of
    `mailbox/1` may send such for 30 days (section 11). Raises PeerFault(BAD_FRAME)."""
    age_ms = now.wall - ts
    if late and link.acks and limits.TS_WINDOW_MS < age_ms <= limits.LATE_MS:
        return True
    check_ts(ts, now.wall)
    return False


def next_server(
    links: Links, link: Link, envelope: Envelope, user_id: str, location: str, ref: str
) -> Link:
    """The user is at another server by now: on to it unchanged, never back where it came from.
    Raises USER_NOT_FOUND."""
    server = links.servers.get(location)
    if server is None or location in (link.peer, envelope.from_):
        raise away(user_id, ref)
    if envelope.sig.startswith(FAST_PREFIX):  # its sender's session key is good for one hop alone
        fault = away(user_id, ref)
        fault.moved_to = location
        raise fault
    return server


def said_of(state: MailState) -> str:
    """The status of an ACK about mail that came before."""
    return DELIVERED if state is MailState.DELIVERED else QUEUED


class Delivery:
    """Checks identity, never content: the reader judges that."""

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
        self._seen = seen
        self._authors = keeping.authors
        self._keepers = keeping.keepers
        self._letters = keeping.letters
        self._mailbox = keeping.mailbox
        self._recall = keeping.recall
        self._pending = keeping.pending

    # --- from our own users ---------------------------------------------------------------------

    def direct(self, link: Link, envelope: Envelope, msg: MsgDirect, now: Now) -> None:
        """MSG_DIRECT of our own user."""
        check_author(self._directory, link, msg.sender, msg.sender_pub)
        reader = envelope.to
        if not is_uuid4(reader):
            raise PeerFault(Code.BAD_FRAME, "MSG_DIRECT: to must be a user's UUID v4 in lower case")
        ref = msg_ref(base64url.decode(msg.ciphertext), envelope.from_, reader, envelope.ts)
        if reader in self._directory.histories.revoked:
            raise dead(reader, ref)
        late = is_late(link, envelope.ts, now, late=msg.late)
        again = mail_key(reader, ref) in self._seen
        if late or again or self._recall.waits(link.peer, reader):
            ask = late or again
            go = partial(self._direct, ref)
            return self._ask(link, envelope, msg, go, (reader, ref), ask=ask)
        self._direct(ref, link.id, envelope, msg, None, now)

    def _ask(
        self,
        link: Link,
        envelope: Envelope,
        payload: Payload,
        go: Go,
        whose: tuple[str, str],
        *,
        ask: bool,
    ) -> None:
        """Into the line of its author and reader; a question to the store where it may have come
        before."""
        request = self._recall.next_request() if ask else 0
        reader, ref = whose
        author = payload.sender if isinstance(payload, ServerDeliver) else link.peer
        step = Step(link.id, envelope, payload, go, request)
        self._recall.enter(author, step, FindMail(request, reader, ref), ask=ask)

    def _direct(
        self,
        ref: str,
        link_id: LinkId,
        envelope: Envelope,
        payload: Payload,
        found: MailFound | None,
        now: Now,
    ) -> None:
        """It is new, or the store said what it knows."""
        assert isinstance(payload, MsgDirect)
        reader = envelope.to
        key = mail_key(reader, ref)
        state = self._mailbox.known(reader, ref, found)
        if state is not None:
            return self._ack(link_id, ref, said_of(state), now)
        if key in self._seen:  # it was written to a reader who keeps nothing, or handed over
            return self._ack(link_id, ref, self._said_again(reader, ""), now)
        with self._seen.passing(key, envelope.from_, now.mono):
            status = self._place(link_id, envelope, payload, ref, now)
        self._ack(link_id, ref, status, now)

    def _said_again(self, reader: str, elsewhere: str) -> str:
        """The status of what passed already, and was not in the store when that was asked: two
        copies may ask at once, and a reader with `mailbox/1` says themselves that they have it."""
        link = self._links.users.get(reader)
        if link is None:
            return elsewhere
        return QUEUED if link.acks else DELIVERED

    def _place(
        self, link_id: LinkId, envelope: Envelope, msg: MsgDirect, ref: str, now: Now
    ) -> str:
        """Write it, keep it or hand it over; the status of its ACK. Raises USER_NOT_FOUND."""
        reader, ts = envelope.to, envelope.ts
        home = self._keepers.home(reader)
        live = self._mailbox.live_link(reader)
        if live is not None:
            self._write(live, msg, envelope.from_, ts, now)
            return DELIVERED
        if home and self._keepers.keeps(home):
            self._mailbox.deposit(
                self._letters.message(msg, envelope.from_, reader, ts, ref, now), now
            )
            self._copy(msg, envelope.from_, reader, ts, now)
            return QUEUED
        server = self._links.servers.get(self._presence.location(reader))
        if server is None:
            raise away(reader, ref)
        deliver = _deliver(msg, envelope.from_, reader, ts)
        self._emit.say(server, deliver, now, ts=ts)
        until = now.mono + PENDING_MS
        self._pending.put(ref, Pending(link_id, reader, server.peer, until, deliver, ts))
        return ""

    def _copy(self, msg: MsgDirect, sender: str, reader: str, ts: int, now: Now) -> None:
        """To a server that claims the reader without their word: it may be true (I11). And to the
        reader who is here, and whose newest word is that they are at their home."""
        here = self._links.users.get(reader)
        if here is not None and not self._keepers.is_ours(reader):
            self._write(here, msg, sender, ts, now)
        claimant = self._keepers.claimant(reader)
        if claimant is not None:
            self._emit.say(claimant, _deliver(msg, sender, reader, ts), now, ts=ts)

    def _write(
        self, link: Link, said: MsgDirect | ServerDeliver, sender: str, ts: int, now: Now
    ) -> None:
        deliver = UserDeliver(
            ciphertext=said.ciphertext,
            sender=sender,
            sender_pub=said.sender_pub,
            content_sig=said.content_sig,
            orig_ts=ts,
        )
        self._emit.say(link, deliver, now, ts=ts)

    def _ack(self, link_id: LinkId, ref: str, status: str, now: Now) -> None:
        link = self._links.all.get(link_id)
        if link is not None:
            self._emit.say(link, Ack(msg_ref=ref, status=status), now)

    # --- from other servers ---------------------------------------------------------------------

    def from_server(self, link: Link, envelope: Envelope, deliver: ServerDeliver, now: Now) -> None:
        """SERVER_DELIVER: only from where its author is, only with the author's pinned key; a
        release (`queued`) from any server, for the author's signature speaks for it."""
        if not deliver.sender_pub:
            raise PeerFault(Code.BAD_KEY, "SERVER_DELIVER: sender_pub is missing")
        ts = self._authors.author_ts(envelope, deliver)
        if deliver.queued:
            self._authors.check_release(deliver, ts, now)
        else:
            check_ts(ts, now.wall)
            self._authors.check_origin(envelope.from_, deliver.sender, deliver.sender_pub, ts)
            self._authors.first_key(envelope.from_, deliver, ts, now)
        reader = deliver.user_id
        ref = msg_ref(base64url.decode(deliver.ciphertext), deliver.sender, reader, ts)
        again = mail_key(reader, ref) in self._seen
        if again and not link.acks:
            return None
        if deliver.queued or again or self._recall.waits(deliver.sender, reader):
            ask = deliver.queued or again
            go = partial(self._carried, (ref, ts))
            return self._ask(link, envelope, deliver, go, (reader, ref), ask=ask)
        self._carried((ref, ts), link.id, envelope, deliver, None, now)

    def _carried(
        self,
        named: tuple[str, int],
        link_id: LinkId,
        envelope: Envelope,
        payload: Payload,
        found: MailFound | None,
        now: Now,
    ) -> None:
        """It is new, or the store said what it knows."""
        assert isinstance(payload, ServerDeliver)
        ref, reader = named[0], payload.user_id
        link = self._links.all.get(link_id)
        state = self._mailbox.known(reader, ref, found)
        back = state is MailState.FORWARDED and self._keepers.is_ours(reader)
        if state is not None and not back:
            return self._ack_server(link, ref, said_of(state), now)
        key = mail_key(reader, ref)
        if key in self._seen and not back:
            return self._ack_server(link, ref, self._said_again(reader, QUEUED), now)
        with self._seen.passing(key, envelope.from_, now.mono):
            status = self._take_in(link, envelope, payload, named, now)
        if status:
            self._ack_server(link, ref, status, now)

    def _take_in(
        self,
        link: Link | None,
        envelope: Envelope,
        deliver: ServerDeliver,
        named: tuple[str, int],
        now: Now,
    ) -> str:
        """Write it, keep it, or pass it on; the status of its ACK, "" for none."""
        (ref, ts), reader = named, deliver.user_id
        if self._keepers.is_ours(reader) or self._presence.location(reader) == self._emit.server_id:
            live = self._mailbox.live_link(reader)
            if live is not None:
                self._write(live, deliver, deliver.sender, ts, now)
                return DELIVERED
            if not self._keepers.is_ours(reader):  # a copy: it stays with their home
                self._write(self._links.users[reader], deliver, deliver.sender, ts, now)
                if link is not None and not link.acks:
                    return ""
                raise self._moved(reader, ref)
            mail = self._letters.carried(deliver, ts, ref, envelope.from_, now)
            self._mailbox.deposit(mail, now)
            return QUEUED
        if link is None:
            return ""  # its server keeps it, and hands it over again
        if link.acks:
            raise self._moved(reader, ref)
        location = self._presence.location(reader)
        server = next_server(self._links, link, envelope, reader, location, ref)
        self._emit.relay((server.id,), reencode(envelope))
        until = now.mono + PENDING_MS
        self._pending.put(ref, Pending(link.id, reader, server.peer, until))
        return ""

    def _moved(self, reader: str, ref: str) -> PeerFault:
        """Its server keeps it until it finds the reader's home; we may know it."""
        fault = away(reader, ref)
        fault.moved_to = self._keepers.home(reader)
        return fault

    def _ack_server(self, link: Link | None, ref: str, status: str, now: Now) -> None:
        """To servers with `mailbox/1` alone: others do not wait for it."""
        if link is not None and link.acks:
            self._emit.say(link, Ack(msg_ref=ref, status=status), now)

    # --- errors about messages handed over ------------------------------------------------------

    def due(self, now: Now) -> None:
        self._pending.expire(now.mono)

    def failed(self, link: Link, error: Error, now: Now) -> None:
        """Another server could not deliver: try where it says the user moved,
        else tell the author."""
        pending = self._pending.take(error.msg_ref, link.peer)
        if pending is None:
            return None
        server = self._links.servers.get(error.moved_to)
        if server is not None and server is not link and pending.deliver is not None:
            self._emit.say(server, pending.deliver, now, ts=pending.ts)
            moved = replace(pending, server_id=server.peer, deliver=None)
            return self._pending.put(error.msg_ref, moved)
        author = self._links.all.get(pending.link)
        if author is not None:
            fault = away(pending.user_id, error.msg_ref)
            self._emit.say(
                author, Error(code=fault.code, detail=fault.detail, msg_ref=error.msg_ref), now
            )


def _deliver(msg: MsgDirect, sender: str, reader: str, ts: int) -> ServerDeliver:
    return ServerDeliver(
        user_id=reader,
        ciphertext=msg.ciphertext,
        sender=sender,
        sender_pub=msg.sender_pub,
        content_sig=msg.content_sig,
        orig_ts=ts,
    )
