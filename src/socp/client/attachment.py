"""Staying attached to the server: dial, carry frames, and when the link is gone dial again."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Final

from socp.client import dialling
from socp.client.backoff import Backoff
from socp.client.connection import Connection
from socp.client.dialling import DialFailed
from socp.client.notices import GivenUp, Offline
from socp.client.server_url import ServerUrl
from socp.client.walk import Walk
from socp.keystore.key_threads import key_threads
from socp.member.ahead import Work
from socp.member.events import Connected, Disconnected, FrameReceived, FrameRefused, Tick
from socp.member.own_frame import OwnFrame

log = logging.getLogger("client")
NONCE_BYTES: Final = 32
THREADS: Final = 2  # one opens while the other signs
LASTS_S: Final = 10.0
"""After so long it is no short outage: why it goes on is told too."""
REASONS_MAX: Final = 8  # of one outage
_TICK_ATTACHED_S: Final = 0.1
_TICK_ALONE_S: Final = 1.0


class Attachment:
    """One link at a time. `run` it in a task; cancel it to leave with a goodbye."""

    def __init__(
        self,
        url: ServerUrl,
        walk: Walk,
        ahead: Callable[[FrameReceived], Work | None],
        tell: Callable[[Offline | GivenUp], None],
        room: Callable[[], Awaitable[None]],
    ) -> None:
        """`ahead` says what of a frame's arithmetic can be done before the brain handles it; `room`
        returns when there is room for what the next frame brings."""
        self._url = url
        self._walk = walk
        self._ahead = ahead
        self._tell = tell
        self._room = room
        self._connection: Connection | None = None
        self._backoff = Backoff(loopback=url.loopback, chance=random.random)
        self._gave_up = ""
        self._hung_up = False
        self._told: set[str] = set()  # why this outage is one
        self._since_s = 0.0  # when it was told of first, monotonic

    def online(self) -> None:
        """The server took us."""
        self._backoff.reset()
        self._told.clear()

    def send(self, frame: OwnFrame, link: int) -> None:
        """Send on that link; once it is gone, nothing: the brain was told and sends again."""
        if self._connection and link == self._walk.link:
            self._connection.send(frame)

    def hang_up(self, reason: str, link: int, *, retry: bool) -> None:
        """The brain wants this link to end, and where not `retry` no other to follow."""
        if link == self._walk.link:
            if not retry:
                self._gave_up = reason
            if self._connection:
                self._hung_up = True
                self._connection.end(reason)

    async def outgoing_room(self) -> None:
        """Return when the link takes more, or there is none."""
        if self._connection:
            await self._connection.outgoing.room()

    async def run(self) -> None:
        """Until cancelled or given up."""
        with key_threads(THREADS, "socp-keys") as threads:
            await self._attached(threads)
        self._tell(GivenUp(self._gave_up))

    async def _attached(self, threads: Executor) -> None:
        async with dialling.session() as session:
            while not self._gave_up:
                try:
                    socket = await dialling.dial(session, self._url)
                except DialFailed as fault:
                    self._offline(f"{fault}; trying again")
                else:
                    connection = Connection(socket, self._ahead, threads)
                    self._offline(await self._carry(connection))
                if not self._gave_up:
                    await asyncio.sleep(self._backoff.next_s())

    async def tick(self) -> None:
        """Let the brain know that time passes, until cancelled."""
        while True:
            self._walk.feed(Tick())
            await asyncio.sleep(_TICK_ATTACHED_S if self._connection else _TICK_ALONE_S)

    async def _carry(self, connection: Connection) -> str:
        self._walk.link += 1
        self._connection, self._hung_up = connection, False
        reason = "we left"
        try:
            self._walk.feed(Connected(secrets.token_bytes(NONCE_BYTES)))
            reason = await connection.run(self._arrive)
        finally:
            self._connection = None
            self._walk.feed(Disconnected(reason))
            self._walk.link += 1
        # What the brain said before it knew may end all trying.
        await self._walk.settled()
        # Where it was the brain that hung up, its reason says what comes next.
        return reason if self._hung_up else f"{reason}; trying again"

    async def _arrive(self, event: FrameReceived | FrameRefused) -> None:
        if isinstance(event, FrameRefused):
            log.warning("! frame refused: %s", event.fault.detail)
        self._walk.feed(event)
        await self._room()

    def _offline(self, reason: str) -> None:
        now_s = time.monotonic()
        if not self._told:
            self._since_s = now_s
        lasts, known = now_s - self._since_s >= LASTS_S, reason in self._told
        if self._gave_up or (self._told and (known or not lasts)) or len(self._told) >= REASONS_MAX:
            return
        self._told.add(reason)
        self._tell(Offline(reason))
