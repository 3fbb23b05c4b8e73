"""Somebody who says much: a brain that greets the server as ours do, and then what was sealed and
signed beforehand, for a second holds more of it than one machine can sign beside a screen."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Final

from socp.client.clock import now_ms
from socp.client.dialling import Socket
from socp.crypto.keys import PrivateKey, PublicKey, RsaSuite
from socp.member.compose import Pen
from socp.member.effects import Effect, GenerateChannelKey, Persist, Transmit
from socp.member.events import ChannelKeyGenerated, Event, FrameReceived, Now
from socp.member.member import Member
from socp.member.own_frame import Unsigned
from socp.member.profile import Profile
from socp.member.records import ChannelKey, Contact, Remembered
from socp.wire import envelope
from socp.wire.bind import bound
from socp.wire.content import Place, Text
from socp.wire.content import encode as content
from socp.wire.ids import PUBLIC
from socp.wire.payloads import MsgDirect, MsgPublicChannel

_RUN: Final = "00000000000000aa"


def now() -> Now:
    """The time of an event that happens now."""
    return Now(now_ms(), time.monotonic_ns() // 1_000_000)


@dataclass
class Speaker:
    """To one reader, or to everybody. `live` feeds the brain until `ready`."""

    name: str
    url: str
    key: PrivateKey
    reader: str  # as they are called
    public: bool
    suite: RsaSuite = field(default_factory=RsaSuite)
    user_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    said: int = 0

    def __post_init__(self) -> None:
        who = Profile(self.user_id, self.name, "socp bench", self.url, run=_RUN)
        self._member = Member(who, self.suite, self.key, Remembered())
        self._pen = Pen(self.suite, self.key, self.user_id)
        self._to = ""
        self._reads: PublicKey | None = None
        self._prev = ""

    @property
    def ready(self) -> bool:
        """Whether what it says can be sealed."""
        return self._reads is not None and self._member.attached

    async def handle(self, socket: Socket, event: Event) -> None:
        """Let the brain decide, and do it."""
        for effect in self._member.handle(event, now()):
            await self._do(socket, effect)

    async def hear(self, socket: Socket, data: bytes) -> None:
        """One frame that came."""
        await self.handle(socket, FrameReceived(envelope.decode(data)))

    async def _do(self, socket: Socket, effect: Effect) -> None:
        match effect:
            case Transmit():
                await socket.send_str(effect.data.decode())
            case GenerateChannelKey():
                key = self.suite.generate()
                await self.handle(socket, ChannelKeyGenerated(effect.version, key))
            case Persist(record=Contact(display_name=self.reader) as them) if not self.public:
                self._to, self._reads = them.user_id, self.suite.parse_public(them.pubkey)
            case Persist(record=ChannelKey() as channel) if self.public:
                self._to, self._reads = PUBLIC, self.suite.parse_public(channel.channel_pub)

    def next(self) -> Unsigned:
        """The next that it says: sealed and signed by its author, and to be signed for the way,
        which `data` does, in any thread."""
        assert self._reads is not None
        self.said += 1
        text = f"message {self.said} of {self.name}, as long as people write them"
        body = content(Text(body=text), Place(_RUN, self.said, self._prev))
        ts = now_ms()
        payload: MsgDirect | MsgPublicChannel
        if self.public:
            payload, self._prev = self._pen.post(body, self._reads, ts, bound=True, late=True)
        else:
            sealed = self._pen.direct(body, self._to, self._reads, ts, bound=True, late=True)
            payload, self._prev = sealed
            kind = type(payload).TYPE
            payload = bound(payload, type=kind, from_=self.user_id, to=self._to, ts=ts)
        return Unsigned(self.key, payload, from_=self.user_id, to=self._to, ts=ts)
