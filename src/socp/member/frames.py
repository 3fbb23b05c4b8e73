"""A frame's way: its route (whose word it is) -> what must hold for such a word on this link -> the
part that decides. Nothing that others send raises; what is wrong with it is told to the person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from socp.member import gate
from socp.member.emitter import Emitter
from socp.member.events import FrameReceived, FrameRefused, Now
from socp.member.gate import Route
from socp.member.session import Session
from socp.wire import payloads
from socp.wire.envelope import CTRL_CLOSE, Envelope
from socp.wire.errors import PeerFault
from socp.wire.payloads import Ack, AuthChallenge, Error, MsgPublicChannel, Payload
from socp.wire.text import printable

DETAIL_COLUMNS: Final = 200
_GREETINGS: Final = (AuthChallenge, Ack, Error)


class Frames:
    """`take_clear` deals with a foreign post that is not encrypted, if it is one; `attached` is
    called when the server took our hello."""

    def __init__(
        self,
        emitter: Emitter,
        session: Session,
        routes: Mapping[type[Payload], Route],
        take_clear: Callable[[Envelope, Now], bool],
        attached: Callable[[Now], None],
    ) -> None:
        self._emit = emitter
        self._session = session
        self._routes = routes
        self._take_clear = take_clear
        self._attached = attached

    def takes(self) -> frozenset[type[Payload]]:
        """Which frames are taken from a server; others are not for a client."""
        return frozenset((*_GREETINGS, *self._routes))

    def received(self, event: FrameReceived, now: Now) -> None:
        """A frame came."""
        envelope = event.envelope
        try:
            self._walk(envelope, now)
        except PeerFault as fault:
            self._told(envelope.type, fault)

    def refused(self, event: FrameRefused, now: Now) -> None:
        """Something came that is no frame."""
        self._told("", event.fault)

    def due(self, now: Now) -> None:
        """A server that does not answer our hello may have taken it."""
        self._greeting(lambda: self._session.due(now), now)

    def _told(self, what: str, fault: PeerFault) -> None:
        """Something that came was dropped. Nothing goes back: no answer to an answer (section
        2)."""
        detail = printable(fault.detail, width=DETAIL_COLUMNS)
        self._emit.warn_once(
            f"{fault.code} {what}",
            f"something from the server was dropped ({detail}); if it goes on, tell its operator,"
            " and use wss:// where somebody on the way may change what you get",
        )

    def _walk(self, envelope: Envelope, now: Now) -> None:
        """One frame, from its route to its handler. Raises PeerFault."""
        kind = payloads.TYPES.get(envelope.type)
        if kind in _GREETINGS:
            before = self._session.clock.offset_ms
            self._session.heard(envelope, now)
            now = Now(now.wall + self._session.clock.offset_ms - before, now.mono)
        if self._session.server is None:
            self._greeting(lambda: self._greeted(envelope, now), now)
            if kind in _GREETINGS:
                return
        route = self._routes.get(kind) if kind is not None else None
        if self._session.server is not None and route is not None:
            payload = self._parsed(envelope, now)
            if payload is not None:
                server, own_id = self._session.server, self._emit.user_id
                gate.check(server, envelope, payload, route.voice, own_id, now)
                route.handler(envelope, payload, now)

    def _parsed(self, envelope: Envelope, now: Now) -> Payload | None:
        """The typed payload, or None for a foreign post in clear, which is dealt with (section
        7)."""
        try:
            return payloads.parse(envelope)
        except PeerFault:
            post = payloads.TYPES.get(envelope.type) is MsgPublicChannel
            if post and self._take_clear(envelope, now):
                return None
            raise

    def _greeting(self, step: Callable[[], None], now: Now) -> None:
        """Whatever may make us attached."""
        before = self._session.server is not None
        step()
        if self._session.server is not None and not before:
            self._attached(now)

    def _greeted(self, envelope: Envelope, now: Now) -> None:
        """A frame before we are attached."""
        kind = payloads.TYPES.get(envelope.type)
        if envelope.type == CTRL_CLOSE:
            return None  # it did not take our hello
        if kind not in _GREETINGS:
            return self._session.talked_at_once(envelope, now)
        payload = payloads.parse(envelope)
        if isinstance(payload, AuthChallenge):
            self._session.challenged(payload, now)
        elif isinstance(payload, Ack):
            self._session.welcomed(envelope, payload, now)
        elif isinstance(payload, Error):
            self._session.refused(envelope, payload, now)
