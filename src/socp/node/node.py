"""The server's brain: one event in, the effects out (architecture, "One message walks")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from socp.crypto.keys import PublicKey, Suite
from socp.node.accounts import Accounts
from socp.node.admission import Admission
from socp.node.arrivals import Arrivals
from socp.node.audience import Audience
from socp.node.barring import Barring
from socp.node.budget import Table
from socp.node.crowd import Crowd
from socp.node.dedup import SeenIds, mail_key
from socp.node.delivery import Delivery
from socp.node.dialling import Dialling
from socp.node.directory import Directory
from socp.node.effects import Effect
from socp.node.emitter import Emitter
from socp.node.events import (
    Admit,
    Alive,
    Answered,
    Ban,
    Called,
    CommitFailed,
    DialFailed,
    Event,
    Forget,
    FrameReceived,
    FrameRefused,
    Invite,
    KeyTaken,
    LinkLost,
    LinkOpened,
    ListServers,
    ListUsers,
    Measured,
    Now,
    ProbeFailed,
    RevokeUser,
    SessionMade,
    SigningStrained,
    SnapshotDone,
    Stopping,
    Tick,
)
from socp.node.gate import Gate
from socp.node.gossip import Gossip
from socp.node.handshake import Handshake
from socp.node.health import Health
from socp.node.keeping import Keeping
from socp.node.links import Link, Links, Stage
from socp.node.logins import Logins
from socp.node.operator import Operator
from socp.node.pace import Bucket
from socp.node.pairing import Pairing
from socp.node.posts import Posts
from socp.node.presence import Presence
from socp.node.public_channel import PublicChannel
from socp.node.quarantine import Quarantine
from socp.node.queries import FindMail, MailFound
from socp.node.records import Account, Login, Remembered
from socp.node.refusals import ERRORS_BURST, ERRORS_PER_S, Refusals
from socp.node.registration import Registration
from socp.node.room import Room
from socp.node.rotation import Rotations
from socp.node.sessions import Sessions
from socp.node.settings import Settings
from socp.node.strain import SigningLoad
from socp.node.transfers import Transfers
from socp.node.trust import ServerTrust
from socp.node.walk import Walk
from socp.node.watches import Watches
from socp.wire import limits
from socp.wire.errors import Misuse
from socp.wire.payloads import Payload


@dataclass(frozen=True, slots=True)
class Status:
    """What /healthz tells."""

    server_id: str
    users: int
    servers: tuple[str, ...]
    links: int
    mail: int  # pieces that wait for their readers
    is_full: bool = False  # newcomers are refused for want of memory


class Node:
    """One server. Holds no socket, task, clock, dice, file or log."""

    def __init__(
        self, settings: Settings, suite: Suite, key: PublicKey, remembered: Remembered
    ) -> None:
        self._settings = settings
        self._emit = emit = Emitter(settings.server_id)
        self._links = links = Links()
        budget = settings.budget
        self._room = Room(budget, emit, links)
        self._seen = seen = SeenIds(most=budget.rows(Table.SEEN))
        quarantine = Quarantine()
        refusals = Refusals(emit, links, quarantine)
        trust = ServerTrust(settings, suite, emit, remembered)
        self._directory = people = Directory(suite, emit, links, remembered, budget)
        self._logins = logins = Logins(suite, emit, remembered, budget)
        self._rotations = rotations = Rotations(suite, emit, links, people, logins)
        self._crowd = crowd = Crowd(emit, settings.few, budget.crowd)
        audience = Audience(links, crowd)
        self._presence = presence = Presence(emit, links, audience, people, rotations)
        self._watches = watches = Watches(
            emit, links, audience, presence, rotations, self._room, budget.rows(Table.WATCHED)
        )
        self._channel = channel = PublicChannel(
            emit, links, crowd, people, presence, seen, remembered, budget
        )
        self._dialling = dialling = Dialling(settings, emit, links, quarantine)
        self._gossip = gossip = Gossip(emit, links, trust, dialling, people, presence)
        mail = Keeping.of(settings, emit, links, people, presence, trust, seen, remembered)
        self._boxes, self._kept, kept = mail.boxes, mail.kept, mail.kept
        self._recent_refs = remembered.recent_refs
        people.give_way(self._is_needed, kept.forget)
        self._delivery = delivery = Delivery(emit, links, people, presence, seen, mail)
        posts = Posts(emit, links, people, presence, seen, mail)
        transfers = Transfers(emit, links, people, presence, seen, mail)
        self._sessions = sessions = Sessions(suite, emit, links)
        handshake = Handshake(settings, key.text, emit, sessions)
        hall = (presence, channel, refusals, kept)
        self._joining = joining = Registration(settings, emit, people, remembered)
        self._arrivals = arrivals = Arrivals(
            settings, handshake, emit, links, people, joining, rotations, *hall
        )
        self._accounts = Accounts(settings, key, emit, people, joining, rotations, logins, sessions)
        self._barring = Barring(emit, links, people, arrivals, logins)
        self._pairing = pairing = Pairing(
            settings, handshake, emit, links, trust, dialling, gossip, *hall, quarantine
        )
        self._admission = admission = Admission(
            settings, handshake, emit, links, trust, dialling, pairing, refusals
        )
        self._operator = Operator(emit, links, trust, dialling, presence, people, joining)
        self._health = Health(emit, links)
        news = (presence, gossip, watches)
        parts = (people, rotations, *news, delivery, transfers, channel, posts, kept, sessions)
        self._load = SigningLoad(links)
        gate = Gate(settings, trust, self._load)
        self._walk = Walk(emit, links, gate, refusals, arrivals, admission, *parts)

    def status(self) -> Status:
        return Status(
            server_id=self._settings.server_id,
            users=len(self._links.users),
            servers=tuple(sorted(self._links.servers)),
            links=len(self._links.all),
            mail=self._boxes.waiting,
            is_full=self._room.is_refusing,
        )

    def rows(self) -> dict[str, int]:
        """How much each table that others can fill holds."""
        return {
            "links": len(self._links.all),
            "online": self._presence.total(),
            "seen_ids": len(self._seen),
            "mail": self._boxes.waiting,
        }

    def whereabouts(self) -> dict[str, str]:
        """Who is online, by user_id, and at which server."""
        return {each.user_id: each.server_id for each in self._presence.everyone()}

    def own_users(self) -> list[str]:
        """Who is online here, by user_id."""
        return [each.user_id for each in self._presence.here()]

    def takes(self) -> dict[Stage, frozenset[type[Payload]]]:
        """Which frames are taken from a peer that stands there."""
        return self._walk.takes()

    def handle(self, event: Event, now: Now) -> list[Effect]:  # noqa: C901 - one case an event
        """Take one event at time `now` and say what must be done about it."""
        match event:
            case FrameReceived():
                self._walk.frame(event.link, event.envelope, now)
            case FrameRefused():
                self._walk.no_frame(event.link, event.fault, now)
            case LinkOpened():
                self._opened(event, now)
            case LinkLost():
                self._lost(event, now)
            case DialFailed():
                self._dialling.failed(event.address, event.reason, now)
            case Alive():
                self._alive(event, now)
            case ProbeFailed():
                self._probe_failed(event, now)
            case Tick():
                self._tick(now)
            case Stopping():
                self._stopping(now)
            case Admit() | Ban() | Forget() | ListServers() | ListUsers() | Invite():
                self._operator.asked(event, now)
            case Answered():
                self._answered(event, now)
            case CommitFailed():
                self._not_committed(event, now)
            case SnapshotDone():
                self._snapshot_done(event, now)
            case Called():
                self._accounts.called(event, now)
            case KeyTaken():
                self._key_taken(event, now)
            case SessionMade():
                self._sessions.renewed(event.session, now)
            case SigningStrained():
                self._load.strain = event.strain
            case Measured():
                self._room.measured(event.resident, now)
            case RevokeUser():
                self._barring.revoke(event, now)
            case _:
                assert_never(event)
        return self._emit.take()

    def _is_needed(self, user_id: str) -> bool:
        """Whether something hangs on this user beside a key that was never proved."""
        histories = self._directory.histories
        return (
            user_id in self._links.users
            or bool(self._presence.location(user_id))
            or self._boxes.count(user_id) > 0
            or self._logins.has(user_id)
            or self._directory.attach_ts(user_id) > 0
            or user_id in histories.revoked
            or user_id in histories.barred
            or bool(histories.steps(user_id))
        )

    # --- links ----------------------------------------------------------------------------------

    def _opened(self, event: LinkOpened, now: Now) -> None:
        if event.link in self._links.all:
            raise Misuse(f"link {event.link} was opened twice")
        stage = Stage.FRESH if event.dialled is None else Stage.DIALLED
        link = Link(
            opened=event,
            stage=stage,
            since_ms=now.mono,
            heard_ms=now.mono,
            bucket=Bucket.full(
                self._settings.user_frames_burst, self._settings.user_frames_per_s, now.mono
            ),
            bytes_bucket=Bucket.full(limits.USER_BYTES_BURST, limits.USER_BYTES_PER_S, now.mono),
            errors=Bucket.full(ERRORS_BURST, ERRORS_PER_S, now.mono),
        )
        self._links.all[event.link] = link
        self._room.came(link, now)
        if link.dialled is not None:
            self._admission.dialled(link, now)

    def _lost(self, event: LinkLost, now: Now) -> None:
        link = self._links.all.pop(event.link, None)
        if link is None:
            return None
        self._kept.link_lost(link)
        self._watches.lost(link)
        for waits in (self._arrivals.newcomers, self._pairing.newcomers):
            waits.lost(link)
        if self._links.servers.get(link.peer) is link:
            return self._pairing.lost(link, event.reason, now)
        if self._links.users.get(link.peer) is link:
            return self._arrivals.lost(link, event.reason, now)
        self._arrivals.old_is_dead(link, now)
        self._pairing.old_is_dead(link, now)
        if link.dialled is None:
            return None
        if link.stage in (Stage.DIALLED, Stage.PROVING):
            return self._dialling.failed(link.dialled, event.reason, now)
        self._dialling.ended(link.dialled, now)

    def _alive(self, event: Alive, now: Now) -> None:
        link = self._links.all.get(event.link)
        if link is None:
            return
        link.heard_ms = now.mono
        self._arrivals.old_answered(link, now)
        self._pairing.old_answered(link, now)

    def _probe_failed(self, event: ProbeFailed, now: Now) -> None:
        link = self._links.all.get(event.link)
        if link is not None:
            self._arrivals.old_is_dead(link, now)
            self._pairing.old_is_dead(link, now)

    def _key_taken(self, event: KeyTaken, now: Now) -> None:
        link = self._links.all.get(event.link)
        if link is not None:
            self._arrivals.key_taken(link, now)

    # --- the store ------------------------------------------------------------------------------

    def _answered(self, event: Answered, now: Now) -> None:
        if isinstance(event.query, FindMail):
            found = event.answer if isinstance(event.answer, MailFound) else None
            self._walk.recalled(event.query, found, now)
        else:
            self._kept.answered(event, now)

    def _not_committed(self, event: CommitFailed, now: Now) -> None:
        self._kept.not_stored(event, now)
        self._rotations.not_stored(event.records)
        self._logins.not_stored(event.records)
        came_along = self._arrivals.key_not_stored(event.records, event.reason, now)
        came_along |= {record.user_id for record in event.records if isinstance(record, Login)}
        self._joining.not_stored(event.records)
        self._operator.not_stored(event.records)
        for record in event.records:
            if isinstance(record, Account) and record.user_id in came_along:
                spent = self._directory.unsaved(record)  # they are told of what it came along with
                if spent is not None:
                    self._joining.give_back(spent)
            elif isinstance(record, Account):
                self._arrivals.not_stored(record, event.reason, now)

    # --- time -----------------------------------------------------------------------------------

    def _snapshot_done(self, event: SnapshotDone, now: Now) -> None:
        if self._gossip.told(event.link, event.page):
            return
        if not self._watches.told(event.link, event.page, now):
            self._kept.page_done(event.link, event.page, now)

    def _tick(self, now: Now) -> None:
        if self._recent_refs:
            self._seen.remember((mail_key(*ref) for ref in self._recent_refs), now.mono)
            self._recent_refs = ()
        self._seen.expire(now.mono)
        self._room.due()
        self._dialling.due(now)
        self._admission.due(now)
        self._health.due(now)
        self._gossip.due(now)
        self._presence.relaying.due(now)
        self._presence.due(now)
        self._watches.due(now)
        self._directory.due(now)
        self._rotations.due(now)
        self._delivery.due(now)
        self._channel.due(now)
        self._kept.due(now)
        self._sessions.due(now)
        self._crowd.due(now)

    def _stopping(self, now: Now) -> None:
        """USER_REMOVE of each of our users to the servers, so that nobody waits 45 s."""
        self._links.users.clear()
        for present in tuple(self._presence.here()):
            self._presence.left(present.user_id, now)
        self._kept.stopping()
