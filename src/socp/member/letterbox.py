"""Where what others say comes in: messages, posts, and the public channel's keys that open them."""

from __future__ import annotations

from socp.member import gate
from socp.member.emitter import Emitter
from socp.member.events import ChannelKeyGenerated, Now
from socp.member.inbox import Inbox
from socp.member.letters import delivered, posted
from socp.member.public import Room
from socp.member.session import Session
from socp.wire.envelope import Envelope
from socp.wire.payloads import MsgPublicChannel, PublicChannelKeyShare, UserDeliver


class Letterbox:
    """Hands each to the part that reads it; posts that waited for a key are tried again."""

    def __init__(self, emitter: Emitter, session: Session, room: Room, inbox: Inbox) -> None:
        self._emit = emitter
        self._session = session
        self._room = room
        self._inbox = inbox

    def deliver(self, envelope: Envelope, payload: UserDeliver, now: Now) -> None:
        """USER_DELIVER, where it is for us."""
        if envelope.to == self._emit.user_id:
            self._inbox.take(delivered(envelope, payload), now)

    def post(self, envelope: Envelope, payload: MsgPublicChannel, now: Now) -> None:
        """MSG_PUBLIC_CHANNEL."""
        server = self._session.server
        carried = server is not None and gate.carried(server, envelope, now)
        self._inbox.take(posted(envelope, payload, carried=carried), now)

    def share(self, envelope: Envelope, payload: PublicChannelKeyShare, now: Now) -> None:
        """PUBLIC_CHANNEL_KEY_SHARE."""
        self._opens(self._room.shared(envelope, payload, now), now)

    def generated(self, event: ChannelKeyGenerated, now: Now) -> None:
        """The key that we make for the channel is there."""
        self._room.generated(event.version, event.key)
        self.due(now)

    def due(self, now: Now) -> None:
        """What is due about the channel's keys."""
        self._opens(self._room.due(now), now)

    def _opens(self, learned: bool, now: Now) -> None:
        """A key of the channel is here: posts that waited may open."""
        if learned:
            self._inbox.channel_key_learned(now)
