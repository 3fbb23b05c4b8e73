"""seen_ids (section 4): what passed already is dropped, for as long as its ts would be accepted."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType

from socp.wire import limits
from socp.wire.envelope import Envelope
from socp.wire.errors import Code, PeerFault
from socp.wire.msg_ref import dedup_key

KEPT_MS = (
    2 * limits.TS_WINDOW_MS
)  # a frame may be 5 min ahead when it comes, and 5 min old when replayed
GRAIN_MS = 1_000  # it is remembered to the end of one of these
QUOTA_PER_SOURCE = 200_000
SEEN_MAX = 50_000_000  # of all sources
KEY_BYTES = 15  # an object of 48 bytes; one more would be 64


@dataclass(slots=True, eq=False)
class _Source:
    """Who brought some of them: one for all, or each would hold the name that came with it."""

    name: str
    held: int = 0


@dataclass(slots=True, eq=False)
class _Span:
    """Those that are forgotten at the same time."""

    until_ms: int  # monotonic
    count: int = 0


class SeenIds:
    """Keys of frames, each remembered 10 min and up to a second, at most a quota from each source.

    A source at its quota is refused rather than that anything is forgotten: nobody can push
    others' keys out to replay them. Where all are full, the quota is what is fair: who said little
    goes on.
    """

    def __init__(self, quota: int = QUOTA_PER_SOURCE, most: int = SEEN_MAX) -> None:
        self._quota = quota
        self._most = most
        self._seen: set[bytes] = set()
        # Two of the same length, in the order in which they came: a tuple each would cost more.
        self._keys: deque[bytes] = deque()
        self._whose: deque[_Source] = deque()
        self._spans: deque[_Span] = deque()  # of these two
        self._sources: dict[str, _Source] = {}

    def __len__(self) -> int:
        return len(self._seen)

    @staticmethod
    def key(envelope: Envelope) -> bytes:
        return dedup_key(envelope)[:KEY_BYTES]

    def __contains__(self, key: bytes) -> bool:
        return key in self._seen

    def add(self, key: bytes, source: str, mono: int) -> None:
        """Remember `key` for `source`. Raises PeerFault(RATE_LIMITED) at the source's quota."""
        if key in self._seen:
            return
        known, quota = self._sources.get(source), self._quota
        held = 0 if known is None else known.held
        if len(self._keys) >= self._most:
            quota = min(quota, self._most // (len(self._sources) + 1))
        if held >= quota:
            raise PeerFault(
                Code.RATE_LIMITED,
                f"more than {quota} frames in {KEPT_MS // 60_000} minutes; send less",
            )
        self._note(key, source, mono)

    def _note(self, key: bytes, source: str, mono: int) -> None:
        known = self._sources.get(source)
        if known is None:
            known = self._sources[source] = _Source(source)
        known.held += 1
        self._seen.add(key)
        self._keys.append(key)
        self._whose.append(known)
        until = until_ms(mono)
        if not self._spans or self._spans[-1].until_ms != until:
            self._spans.append(_Span(until))
        self._spans[-1].count += 1

    def remember(self, keys: Iterable[bytes], mono: int) -> None:
        """What passed before this server was started, without a quota."""
        for key in keys:
            if key not in self._seen:
                self._note(key, "", mono)

    def passing(self, key: bytes, source: str, mono: int) -> Passing:
        """As `add`; but what is refused inside may come again as it was."""
        self.add(key, source, mono)
        return Passing(self, key)

    def forget(self, key: bytes) -> None:
        """It did not pass after all: it may come again."""
        self._seen.discard(key)

    def expire(self, mono: int) -> None:
        while self._spans and self._spans[0].until_ms <= mono:
            for _ in range(self._spans.popleft().count):
                self._expire_first()

    def _expire_first(self) -> None:
        self._seen.discard(self._keys.popleft())
        source = self._whose.popleft()
        source.held -= 1
        if not source.held:
            del self._sources[source.name]


class Passing:
    """What is done for a frame that was not seen before."""

    __slots__ = ("_key", "_seen")

    def __init__(self, seen: SeenIds, key: bytes) -> None:
        self._seen, self._key = seen, key

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(fault, PeerFault):
            self._seen.forget(self._key)


def until_ms(mono: int) -> int:
    """When what comes now is forgotten."""
    return -(-(mono + KEPT_MS) // GRAIN_MS) * GRAIN_MS


def mail_key(reader: str, ref: str) -> bytes:
    """Of a message, whichever way it came and whatever unknown members somebody pads it with
    (S6); `reader` is "public" for a post."""
    return hashlib.sha256(f"{reader}|{ref}".encode()).digest()[:KEY_BYTES]
