"""The key shares of the public channel that are kept for their members (section 7)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from socp.node.emitter import Emitter
from socp.node.records import ChannelShare, ChannelShareGone

SHARES_MAX = 20_000  # about 7 kB each
VERSIONS_KEPT = 5
"""Of one member, the newest: what was posted while they were away may be under any of them."""


class ShareShelf:
    """Bounded: of a member the oldest version makes room, of all the one that lay longest."""

    def __init__(self, emitter: Emitter, remembered: Iterable[ChannelShare], most: int) -> None:
        self._most = most
        self._emit = emitter
        self._shares: OrderedDict[tuple[str, int], ChannelShare] = OrderedDict()
        self._versions: dict[str, list[int]] = {}  # of each member, ascending
        for share in sorted(remembered, key=lambda s: s.version):
            self._take(share)

    def __len__(self) -> int:
        return len(self._shares)

    def __iter__(self) -> Iterator[ChannelShare]:
        return iter(tuple(self._shares.values()))

    def of(self, member_id: str) -> tuple[ChannelShare, ...]:
        """What is kept for them, the oldest version first."""
        return tuple(self._shares[member_id, v] for v in self._versions.get(member_id, ()))

    def newest(self, member_id: str) -> int:
        """The highest version of theirs, 0 for none."""
        return max(self._versions.get(member_id, ()), default=0)

    def put(self, share: ChannelShare) -> None:
        """Keep this one, unless it is older than all of a full set."""
        versions = self._versions.get(share.member_id, [])
        full = len(versions) >= VERSIONS_KEPT and share.version not in versions
        if not full or share.version > versions[0]:
            self._emit.persist(share)
            self._take(share)

    def drop(self, share: ChannelShare) -> None:
        """It has no business here any more."""
        if self._shares.get((share.member_id, share.version)) is share:
            self._gone(share.member_id, share.version)

    def _take(self, share: ChannelShare) -> None:
        key = (share.member_id, share.version)
        versions = self._versions.setdefault(share.member_id, [])
        if key not in self._shares:
            versions.append(share.version)
            versions.sort()
        self._shares[key] = share
        self._shares.move_to_end(key)
        if len(versions) > VERSIONS_KEPT:
            self._gone(share.member_id, versions[0])
        if len(self._shares) > min(SHARES_MAX, self._most):
            self._gone(*next(iter(self._shares)))

    def _gone(self, member_id: str, version: int) -> None:
        del self._shares[member_id, version]
        versions = self._versions[member_id]
        versions.remove(version)
        if not versions:
            del self._versions[member_id]
        self._emit.persist(ChannelShareGone(member_id, version))
