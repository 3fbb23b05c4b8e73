"""`gossip/1` (section 11): a presence event costs one frame a server, and one that was lost is
found by the next HEARTBEAT and healed by the snapshot that PRESENCE_SYNC asks for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from socp.node.dialling import Dialling
from socp.node.directory import Directory
from socp.node.effects import Outgoing, Snapshot
from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.hearsay import Hearsay
from socp.node.links import Link, Links
from socp.node.pace import Bucket
from socp.node.presence import Presence
from socp.node.trust import ServerTrust
from socp.wire import limits
from socp.wire.addresses import HostPort
from socp.wire.envelope import Envelope
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import (
    GossipBeat,
    PresenceSync,
    UserAdvertise,
    UserRemove,
    UsersTold,
    parse_as,
)
from socp.wire.roll import Roll

BEAT_MS = limits.GOSSIP_BEAT_S * 1000
LINKS_SOON_MS = 1_000  # a new or lost link is told so soon, and no more often
LINKS_AGAIN = 4  # heartbeats after which `links` is said again, changed or not
SYNCS_BURST, SYNCS_PER_S = 3, 0.1
SETTLED_MS = 600_000  # what we refuse of a peer's users is looked at again after that
UNTIMELY_MS = 30_000  # and so soon where its clock or ours may be what is wrong
TURNED_AWAY_MAX = 1_000  # claims that may count once their user is nowhere
SNAPSHOT_PAGE = 2**62  # of no mailbox, which count from 1


class Gossip:
    """Who hears what from whom, and whether they heard all of it."""

    def __init__(
        self,
        emitter: Emitter,
        links: Links,
        trust: ServerTrust,
        dialling: Dialling,
        directory: Directory,
        presence: Presence,
    ) -> None:
        self._emit = emitter
        self._links = links
        self._trust = trust
        self._dialling = dialling
        self._directory = directory
        self._presence = presence
        self._beat_ms = 0
        self._soon_ms = 0
        self._links_changed = False
        self._last_ts = 0
        self._turned_away: OrderedDict[str, set[str]] = OrderedDict()  # user -> claimants
        presence.heed(self._was_turned_away, self._has_room)

    # --- we tell --------------------------------------------------------------------------------

    def linked(self, link: Link, now: Now) -> None:
        """What a new link hears first; the others hear soon that we need not be told of its users,
        and for that they wait."""
        self._links_changed = True
        if link.gossips:
            link.hearsay = Hearsay(syncs=Bucket.full(SYNCS_BURST, SYNCS_PER_S, now.mono))
        self._tell(link, self._presence.snapshot(link, now), now)

    def lost(self) -> None:
        """A link with a server is gone: the others must know that we hear less of it."""
        self._links_changed = True

    def asked(self, link: Link, now: Now) -> None:
        """PRESENCE_SYNC: all of our users once more, unless just that is on its way."""
        hearsay = self._of(link)
        if hearsay is None:
            raise PeerFault(
                Code.UNKNOWN_TYPE, "PRESENCE_SYNC needs gossip/1: announce it in features"
            )
        if hearsay.telling:
            return
        if not hearsay.syncs.take(now.mono):
            raise PeerFault(
                Code.RATE_LIMITED, f"one PRESENCE_SYNC in {1 / SYNCS_PER_S:.0f} s; ask later"
            )
        self._tell(link, self._presence.said_anew(now), now)

    def told(self, link_id: LinkId, page: int) -> bool:
        """A snapshot went out. False where it was another list."""
        link = self._links.all.get(link_id)
        if page != SNAPSHOT_PAGE:
            return False
        if link is not None and link.hearsay is not None:
            link.hearsay.telling = False
        return True

    def _tell(self, link: Link, frames: Iterable[Outgoing | bytes], now: Now) -> None:
        """A snapshot, and with `gossip/1` the HEARTBEAT that says whether it arrived whole."""
        told, page = tuple(frames), 0
        if link.hearsay is not None:
            told, page = (*told, self._beat(link, link.hearsay, now)), SNAPSHOT_PAGE
            link.hearsay.telling = True
        if told:
            self._emit.add(Snapshot(link.id, told, page))

    def due(self, now: Now) -> None:
        """HEARTBEAT to all who have `gossip/1`; a new or lost link is told before that is due."""
        regular = now.mono >= self._beat_ms
        if not regular and not (self._links_changed and now.mono >= self._soon_ms):
            return
        self._soon_ms, self._links_changed = now.mono + LINKS_SOON_MS, False
        if regular:
            self._beat_ms = now.mono + BEAT_MS
        for link in self._links.servers.values():
            hearsay = link.hearsay
            if hearsay is not None and (regular or hearsay.links_told != self._own_links()):
                self._emit.send((link.id,), self._beat(link, hearsay, now))

    def _beat(self, link: Link, hearsay: Hearsay, now: Now) -> Outgoing:
        own_links = self._own_links()
        links: tuple[str, ...] | None = None
        hearsay.links_untold += 1
        if own_links != hearsay.links_told or hearsay.links_untold >= LINKS_AGAIN:
            links = hearsay.links_told = own_links
            hearsay.links_untold = 0
        roll = self._presence.roll(self._emit.server_id)
        self._last_ts = max(now.wall, self._last_ts + 1)
        return self._emit.frame(
            GossipBeat(links=links, users=UsersTold(count=roll.count, digest=roll.text)),
            to=link.peer,
            ts=self._last_ts,
            bind=True,
            fast=link.fast,
            in_turn=True,
        )

    def _own_links(self) -> tuple[str, ...]:
        return self._links.server_ids()[: limits.LINKS_TOLD]

    # --- they tell us ---------------------------------------------------------------------------

    def heartbeat(self, link: Link, envelope: Envelope, now: Now) -> None:
        """Whom the peer is linked with, and whether we know all of its users.

        Its digest follows, on the same socket, all that it said before: a difference is a loss, or
        what we refused.
        """
        hearsay = self._of(link)
        if hearsay is None:
            return
        beat = parse_as(GossipBeat, envelope.members)
        theirs = None if beat.users is None else Roll.told(beat.users.count, beat.users.digest)
        if envelope.ts <= hearsay.ts:
            return
        hearsay.ts = envelope.ts
        if beat.links is not None:
            self._links.told(hearsay, frozenset(beat.links))
            self._meet(hearsay.linked_with)
        if theirs is not None:
            self._compare(link, hearsay, theirs, now)

    def _meet(self, server_ids: frozenset[str]) -> None:
        """Whom we knew and are not linked with: a WELCOME came when they were away. We dial only
        where a pinned server said that it listens, whatever is said of it here."""
        for server_id in sorted(server_ids - self._links.servers.keys()):
            pin = self._trust.pins.get(server_id)
            if pin is None or self._dialling.knows(server_id):
                continue
            key = self._trust.parse(pin.pubkey)
            if self._trust.admission(server_id, key, None) is not None:
                self._dialling.learn(HostPort(pin.host, pin.port), server_id, key.fingerprint)

    def _compare(self, link: Link, hearsay: Hearsay, theirs: Roll, now: Now) -> None:
        if hearsay.heard is not None and hearsay.heard.roll == theirs:
            self._presence.keep_only(link.peer, hearsay.heard.users, hearsay.ts, now)
            return self._settle(link, hearsay, self._difference(link.peer, theirs), now)
        difference = self._difference(link.peer, theirs)
        if difference == Roll():
            return hearsay.proved()
        if difference != hearsay.settled or now.mono >= hearsay.settled_until_ms:
            self._ask(link, hearsay, now)

    def _settle(self, link: Link, hearsay: Hearsay, difference: Roll, now: Now) -> None:
        """All was heard; what differs we refused."""
        untimely = hearsay.untimely
        if untimely and difference != Roll() and not hearsay.asks:
            return self._ask(link, hearsay, now)  # what it says then has a new ts
        hearsay.proved()
        hearsay.settled = difference
        hearsay.settled_until_ms = now.mono + (UNTIMELY_MS if untimely else SETTLED_MS)

    def _difference(self, server_id: str, theirs: Roll) -> Roll:
        ours = self._presence.roll(server_id)
        return Roll(theirs.count - ours.count, theirs.digest ^ ours.digest)

    def _ask(self, link: Link, hearsay: Hearsay, now: Now) -> None:
        if now.mono < hearsay.ask_again_ms:
            return
        hearsay.asked(now.mono)
        self._emit.debug("server.links", f"What {link.peer} says of its users differs; asking")
        self._emit.say(link, PresenceSync(), now)

    def came(self, link: Link, envelope: Envelope, advert: UserAdvertise, now: Now) -> None:
        """USER_ADVERTISE by the server of this link, whether we take it or not."""
        hearsay = self._hearsay(link, envelope)
        if hearsay is None or hearsay.heard is None:
            return
        heard = hearsay.heard
        if self._presence.is_untimely(link.peer, advert.user_id, envelope.ts, now):
            hearsay.untimely = True
        text = advert.pubkey or (advert.meta.pubkey if advert.meta is not None else "")
        key = self._directory.parse(text) if text else self._directory.key(advert.user_id)
        attach_ts = None if advert.attach is None else advert.attach.ts
        heard.came(advert.user_id, "" if key is None else key.fingerprint, attach_ts)

    def left(self, link: Link, envelope: Envelope, remove: UserRemove) -> None:
        """USER_REMOVE by the server of this link."""
        hearsay = self._hearsay(link, envelope)
        if hearsay is not None and hearsay.heard is not None:
            hearsay.heard.left(remove.user_id)

    def _hearsay(self, link: Link, envelope: Envelope) -> Hearsay | None:
        """Where to note what the server of this link, on this or a second one, says of its
        users."""
        hearsay = self._of(self._links.servers.get(link.peer, link))
        return hearsay if envelope.from_ == link.peer else None

    def _of(self, link: Link) -> Hearsay | None:
        """None where `gossip/1` is not spoken, and on a second link, which will end."""
        return link.hearsay if self._links.servers.get(link.peer) is link else None

    # --- claims ---------------------------------------------------------------------------------

    def _was_turned_away(self, user_id: str, server_id: str) -> None:
        """A server claims a user who is elsewhere, as far as we know: maybe that is a loss."""
        self._turned_away.setdefault(user_id, set()).add(server_id)
        self._turned_away.move_to_end(user_id)
        if len(self._turned_away) > TURNED_AWAY_MAX:
            self._turned_away.popitem(last=False)

    def _has_room(self, user_id: str, now: Now) -> None:
        """This user is nowhere now: whoever claimed them may say so again."""
        for server_id in sorted(self._turned_away.pop(user_id, ())):
            link = self._links.servers.get(server_id)
            if link is not None and link.hearsay is not None:
                link.hearsay.settled = None
                self._ask(link, link.hearsay, now)
