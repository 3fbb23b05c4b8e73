"""Member: everything a user's client decides. Events in, effects out (no socket, clock, dice,
file)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import get_args

from socp.crypto.keys import PrivateKey, Suite
from socp.member.ahead import Ahead, Work
from socp.member.answers import Answers
from socp.member.arrivals import Arrivals
from socp.member.compose import Pen
from socp.member.contacts import AddressBook, Contacts
from socp.member.courier import Courier
from socp.member.decisions import Comparable, Decisions
from socp.member.delivery import Destinations
from socp.member.effects import Effect
from socp.member.emitter import Emitter
from socp.member.events import (
    Amend,
    CancelFile,
    ChannelKeyGenerated,
    ChoosePublic,
    ChooseReceipts,
    ChunkRead,
    Connected,
    Disconnected,
    Event,
    FileStored,
    FrameReceived,
    FrameRefused,
    Leave,
    LookUp,
    Now,
    OfferFile,
    ReadFailed,
    RequestList,
    RevokeKey,
    RotateKey,
    Say,
    SentLoaded,
    Shown,
    SinkOpened,
    StoreFailed,
    Tick,
)
from socp.member.file_offers import FileOffers
from socp.member.frames import Frames
from socp.member.gate import Route, Voice
from socp.member.history import History
from socp.member.inbox import Inbox
from socp.member.letterbox import Letterbox
from socp.member.lists import Lists
from socp.member.lookups import Lookups
from socp.member.next_link import NextLink
from socp.member.numbering import Numbering
from socp.member.outbox import Outbox
from socp.member.own_key import OwnKey
from socp.member.people import People
from socp.member.profile import Profile
from socp.member.public import Room
from socp.member.questions import Questions
from socp.member.receiving import Receiving
from socp.member.records import PublicChoice, Remembered
from socp.member.resting import REST_MAX_MS, Timed
from socp.member.seen import Seen
from socp.member.sending import Sending
from socp.member.sent import Sent
from socp.member.servers import Servers
from socp.member.session import Session
from socp.member.speech import Speech
from socp.member.transfers import Transfers
from socp.member.trust import Trust
from socp.member.watching import Watching
from socp.wire.features import LINK_AUTH, PRESENCE
from socp.wire.payloads import (
    Ack,
    Error,
    FileChunk,
    FileEnd,
    FileStart,
    KeyHistory,
    MsgPublicChannel,
    Payload,
    PubkeyResponse,
    PublicChannelAdd,
    PublicChannelKeyShare,
    PublicChannelUpdated,
    SessionKey,
    UserAdvertise,
    UserDeliver,
    UserList,
    UserRemove,
)


class Member:
    """One user's client. Make it anew at each start with what the store remembers."""

    def __init__(
        self,
        profile: Profile,
        suite: Suite,
        key: PrivateKey,
        remembered: Remembered,
        *,
        pending: PrivateKey | None = None,
        former: tuple[PrivateKey, ...] = (),
    ) -> None:
        """`pending`: a new key of an earlier run, of which no server has said yet that it took it;
        `former`: keys of ours before this one, newest first."""
        own_id = profile.user_id
        self._emit = emit = Emitter(own_id, key)
        self._courier = Courier(emit)
        self._contacts = contacts = Contacts(suite, own_id, profile.display_name, remembered)
        self._lists = Lists(self._courier)
        self._watching = Watching(self._courier, contacts, self._lists)
        self._lookups = lookups = Lookups(self._courier, self._watching)
        history = History(emit, remembered.last_said)
        self._trust = Trust(suite, emit, contacts, history)
        self._own = own = OwnKey(emit, contacts.book, pending, self._use_key)
        self._session = Session(profile, suite, emit, Servers(suite, emit, remembered.servers), own)
        self._room = Room(suite, emit, self._courier, contacts, lookups, remembered)
        arrivals = Arrivals(emit, history, remembered.arrived)
        self._next_link = NextLink(emit)
        seen = Seen(emit, remembered.seen)
        incoming = (lookups, self._room, arrivals, self._next_link)
        pen = Pen(suite, key, own_id)
        sent = Sent(emit, profile.run, remembered.shelves, remembered.numbered, remembered.outbox)
        numbering = Numbering(emit, profile.run, remembered.numbered, sent)
        self._destinations = Destinations(
            emit, pen, contacts, lookups, self._room, self._session, own, numbering
        )
        self._outbox = outbox = Outbox(
            emit, self._courier, self._destinations, numbering, history, remembered.outbox
        )
        self._speech = Speech(
            emit, contacts, seen, history, arrivals, outbox, sent, profile, remembered
        )
        self._inbox = Inbox(suite, emit, contacts, self._trust, seen, *incoming, self._speech)
        said = (history, outbox)
        self._letterbox = Letterbox(emit, self._session, self._room, self._inbox)
        sending = Sending(
            suite, emit, contacts, self._room, self._destinations, *said, remembered.outgoing_files
        )
        receiving = Receiving(emit, contacts, self._trust, seen, *said, remembered.incoming_files)
        offers = FileOffers(emit, contacts, self._trust, *incoming, receiving)
        self._transfers = Transfers(sending, receiving, offers)
        self._speech.files = self._transfers.heard
        self._questions = Questions(
            emit, self._lists, contacts, lookups, self._watching, self._session
        )
        self._people = People(
            suite,
            self._session,
            contacts,
            self._trust,
            lookups,
            self._watching,
            self._room,
            self._inbox,
            self._destinations,
            self._questions,
            self._transfers,
        )
        self._answers = Answers(
            emit,
            self._courier,
            self._session,
            own,
            outbox,
            sending,
            self._people,
            self._questions,
            self._watching,
        )
        waits = (lookups, self._next_link, self._people.key_known)
        self._decisions = Decisions(suite, emit, contacts, history, *waits)
        self._use_key(key, former)
        self._frames = Frames(
            emit, self._session, self._table(), self._inbox.take_clear, self._attached
        )
        self._timed = self._all_timed()
        self._ahead = Ahead(lambda: emit.key, self._room.openers)
        self._handlers = self._events()

    # --- what the shell may ask -----------------------------------------------------------------

    @property
    def contacts(self) -> AddressBook:
        """Names and members, for reading."""
        return self._contacts

    @property
    def decisions(self) -> Comparable:
        """Keys and safety numbers, for reading."""
        return self._decisions

    @property
    def public_choice(self) -> PublicChoice:
        """Who may read what the person says to everybody."""
        return self._room.choice

    @property
    def fingerprint(self) -> str:
        """Of our own key."""
        return self._emit.key.public.fingerprint

    @property
    def attached(self) -> bool:
        """Whether a server took our hello and the link lives."""
        return self._session.server is not None

    @property
    def replaced(self) -> bool:
        """Whether our server knows a later key of ours: it takes the last word of this one."""
        return self._own.is_replaced

    def reaches(self, to: str) -> bool:
        """Whether something to a user id or "public" could go out now."""
        return self._destinations.reaches(to)

    @property
    def idle(self) -> bool:
        """Nothing of ours is on its way and no file is arriving: a script may end now.

        Lines that wait for somebody who is away do not count; they are kept.
        """
        parts = (self._outbox, self._transfers, self._room)
        said = self._speech.idle or not self.attached
        return said and all(part.idle for part in parts)

    @property
    def clock_offset_ms(self) -> int:
        """What is added to this machine's clock, 0 unless it is off by more than 5 min."""
        return self._session.clock.offset_ms

    def rests_until_ms(self, mono: int) -> int:
        """Before this, monotonic, no Tick does anything, unless another event comes."""
        if not self.attached:
            return min(self._session.due_ms, mono + REST_MAX_MS)
        return min([mono + REST_MAX_MS, *[part.due_ms for part in self._timed]])

    def takes(self) -> frozenset[type[Payload]]:
        """Which frames are taken from a server; others are not for a client."""
        return self._frames.takes()

    # --- events ---------------------------------------------------------------------------------

    def handle(self, event: Event, now: Now) -> list[Effect]:
        """Take one event at time `now` and say what must be done about it, in order.

        Never raises for what others sent. Persist comes before what depends on it.
        """
        now = self._corrected(now)
        if isinstance(event, Say | OfferFile):
            self._watching.deals_with(event.to, now)
        elif isinstance(event, LookUp):
            self._watching.deals_with(event.user_id, now)
        self._handlers[type(event)](event, now)
        return self._emit.take()

    def ahead(self, event: FrameReceived) -> Work | None:
        """What can be done about a frame before it is handled, in any thread, so that handling it
        takes less; it may be left out. None: nothing."""
        return self._ahead.work(event.envelope)

    def _corrected(self, now: Now) -> Now:
        """The time as our server has it, where this machine's clock is far off (section 2)."""
        return Now(now.wall + self._session.clock.offset_ms, now.mono)

    def _events(self) -> Mapping[type[object], Callable[..., None]]:
        handlers: dict[type[object], Callable[..., None]] = {
            Connected: self._connected,
            FrameReceived: self._frames.received,
            FrameRefused: self._frames.refused,
            Disconnected: self._disconnected,
            Tick: self._tick,
            Say: self._outbox.say,
            RequestList: self._questions.request_list,
            LookUp: self._questions.look_up,
            OfferFile: self._transfers.sending.offer,
            ChunkRead: self._transfers.sending.read,
            ReadFailed: self._transfers.sending.read_failed,
            SinkOpened: self._transfers.receiving.opened,
            FileStored: self._transfers.receiving.stored,
            StoreFailed: self._transfers.receiving.store_failed,
            CancelFile: self._transfers.cancel,
            Shown: self._speech.shown,
            Leave: self._speech.receipts.leave,
            Amend: self._speech.amendments.say,
            ChooseReceipts: self._speech.receipts.choose,
            SentLoaded: self._speech.sent_loaded,
            ChannelKeyGenerated: self._letterbox.generated,
            RotateKey: self._own.rotate,
            RevokeKey: self._own.revoke,
            ChoosePublic: self._room.choose,
            **self._decisions.handlers(),
        }
        assert handlers.keys() == set(get_args(Event)), "an event without a handler"
        return handlers

    def _all_timed(self) -> tuple[Timed, ...]:
        """Who has something to do when some time has passed."""
        return (
            self._courier,
            self._lookups,
            self._watching,
            self._room,
            self._inbox,
            self._speech,
            self._questions,
            self._transfers,
            self._next_link,
            self._outbox,
            self._own,
        )

    def _use_key(self, key: PrivateKey, former: tuple[PrivateKey, ...]) -> None:
        """Our own key, everywhere, and those before it, newest first."""
        self._emit.key, self._emit.former = key, former
        self._destinations.use(key)
        self._room.use(key, former)

    def _connected(self, event: Connected, now: Now) -> None:
        self._session.connected(event, now)

    def _attached(self, now: Now) -> None:
        """The server took our hello."""
        server = self._session.server
        assert server is not None
        self._courier.restarted(now.mono)
        self._lookups.restarted()
        self._lists.restarted()
        self._trust.attached(server.since_ts)
        self._room.attached(now)
        self._watching.attached(now, on=PRESENCE in server.features)
        self._destinations.restarted()
        self._transfers.sending.attached()
        self._speech.attached(now)
        self._outbox.attached(now, answers=LINK_AUTH in server.features)

    def _disconnected(self, event: Disconnected, now: Now) -> None:
        self._session.lost()
        self._contacts.all_went()
        self._inbox.lost(now)
        self._room.lost()
        self._questions.restarted()
        self._lookups.restarted()
        self._transfers.lost()
        self._next_link.restarted()

    def _tick(self, event: Tick, now: Now) -> None:
        self._frames.due(now)
        if not self.attached:
            return
        self._courier.due(now)
        self._people.due(now)
        self._watching.due(now)
        self._letterbox.due(now)
        self._inbox.due(now)
        self._speech.due(now)
        self._questions.due(now)
        self._transfers.due(now)
        self._next_link.due(now, idle=self._transfers.still)
        self._outbox.due(now)
        self._own.due(now, idle=self._outbox.idle and self._transfers.sending.idle)

    # --- frames ---------------------------------------------------------------------------------

    def _table(self) -> Mapping[type[Payload], Route]:
        """Every frame a client takes once it is attached; others are not for it and are dropped."""
        return {
            Ack: Route(self._answers.ack, Voice.SERVER),
            Error: Route(self._answers.error, Voice.SERVER),
            UserDeliver: Route(self._letterbox.deliver, Voice.SERVER),
            UserList: Route(lambda _, p, now: self._lists.heard(p, now), Voice.SERVER),
            PubkeyResponse: Route(self._people.answered, Voice.SERVER),
            UserAdvertise: Route(self._people.advertised, Voice.GOSSIP),
            KeyHistory: Route(self._people.told_history, Voice.GOSSIP),
            UserRemove: Route(self._people.removed, Voice.GOSSIP),
            PublicChannelAdd: Route(self._people.added, Voice.GOSSIP),
            PublicChannelUpdated: Route(lambda _, p, now: self._room.updated(p, now), Voice.GOSSIP),
            PublicChannelKeyShare: Route(self._letterbox.share, Voice.AUTHOR),
            MsgPublicChannel: Route(self._letterbox.post, Voice.AUTHOR),
            SessionKey: Route(lambda _, p, now: self._session.renewed(p, now), Voice.SERVER),
            FileStart: Route(self._transfers.offers.start, Voice.HOP),
            FileChunk: Route(self._transfers.receiving.chunk, Voice.HOP),
            FileEnd: Route(self._transfers.receiving.end, Voice.HOP),
        }
