"""Records that wait for a disk that takes nothing just now: the newest of each row (threat S8)."""

from __future__ import annotations

import pytest

from socp.node.parked import Parked, row_of
from socp.node.records import (
    ChannelShare,
    ChannelShareGone,
    ChannelVersion,
    Cursor,
    Home,
    Mail,
    MailDropped,
    MailHanded,
    MailSettled,
    MailState,
    PostsDropped,
)

pytestmark = pytest.mark.threat("S8")
MAIL = Mail(3, "bob", "ref", 0, "alice", "MSG_DIRECT", 1, b"{}", "", 0, 1)


def test_of_one_row_the_newest_waits_and_rows_keep_the_order_of_their_newest() -> None:
    waits = Parked()
    waits.failed([Cursor("alice", 1), Cursor("bob", 1)])
    waits.failed([Cursor("alice", 2)])
    assert waits.waiting(()) == (Cursor("bob", 1), Cursor("alice", 2))
    assert len(waits) == 2


def test_what_was_promised_is_not_kept() -> None:
    waits = Parked()
    waits.failed([MAIL, Cursor("bob", 1)])
    assert waits.waiting(()) == (Cursor("bob", 1),)


def test_what_the_disk_takes_of_a_row_makes_older_records_of_it_useless() -> None:
    waits = Parked()
    waits.failed([Cursor("alice", 1), Cursor("bob", 1)])
    waits.written([Cursor("alice", 5)])
    assert waits.waiting(()) == (Cursor("bob", 1),)
    waits.written([Cursor("carol", 5)])
    assert len(waits) == 1


def test_what_was_stored_goes_unless_something_newer_came_meanwhile() -> None:
    waits = Parked()
    old, other = Cursor("alice", 1), Cursor("bob", 1)
    waits.failed([old, other])
    new = Cursor("alice", 2)
    waits.failed([new])
    waits.stored([old, other, Cursor("carol", 1)])
    assert waits.waiting(()) == (new,)


def test_a_row_of_which_something_newer_is_under_way_waits() -> None:
    waits = Parked()
    waits.failed([Cursor("alice", 1), Cursor("bob", 1)])
    assert waits.waiting({row_of(Cursor("alice", 9))}) == (Cursor("bob", 1),)


def test_at_the_bound_the_oldest_row_is_forgotten() -> None:
    waits = Parked(most=2)
    waits.failed(Cursor(name, 1) for name in ("alice", "bob", "carol"))
    assert waits.waiting(()) == (Cursor("bob", 1), Cursor("carol", 1))


def test_records_about_the_same_thing_are_of_one_row_and_others_are_not() -> None:
    share = ChannelShare("bob", 2, "AAAA", "alice", b"{}")
    same = [
        (MAIL, MailSettled("bob", "ref", MailState.DELIVERED), MailDropped("bob", "ref")),
        (MailHanded("bob", 4), MailHanded("bob", 9)),
        (Home("bob", "a", 1), Home("bob", "b", 2)),
        (share, ChannelShareGone("bob", 2)),
        (Cursor("bob", 1), Cursor("bob", 2)),
        (ChannelVersion(1), ChannelVersion(2)),
        (PostsDropped(1), PostsDropped(2)),
    ]
    rows = []
    for records in same:
        (row,) = {row_of(record) for record in records}
        rows.append(row)
    assert len(set(rows)) == len(same)
    apart = (
        MailDropped("bob", "other"),
        MailDropped("alice", "ref"),
        MailHanded("alice", 4),
        ChannelShareGone("bob", 3),
        ChannelShareGone("alice", 2),
        Cursor("alice", 1),
    )
    assert not {row_of(record) for record in apart} & set(rows)
