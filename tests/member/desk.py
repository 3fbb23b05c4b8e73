"""One client's brain on a desk: its server and its friends are played by hand, time is given."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from socp.crypto import content_sig, hybrid, signing
from socp.crypto.fast_sig import OwnSession
from socp.crypto.keys import PrivateKey, PublicKey
from socp.crypto.rotation import KeyStep, Revocation
from socp.crypto.symbolic import SymbolicSuite
from socp.member import records
from socp.member.effects import (
    Disconnect,
    Effect,
    LineMoved,
    MessageArrived,
    MessageRefused,
    Notice,
    Persist,
    Tell,
    Transmit,
    Warned,
)
from socp.member.events import (
    Connected,
    Disconnected,
    Event,
    FrameReceived,
    Now,
    Say,
    Shown,
    Tick,
)
from socp.member.member import Member
from socp.member.profile import Profile
from socp.member.threads import key_of
from socp.wire import base64url, content
from socp.wire.canonical import canonical, to_members
from socp.wire.content import Body, Place
from socp.wire.envelope import Envelope, decode, encode
from socp.wire.features import BIND, CONTENT, LINK_AUTH, MAILBOX, ROTATE, USER_FEATURES
from socp.wire.payloads import Session

START_MS = 1_760_000_000_000
NONCE = b"our nonce".ljust(32)
SERVER_NONCE = b"the server's nonce".ljust(32)
ADDRESS = "ws://localhost:8001"
ME = "me"
RUN = "00000000000000aa"
WITHOUT_MAILBOX = (LINK_AUTH, BIND, ROTATE)
HYBRID_ALONE = tuple(feature for feature in USER_FEATURES if feature != CONTENT)
"""Of a friend whose client has no `content/1`."""
WITH_MAILBOX = (LINK_AUTH, BIND, MAILBOX, ROTATE)

K = TypeVar("K")


def an_id(name: str) -> str:
    """A UUID v4 that depends on the name alone."""
    h = hashlib.sha256(name.encode()).hexdigest()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-8{h[17:20]}-{h[20:32]}"


@dataclass
class Friend:
    """Another user, with their own key."""

    desk: Desk
    name: str
    key: PrivateKey
    features: tuple[str, ...] = USER_FEATURES

    @property
    def id(self) -> str:
        return an_id(self.name)

    def seals(self, text: str, *, to: str = "", reader: PublicKey | None = None) -> bytes:
        """The ciphertext of a direct message to us."""
        desk = self.desk
        reader = reader or desk.key.public
        if "hybrid/1" in self.features:
            to = to or desk.id
            return hybrid.seal(
                desk.suite, reader, text.encode(), from_=self.id, to=to, ts=desk.wall
            )
        return reader.seal(text.encode())

    def says(
        self, body: Body, seq: int, *, run: str = "", prev: str = "", first: str = ""
    ) -> bytes:
        """The ciphertext of a message of `content/1` to us."""
        data = content.encode(body, Place(run or RUN[::-1], seq, prev, first))
        desk = self.desk
        return hybrid.seal(
            desk.suite, desk.key.public, data, from_=self.id, to=desk.id, ts=desk.wall
        )

    def sends(
        self, body: Body, seq: int, *, run: str = "", prev: str = "", first: str = ""
    ) -> Envelope:
        """A message of `content/1` from them to us, as their and our servers carry it."""
        self.desk.wall += 1
        raw = self.says(body, seq, run=run, prev=prev, first=first)
        return self.desk.hears("USER_DELIVER", self.delivery(raw))

    def held(self, delivery: Mapping[str, object]) -> Envelope:
        """The message that a USER_DELIVER carries, as its author sent it."""
        ts = self.desk.wall
        return decode(
            encode("MSG_DIRECT", self.id, self.desk.id, ts, canonical(dict(delivery)), "")
        )

    def delivery(
        self,
        raw: bytes,
        *,
        to: str = "",
        ts: int = 0,
        signer: PrivateKey | None = None,
        author: str = "",
    ) -> dict[str, object]:
        """The payload of a USER_DELIVER of ours."""
        key = signer or self.key
        author = author or self.id
        ts = ts or self.desk.wall
        sig = content_sig.sign_direct(key, raw, author, to or self.desk.id, ts)
        return {
            "ciphertext": base64url.encode(raw),
            "sender": author,
            "sender_pub": key.public.text,
            "content_sig": sig,
            "orig_ts": ts,
        }

    def writes(self, text: str) -> Envelope:
        """A direct message from them to us, as their and our servers carry it."""
        return self.desk.hears("USER_DELIVER", self.delivery(self.seals(text)))


@dataclass
class Desk:
    """`server_features`: () for a plain v1.3 server; `looks`: the person sees at once what is
    told."""

    server_features: tuple[str, ...] = WITHOUT_MAILBOX
    remembered: records.Remembered = field(default_factory=records.Remembered)
    suite: SymbolicSuite = field(default_factory=lambda: SymbolicSuite(1))
    wall: int = START_MS
    mono: int = 1_000
    looks: bool = True
    run: str = RUN
    since_ms: int = 0
    receipts: bool = False  # whether others hear that their messages are here and read
    address: str = ADDRESS

    def __post_init__(self) -> None:
        self.id = an_id(ME)
        self.key: PrivateKey = self.suite.generate()
        self.server_key: PrivateKey = self.suite.generate()
        self.server_id = an_id("the server")
        self.effects: list[Effect] = []
        self.transmitted: list[Envelope] = []
        self.notices: list[Notice] = []
        self.records: list[records.Record] = []
        self.again(self.remembered)

    def again(self, remembered: records.Remembered) -> None:
        """A new start of the same client."""
        profile = Profile(
            self.id,
            ME,
            "test",
            self.address,
            run=self.run,
            since_ms=self.since_ms,
            tell_delivered=self.receipts,
            tell_read=self.receipts,
        )
        self.member = Member(profile, self.suite, self.key, remembered)

    # --- events ---------------------------------------------------------------------------------

    def event(self, event: Event) -> list[Effect]:
        """Have the brain take an event."""
        effects = self.member.handle(event, Now(self.wall, self.mono))
        self.effects += effects
        self.transmitted += [decode(e.data) for e in effects if isinstance(e, Transmit)]
        self.notices += [e.notice for e in effects if isinstance(e, Tell)]
        self.records += [e.record for e in effects if isinstance(e, Persist)]
        told = [e.notice for e in effects if isinstance(e, Tell)]
        seen = [one.number for one in told if isinstance(one, MessageArrived | MessageRefused)]
        if self.looks and seen:
            self.event(Shown(tuple(seen)))
        return effects

    def passes(self, seconds: float, tick_ms: int = 100) -> None:
        """Let time pass, ten ticks a second; hours are soon over with fewer."""
        for _ in range(int(seconds * 1_000 / tick_ms)):
            self.wall += tick_ms
            self.mono += tick_ms
            self.event(Tick())

    def says(self, to: Friend, text: str) -> None:
        self.event(Say(to.id, text))

    def loses_the_link(self) -> None:
        self.event(Disconnected("connection reset"))

    # --- the server -----------------------------------------------------------------------------

    def frame(
        self,
        kind: str,
        members: Mapping[str, object],
        *,
        from_: str = "",
        to: str = "",
        ts: int = 0,
        key: PrivateKey | None = None,
        bind: bool | None = None,
        signed: bool = True,
        fast: OwnSession | None = None,
    ) -> Envelope:
        """A frame of the server's, signed and bound as this server does, or with `fast`."""
        said = dict(members)
        from_, to, ts = from_ or self.server_id, to or self.id, ts or self.wall
        if bind if bind is not None else "bind/1" in self.server_features:
            said["bind"] = {"type": kind, "from": from_, "to": to, "ts": ts}
        payload = canonical(said)
        signer = key or self.server_key
        sig = base64url.encode(signer.sign(payload)) if signed else ""
        if fast is not None:
            sig = fast.sign(payload)
        return decode(encode(kind, from_, to, ts, payload, sig))

    def hears(
        self,
        kind: str,
        members: Mapping[str, object],
        *,
        from_: str = "",
        to: str = "",
        ts: int = 0,
        key: PrivateKey | None = None,
        bind: bool | None = None,
        signed: bool = True,
        fast: OwnSession | None = None,
    ) -> Envelope:
        """The server says something on the link."""
        envelope = self.frame(
            kind, members, from_=from_, to=to, ts=ts, key=key, bind=bind, signed=signed, fast=fast
        )
        self.hears_again(envelope)
        return envelope

    def hears_again(self, envelope: Envelope) -> None:
        """These very bytes arrive."""
        self.event(FrameReceived(envelope))

    def connects(self) -> None:
        """The socket opens and our hello goes out."""
        self.event(Connected(NONCE))

    def is_challenged(self, *, key: PrivateKey | None = None, server_id: str = "") -> None:
        """The server's AUTH_CHALLENGE arrives."""
        self.hears_again(self.challenge(key=key, server_id=server_id))

    def challenge(
        self, *, key: PrivateKey | None = None, server_id: str = "", ts: int = 0
    ) -> Envelope:
        """The server's AUTH_CHALLENGE."""
        challenge = {
            "nonce": base64url.encode(SERVER_NONCE),
            "server_id": server_id or self.server_id,
            "pubkey": (key or self.server_key).public.text,
            "features": list(self.server_features),
        }
        return self.frame(
            "AUTH_CHALLENGE", challenge, signed=False, bind=False, from_=server_id, ts=ts
        )

    def is_welcomed(
        self,
        *,
        key: PrivateKey | None = None,
        proof: bool = True,
        features: tuple[str, ...] | None = None,
        server_id: str = "",
        stated: Session | None = None,
    ) -> None:
        """The server's ACK of our hello arrives."""
        self.hears_again(
            self.welcome(
                key=key, proof=proof, features=features, server_id=server_id, stated=stated
            )
        )

    def welcome(
        self,
        *,
        key: PrivateKey | None = None,
        proof: bool = True,
        features: tuple[str, ...] | None = None,
        server_id: str = "",
        ts: int = 0,
        stated: Session | None = None,
    ) -> Envelope:
        """The server's ACK of our hello, with its session key where one is `stated`."""
        key = key or self.server_key
        shown = self.server_features if features is None else features
        server_id = server_id or self.server_id
        ack: dict[str, object] = {"msg_ref": "USER_HELLO", "server_id": server_id}
        ack |= {"pubkey": key.public.text, "features": list(shown)}
        if proof:
            ack["proof"] = signing.sign(key, signing.link_auth(server_id, self.id, NONCE))
        if stated is not None:
            ack["session"] = to_members(stated)
        return self.frame("ACK", ack, key=key, from_=server_id, ts=ts)

    def attaches(self) -> Desk:
        """The whole walk, as the server's features have it."""
        self.connects()
        if "link-auth/1" in self.server_features:
            self.is_challenged()
        self.is_welcomed(proof="link-auth/1" in self.server_features)
        return self

    # --- friends --------------------------------------------------------------------------------

    def friend(self, name: str, *features: str, online: bool = True, v13: bool = False) -> Friend:
        """A user whom the server advertises, with every feature, or `v13` without any."""
        shown = () if v13 else features or USER_FEATURES
        friend = Friend(self, name, self.suite.generate(), shown)
        if online:
            self.comes(friend)
        return friend

    def advert(
        self,
        friend: Friend,
        *,
        server_id: str = "",
        key: PrivateKey | None = None,
        features: tuple[str, ...] | None = None,
        attach_ts: int | None = None,
        name: str | None = None,
    ) -> dict[str, object]:
        """The payload of a USER_ADVERTISE; `attach_ts` 0: without attach."""
        server_id = server_id or self.server_id
        key = key or friend.key
        shown = friend.features if features is None else features
        members: dict[str, object] = {"user_id": friend.id, "server_id": server_id}
        members["pubkey"] = key.public.text
        members["meta"] = {"display_name": friend.name if name is None else name}
        if shown:
            members["features"] = list(shown)
        ts = self.wall if attach_ts is None else attach_ts
        if shown and ts:
            sig = signing.sign(key, signing.attach(friend.id, server_id, ts, shown))
            members["attach"] = {"ts": ts, "sig": sig}
        return members

    def comes(self, friend: Friend) -> Envelope:
        """They come online at our server."""
        self.wall += 1
        return self.hears("USER_ADVERTISE", self.advert(friend), to="*")

    def goes(self, friend: Friend) -> Envelope:
        """They leave."""
        self.wall += 1
        gone = {"user_id": friend.id, "server_id": self.server_id}
        return self.hears("USER_REMOVE", gone, to="*")

    # --- what was seen --------------------------------------------------------------------------

    def sent(self, kind: str) -> list[Envelope]:
        """Our frames of one type."""
        return [envelope for envelope in self.transmitted if envelope.type == kind]

    def told(self, kind: type[K]) -> list[K]:
        return [notice for notice in self.notices if isinstance(notice, kind)]

    def kept(self, kind: type[K]) -> list[K]:
        return [record for record in self.records if isinstance(record, kind)]

    def did(self, kind: type[K]) -> list[K]:
        return [effect for effect in self.effects if isinstance(effect, kind)]

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.told(MessageArrived)]

    @property
    def refusals(self) -> list[MessageRefused]:
        return self.told(MessageRefused)

    @property
    def warnings(self) -> list[str]:
        return [warned.text for warned in self.told(Warned)]

    @property
    def ended(self) -> list[Disconnect]:
        return self.did(Disconnect)

    def line(self) -> LineMoved:
        """Where the newest line stands."""
        return self.told(LineMoved)[-1]

    def acks(self, envelope: Envelope, status: str = "") -> None:
        """The server took a message of ours."""
        said = {"status": status} if status else {}
        self.hears("ACK", {"msg_ref": self.ref(envelope), **said})

    def refuses(self, envelope: Envelope, code: str, detail: str = "no") -> None:
        """The server did not."""
        self.hears("ERROR", {"code": code, "detail": detail, "msg_ref": self.ref(envelope)})

    def ref(self, envelope: Envelope) -> str:
        raw = base64url.decode(str(envelope.members["ciphertext"]))
        text = f"{envelope.from_}{envelope.to}{envelope.ts}"
        return base64url.encode(hashlib.sha256(raw + text.encode()).digest())

    def store(self) -> records.Remembered:
        """What a new start would find."""
        contacts = {c.user_id: c for c in self.kept(records.Contact)}
        servers = {s.server_id: s for s in self.kept(records.KnownServer)}
        lines = {ln.line_id: ln for ln in self.kept(records.OutboxLine)}
        done = records.LineState.DONE
        out = {file.file_id: file for file in self.kept(records.OutgoingFile)}
        came = {(file.author, file.file_id): file for file in self.kept(records.IncomingFile)}
        over = records.FileStage.OVER
        keys = {(key.version, key.fingerprint): key for key in self.kept(records.ChannelKey)}
        arrived: dict[int, records.Arrived] = {}
        for record in self.records:  # in order: numbers are used again
            if isinstance(record, records.Arrived):
                arrived[record.number] = record
            elif isinstance(record, records.ArrivedShown):
                arrived.pop(record.number, None)
        return records.Remembered(
            contacts=tuple(contacts.values()),
            servers=tuple(servers.values()),
            seen=tuple(self.kept(records.Seen)),
            outbox=tuple(line for line in lines.values() if line.state is not done),
            channel_keys=tuple(key for key in keys.values() if key.private),
            arrived=tuple(arrived.values()),
            shelves=tuple({one.to: one for one in self.kept(records.Shelf)}.values()),
            threads=tuple(
                thread
                for thread in {key_of(one): one for one in self.kept(records.Thread)}.values()
                if thread.seq
            ),
            numbered=tuple({one.to: one for one in self.kept(records.Numbered)}.values()),
            key_steps=tuple(self.kept(KeyStep)),
            revocations=tuple(self.kept(Revocation)),
            outgoing_files=tuple(file for file in out.values() if file.stage is not over),
            incoming_files=tuple(file for file in came.values() if file.stage is not over),
            public_choice=next(iter(self.kept(records.PublicChoice)[-1:]), records.PublicChoice()),
            last_said=max((said.number for said in self.kept(records.Said)), default=0),
        )
