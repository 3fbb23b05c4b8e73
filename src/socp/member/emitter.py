"""The mouth of the brain: collects the effects of one event, and builds frames that are bound and
signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from socp.crypto.fast_sig import OwnSession
from socp.crypto.keys import PrivateKey
from socp.member import latest
from socp.member.effects import Effect, Notice, Persist, Tell, Transmit, Warned
from socp.member.events import Now
from socp.member.key_book import FORMER_TRIED
from socp.member.own_frame import OwnFrame, Ready, Unsigned
from socp.member.records import Record
from socp.wire.bind import bound
from socp.wire.envelope import decode
from socp.wire.hop import FAST_PREFIX, is_hop
from socp.wire.ids import EVERYONE
from socp.wire.payloads import (
    Ack,
    MsgPublicChannel,
    Payload,
    PublicChannelKeyShare,
)

WARNED_MAX: Final = 1_000
_UNBOUND: Final = (MsgPublicChannel, PublicChannelKeyShare)
"""Frames that travel on unchanged, under their authors' content_sig, need no `bind` (section
11)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds on this link. `server_id` is "" while unknown; `bound`: both ends have
    `bind/1`; `mailbox`: both have `mailbox/1` and have proved themselves; `fast`: our session key,
    where the server knows it."""

    server_id: str = ""
    bound: bool = False
    mailbox: bool = False
    fast: OwnSession | None = None


class Emitter:
    """`take` empties it after each event."""

    def __init__(self, user_id: str, key: PrivateKey) -> None:
        self.user_id = user_id
        self.key = key
        self.former: tuple[PrivateKey, ...] = ()  # newest first
        self.terms = Terms()
        self._effects: list[Effect] = []
        self._warned: dict[str, None] = {}  # the latest subjects, oldest first

    @property
    def readers(self) -> tuple[PrivateKey, ...]:
        """The keys that something sealed for us may need, the likeliest first."""
        return (self.key, *self.former[:FORMER_TRIED])

    def take(self) -> list[Effect]:
        """The effects since the last call, in order."""
        effects, self._effects = self._effects, []
        return effects

    def add(self, effect: Effect) -> None:
        """One more effect."""
        self._effects.append(effect)

    def persist(self, record: Record) -> None:
        """Have this remembered before whatever comes after it is done."""
        self.add(Persist(record))

    def tell(self, notice: Notice) -> None:
        """Have the person told."""
        self.add(Tell(notice))

    def warn(self, text: str) -> None:
        """One sentence that the person should read, with the next step."""
        self.tell(Warned(text))

    def warn_once(self, subject: str, text: str) -> None:
        """As `warn`, but once for each subject until `warn_again`.

        Others choose many subjects: the oldest is forgotten then, and no new one is left unsaid.
        """
        if subject in self._warned:
            return
        latest.keep(self._warned, subject, None, WARNED_MAX)
        self.warn(text)

    def warn_again(self, subject: str) -> None:
        """The state that was warned of is over."""
        self._warned.pop(subject, None)

    # --- frames ---------------------------------------------------------------------------------

    def frame(self, payload: Payload, *, to: str, ts: int) -> bytes:
        """A frame of ours, encoded: `ts` Unix ms. Costs one signature."""
        return self._frame(payload, to, ts).data

    def transmit(self, data: bytes) -> None:
        """Put an encoded frame on the socket."""
        self.add(Transmit(Ready(data)))

    def transmit_again(self, data: bytes) -> None:
        """The same once more, maybe on another link: what a session key signed was for one link
        alone, and is signed anew."""
        frame = decode(data)
        if not frame.sig.startswith(FAST_PREFIX):
            return self.transmit(data)
        self._put(Unsigned.again(self._signer(frame.type), frame))

    def send(self, payload: Payload, now: Now, *, to: str = "") -> None:
        """Build a frame, to our server where `to` is "", and put it on the socket. It is signed
        when it goes."""
        to = to or self.terms.server_id or EVERYONE
        self._put(self._frame(payload, to, now.wall))

    def _put(self, frame: Unsigned) -> None:
        ready: OwnFrame = Ready(frame.data) if frame.is_quick else frame
        self.add(Transmit(ready))

    def _signer(self, kind: str) -> PrivateKey | OwnSession:
        """The session key for what goes no further than our server, where that knows it."""
        fast = self.terms.fast
        return fast if fast is not None and is_hop(kind) else self.key

    def _frame(self, payload: Payload, to: str, ts: int) -> Unsigned:
        if self.terms.bound and not isinstance(payload, _UNBOUND):
            kind = type(payload).TYPE
            payload = bound(payload, type=kind, from_=self.user_id, to=to, ts=ts)
        signer = self._signer(type(payload).TYPE)
        return Unsigned(signer, payload, from_=self.user_id, to=to, ts=ts)

    def ack(self, msg_ref: str, now: Now, *, of: str = "") -> None:
        """Have our server know that this is kept here, or over for good: it may let go of it
        (section 11). Says nothing where the link has no `mailbox/1`.

        It is the same whatever became of the message (threat M8).
        """
        if self.terms.mailbox:
            self.send(Ack(msg_ref=msg_ref, of=of), now)
