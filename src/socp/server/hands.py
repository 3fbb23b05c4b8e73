"""Carries out what the brain says, each effect at once and in order; long ones as tasks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from typing import Any, Final, assert_never
from weakref import WeakKeyDictionary

from socp.node.crowd import SHARED_BYTES
from socp.node.effects import (
    Afterwards,
    Answer,
    Ask,
    Bundle,
    Close,
    Dial,
    Effect,
    Identified,
    Level,
    Note,
    Outgoing,
    Persist,
    Piece,
    Ping,
    Probe,
    Relay,
    RenewSession,
    Send,
    Shed,
    Snapshot,
    Throttle,
    Told,
)
from socp.node.events import Event, LinkId, SnapshotDone
from socp.server.joined import Joined
from socp.server.link import Link, Links
from socp.server.outbox import WRITE_BYTES
from socp.server.signers import Sealed, Signers, ready
from socp.wire import limits
from socp.wire.payloads import UserAdvertise, UserRemove

log = logging.getLogger("server.server")

PRESENCE: Final = (UserAdvertise.TYPE, UserRemove.TYPE)
PRESENCE_HEADS: Final = tuple(f'{{"type":"{name}"'.encode() for name in PRESENCE)
PACE_BYTES: Final = 256 * limits.KIB  # a snapshot goes on while less than this waits on its link
PACED_BYTES: Final = 8 * limits.MIB  # of all that share nothing: many get on in smaller steps
PACE_S: Final = 0.01  # between two looks: 25 MiB/s at most, and nothing to be told by the transport
assert SHARED_BYTES < WRITE_BYTES < 2 * SHARED_BYTES, "what is shared would be joined for each link"
LEVELS: Final = {
    Level.DEBUG: logging.DEBUG,
    Level.INFO: logging.INFO,
    Level.WARNING: logging.WARNING,
    Level.ERROR: logging.ERROR,
}


ForOneLink = Snapshot | Identified | Close | Probe | Ping | Throttle


class Crew:
    """Owns the tasks that come and go while the server runs."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._tasks: set[asyncio.Task[None]] = set()
        self._dismissed = False

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Something that may fail without harm to the rest."""
        self._take(_loud(work), work.close)

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Something without which the server is none: its failure is the server's end."""
        self._take(work, work.close)

    def _take(self, work: Coroutine[Any, Any, None], close: Callable[[], None]) -> None:
        """`close` is called in the end, for what is dismissed may never have begun."""
        if self._dismissed:
            work.close()
            close()
            return
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: close())

    def dismiss(self) -> None:
        """Cancel them all, and start no more."""
        self._dismissed = True
        for task in self._tasks:
            task.cancel()


async def _loud(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:  # the top of a task: a bug in one must not end the others
        log.exception("a task ended for a fault of this server")


class Hands:
    """`dial`, `answer`, `told` and `renew` are what dialler, admin desk, HTTP and the server itself
    do with their effects; `passed` hears of bytes that go out, or wait to."""

    def __init__(
        self,
        links: Links,
        signers: Signers,
        start: Callable[[Coroutine[Any, Any, None]], None],
        dial: Callable[[Dial], Coroutine[Any, Any, None]],
        answer: Callable[[Answer], None],
        tell: Callable[[Event], None],
        told: Callable[[Told], None],
        renew: Callable[[], object],
        passed: Callable[[int], None],
    ) -> None:
        self._links = links
        self._signers = signers
        self._start = start
        self._dial = dial
        self._answer = answer
        self._tell = tell
        self._told = told
        self._renew = renew
        self._passed = passed
        self._pacing = 0  # snapshots under way that share nothing
        self._joined: WeakKeyDictionary[Piece, Joined] = WeakKeyDictionary()
        # One task sees to a piece, or hundreds would stand in line for each frame of it.
        self._joining: WeakKeyDictionary[Piece, asyncio.Lock] = WeakKeyDictionary()

    def carry(self, effect: Effect) -> None:
        """Do one effect. Those for a link that is gone do nothing."""
        match effect:
            case Send():
                is_news = effect.frame.in_turn or effect.frame.type in PRESENCE
                sealed = self._signers.seal(effect.frame, is_news=is_news)
                self._send(effect.links, sealed, is_news=is_news)
            case Relay() | Bundle():
                self._pass_on(effect)
            case Note():
                logging.getLogger(effect.logger).log(LEVELS[effect.level], "%s", effect.text)
            case Persist() | Ask() | Afterwards():
                pass  # the walk saw to them before anything of their batch came here
            case Shed():
                self._links.shed(effect.size)
            case Dial():
                self._start(self._dial(effect))
            case RenewSession():
                self._renew()
            case Answer():
                self._answer(effect)
            case Told():
                self._told(effect)
            case Snapshot() | Identified() | Close() | Probe() | Ping() | Throttle():
                link = self._links.get(effect.link)
                if link is not None:
                    self._do(link, effect)
            case _:
                assert_never(effect)

    def _pass_on(self, effect: Relay | Bundle) -> None:
        if isinstance(effect, Bundle):
            bundle = Joined([self._sealed(frame) for frame in effect.frames])
            return self._send(effect.links, bundle, is_news=True)
        is_news = effect.data.startswith(PRESENCE_HEADS)
        self._send(effect.links, ready(effect.data), is_news=is_news)

    def _sealed(self, frame: Outgoing | bytes) -> Sealed:
        """Of what a crowd is told of others."""
        return ready(frame) if isinstance(frame, bytes) else self._signers.seal(frame, is_news=True)

    def _waits(self, frame: Outgoing | bytes | Piece) -> bool:
        """Whether its turn to be signed is not yet."""
        match frame:
            case bytes():
                return False
            case Outgoing():
                return self._signers.is_full_for(frame)
        return frame not in self._joined and any(map(self._waits, frame.frames))

    async def _sealed_in_turn(self, frame: Outgoing | bytes | Piece) -> Sealed:
        """It is part of a long list, and perhaps of others' as well."""
        match frame:
            case bytes():
                return ready(frame)
            case Outgoing():
                return await self._signers.seal_listed(frame)
        if (joined := self._joined.get(frame)) is not None:
            return joined
        async with self._joining.setdefault(frame, asyncio.Lock()):
            joined = self._joined.get(frame)
            if joined is None:
                parts = [await self._sealed_in_turn(each) for each in frame.frames]
                joined = self._joined[frame] = Joined(parts)
            return joined

    def _send(self, links: Iterable[LinkId], sealed: Sealed, *, is_news: bool) -> None:
        self._passed(sealed.size)
        for link in self._links.these(links):
            if is_news:
                link.outbox.put_news(sealed)
            else:
                link.outbox.put(sealed)

    def _do(self, link: Link, effect: ForOneLink) -> None:
        match effect:
            case Snapshot():
                link.outbox.begin_pacing()  # now, so that a Close of the same batch waits for it
                alone = _shares_little(effect)
                self._pacing += alone
                self._start(self._pace(link, effect, alone=alone))
            case Identified():
                link.identify()
            case Close():
                link.close(effect)
            case Probe():
                link.probe()
            case Ping():
                link.ping()
            case Throttle():
                link.throttle(effect.pause_ms)

    async def _pieces(
        self, frames: Iterable[Outgoing | bytes | Piece], most: Callable[[int], int]
    ) -> AsyncGenerator[Sealed, None]:
        """Writes, made one by one, as they are asked for: what is not signed yet is signed then."""
        piece: list[Sealed] = []
        size = 0
        for frame in frames:
            if piece and self._waits(frame):
                yield _one(piece)
                piece, size = [], 0
            sealed = await self._sealed_in_turn(frame)
            if piece and size + sealed.size > most(WRITE_BYTES):
                yield _one(piece)
                piece, size = [], 0
            piece.append(sealed)
            size += sealed.size
        if piece:
            yield _one(piece)

    async def _pace(self, link: Link, snapshot: Snapshot, *, alone: bool) -> None:
        """Send a long list at the speed at which its link takes it."""
        outbox = link.outbox
        size = sum(map(_size, snapshot.frames))

        def most(size: int) -> int:
            """Whoever reads slowly holds what is theirs alone, and many may (S11)."""
            return min(size, PACED_BYTES // self._pacing) if alone else size

        link.paced_bytes += size
        try:
            async with contextlib.aclosing(self._pieces(snapshot.frames, most)) as pieces:
                async for piece in pieces:
                    while outbox.queued_bytes > most(PACE_BYTES) and not link.is_over:  # noqa: ASYNC110 - see PACE_S
                        await asyncio.sleep(PACE_S)
                    if link.is_over:
                        break
                    outbox.pace(piece)
                    self._passed(piece.size)
        finally:
            self._pacing -= alone
            link.paced_bytes -= size
            outbox.end_pacing()
        if snapshot.page and not link.is_over:
            self._tell(SnapshotDone(link.id, snapshot.page))


def _shares_little(snapshot: Snapshot) -> bool:
    """Whether more than a write of it is for its link alone."""
    return sum(_size(each) for each in snapshot.frames if not isinstance(each, Piece)) > WRITE_BYTES


def _one(parts: list[Sealed]) -> Sealed:
    return parts[0] if len(parts) == 1 else Joined(parts)


def _size(frame: Outgoing | bytes | Piece) -> int:
    match frame:
        case bytes():
            return len(frame)
        case Outgoing():
            return len(frame.payload)
    return frame.size
