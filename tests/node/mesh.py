"""A few server brains and hand-played peers in one process:
no sockets, no time but what a test gives."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec import structs

from socp.crypto import content_sig, fast_sig, signing
from socp.crypto.fast_sig import OwnSession
from socp.crypto.keys import PrivateKey
from socp.crypto.rotation import KeyStep, Revocation
from socp.crypto.symbolic import SymbolicSuite
from socp.node import records
from socp.node.budget import Budget
from socp.node.calls import Refused, Why
from socp.node.effects import (
    Afterwards,
    Answer,
    Ask,
    Bundle,
    Close,
    Dial,
    Effect,
    Identified,
    Note,
    Outgoing,
    Persist,
    Ping,
    Probe,
    Relay,
    RenewSession,
    Send,
    Snapshot,
    Throttle,
    Told,
)
from socp.node.events import (
    Alive,
    Answered,
    CommitFailed,
    DialFailed,
    Event,
    FrameReceived,
    FrameRefused,
    LinkLost,
    LinkOpened,
    Now,
    ProbeFailed,
    SessionMade,
    SnapshotDone,
    Tick,
)
from socp.node.node import Node
from socp.node.records import Record, Remembered
from socp.node.settings import Federation, Joining, Settings
from socp.sim.mail_disk import MailDisk, MailRecord
from socp.wire import base64url, limits, payloads
from socp.wire.addresses import BootstrapEntry, HostPort
from socp.wire.canonical import canonical, to_members
from socp.wire.envelope import Envelope, decode, encode
from socp.wire.errors import PeerFault
from socp.wire.features import BIND, HYBRID, LINK_AUTH, MAILBOX, ROTATE, SERVER_FEATURES
from socp.wire.ids import EVERYONE
from socp.wire.payloads import Rotation

USER_FEATURES = (LINK_AUTH, BIND, HYBRID, ROTATE)
"""A user who proves themselves, and keeps nothing that is acknowledged."""
KEEPER_FEATURES = (*USER_FEATURES, MAILBOX)
PLAIN_SERVER_FEATURES = (LINK_AUTH, BIND, ROTATE)
"""A server without `mailbox/1`."""

START_MS = 1_760_000_000_000
NOT_STORED = Refused(Why.NOT_STORED, "")


def an_id(name: str) -> str:
    """A UUID v4 that depends on the name alone."""
    h = hashlib.sha256(name.encode()).hexdigest()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-8{h[17:20]}-{h[20:32]}"


@dataclass
class Peer:
    """A socket played by hand: what it heard, and how to say something on it."""

    mesh: Mesh
    server: Server
    link: int
    id: str
    key: PrivateKey
    features: tuple[str, ...] = ()
    heard: list[Envelope] = field(default_factory=list)
    closed: int | None = None
    lost: bool = False
    answers_pings: bool = True
    pings: int = 0

    def said(self, kind: str) -> list[Envelope]:
        """What it heard of one type."""
        return [e for e in self.heard if e.type == kind]

    def members(self, kind: str) -> list[dict[str, object]]:
        return [e.members for e in self.said(kind)]

    def errors(self) -> list[str]:
        return [str(m["code"]) for m in self.members("ERROR")]

    def clear(self) -> None:
        self.heard.clear()

    def say(
        self,
        kind: str,
        members: dict[str, object],
        *,
        to: str = EVERYONE,
        ts: int | None = None,
        from_: str | None = None,
        bind: bool = True,
        sign_with: PrivateKey | None = None,
        signed: bool = True,
        fast: OwnSession | None = None,
    ) -> Envelope:
        """Put one frame on the socket, signed as a peer with these features would."""
        ts = self.mesh.wall if ts is None else ts
        from_ = self.id if from_ is None else from_
        if bind and "bind/1" in self.features:
            members = {**members, "bind": {"type": kind, "from": from_, "to": to, "ts": ts}}
        payload = canonical(members)
        key = sign_with or self.key
        sig = base64url.encode(key.sign(payload)) if signed else ""
        if fast is not None:
            sig = fast.sign(payload)
        data = encode(kind, from_, to, ts, payload, sig)
        self.raw(data)
        return decode(data)

    def raw(self, data: bytes) -> None:
        self.mesh.bytes_in(self.server, self.link, data)

    def drop(self) -> None:
        self.mesh.lose(self.server, self.link, "connection reset")


@dataclass
class Server:
    """One brain with what its shell would hold: key, disk, log."""

    name: str
    settings: Settings
    key: PrivateKey
    node: Node
    disk: list[Record] = field(default_factory=list)
    mail: MailDisk = field(default_factory=MailDisk)
    notes: list[Note] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    wires: dict[int, Peer | tuple[Server, int]] = field(default_factory=dict)
    identified: dict[int, str] = field(default_factory=dict)
    paused_ms: dict[int, int] = field(default_factory=dict)
    up: bool = True
    disk_fault: str = ""  # while it lasts nothing that is promised is stored

    @property
    def id(self) -> str:
        return self.settings.server_id

    def linked(self) -> set[str]:
        return set(self.node.status().servers)

    def log(self) -> str:
        return "\n".join(n.text for n in self.notes)


class Mesh:
    """Carries effects from brain to brain, in order, until nothing moves."""

    def __init__(self, seed: int = 1, *, fast: bool = False) -> None:
        """`fast`: its servers have session keys."""
        self.suite = SymbolicSuite(seed)
        self.fast = fast
        self.wall = START_MS
        self.mono = 0
        self.servers: dict[str, Server] = {}
        self._next_link = 0
        self._agenda: deque[tuple[Server, Event]] = deque()
        self._signed: dict[int, tuple[Outgoing, bytes]] = {}
        self._running = False

    # --- making things --------------------------------------------------------------------------

    def server(
        self,
        name: str,
        *,
        port: int = 8001,
        peers: tuple[int, ...] = (),
        federation: Federation = Federation.KNOWN,
        given: bool = False,
        keys: dict[int, str] | None = None,
        remembered: Remembered | None = None,
        key: PrivateKey | None = None,
        registration: Joining = Joining.OPEN,
        lists_users: bool = False,
        few: int = limits.CROWD_FEW,
        memory: int = limits.MEMORY_BYTES,
    ) -> Server:
        key = key or self.suite.generate()
        settings = Settings(
            server_id=an_id(name),
            address=HostPort("localhost", port),
            bootstrap=tuple(
                BootstrapEntry(HostPort("localhost", p), tls=False, fingerprint=(keys or {}).get(p))
                for p in peers
            ),
            bootstrap_given=given,
            federation=federation,
            registration=registration,
            lists_users=lists_users,
            few=few,
            budget=Budget(memory),
        )
        node = Node(settings, self.suite, key.public, remembered or Remembered())
        server = Server(name, settings, key, node)
        self.servers[name] = server
        if self.fast:
            self.renew(server)
        return server

    def renew(self, server: Server) -> OwnSession:
        """What its shell does at the start, and when it is asked to."""
        session = fast_sig.made(self.suite, server.key, server.id, self.wall)
        self.event(server, SessionMade(session))
        return session

    def three(self) -> tuple[Server, Server, Server]:
        """The default: three on loopback, no configuration, linked."""
        servers = tuple(
            self.server(name, port=port, peers=tuple({8001, 8002, 8003} - {port}))
            for name, port in (("a", 8001), ("b", 8002), ("c", 8003))
        )
        self.run(10)
        return servers  # type: ignore[return-value]

    def open_socket(
        self,
        server: Server,
        name: str,
        *,
        key: PrivateKey | None = None,
        features: tuple[str, ...] = (),
        loopback: bool = True,
        browser: bool = False,
        address: str = "127.0.0.1",
        id: str | None = None,  # noqa: A002
    ) -> Peer:
        link = self._link()
        peer = Peer(self, server, link, id or an_id(name), key or self.suite.generate(), features)
        server.wires[link] = peer
        self.event(
            server,
            LinkOpened(
                link=link,
                address=address,
                loopback=loopback,
                browser=browser,
                nonce=self.suite.random(32),
                spare_id=an_id(f"spare {link}"),
            ),
        )
        return peer

    def user(
        self,
        server: Server,
        name: str,
        *,
        key: PrivateKey | None = None,
        features: tuple[str, ...] = USER_FEATURES,
        attach_ts: int | None = None,
        display_name: str = "",
        settle: bool = True,
        rotations: tuple[Rotation, ...] = (),
        stated: payloads.Session | None = None,
    ) -> Peer:
        """A user that says hello, and proves itself where its features say so."""
        peer = self.open_socket(server, name, key=key, features=features)
        hello: dict[str, object] = {
            "client": "test",
            "pubkey": peer.key.public.text,
            "features": list(features),
            "meta": {"display_name": display_name or name},
        }
        if rotations:
            hello["rotations"] = [to_members(step) for step in rotations]
        nonce = self.suite.random(32)
        if "link-auth/1" in features:
            hello["auth_nonce"] = base64url.encode(nonce)
        peer.say("USER_HELLO", hello, to=EVERYONE)
        if "link-auth/1" in features and peer.said("AUTH_CHALLENGE"):
            self._prove_user(peer, attach_ts, stated)
        if settle:
            self.settle()
        return peer

    def _prove_user(
        self, peer: Peer, attach_ts: int | None, stated: payloads.Session | None = None
    ) -> None:
        challenge = peer.members("AUTH_CHALLENGE")[-1]
        server_id = str(challenge["server_id"])
        nonce = base64url.decode(str(challenge["nonce"]))
        proof = signing.sign(peer.key, signing.link_auth(peer.id, server_id, nonce))
        ts = self.wall if attach_ts is None else attach_ts
        sig = signing.sign(peer.key, signing.attach(peer.id, server_id, ts, peer.features))
        said: dict[str, object] = {"proof": proof, "attach": {"ts": ts, "sig": sig}}
        if stated is not None:
            said["session"] = to_members(stated)
        peer.say("AUTH_PROOF", said, bind=False)

    def plain_server(self, server: Server, name: str, *, key: PrivateKey | None = None) -> Peer:
        """A v1.3 server without extensions, admitted by its key beforehand or refused."""
        peer = self.open_socket(server, name, key=key)
        peer.say(
            "SERVER_HELLO_JOIN",
            {"host": "127.0.0.9", "port": 9009, "pubkey": peer.key.public.text},
            to="localhost:8001",
        )
        return peer

    # --- running --------------------------------------------------------------------------------

    def now(self) -> Now:
        return Now(self.wall, self.mono)

    def run(self, seconds: float) -> None:
        """Let time pass, a tick every 250 ms."""
        for _ in range(int(seconds * 4)):
            self.wall += 250
            self.mono += 250
            for server in self.servers.values():
                if server.up:
                    self.event(server, Tick())
        self.settle()

    def settle(self) -> None:
        if self._running:
            return
        self._running = True
        while self._agenda:
            server, event = self._agenda.popleft()
            if server.up:
                for effect in self._stored(server, server.node.handle(event, self.now())):
                    self._do(server, effect)
        self._running = False

    def _stored(self, server: Server, effects: list[Effect]) -> list[Effect]:
        """What the shell does of them: where the disk fails, nothing that promises."""
        kept = tuple(each.record for each in effects if isinstance(each, Persist))
        promised = tuple(record for record in kept if isinstance(record, records.PROMISES))
        if not promised or not server.disk_fault:
            return effects
        self._agenda.append((server, CommitFailed(promised, server.disk_fault)))
        return [
            structs.replace(each, outcome=Refused(Why.NOT_STORED, ""))
            if isinstance(each, Told)
            else each
            for each in effects
            if isinstance(each, Close | Note | Ask | Told)
        ]

    def event(self, server: Server, event: Event) -> None:
        self._agenda.append((server, event))
        self.settle()

    def bytes_in(self, server: Server, link: int, data: bytes) -> None:
        if link not in server.wires:
            return
        try:
            event: Event = FrameReceived(link, decode(data))
        except PeerFault as fault:
            event = FrameRefused(link, fault)
        self.event(server, event)

    def lose(self, server: Server, link: int, reason: str) -> None:
        wire = server.wires.pop(link, None)
        if wire is None:
            return
        self.event(server, LinkLost(link, reason))
        if isinstance(wire, Peer):
            wire.lost = True
        else:
            other, other_link = wire
            self.lose(other, other_link, reason)

    def kill(self, server: Server) -> None:
        """As kill -9 does: its sockets break, nothing is said."""
        server.up = False
        for link in tuple(server.wires):
            self.lose(server, link, "connection reset")

    def restart(self, server: Server, remembered: Remembered | None = None) -> None:
        server.node = Node(
            server.settings,
            self.suite,
            server.key.public,
            remembered or load(server.disk, server.mail, self.wall),
        )
        server.up = True

    def _link(self) -> int:
        self._next_link += 1
        return self._next_link

    # --- effects --------------------------------------------------------------------------------

    def _do(self, server: Server, effect: Effect) -> None:  # noqa: C901 - one case an effect
        match effect:
            case Send():
                self._put(server, effect.links, self._encoded(server, effect.frame))
            case Relay():
                self._put(server, effect.links, effect.data)
            case Bundle():
                for frame in effect.frames:
                    data = frame if isinstance(frame, bytes) else self._encoded(server, frame)
                    self._put(server, effect.links, data)
            case Snapshot():
                for frame in effect.each():
                    data = frame if isinstance(frame, bytes) else self._encoded(server, frame)
                    self._put(server, (effect.link,), data)
                if effect.page:
                    self.event(server, SnapshotDone(effect.link, effect.page))
            case Close():
                self._close(server, effect)
            case Dial():
                self._dial(server, effect)
            case Probe():
                wire = server.wires.get(effect.link)
                dead = isinstance(wire, Peer) and not wire.answers_pings
                self.event(server, ProbeFailed(effect.link) if dead else Alive(effect.link))
            case Ping():
                wire = server.wires.get(effect.link)
                if isinstance(wire, Peer):
                    wire.pings += 1
                if not isinstance(wire, Peer) or wire.answers_pings:
                    self.event(server, Alive(effect.link))
            case Persist(record=record):
                server.disk.append(record)
                if isinstance(record, MailRecord):
                    server.mail.write(record)
            case Ask():
                self.event(server, Answered(effect.query, server.mail.ask(effect.query)))
            case Afterwards():
                self.event(server, effect.event)
            case Note():
                server.notes.append(effect)
            case Told():
                server.told.append(effect)
            case Answer():
                server.answers.append(effect)
            case Throttle():
                server.paused_ms[effect.link] = effect.pause_ms
            case RenewSession():
                self.renew(server)
            case Identified():
                server.identified[effect.link] = effect.peer

    def _put(self, server: Server, links: tuple[int, ...], data: bytes) -> None:
        frame: Envelope | None = None
        for link in links:
            wire = server.wires.get(link)
            if isinstance(wire, Peer):
                frame = frame or decode(data)
                wire.heard.append(frame)
            elif wire is not None:
                self.bytes_in(wire[0], wire[1], data)

    def _encoded(self, server: Server, frame: Outgoing) -> bytes:
        known = self._signed.get(id(frame))
        if known is not None and known[0] is frame:
            return known[1]
        members = json.loads(frame.payload)
        for name, preimage in frame.proofs:
            members[name] = base64url.encode(server.key.sign(preimage))
        payload = frame.payload if frame.verbatim else canonical(members)
        sig = ""
        if frame.fast is not None:
            sig = frame.fast.sign(canonical(members))
        elif frame.signed:
            sig = base64url.encode(server.key.sign(canonical(members)))
        data = encode(frame.type, frame.from_, frame.to, frame.ts, payload, sig)
        self._signed[id(frame)] = (frame, data)
        return data

    def _close(self, server: Server, effect: Close) -> None:
        wire = server.wires.get(effect.link)
        if isinstance(wire, Peer):
            wire.closed = effect.code
        self.lose(server, effect.link, f"closed: {effect.reason}")

    def _dial(self, server: Server, effect: Dial) -> None:
        target = next(
            (s for s in self.servers.values() if s.settings.address == effect.address and s.up),
            None,
        )
        if target is None:
            self.event(server, DialFailed(effect.address, "[Errno 111] Connection refused"))
            return
        mine, theirs = self._link(), self._link()
        server.wires[mine], target.wires[theirs] = (target, theirs), (server, mine)
        nonce, other = self.suite.random(32), self.suite.random(32)
        self.event(
            target,
            LinkOpened(theirs, "127.0.0.1", True, False, other, an_id(f"spare {theirs}")),
        )
        self.event(
            server,
            LinkOpened(
                mine, "127.0.0.1", True, False, nonce, an_id(f"spare {mine}"), effect.address
            ),
        )


R = TypeVar("R", bound=Record)


def load(disk: list[Record], mail: MailDisk | None = None, now_ms: int = 0) -> Remembered:
    """What a store would load after these writes: the newest row of each key."""

    def newest(kind: type[R], key: str) -> tuple[R, ...]:
        rows = {getattr(x, key): x for x in disk if isinstance(x, kind)}
        return tuple(rows.values())

    versions = [x.version for x in disk if isinstance(x, records.ChannelVersion)]
    steps = {(x.user_id, x.version): x for x in disk if isinstance(x, KeyStep)}
    gone = {x.server_id for x in disk if isinstance(x, records.Forgotten)}
    shares: dict[tuple[str, int], records.ChannelShare] = {}
    logins: dict[str, records.Login] = {}
    invitations: dict[str, records.Invitation] = {}
    accounts: dict[str, records.Account] = {}
    homes: dict[str, records.Home] = {}
    for x in disk:
        match x:
            case records.ChannelShare():
                shares[x.member_id, x.version] = x
            case records.ChannelShareGone():
                shares.pop((x.member_id, x.version), None)
            case records.Account():
                accounts[x.user_id] = x
            case records.Home():
                homes[x.user_id] = x
            case records.AccountGone():
                accounts.pop(x.user_id, None)
                homes.pop(x.user_id, None)
            case records.Login():
                logins[x.user_id] = x
            case records.LoginRemoved():
                logins.pop(x.user_id, None)
            case records.Invitation():
                invitations[x.code_hash] = x
            case records.InvitationGone():
                invitations.pop(x.code_hash, None)
            case _:
                pass
    return Remembered(
        pins=tuple(p for p in newest(records.ServerPin, "server_id") if p.server_id not in gone),
        rulings=newest(records.Ruling, "fingerprint"),
        accounts=tuple(accounts.values()),
        homes=tuple(homes.values()),
        shares=tuple(shares.values()),
        channel_version=max(versions, default=0),
        **(mail or MailDisk()).load(now_ms),
        logins=tuple(logins.values()),
        login_setup=next((x.setup for x in disk if isinstance(x, records.LoginSetup)), b""),
        invitations=tuple(invitations.values()),
        key_steps=tuple(steps.values()),
        revocations=newest(Revocation, "user_id"),
        barred=newest(records.Barred, "user_id"),
    )


def message(
    author: Peer, to: str, text: bytes = b"hello", ts: int | None = None
) -> dict[str, object]:
    """The members of a MSG_DIRECT or MSG_PUBLIC_CHANNEL whose content_sig holds."""
    ts = author.mesh.wall if ts is None else ts
    raw = hashlib.sha512(text).digest() * 8
    if to == "public":
        sig = content_sig.sign_public(author.key, raw, author.id, ts)
    else:
        sig = content_sig.sign_direct(author.key, raw, author.id, to, ts)
    return {
        "ciphertext": base64url.encode(raw),
        "sender_pub": author.key.public.text,
        "content_sig": sig,
    }


__all__ = [
    "HYBRID",
    "KEEPER_FEATURES",
    "MAILBOX",
    "SERVER_FEATURES",
    "Mesh",
    "Peer",
    "Server",
    "an_id",
    "load",
    "message",
    "payloads",
]
