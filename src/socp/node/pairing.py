"""One link a pair of servers: who waits, who stays, who takes over (sections 5 and 11)."""

from __future__ import annotations

from socp.crypto.keys import PublicKey
from socp.node.dialling import LINKS, Dialling
from socp.node.effects import Identified, Kind, Probe
from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.gossip import Gossip
from socp.node.handshake import Handshake
from socp.node.kept import Kept
from socp.node.links import Link, Links, Stage
from socp.node.newcomers import Newcomers
from socp.node.pace import Bucket
from socp.node.presence import Presence
from socp.node.public_channel import PublicChannel
from socp.node.quarantine import Quarantine
from socp.node.records import PinOrigin
from socp.node.refusals import Refusals
from socp.node.settings import Settings
from socp.node.trust import ServerTrust
from socp.node.welcome import Welcome
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import ServerHello, ServerHelloJoin

AT_ONCE_MS = 10_000  # two dials that cross are this close together
SERVER_FRAMES_BURST, SERVER_FRAMES_PER_S = 20_000, 4_000


class Pairing:
    """From an admitted server to the one link that both keep, and to its end."""

    def __init__(
        self,
        settings: Settings,
        handshake: Handshake,
        emitter: Emitter,
        links: Links,
        trust: ServerTrust,
        dialling: Dialling,
        gossip: Gossip,
        presence: Presence,
        channel: PublicChannel,
        refusals: Refusals,
        kept: Kept,
        quarantine: Quarantine,
    ) -> None:
        self._settings = settings
        self._handshake = handshake
        self._emit = emitter
        self._links = links
        self._trust = trust
        self._dialling = dialling
        self._gossip = gossip
        self._presence = presence
        self._channel = channel
        self._refusals = refusals
        self._kept = kept
        self._quarantine = quarantine
        self._welcome = Welcome(
            settings, handshake.own_key_text, links, trust, presence, handshake.sessions
        )
        self.newcomers = Newcomers(links)

    # --- may it link at all ---------------------------------------------------------------------

    def check(
        self, link: Link, server_id: str, key: PublicKey, features: tuple[str, ...], now: Now
    ) -> None:
        """Raises PeerFault for an id that is none, another's, a downgrade, or a server that is
        cut."""
        self._trust.check(server_id, key, features)
        if self._quarantine.holds(now, server_id, key.fingerprint):
            if link.dialled is not None:
                self._dialling.found(link.dialled, server_id)
            raise PeerFault(
                Code.NOT_ALLOWED,
                "cut for sending what we refuse; try again in a minute",
                close=1008,
            )

    # --- who stays ------------------------------------------------------------------------------

    def settle(self, link: Link, origin: PinOrigin, now: Now) -> None:
        """An admitted newcomer: pin it, then see whether another link with it lives."""
        old = self._links.servers.get(link.peer)
        if old is None or link.proven:
            self.pin(link, origin, now)
            return self.keep_one(link, link.hello, now)
        if self.newcomers.awaited(old):
            raise self._in_use(link)
        self.newcomers.wait(link, old, now.mono)
        self._emit.add(Probe(old.id))

    @staticmethod
    def _in_use(link: Link) -> PeerFault:
        return PeerFault(
            Code.NAME_IN_USE, f"{link.peer} is linked already and its link answers", close=1008
        )

    def old_answered(self, old: Link, now: Now) -> None:
        """The old link lives: who waited for its ping is refused."""
        newcomer = self.newcomers.taken(old)
        if newcomer is not None:
            self._refusals.refuse(newcomer, self._in_use(newcomer), now, what="hello")

    def old_is_dead(self, old: Link, now: Now) -> None:
        """The old link did not answer a ping within 5 s, or is gone: the newcomer takes over."""
        newcomer = self.newcomers.taken(old)
        if newcomer is None:
            return
        try:
            self._take_over(old, newcomer, now)
        except PeerFault as fault:
            self._refusals.refuse(newcomer, fault, now, what="hello")

    def _take_over(self, old: Link, newcomer: Link, now: Now) -> None:
        key, hello = newcomer.key, newcomer.hello
        assert key is not None and hello is not None
        # Again: a proven link may have come in between.
        self.check(newcomer, newcomer.peer, key, hello.features, now)
        origin = self._trust.admission(newcomer.peer, key, None)
        if origin is None:
            raise self._trust.turn_away(newcomer.peer, key, newcomer.address, now)
        if self._links.servers.get(newcomer.peer) not in (old, None):
            raise self._in_use(newcomer)
        self.pin(newcomer, origin, now)
        self._emit.close(old, 1008, "it did not answer a ping, and a newer link came")
        self._establish(newcomer, hello, now)

    def pin(self, link: Link, origin: PinOrigin, now: Now) -> None:
        assert link.key is not None and link.address is not None
        proved = link.features if link.proven else ()
        self._trust.pin(link.peer, link.key, link.address, origin, proved, now)

    def keep_one(self, link: Link, hello: object, now: Now) -> None:
        """Two dials that crossed: both keep the socket dialled by the smaller id.

        Else the proven newer.
        """
        old = self._links.servers.get(link.peer)
        if old is None:
            return self._establish(link, hello, now)
        crossed = (old.dialled is None) != (link.dialled is None)
        if not crossed or now.mono - old.established_ms >= AT_ONCE_MS:
            if not link.proven:  # it may be a replay: who is linked stays so
                link.move(Stage.CLOSING, now.mono)
                return self._emit.close(link, 1000, "another link with you stays")
            self._emit.close(old, 1000, "replaced by a newer link")
            return self._establish(link, hello, now)
        ours_stays = self._settings.server_id < link.peer
        if (old.dialled is not None) == ours_stays:
            self._answer(link, hello, now)
            self._identify(link, now)
            extra = link
        else:
            self._establish(link, hello, now)
            extra = old
        # Only who dialled the one that stays closes the other: by then both ends stand on it, and
        # nobody's users go away for a moment. What is on its way on the other still counts.
        if ours_stays:
            self._emit.close(extra, 1000, "another link with you stays")

    def _establish(self, link: Link, hello: object, now: Now) -> None:
        self._refusals.settled(link)
        self._identify(link, now)
        old = self._links.servers.get(link.peer)
        fresh = old is None
        self._links.joined(link)
        assert link.address is not None and link.key is not None
        if hello is not None:
            self._dialling.learn(link.address, link.peer, link.key.fingerprint)
            self._answer(link, hello, now)
        how = "we dialled" if link.dialled is not None else "they dialled"
        proven = "proven" if link.proven else "unproven"
        text = f"Linked with server {link.peer} at ws://{link.address} ({how}, {proven})"
        if fresh:
            self._emit.info(LINKS, text)
        else:
            self._emit.debug(LINKS, f"{text}, in place of an older link")
        if old is not None and old is not link:
            self._kept.link_lost(old)
        self._handshake.sessions.settled(link, now)
        self._gossip.linked(link, now)
        self._channel.linked(link, now)
        self._kept.server_came(link, now)

    def _identify(self, link: Link, now: Now) -> None:
        link.move(Stage.SERVER, now.mono)
        link.established_ms = link.heard_ms = now.mono
        link.bucket = Bucket.full(SERVER_FRAMES_BURST, SERVER_FRAMES_PER_S, now.mono)
        self._emit.add(Identified(link.id, Kind.SERVER, link.peer))

    def _answer(self, link: Link, hello: object, now: Now) -> None:
        """WELCOME for a JOIN, ACK for LINK and ANNOUNCE, with our proof where they gave a nonce."""
        if hello is None:
            return
        assert isinstance(hello, ServerHello)
        proofs = self._handshake.own_proof(link, link.hello_to)
        if isinstance(hello, ServerHelloJoin):
            self._emit.say(link, self._welcome.payload(link), now, proofs=proofs)
        else:
            self._emit.say(link, self._handshake.ack(link, type(hello).TYPE), now, proofs=proofs)
        self._handshake.sessions.agree(link)

    def lost(self, link: Link, reason: str, now: Now) -> None:
        """The socket of a linked server is gone."""
        self._links.parted(link)
        self._gossip.lost()
        self._emit.info(LINKS, f"Link with server {link.peer} ended ({reason})")
        if link.dialled is not None:
            self._dialling.ended(link.dialled, now)
        elif link.address is not None:
            self._dialling.left(link.address, link.peer, now)
        self.old_is_dead(link, now)
        if link.peer not in self._links.servers:
            self._presence.server_lost(link.peer, now)
