"""One WebSocket's life, accepted or dialled: bytes in, events out, until it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from aiohttp import WSMessage, WSMsgType

from socp.node.effects import Close
from socp.node.events import Event, FrameReceived, FrameRefused, LinkLost, LinkOpened
from socp.node.pace import Bucket
from socp.server import framing, fresh
from socp.server.gate import Gate
from socp.server.link import POLICY, Link
from socp.server.shift import SHORT_BYTES, Shift
from socp.wire import envelope
from socp.wire.errors import Code, PeerFault

log = logging.getLogger("server.links")

INTERNAL: Final = 1011
GOING_AWAY: Final = 1001
_FAIR_MESSAGES: Final = 32  # in a row; then others have their turn
_CONTROLS_BURST, _CONTROLS_PER_S = 100, 10  # pings and pongs; an idle peer may send them for ever
_ENDS: Final = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)


class Socket(Protocol):
    """What aiohttp's accepted and dialled WebSockets have in common."""

    @property
    def close_code(self) -> int | None: ...

    async def receive(self) -> WSMessage: ...


@dataclass(slots=True)
class Ear:
    """Reads one link."""

    link: Link
    socket: Socket
    tell: Callable[[Event], None]
    gate: Gate
    shift: Shift
    controls: Bucket = field(
        default_factory=lambda: Bucket.full(_CONTROLS_BURST, _CONTROLS_PER_S, fresh.now().mono)
    )

    async def listen(self, opened: LinkOpened) -> None:
        """From LinkOpened to LinkLost, whatever happens between. The caller ends the socket."""
        reason = "stopped"
        try:
            self.tell(opened)
            reason = await self._read()
        except Exception:  # a bug of ours ends this link, loudly; the server goes on
            log.exception("link %d ends for a fault of this server", self.link.id)
            self.link.close(Close(self.link.id, INTERNAL, "a fault of this server"))
            await asyncio.sleep(0)
        finally:
            self._lost(self.link.reason or reason)

    def _lost(self, reason: str) -> None:
        try:
            self.shift.work(self.tell, LinkLost(self.link.id, reason))
        except Exception:  # as above
            log.exception("the end of link %d was not taken in", self.link.id)

    async def _read(self) -> str:
        """Take messages until the last one; why it was the last."""
        in_a_row = 0
        while True:
            if not self.link.is_cut:
                if not self.gate.is_open:
                    await self.gate.passed()
                if self.link.rest_until:
                    await self._rest()
            message = await self.socket.receive()
            if self.shift.is_over and _is_long(message):
                await self.shift.next()
            if message.type in _ENDS:
                return self._ended(message)
            self.link.took(len(message.data))
            # Else read only so that no reset overtakes our goodbye, and nothing stays behind.
            if not (self.link.is_ending or self.link.is_cut):
                self.shift.work(self._take, message)
            del message  # or it would be kept until the next one comes, up to 1 MiB a link
            in_a_row += 1
            if in_a_row == _FAIR_MESSAGES:
                in_a_row = 0
                await asyncio.sleep(0)

    async def _rest(self) -> None:
        """Sleep as long as the brain said: TCP makes the peer wait meanwhile."""
        pause_s = self.link.rest_until - asyncio.get_running_loop().time()
        self.link.rest_until = 0.0
        if pause_s > 0:
            await asyncio.sleep(pause_s)

    def _take(self, message: WSMessage) -> None:
        match message.type:
            case WSMsgType.TEXT:
                self._frame(message.data)
            case WSMsgType.BINARY:
                fault = PeerFault(
                    Code.BAD_FRAME, "binary frame; send JSON in a text frame", close=POLICY
                )
                self.tell(FrameRefused(self.link.id, fault))
            case WSMsgType.PING:
                self._count_control()
                self.link.outbox.control(framing.PONG, bytes(message.data))
            case WSMsgType.PONG:
                self._count_control()
                self.link.pong()

    def _count_control(self) -> None:
        if not self.controls.take(fresh.now().mono):
            self.link.breached(POLICY, "too many pings")

    def _frame(self, data: bytes) -> None:
        self.link.trace_in(data)
        try:
            frame = envelope.decode(data, max_bytes=self.link.frame_limit)
        except PeerFault as fault:
            self.tell(FrameRefused(self.link.id, fault))
        else:
            self.tell(FrameReceived(self.link.id, frame))

    def _ended(self, message: WSMessage) -> str:
        if message.type is WSMsgType.CLOSE:
            code = self.socket.close_code or 1000
            self.link.outbox.answer_close(code)
            said = f": {message.extra}" if message.extra else ""
            return f"closed by the other side ({code}{said})"
        if message.type is WSMsgType.ERROR:
            return f"broken: {message.data}"
        return "connection lost"


def _is_long(message: WSMessage) -> bool:
    """Whether it may take a while: the end of a link takes all that it asked for back."""
    return message.type in _ENDS or len(message.data) > SHORT_BYTES
