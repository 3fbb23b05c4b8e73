"""Direct messages and posts: who may say what for whom, and where it goes (sections 5, 6,
7 and 9)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import replace

from socp.crypto import content_sig
from socp.crypto.content_sig import Form
from socp.crypto.keys import PublicKey
from socp.crypto.signing import verify_transport
from socp.node.dedup import KEY_BYTES, SeenIds
from socp.node.directory import Directory
from socp.node.effects import Outgoing
from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.links import Link, Links
from socp.node.pending import PENDING_MS, Pending, PendingTable
from socp.node.presence import Presence
from socp.wire import base64url
from socp.wire.envelope import Envelope, check_ts, reencode
from socp.wire.errors import Code, PeerFault
from socp.wire.ids import PUBLIC, is_uuid4
from socp.wire.msg_ref import msg_ref
from socp.wire.payloads import (
    Ack,
    Error,
    MsgDirect,
    MsgPublicChannel,
    ServerDeliver,
    UserDeliver,
)

FORMS_MAX = 10_000
DELIVERED = "delivered"


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


class Delivery:
    """Checks identity, never content: the reader judges that."""

    def __init__(
        self,
        emitter: Emitter,
        links: Links,
        directory: Directory,
        presence: Presence,
        seen: SeenIds,
    ) -> None:
        self._emit = emitter
        self._links = links
        self._directory = directory
        self._presence = presence
        self._seen = seen
        self._pending = PendingTable()
        self._forms: OrderedDict[str, Form] = OrderedDict()

    # --- direct messages ------------------------------------------------------------------------

    def direct(self, link: Link, envelope: Envelope, msg: MsgDirect, now: Now) -> None:
        """MSG_DIRECT of our own user."""
        self._check_author(link, msg.sender, msg.sender_pub)
        if not is_uuid4(envelope.to):
            raise PeerFault(Code.BAD_FRAME, "MSG_DIRECT: to must be a user's UUID v4 in lower case")
        raw = base64url.decode(msg.ciphertext)
        ref = msg_ref(raw, envelope.from_, envelope.to, envelope.ts)
        if envelope.to in self._directory.histories.revoked:
            raise dead(envelope.to, ref)
        key = self._seen.key(envelope)
        location = self._presence.location(envelope.to)
        here = location == self._emit.server_id
        status = DELIVERED if here else ""
        if key in self._seen:
            return self._emit.say(link, Ack(msg_ref=ref, status=status), now)
        server = self._links.servers.get(location)
        if not here and server is None:
            raise away(envelope.to, ref)
        self._seen.add(key, link.peer, now.mono)
        if server is None:
            said = UserDeliver(
                ciphertext=msg.ciphertext,
                sender=envelope.from_,
                sender_pub=msg.sender_pub,
                content_sig=msg.content_sig,
                orig_ts=envelope.ts,
            )
            self._emit.say(self._links.users[envelope.to], said, now, ts=envelope.ts)
        else:
            self._hand_over(link, envelope, msg, server, ref, now)
        self._emit.say(link, Ack(msg_ref=ref, status=status), now)

    def _hand_over(
        self, link: Link, envelope: Envelope, msg: MsgDirect, server: Link, ref: str, now: Now
    ) -> None:
        deliver = ServerDeliver(
            user_id=envelope.to,
            ciphertext=msg.ciphertext,
            sender=envelope.from_,
            sender_pub=msg.sender_pub,
            content_sig=msg.content_sig,
            orig_ts=envelope.ts,
        )
        self._send_on(server, deliver, envelope.ts, now)
        until = now.mono + PENDING_MS
        pending = Pending(link.id, envelope.to, server.peer, until, deliver, envelope.ts)
        self._pending.put(ref, pending)

    def _send_on(self, server: Link, deliver: ServerDeliver, ts: int, now: Now) -> None:
        self._emit.say(server, deliver, now, ts=ts)

    def _check_author(self, link: Link, sender: str, sender_pub: str) -> None:
        """The link's own user, the link's own key (I2)."""
        if sender not in ("", link.peer):
            raise PeerFault(Code.NOT_ALLOWED, "sender is not the user of this link")
        if self._directory.parse(sender_pub) != link.key:
            raise PeerFault(Code.BAD_KEY, "sender_pub is not the key you said hello with")

    def from_server(self, link: Link, envelope: Envelope, deliver: ServerDeliver, now: Now) -> None:
        """SERVER_DELIVER: only from where its author is, only with the author's pinned key."""
        ts = self._author_ts(envelope, deliver)
        check_ts(ts, now.wall)
        if not deliver.sender_pub:
            raise PeerFault(Code.BAD_KEY, "SERVER_DELIVER: sender_pub is missing")
        self.check_origin(envelope.from_, deliver.sender, deliver.sender_pub)
        self._first_key(envelope.from_, deliver, ts, now)
        raw = base64url.decode(deliver.ciphertext)
        ref = msg_ref(raw, deliver.sender, deliver.user_id, ts)
        key = self._seen.key(envelope)
        if key in self._seen:
            return None
        location = self._presence.location(deliver.user_id)
        if location != self._emit.server_id:
            server = self.next_server(link, envelope, deliver.user_id, location, ref)
            self._seen.add(key, link.peer, now.mono)
            self._emit.relay((server.id,), reencode(envelope))
            until = now.mono + PENDING_MS
            return self._pending.put(ref, Pending(link.id, deliver.user_id, server.peer, until))
        self._seen.add(key, link.peer, now.mono)
        said = UserDeliver(
            ciphertext=deliver.ciphertext,
            sender=deliver.sender,
            sender_pub=deliver.sender_pub,
            content_sig=deliver.content_sig,
            orig_ts=ts,
        )
        self._emit.say(self._links.users[deliver.user_id], said, now, ts=ts)

    def next_server(
        self, link: Link, envelope: Envelope, user_id: str, location: str, ref: str
    ) -> Link:
        """The user is at another server by now: on to it unchanged,
        never back where it came from."""
        server = self._links.servers.get(location)
        if server is None or location in (link.peer, envelope.from_):
            raise away(user_id, ref)
        return server

    def check_origin(self, from_: str, sender: str, sender_pub: str) -> None:
        """Refuse unless `from` is where `sender` is (or, away,
        their home) and the key is theirs."""
        place = self._presence.location(sender) or self._directory.home(sender)
        if place != from_:
            raise PeerFault(Code.NOT_ALLOWED, f"{sender} is not a user of {from_}")
        if sender_pub and not self._directory.knows(sender, self._directory.parse(sender_pub)):
            raise PeerFault(Code.BAD_KEY, f"sender_pub is not the known key of {sender}")

    def _first_key(self, from_: str, deliver: ServerDeliver, ts: int, now: Now) -> None:
        """Of an author advertised without a key: the first sender_pub whose content_sig
        verifies."""
        if self._directory.key(deliver.sender) is not None:
            return
        key = self._directory.parse(deliver.sender_pub)
        if content_sig.verify_direct(
            key, deliver.ciphertext, deliver.sender, deliver.user_id, ts, deliver.content_sig
        ):
            self._directory.pin_remote(deliver.sender, key, from_, "", now)

    def _author_ts(self, envelope: Envelope, deliver: ServerDeliver) -> int:
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
            self._send_on(server, pending.deliver, pending.ts, now)
            moved = replace(pending, server_id=server.peer, deliver=None)
            return self._pending.put(error.msg_ref, moved)
        author = self._links.all.get(pending.link)
        if author is not None:
            fault = away(pending.user_id, error.msg_ref)
            self._emit.say(
                author, Error(code=fault.code, detail=fault.detail, msg_ref=error.msg_ref), now
            )

    # --- posts ----------------------------------------------------------------------------------

    def post(self, link: Link, envelope: Envelope, msg: MsgPublicChannel, now: Now) -> None:
        """MSG_PUBLIC_CHANNEL of our own user: to all servers and members,
        not back to the author."""
        self._check_author(link, msg.sender, msg.sender_pub)
        self._check_public(envelope)
        ref = msg_ref(base64url.decode(msg.ciphertext), envelope.from_, PUBLIC, envelope.ts)
        key = post_key(ref)
        if key not in self._seen:
            assert link.key is not None
            self._verify_post(envelope, msg, link.key)
            self._seen.add(key, link.peer, now.mono)
            self._fan_out(envelope, self._links.server_links())
        self._emit.say(link, Ack(msg_ref=ref), now)

    def post_from_server(
        self, link: Link, envelope: Envelope, msg: MsgPublicChannel, now: Now
    ) -> None:
        """A post by way of another server: authenticated by its author's own content_sig."""
        self._check_public(envelope)
        raw = base64url.decode(msg.ciphertext)
        key = post_key(msg_ref(raw, envelope.from_, PUBLIC, envelope.ts))
        if key in self._seen:
            return
        if self._directory.key(envelope.from_) is None:
            return
        author = self._directory.parse(msg.sender_pub)
        if not self._directory.knows(envelope.from_, author, envelope.ts):
            raise PeerFault(Code.BAD_KEY, f"sender_pub is not the known key of {envelope.from_}")
        check_hop(link, envelope)
        self._verify_post(envelope, msg, author)
        self._seen.add(key, link.peer, now.mono)
        home = self._presence.location(envelope.from_)
        self._fan_out(envelope, self._links.server_links(link.peer, home))

    def _check_public(self, envelope: Envelope) -> None:
        if envelope.to != PUBLIC:
            raise PeerFault(Code.BAD_FRAME, f'{envelope.type}: to must be "{PUBLIC}"')

    def _verify_post(self, envelope: Envelope, msg: MsgPublicChannel, key: PublicKey) -> None:
        author = envelope.from_
        first = self._forms.get(author, Form.RAW)
        form = content_sig.verify_public(
            key, msg.ciphertext, author, envelope.ts, msg.content_sig, first=first
        )
        if form is None:
            raise PeerFault(
                Code.INVALID_SIG, "MSG_PUBLIC_CHANNEL: content_sig does not verify with your key"
            )
        self._forms[author] = form
        if len(self._forms) > FORMS_MAX:
            self._forms.popitem(last=False)

    def _fan_out(self, envelope: Envelope, servers: tuple[LinkId, ...]) -> None:
        fan_out(self._emit, self._links, envelope, servers)


def post_key(ref: str) -> bytes:
    """A post is one post, whatever unknown members somebody pads it with (S6)."""
    return hashlib.sha256(f"{MsgPublicChannel.TYPE}|{ref}".encode()).digest()[:KEY_BYTES]


def check_hop(link: Link, envelope: Envelope) -> None:
    """Posts and files to all carry the `sig` of the hop.

    Without features the author's may stand there.
    """
    if not link.features:
        return
    assert link.key is not None
    if not verify_transport(link.key, envelope):
        raise PeerFault(Code.INVALID_SIG, f"{envelope.type}: sig is not by the server of this link")


def fan_out(
    emitter: Emitter, links: Links, envelope: Envelope, servers: tuple[LinkId, ...]
) -> None:
    """One frame, signed and encoded once, for all members here and all these servers (section
    7)."""
    frame = Outgoing(
        type=envelope.type,
        from_=envelope.from_,
        to=PUBLIC,
        ts=envelope.ts,
        payload=envelope.payload,
        verbatim=True,
    )
    emitter.send(links.user_links(but=envelope.from_) + servers, frame)
