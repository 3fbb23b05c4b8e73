"""Posts to the public channel: whose they are, who gets them, and that nobody misses one (sections
7, 9 and 11)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from socp.crypto import content_sig
from socp.crypto.content_sig import Form
from socp.crypto.fast_sig import hop_signed
from socp.crypto.keys import PublicKey
from socp.node.dedup import SeenIds, mail_key
from socp.node.delivery import check_author, is_late
from socp.node.directory import Directory
from socp.node.effects import Outgoing
from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.keeping import Keeping
from socp.node.links import Link, Links
from socp.node.mailbox import QUEUED
from socp.node.presence import Presence
from socp.node.queries import FindMail, MailFound
from socp.node.recall import Go, Step
from socp.wire import base64url
from socp.wire.envelope import Envelope, check_ts
from socp.wire.errors import Code, PeerFault
from socp.wire.ids import PUBLIC, is_uuid4
from socp.wire.msg_ref import msg_ref
from socp.wire.payloads import Ack, MsgPublicChannel, Payload

FORMS_MAX = 10_000


class Posts:
    """Authenticated by their author's own content_sig, whoever carries them."""

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
        self._letters = keeping.letters
        self._log = keeping.log
        self._recall = keeping.recall
        self._forms: OrderedDict[str, Form] = OrderedDict()

    # --- our own users --------------------------------------------------------------------------

    def post(self, link: Link, envelope: Envelope, msg: MsgPublicChannel, now: Now) -> None:
        """MSG_PUBLIC_CHANNEL of our own user: to all servers and members, not back to the
        author."""
        check_author(self._directory, link, msg.sender, msg.sender_pub)
        _check_public(envelope)
        ref = _ref(envelope, msg)
        late = is_late(link, envelope.ts, now, late=msg.late)
        if late or self._recall.waits(link.peer, PUBLIC):
            return self._ask(link, envelope, msg, self._post, ref, ask=late)
        self._post(link.id, envelope, msg, None, now)

    def _post(
        self,
        link_id: LinkId,
        envelope: Envelope,
        payload: Payload,
        found: MailFound | None,
        now: Now,
    ) -> None:
        assert isinstance(payload, MsgPublicChannel)
        ref = _ref(envelope, payload)
        key = mail_key(PUBLIC, ref)
        known = key in self._seen or (found is not None and found.state is not None)
        if not known:
            author = self._directory.parse(payload.sender_pub)
            self._verify(envelope, payload, author)
            self._seen.add(key, envelope.from_, now.mono)
            self._spread(envelope, ref, "", now, forward=True)
        link = self._links.all.get(link_id)
        if link is not None:
            self._emit.say(link, Ack(msg_ref=ref, status=QUEUED), now)

    def _ask(
        self,
        link: Link,
        envelope: Envelope,
        msg: MsgPublicChannel,
        go: Go,
        ref: str,
        *,
        ask: bool,
    ) -> None:
        request = self._recall.next_request() if ask else 0
        step = Step(link.id, envelope, msg, go, request)
        self._recall.enter(envelope.from_, step, FindMail(request, PUBLIC, ref), ask=ask)

    # --- other servers --------------------------------------------------------------------------

    def from_server(self, link: Link, envelope: Envelope, msg: MsgPublicChannel, now: Now) -> None:
        """A post by way of another server, now or, `queued`, when we are back."""
        _check_public(envelope)
        if not msg.queued or envelope.ts > now.wall:
            check_ts(envelope.ts, now.wall)
        ref = _ref(envelope, msg)
        if mail_key(PUBLIC, ref) in self._seen:
            return self._ack_server(link.id, ref, now)
        author = self._author(envelope, msg)
        if author is None:
            return None
        check_hop(link, envelope, now)
        self._verify(envelope, msg, author)
        if msg.queued or self._recall.waits(envelope.from_, PUBLIC):
            return self._ask(link, envelope, msg, self._carried, ref, ask=msg.queued)
        self._carried(link.id, envelope, msg, None, now)

    def _author(self, envelope: Envelope, msg: MsgPublicChannel) -> PublicKey | None:
        """The key pinned for its author; of somebody never heard of, in a release, the one that
        it brings: readers ask for their key and judge. None: it is not for us."""
        said = self._directory.parse(msg.sender_pub)
        if self._directory.key(envelope.from_) is None:
            return said if msg.queued else None
        if not self._directory.knows(envelope.from_, said, envelope.ts):
            raise self._authors.unknown_key(envelope.from_)
        return said

    def _carried(
        self,
        link_id: LinkId,
        envelope: Envelope,
        payload: Payload,
        found: MailFound | None,
        now: Now,
    ) -> None:
        assert isinstance(payload, MsgPublicChannel)
        ref = _ref(envelope, payload)
        key = mail_key(PUBLIC, ref)
        if key not in self._seen and (found is None or found.state is None):
            link = self._links.all.get(link_id)
            via = self._presence.location(envelope.from_) if link is None else link.peer
            self._seen.add(key, via, now.mono)
            self._spread(envelope, ref, via, now, forward=not payload.queued)
        self._ack_server(link_id, ref, now)

    def _ack_server(self, link_id: LinkId, ref: str, now: Now) -> None:
        link = self._links.all.get(link_id)
        if link is not None and link.acks:
            self._emit.say(link, Ack(msg_ref=ref, status=QUEUED), now)

    # --- both -----------------------------------------------------------------------------------

    def _verify(self, envelope: Envelope, msg: MsgPublicChannel, key: PublicKey) -> None:
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

    def _spread(self, envelope: Envelope, ref: str, via: str, now: Now, *, forward: bool) -> None:
        """Keep it, and one frame, signed and encoded once, for all who have what came before."""
        post = self._letters.post(envelope, ref, via, now)
        self._log.keep(post)
        home = self._presence.location(envelope.from_)
        skip = self._links.servers.get(home) if via else None
        links = self._log.live(post, now, forward=forward)
        if skip is not None:
            links = [link for link in links if link is not skip]
        self._emit.spread(links, _frame(envelope, post.payload))


def _ref(envelope: Envelope, msg: MsgPublicChannel) -> str:
    return msg_ref(base64url.decode(msg.ciphertext), envelope.from_, PUBLIC, envelope.ts)


def _check_public(envelope: Envelope) -> None:
    if envelope.to != PUBLIC:
        raise PeerFault(Code.BAD_FRAME, f'{envelope.type}: to must be "{PUBLIC}"')
    if not is_uuid4(envelope.from_):
        raise PeerFault(Code.BAD_FRAME, f"{envelope.type}: from must be a user's UUID v4")


def _frame(envelope: Envelope, payload: bytes) -> Outgoing:
    return Outgoing(
        type=MsgPublicChannel.TYPE,
        from_=envelope.from_,
        to=PUBLIC,
        ts=envelope.ts,
        payload=payload,
        verbatim=True,
    )


def check_hop(link: Link, envelope: Envelope, now: Now) -> None:
    """Posts and files to all carry the `sig` of the hop.

    Without features the author's may stand there.
    """
    if link.features and not hop_signed(link.key, link.session, envelope, now.wall):
        raise PeerFault(Code.INVALID_SIG, f"{envelope.type}: sig is not by the server of this link")


def fan_out(emitter: Emitter, links: Links, envelope: Envelope, servers: Iterable[Link]) -> None:
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
    members = (link for user, link in links.users.items() if user != envelope.from_)
    emitter.spread((*members, *servers), frame)
