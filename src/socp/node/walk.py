"""A frame's way through the brain: its route (who may send this type), its signature and binding
under the key the link stands for, the part that decides. A peer's fault becomes one ERROR."""

from __future__ import annotations

from msgspec import UNSET

from socp.node.admission import Admission
from socp.node.arrivals import Arrivals
from socp.node.delivery import Delivery
from socp.node.directory import Directory
from socp.node.effects import Throttle
from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.gate import Gate, out_of_place
from socp.node.gossip import Gossip
from socp.node.kept import Kept, unreadable
from socp.node.links import Link, Links, Stage
from socp.node.posts import Posts
from socp.node.presence import ADVERT_BYTES_MAX, Presence
from socp.node.public_channel import PublicChannel
from socp.node.queries import FindMail, MailFound
from socp.node.recall import Step
from socp.node.references import reference
from socp.node.refusals import Refusals
from socp.node.rotation import Rotations
from socp.node.routes import Route, Table, complete
from socp.node.sessions import Sessions
from socp.node.transfers import Transfers
from socp.node.watches import Watches
from socp.wire import limits, payloads
from socp.wire.envelope import Envelope
from socp.wire.errors import Code, PeerFault
from socp.wire.ids import PUBLIC
from socp.wire.payloads import Payload

STATE_WEIGHT = 0.1
PAGED_A_ROW = 10  # looked through for a page, at the cost of one that is told
ACK_COST_BYTES = 2 * limits.KIB  # some 2,000 a second: each is a signature to verify
NOBODYS_FAULT = frozenset(
    {Code.USER_NOT_FOUND, Code.MAILBOX_FULL, Code.TIMEOUT, Code.RATE_LIMITED, Code.TOO_LARGE}
)


class Walk:
    """Only here a frame's type is looked at."""

    def __init__(
        self,
        emitter: Emitter,
        links: Links,
        gate: Gate,
        refusals: Refusals,
        arrivals: Arrivals,
        admission: Admission,
        directory: Directory,
        rotations: Rotations,
        presence: Presence,
        gossip: Gossip,
        watches: Watches,
        delivery: Delivery,
        transfers: Transfers,
        channel: PublicChannel,
        posts: Posts,
        kept: Kept,
        sessions: Sessions,
    ) -> None:
        self._emit = emitter
        self._links = links
        self._gate = gate
        self._refusals = refusals
        self._arrivals = arrivals
        self._admission = admission
        self._directory = directory
        self._rotations = rotations
        self._presence = presence
        self._gossip = gossip
        self._watches = watches
        self._delivery = delivery
        self._transfers = transfers
        self._channel = channel
        self._posts = posts
        self._kept = kept
        self._sessions = sessions
        self._handling = False  # the frame at hand passed the gate
        self._routes = self._table()

    def takes(self) -> dict[Stage, frozenset[type[Payload]]]:
        """Which frames are taken from a peer that stands there."""
        return {stage: frozenset(row) for stage, row in self._routes.items()}

    def frame(self, link_id: LinkId, envelope: Envelope, now: Now) -> None:
        link = self._links.all.get(link_id)
        if link is None or link.stage is Stage.CLOSING:
            return
        self._handling = False
        try:
            self._walk(link, envelope, now)
        except PeerFault as fault:
            ref, of = reference(envelope)
            fault.msg_ref = fault.msg_ref or ref
            weight = self._weight(link, envelope, fault)
            self._refusals.refuse(link, fault, now, what=envelope.type, of=of, weight=weight)

    def recalled(self, query: FindMail, found: MailFound | None, now: Now) -> None:
        """The store said what it knows of a message: it goes on, and those behind it."""
        for step in self._kept.recall.found(query, found):
            self._handling = True
            try:
                if step.request and step.found is None:
                    raise unreadable(query.msg_ref)
                step.go(step.link, step.envelope, step.payload, step.found, now)
            except PeerFault as fault:
                self._refuse_step(step, fault, now)

    def _refuse_step(self, step: Step, fault: PeerFault, now: Now) -> None:
        link = self._links.all.get(step.link)
        if link is None or link.stage is Stage.CLOSING:
            return
        ref, of = reference(step.envelope)
        fault.msg_ref = fault.msg_ref or ref
        weight = self._weight(link, step.envelope, fault)
        self._refusals.refuse(link, fault, now, what=step.envelope.type, of=of, weight=weight)

    def no_frame(self, link_id: LinkId, fault: PeerFault, now: Now) -> None:
        """Bytes that are no frame count as one (S3)."""
        link = self._links.all.get(link_id)
        if link is None or link.stage is Stage.CLOSING:
            return
        try:
            self._gate.count_garbage(link, now)
        except PeerFault as flood:
            fault = flood if fault.close is None else fault
        self._refusals.refuse(link, fault, now, what="frame")

    def _walk(self, link: Link, envelope: Envelope, now: Now) -> None:
        """One frame, from its route to its handler. Raises PeerFault."""
        kind = payloads.TYPES.get(envelope.type)
        if kind is payloads.CtrlClose:
            return self._emit.close(link, 1000, "goodbye")
        route = self._routes[link.stage].get(kind) if kind is not None else None
        pause_ms = self._gate.count(link, envelope, route, now)
        if pause_ms:
            self._emit.add(Throttle(link.id, pause_ms))
        if link.settling:
            raise PeerFault(
                Code.RATE_LIMITED, f"{link.settling} is being stored; send this again after that"
            )
        if route is None and link.stage not in (Stage.USER, Stage.SERVER):
            raise out_of_place(link, envelope)
        payload = payloads.parse(envelope)
        if route is None:
            raise out_of_place(link, envelope)
        if self._gate.check(link, envelope, payload, route, now):
            self._handling = True
            if route.travels:
                self._gate.check_room(link, envelope)
            route.handler(link, envelope, payload, now)

    def _weight(self, link: Link, envelope: Envelope, fault: PeerFault) -> float:
        """How much a refusal tells against the server that sent the frame (S12).

        All of it for what it could have seen as we do: form, signature, binding. What depends on
        who is where tells little, for news crosses on the way, and nothing where it only passed
        on what another server or user says: two of us may have heard that one say two things.
        """
        if not self._handling or (fault.code is Code.INVALID_SIG and link.peer != envelope.from_):
            return 1.0
        if fault.code in NOBODYS_FAULT or link.peer != envelope.from_:
            return 0.0
        return STATE_WEIGHT

    # --- the table of routes --------------------------------------------------------------------

    def _server_hello(self, link: Link, envelope: Envelope, hello: Payload, now: Now) -> None:
        assert isinstance(hello, payloads.ServerHello)
        self._admission.hello(link, envelope, hello, now)

    def _proof(self, link: Link, envelope: Envelope, proof: Payload, now: Now) -> None:
        assert isinstance(proof, payloads.AuthProof)
        if envelope.from_ not in (link.peer, link.hello_to):
            raise PeerFault(Code.NOT_ALLOWED, "AUTH_PROOF: from is not who said hello", close=1008)
        if isinstance(link.hello, payloads.UserHello):
            self._arrivals.proved(link, envelope, proof, now)
        else:
            self._admission.proved(link, envelope, proof, now)

    def _challenged(self, link: Link, envelope: Envelope, challenge: Payload, now: Now) -> None:
        assert isinstance(challenge, payloads.AuthChallenge)
        self._admission.challenged(link, challenge, now)

    def _remove(self, link: Link, envelope: Envelope, remove: Payload, now: Now) -> None:
        assert isinstance(remove, payloads.UserRemove)
        if any(
            m is not UNSET for m in (remove.meta, remove.pubkey, remove.features, remove.attach)
        ):
            raise PeerFault(
                Code.NOT_ALLOWED, "USER_REMOVE with members of an ADVERTISE: a re-typed frame"
            )
        if len(envelope.payload) > ADVERT_BYTES_MAX:
            detail = f"USER_REMOVE: more than {ADVERT_BYTES_MAX} bytes; say less in it"
            raise PeerFault(Code.TOO_LARGE, detail)
        self._gossip.left(link, envelope, remove)
        self._presence.removed(link, envelope, remove, now)

    def _file(self, link: Link, envelope: Envelope, frame: Payload, now: Now) -> None:
        """From a server: between two servers signed by that hop, to all as posts are."""
        assert isinstance(frame, payloads.FileFrame)
        if envelope.to != PUBLIC:
            hop = Route(self._nothing, forwarded=True)
            if not self._gate.check_server(link, envelope, frame, hop, now):
                return
        self._transfers.from_server(link, envelope, frame, now)

    def _error(self, link: Link, envelope: Envelope, error: Payload, now: Now) -> None:
        assert isinstance(error, payloads.Error)
        if link.stage is Stage.SERVER:
            if self._kept.server_refused(link, error, envelope.ts, now):
                return
            if not self._transfers.failed(link, error, now):
                self._delivery.failed(link, error, now)
        else:
            self._admission.refused(link, error, now)

    def _advertise(self, link: Link, envelope: Envelope, advert: Payload, now: Now) -> None:
        assert isinstance(advert, payloads.UserAdvertise)
        self._gossip.came(link, envelope, advert, now)
        try:
            if self._presence.advertised(link, envelope, advert, now):
                self._arrivals.moved_away(advert.user_id, envelope.from_, now)
        finally:  # the key that came along counts where the claim is refused
            self._arrivals.end_stale(advert.user_id, now)
        self._kept.moved(advert.user_id, now)

    def _server_deliver(self, link: Link, envelope: Envelope, deliver: Payload, now: Now) -> None:
        assert isinstance(deliver, payloads.ServerDeliver)
        if not deliver.inner_type:
            return self._delivery.from_server(link, envelope, deliver, now)
        inner, kind = self._transfers.wrapped(link, envelope, deliver, now)
        frame = payloads.parse_as(kind, inner.members)
        self._transfers.from_server(link, inner, frame, now, outer=envelope)

    def _list(self, link: Link, envelope: Envelope, request: Payload, now: Now) -> None:
        page = payloads.parse_as(payloads.ListPage, envelope.members) if link.watches else None
        if page is None or page.limit is None:
            self._gate.count_list(link, self._presence.total(), now)
            return self._presence.roster.listed(link, now)
        self._gate.count_list(link, page.limit + self._presence.total() // PAGED_A_ROW, now)
        self._presence.roster.page(link, page.after, page.limit, page.unless, now)

    def _presence_watch(self, link: Link, envelope: Envelope, watch: Payload, now: Now) -> None:
        assert isinstance(watch, payloads.PresenceWatch)
        self._gate.count_watch(link, self._watches.fresh(link, watch), now)
        self._watches.asked(link, watch, now)

    def _pubkey_request(self, link: Link, envelope: Envelope, request: Payload, now: Now) -> None:
        assert isinstance(request, payloads.PubkeyRequest)
        location = self._presence.location(request.user_id)
        self._directory.asked(link, request, location, now)

    def _pubkey_response(self, link: Link, envelope: Envelope, response: Payload, now: Now) -> None:
        assert isinstance(response, payloads.PubkeyResponse)
        location = self._presence.location(response.user_id)
        self._rotations.check_alive(response.user_id)
        if self._directory.answered(link, response, location, now):
            self._rotations.catch_up(response.user_id, response.rotations, link.peer, now)

    def _key_rotate(self, link: Link, envelope: Envelope, said: Payload, now: Now) -> None:
        assert isinstance(said, payloads.KeyRotate)
        self._rotations.rotate(link, said, now)

    def _key_revoke(self, link: Link, envelope: Envelope, said: Payload, now: Now) -> None:
        assert isinstance(said, payloads.KeyRevoke)
        self._rotations.revoke(link, said, now)

    def _key_history(self, link: Link, envelope: Envelope, said: Payload, now: Now) -> None:
        assert isinstance(said, payloads.KeyHistory)
        try:
            self._rotations.heard(link, envelope, said, now)
        finally:  # the rotations that came along count where the revocation is refused
            self._arrivals.end_stale(said.user_id, now)

    def _ack(self, link: Link, envelope: Envelope, ack: Payload, now: Now) -> None:
        assert isinstance(ack, payloads.Ack)
        if ack.msg_ref == payloads.SessionKey.TYPE:
            return self._sessions.acked(link)
        self._kept.acked(link, ack, now)

    def _heartbeat(self, link: Link, envelope: Envelope, payload: Payload, now: Now) -> None:
        link.heard_ms = now.mono
        self._gossip.heartbeat(link, envelope, now)

    def _presence_sync(self, link: Link, envelope: Envelope, payload: Payload, now: Now) -> None:
        self._gossip.asked(link, now)

    def _session_key(self, link: Link, envelope: Envelope, said: Payload, now: Now) -> None:
        assert isinstance(said, payloads.SessionKey)
        self._sessions.heard(link, said, now)

    def _nothing(self, link: Link, envelope: Envelope, payload: Payload, now: Now) -> None:
        """Taken and not acted on: an answer to something of ours."""

    def _table(self) -> Table:
        """Every frame type with who may send it when; what is not here is refused."""
        p = payloads
        answers: dict[type[Payload], Route] = {
            p.Ack: Route(self._admission.answered),
            p.ServerWelcome: Route(self._admission.answered),
            p.Error: Route(self._error),
        }
        return complete(
            {
                Stage.FRESH: {
                    p.UserHello: Route(self._arrivals.hello, timed=True),
                    p.ServerHelloJoin: Route(self._server_hello, timed=True),
                    p.ServerHelloLink: Route(self._server_hello, timed=True),
                    p.ServerAnnounce: Route(self._server_hello, timed=True),
                },
                Stage.CHALLENGED: {p.AuthProof: Route(self._proof), p.Error: Route(self._error)},
                Stage.FORMER: {
                    p.KeyRevoke: Route(self._key_revoke, timed=True),
                    p.Error: Route(self._error),
                },
                Stage.WAITING: {p.Error: Route(self._error)},
                Stage.DIALLED: {p.AuthChallenge: Route(self._challenged), **answers},
                Stage.PROVING: answers,
                Stage.USER: self._from_users(),
                Stage.SERVER: self._from_servers(),
            }
        )

    def _from_users(self) -> dict[type[Payload], Route]:
        p = payloads
        file = Route(
            self._transfers.from_user,
            timed=True,
            unsigned=True,
            by_bytes=True,
            signs=True,
            travels=True,
        )
        return {
            p.MsgDirect: Route(self._delivery.direct, unsigned=True, signs=True, travels=True),
            p.MsgPublicChannel: Route(self._posts.post, unsigned=True, signs=True, travels=True),
            p.FileStart: file,
            p.FileChunk: file,
            p.FileEnd: file,
            p.PublicChannelKeyShare: Route(
                self._channel.shared, timed=True, bindless=True, travels=True
            ),
            p.ListRequest: Route(self._list, signs=True),
            p.PresenceWatch: Route(self._presence_watch, timed=True),
            p.PubkeyRequest: Route(self._pubkey_request, signs=True),
            p.Ack: Route(self._ack, by_bytes=True, cost_bytes=ACK_COST_BYTES),
            p.KeyRotate: Route(self._key_rotate, timed=True),
            p.KeyRevoke: Route(self._key_revoke, timed=True),
            p.SessionKey: Route(self._session_key, timed=True),
            p.Error: Route(self._nothing, unsigned=True),
            p.Heartbeat: Route(self._nothing, unsigned=True),
        }

    def _from_servers(self) -> dict[type[Payload], Route]:
        p = payloads
        file = Route(self._file, unsigned=True, travels=True)
        news = {"forwarded": True, "travels": True}
        return {
            p.UserAdvertise: Route(self._advertise, **news),
            p.UserRemove: Route(self._remove, **news),
            p.ServerDeliver: Route(self._server_deliver, signs=True, **news),
            p.PublicChannelAdd: Route(self._channel.added, timed=True, **news),
            p.PublicChannelUpdated: Route(self._channel.updated, timed=True, **news),
            p.PublicChannelKeyShare: Route(self._channel.from_server, unsigned=True, travels=True),
            p.MsgPublicChannel: Route(self._posts.from_server, unsigned=True, travels=True),
            p.FileStart: file,
            p.FileChunk: file,
            p.FileEnd: file,
            p.ServerAnnounce: Route(self._admission.announced, timed=True),
            p.ServerHelloLink: Route(self._nothing),
            p.PubkeyRequest: Route(self._pubkey_request, signs=True),
            p.PubkeyResponse: Route(self._pubkey_response),
            p.KeyHistory: Route(self._key_history, **news),
            p.Heartbeat: Route(self._heartbeat),
            p.PresenceSync: Route(self._presence_sync, timed=True),
            p.SessionKey: Route(self._session_key, timed=True),
            p.Ack: Route(self._ack),
            p.Error: Route(self._error),
        }
