"""One WebSocket: what is said on it, what is heard, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any, Final

import aiohttp
from aiohttp import web

from socp.conform.frames import Frame
from socp.conform.manners import Manners, Pace
from socp.conform.transcript import Transcript
from socp.conform.verdicts import Breach, Unjudged

Socket = aiohttp.ClientWebSocketResponse | web.WebSocketResponse
Where = Callable[[Frame], bool]

_HEARD_MAX: Final = 20_000
_ENDS: Final = (
    aiohttp.WSMsgType.CLOSE,
    aiohttp.WSMsgType.CLOSING,
    aiohttp.WSMsgType.CLOSED,
    aiohttp.WSMsgType.ERROR,
)
_FAULTS_AT_ONCE: Final = 12
GOODBYE_S: Final = 1.5
"""How long the other end may take to answer a close frame; then its socket is closed."""
_CLOSING_S: Final = 2 * GOODBYE_S
_IN_VAIN_S: Final = 0.1
"""How long something is waited for where nothing is ever answered."""


def anything(_frame: Frame) -> bool:
    """Every frame of the type that is waited for."""
    return True


def ignored(_frame: Frame) -> None:
    """Nobody looks over our shoulder."""


def hopeful() -> str:
    """An answer may come."""
    return ""


class Link:
    """Reads all the time, so that nothing that comes is missed; `heard` is what nobody took yet."""

    def __init__(
        self,
        name: str,
        socket: Socket,
        transcript: Transcript,
        manners: Manners,
        observe: Callable[[Frame], None] = ignored,
        in_vain: Callable[[], str] = hopeful,
    ) -> None:
        """`in_vain` says why it is no use to wait for an answer, "" where it is."""
        self.name = name
        self.transcript = transcript
        self.heard: list[Frame] = []
        self.awaits: set[str] = set()
        """The msg_refs of what was said on this link for the rule at hand."""
        self._past: set[str] = set()
        self._taken_at = 0
        self.pongs = 0
        self._socket = socket
        self._observe = observe
        self._in_vain = in_vain
        self._manners = manners
        self._faults = Pace(manners.faults_per_s, _FAULTS_AT_ONCE)
        self._news = asyncio.Event()
        self._ended = False
        self._reading = asyncio.create_task(self._read())

    @property
    def close_code(self) -> int | None:
        """What the link was closed with, None while it is open."""
        return (self._socket.close_code or 1006) if self._ended else None

    def begin(self, transcript: Transcript) -> None:
        """Another rule is tried: what still comes about earlier messages is no answer to its."""
        self.transcript = transcript
        self._past |= self.awaits
        self.awaits = set()
        self.heard.clear()

    # --- saying ---------------------------------------------------------------------------------

    async def say(self, members: dict[str, Any]) -> None:
        """One frame."""
        await self.say_text(json.dumps(members))

    async def say_text(self, text: str) -> None:
        """Any text, frame or not."""
        self.transcript.sent(self.name, text)
        with contextlib.suppress(ConnectionError):  # what became of it is seen by who listens
            await self._socket.send_str(text)

    async def say_bytes(self, data: bytes, kind: aiohttp.WSMsgType) -> None:
        """Any bytes as a message of this kind."""
        self.transcript.sent(self.name, f"({kind.name.lower()}) {data[:200]!r}")
        with contextlib.suppress(ConnectionError):
            await self._socket.send_frame(data, kind)

    async def fault_turn(self) -> None:
        """Before a frame that is to be refused: wait until one more is polite."""
        await self._faults.turn()

    # --- hearing --------------------------------------------------------------------------------

    async def hears(
        self, *kinds: str, where: Where = anything, within_s: float | None = None
    ) -> Frame:
        """The first frame of one of these types that fits, taken out. Raises Breach, or Unjudged
        where none would come in any case."""
        waited, in_vain = self._patience(within_s)
        try:
            async with asyncio.timeout(waited):
                while True:
                    frame = self._take(kinds, where)
                    if frame is not None:
                        return frame
                    if self._ended:
                        raise Breach(
                            f"the link was closed with {self.close_code} before"
                            f" {' or '.join(kinds)} came{self._instead()}"
                        )
                    await self._next()
        except TimeoutError:
            if in_vain:
                raise Unjudged(in_vain) from None
            raise Breach(
                f"no {' or '.join(kinds)} came within {waited:g} s{self._instead()}"
            ) from None

    async def hears_or_ends(self, *kinds: str, where: Where = anything) -> Frame | None:
        """The same; None where the other side closes the link instead. Raises Breach."""
        try:
            return await self.hears(*kinds, where=where)
        except Breach:
            if self.close_code is None:
                raise
            return None

    async def reaches(
        self, *kinds: str, within_s: float | None = None
    ) -> tuple[Frame, tuple[Frame, ...]]:
        """The same, with what came before it. Raises Breach."""
        frame = await self.hears(*kinds, within_s=within_s)
        before = tuple(self.heard[: self._taken_at])
        del self.heard[: self._taken_at]
        return frame, before

    def has(self, *kinds: str, where: Where = anything) -> bool:
        """Whether such a frame came and was not taken."""
        return any(self._fits(frame, kinds, where) for frame in self.heard)

    async def quiet(
        self, *kinds: str, where: Where = anything, within_s: float | None = None
    ) -> None:
        """Raises Breach where such a frame comes, Unjudged where none would in any case."""
        waited = self._manners.quiet_s if within_s is None else within_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(waited):
                while not self.has(*kinds, where=where) and not self._ended:
                    await self._next()
        frame = self._take(kinds, where)
        if frame is not None:
            raise Breach(f"{frame.gist()} came, which nobody may send here")
        if in_vain := self._in_vain():
            raise Unjudged(in_vain)

    async def is_answered(self) -> None:
        """A ping of ours must be answered by a pong. Raises Breach."""
        before = self.pongs
        self.transcript.sent(self.name, "(ping)")
        with contextlib.suppress(ConnectionError):
            await self._socket.ping()
        try:
            async with asyncio.timeout(self._manners.patience_s):
                while self.pongs == before and not self._ended:
                    await self._next()
        except TimeoutError:
            raise Breach("a ping was not answered by a pong") from None

    async def ends(self, *, within_s: float | None = None) -> int:
        """The code with which the other side closes. Raises as `hears`."""
        waited, in_vain = self._patience(within_s)
        try:
            async with asyncio.timeout(waited):
                await asyncio.shield(self._reading)
        except TimeoutError:
            if in_vain:
                raise Unjudged(in_vain) from None
            raise Breach(f"the link was still open after {waited:g} s{self._instead()}") from None
        assert self.close_code is not None
        return self.close_code

    async def close(self, code: int = 1000) -> None:
        """Say goodbye; what the other side does about it is not waited for long."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(_CLOSING_S):
                await self._socket.close(code=code)
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._ended = True

    def _patience(self, within_s: float | None) -> tuple[float, str]:
        """How long to wait, and why that is of no use, "" where it is."""
        if within_s is not None:
            return within_s, ""
        if in_vain := self._in_vain():
            return _IN_VAIN_S, in_vain
        return self._manners.patience_s, ""

    async def _next(self) -> None:
        self._news.clear()
        await self._news.wait()

    def _take(self, kinds: tuple[str, ...], where: Where) -> Frame | None:
        for number, frame in enumerate(self.heard):
            if self._fits(frame, kinds, where):
                self._taken_at = number
                return self.heard.pop(number)
        return None

    @staticmethod
    def _fits(frame: Frame, kinds: tuple[str, ...], where: Where) -> bool:
        return frame.type in kinds and where(frame)

    def _instead(self) -> str:
        """What came in place of what was due."""
        gists = list(dict.fromkeys(frame.gist() for frame in self.heard))
        return f"; there came {', '.join(gists[:4])}" if gists else "; nothing came"

    async def _read(self) -> None:
        try:
            while True:
                message = await self._socket.receive()
                if message.type in _ENDS:
                    break
                if message.type is aiohttp.WSMsgType.PONG:
                    self.pongs += 1
                    self._news.set()
                elif message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    self._hear(message.data)
        finally:
            self._ended = True
            self.transcript.became(self.name, f"closed with {self._socket.close_code}")
            self._news.set()

    def _hear(self, data: str | bytes) -> None:
        frame = Frame.read(data)
        self._observe(frame)
        if str(frame.get("msg_ref")) in self._past:
            return
        self.transcript.came(self.name, frame.text)
        if len(self.heard) < _HEARD_MAX:
            self.heard.append(frame)
        self._news.set()
