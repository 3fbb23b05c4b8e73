"""Signing in a few threads, never on the event loop: an Outgoing is signed once and encoded once.

A signature takes 1.3 ms and lets go of the GIL. Results come back in any order; `outbox` puts them
in the order they were asked for. One by a session key (`fast-sig/1`) takes 25 us, and is made on
the spot unless the payload is a long one.

What waits is bounded in three steps: the brain refuses who asks for more than their share, then
whoever asks for more at all, and at last nobody is read from. News of who is where has a lane of
its own (`lanes.py`) and counts for the last of these alone, and then as a tenth; whoever is told a
long list waits, besides, until that lane is short.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, Protocol
from weakref import WeakKeyDictionary

from socp.crypto.keys import PrivateKey
from socp.keystore.key_threads import key_threads
from socp.node.effects import Outgoing
from socp.node.events import Strain
from socp.server import framing
from socp.server.gate import Gate
from socp.server.lanes import Lanes
from socp.wire import base64url, envelope, limits, strict
from socp.wire.canonical import canonical

log = logging.getLogger("server.server")

WAITING_A_THREAD: Final = 100  # signatures: 0.13 s of work; more of them strain
LISTED_A_THREAD: Final = 32  # of lists: 0.04 s, so that no thread has to wait for the loop
NEWS_A_MESSAGE: Final = 10  # so many wait where one message would be too many
_KEPT_SIGNATURES: Final = 256
_KEPT_PAYLOAD_BYTES: Final = 4096
_QUICK_BYTES: Final = 16 * limits.KIB
_OVERHEAD_BYTES: Final = 1024  # of an envelope around its payload: addresses, names and `sig`


class Waiter(Protocol):
    """Whoever holds frames that are not sealed yet."""

    def flush(self) -> None: ...


class Sealed:
    """One frame on its way out, shared by all links that take it; `framed` once it is signed."""

    __slots__ = ("failed", "framed", "head", "size", "waiters")

    def __init__(self, size: int) -> None:
        self.size = size  # bytes, as expected when it was asked for; what the bound counts
        self.framed: bytes | None = None  # as an accepted link takes it
        self.head = 0
        self.failed = False  # signing broke: a bug, and the end of the links that wait for it
        self.waiters: list[Waiter] = []

    @property
    def text(self) -> bytes:
        """The JSON text of the frame."""
        return (self.framed or b"")[self.head :]

    @property
    def texts(self) -> tuple[bytes, ...]:
        """Of each frame in it."""
        return (self.text,)

    def fill(self, text: bytes) -> None:
        self.framed = framing.from_server(framing.TEXT, text)
        self.head = len(self.framed) - len(text)


def ready(text: bytes) -> Sealed:
    """A frame that needs no signature of ours: somebody else's, or one without."""
    sealed = Sealed(len(text))
    sealed.fill(text)
    return sealed


class _Done(NamedTuple):
    """What a thread did."""

    sealed: Sealed
    frame: Outgoing
    text: bytes | None  # None: it could not be signed
    sig: str
    is_news: bool


class _Place:
    """Of one frame of a long list among those that may wait at once."""

    def __init__(self, room: asyncio.Semaphore) -> None:
        self._room = room

    def flush(self) -> None:
        """It is signed."""
        self._room.release()


class Signers:
    """Turns what the brain wants to say into bytes."""

    def __init__(
        self,
        key: PrivateKey,
        gate: Gate,
        wake: Callable[[Callable[[], None]], object],
        strained: Callable[[Strain], None],
        *,
        threads: int,
    ) -> None:
        """`wake` runs a function on the event loop, from any thread (call_soon_threadsafe);
        `strained` tells, on the loop, how much waits whenever that changes."""
        self._key = key
        self._gate = gate
        self._wake = wake
        self._strained = strained
        self._threads = key_threads(threads, "sign")
        self._lanes = Lanes(self._threads)
        self._many = WAITING_A_THREAD * threads
        self._room = asyncio.Semaphore(LISTED_A_THREAD * threads)  # for long lists
        self._strain = Strain.NONE
        self._known: WeakKeyDictionary[Outgoing, Sealed] = WeakKeyDictionary()
        self._signatures: OrderedDict[bytes, str] = OrderedDict()
        self._lasting: OrderedDict[bytes, str] = OrderedDict()
        self._followers: dict[bytes, list[tuple[Sealed, Outgoing]]] = {}
        self._proofs: OrderedDict[bytes, str] = OrderedDict()
        self._done: deque[_Done] = deque()
        self._woken = False
        self._news = 0  # waiting, of who is where
        self.waiting = 0  # all others

    def seal(self, frame: Outgoing, *, is_news: bool = False) -> Sealed:
        """The frame's bytes, now or soon. The same Outgoing again gives the same object, but for
        what a session key signs on the spot: that is said in one effect, and never again."""
        if frame.fast is not None and _is_quick(frame):
            sig = frame.fast.sign(_to_sign(frame, frame.payload))
            return ready(_encoded(frame, frame.payload, sig))
        sealed = self._known.get(frame)
        if sealed is None:
            sealed = self._known[frame] = self._start(frame, is_news=is_news)
        return sealed

    def is_full_for(self, frame: Outgoing) -> bool:
        """Whether this frame of a long list has to wait before it is sealed."""
        return self._room.locked() and self._takes_room(frame)

    async def seal_listed(self, frame: Outgoing) -> Sealed:
        """The same for a frame of a long list: all who are told one come in turn, with one frame
        after the other."""
        if not self._takes_room(frame):
            return self.seal(frame)
        await self._room.acquire()
        is_under_way = not self._takes_room(frame)  # somebody else was told it meanwhile
        sealed = self.seal(frame, is_news=True)
        if is_under_way or sealed.framed is not None:
            self._room.release()
        else:
            sealed.waiters.append(_Place(self._room))
        return sealed

    def _takes_room(self, frame: Outgoing) -> bool:
        return frame.fast is None and frame not in self._known

    def prove(self, preimage: bytes, then: Callable[[str], None]) -> None:
        """Give `then` our signature over `preimage`, on the event loop; "" where signing broke.

        A signature once made is good for ever, so it serves whoever asks next.
        """
        known = self._proofs.get(preimage)
        if known is not None:
            self._proofs.move_to_end(preimage)
            return then(known)
        self._count(1)
        self._lanes.add(partial(self._prove, preimage, then), is_news=False)

    def stop(self) -> None:
        """Drop what is not begun; does not wait."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _start(self, frame: Outgoing, *, is_news: bool) -> Sealed:
        if not frame.proofs:
            sig = self._at_once(frame)
            if sig is not None:
                return ready(_encoded(frame, frame.payload, sig))
        sealed = Sealed(len(frame.payload) + _OVERHEAD_BYTES)
        if frame.lasting:
            followers = self._followers.get(frame.payload)
            if followers is not None:
                followers.append((sealed, frame))
                return sealed
            self._followers[frame.payload] = []
        self._count(not is_news, is_news)
        self._lanes.add(partial(self._work, sealed, frame, is_news=is_news), is_news=is_news)
        return sealed

    def _count(self, more: int, news: int = 0) -> None:
        """So many more wait, or fewer; back from a step only well below it."""
        self.waiting += more
        self._news += news
        waiting, many = self.waiting, self._many
        most = max(waiting, self._news // NEWS_A_MESSAGE)
        if most >= 2 * many:
            self._gate.hold(self)
        elif most <= many:
            self._gate.release(self)
        strain = Strain.NONE if waiting <= many // 2 else min(self._strain, Strain.SOME)
        if waiting >= many:
            strain = max(self._strain, Strain.FULL if waiting >= 3 * many // 2 else Strain.SOME)
        if strain is not self._strain:
            self._strain = strain
            self._strained(strain)

    def _at_once(self, frame: Outgoing) -> str | None:
        """`sig` of the frame, or None where it takes a while."""
        if not frame.signed:
            return ""
        if frame.fast is not None:
            return None
        kept = self._lasting if frame.lasting else self._signatures
        sig = kept.get(frame.payload)
        if sig is not None:
            kept.move_to_end(frame.payload)
        return sig

    def _work(self, sealed: Sealed, frame: Outgoing, *, is_news: bool) -> None:
        """In a signing thread."""
        text: bytes | None = None
        sig = ""
        try:
            payload = _with_proofs(self._key, frame)
            if frame.signed:
                sig = self._signature(frame, _to_sign(frame, payload))
            text = _encoded(frame, payload, sig)
        except Exception:  # the top of this thread: the links that wait for it end, loudly
            log.exception("a %s frame could not be signed", frame.type)
        self._done.append(_Done(sealed, frame, text, sig, is_news))
        if not self._woken:
            self._woken = True
            self._wake(self._deliver)

    def _signature(self, frame: Outgoing, signed: bytes) -> str:
        if frame.fast is not None:
            return frame.fast.sign(signed)
        return base64url.encode(self._key.sign(signed))

    def _prove(self, preimage: bytes, then: Callable[[str], None]) -> None:
        """In a signing thread."""
        sig = ""
        try:
            sig = base64url.encode(self._key.sign(preimage))
        except Exception:  # the top of this thread: whoever waits is told
            log.exception("a proof could not be signed")
        self._wake(lambda: self._proved(preimage, sig, then))

    def _proved(self, preimage: bytes, sig: str, then: Callable[[str], None]) -> None:
        self._count(-1)
        if sig:
            self._proofs[preimage] = sig
            if len(self._proofs) > _KEPT_SIGNATURES:
                self._proofs.popitem(last=False)
        then(sig)

    def _deliver(self) -> None:
        """On the event loop: what was signed meanwhile goes to whoever waits for it."""
        self._woken = False  # before the queue is emptied, so that no result is left lying
        waiters: dict[Waiter, None] = {}
        done = news = 0
        while self._done:
            sealed, frame, text, sig, is_news = self._done.popleft()
            done += not is_news
            news += is_news
            if text is not None:
                self._remember(frame, sig)
            waiters.update(_settled(sealed, text))
            for each, said in self._followers.pop(frame.payload, ()) if frame.lasting else ():
                same = None if text is None else _encoded(said, said.payload, sig)
                waiters.update(_settled(each, same))
        self._count(-done, -news)
        for waiter in waiters:
            waiter.flush()

    def _remember(self, frame: Outgoing, sig: str) -> None:
        """The same payload again keeps its signature, which covers nothing else (section 3)."""
        payload = frame.payload
        fleeting = frame.proofs or frame.fast is not None or b'"bind":' in payload
        if not sig or fleeting or len(payload) > _KEPT_PAYLOAD_BYTES:
            return
        kept = self._lasting if frame.lasting else self._signatures
        kept[payload] = sig
        if len(kept) > _KEPT_SIGNATURES:
            kept.popitem(last=False)


def _is_quick(frame: Outgoing) -> bool:
    """Whether its session key signs it in less time than a thread is asked in."""
    return frame.signed and not frame.proofs and len(frame.payload) <= _QUICK_BYTES


def _settled(sealed: Sealed, text: bytes | None) -> dict[Waiter, None]:
    """Those who waited for it: here are its bytes, or none for ever."""
    if text is None:
        sealed.failed = True
    else:
        sealed.fill(text)
    waiters = dict.fromkeys(sealed.waiters)
    sealed.waiters.clear()
    return waiters


def _with_proofs(key: PrivateKey, frame: Outgoing) -> bytes:
    if not frame.proofs:
        return frame.payload
    members = _members(frame.payload)
    for name, preimage in frame.proofs:
        members[name] = base64url.encode(key.sign(preimage))
    return canonical(members)


def _to_sign(frame: Outgoing, payload: bytes) -> bytes:
    return canonical(_members(payload)) if frame.verbatim else payload


def _members(payload: bytes) -> dict[str, object]:
    members = strict.loads(payload.decode(), what="payload")
    assert isinstance(members, dict)
    return members


def _encoded(frame: Outgoing, payload: bytes, sig: str) -> bytes:
    return envelope.encode(frame.type, frame.from_, frame.to, frame.ts, payload, sig)
