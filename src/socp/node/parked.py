"""Records that wait for a disk that takes nothing just now: what is only good to know, and newest
of each row alone (threat S8)."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from typing import Final

from socp.node.records import (
    PROMISES,
    ChannelShare,
    ChannelShareGone,
    ChannelVersion,
    Cursor,
    Home,
    Mail,
    MailDropped,
    MailHanded,
    MailSettled,
    PostsDropped,
    Record,
    ServerPin,
)

PARKED_MAX: Final = 100_000


class Parked:
    """By row, in the order in which they came; at the bound the oldest is forgotten."""

    def __init__(self, most: int = PARKED_MAX) -> None:
        self._most = most
        self._rows: dict[Hashable, Record] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def failed(self, records: Iterable[Record]) -> None:
        """The disk did not take these. What was promised is not kept here: whoever brought it is
        told."""
        for record in records:
            if isinstance(record, PROMISES):
                continue
            row = row_of(record)
            self._rows.pop(row, None)
            self._rows[row] = record
            if len(self._rows) > self._most:
                del self._rows[next(iter(self._rows))]

    def written(self, records: Iterable[Record]) -> None:
        """The disk took these: what is older of their rows is of no use any more."""
        if self._rows:
            for record in records:
                self._rows.pop(row_of(record), None)

    def stored(self, records: Iterable[Record]) -> None:
        """The disk took these of ours: they go, but for those that are newer by now."""
        for record in records:
            if self._rows.get(row_of(record)) is record:
                del self._rows[row_of(record)]

    def waiting(self, under_way: Collection[Hashable]) -> tuple[Record, ...]:
        """What can be written now; of the rows `under_way` something newer is."""
        return tuple(record for row, record in self._rows.items() if row not in under_way)


def row_of(record: Record) -> Hashable:
    """What a record is about: of two with the same row the later one counts."""
    match record:
        case Mail() | MailSettled() | MailDropped():
            return Mail, record.user_id, record.msg_ref
        case MailHanded() | Home():
            return type(record), record.user_id
        case ChannelShare() | ChannelShareGone():
            return ChannelShare, record.member_id, record.version
        case Cursor():
            return Cursor, record.owner
        case ServerPin():
            return ServerPin, record.server_id
        case ChannelVersion() | PostsDropped():
            return (type(record),)
        case _:
            return record  # promised: never parked
