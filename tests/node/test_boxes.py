"""How much mail waits for whom, and how much more may (section 12; threat S5)."""

from __future__ import annotations

import pytest

from socp.node.boxes import OTHERS, Boxes, BoxLimits
from socp.node.queries import ExpiredBox
from socp.node.records import BoxRow, Mail
from socp.wire.errors import PeerFault

pytestmark = [pytest.mark.spec("12"), pytest.mark.threat("S5")]
ALICE, BOB, CAROL = "alice", "bob", "carol"


def mail(sender: str, reader: str = BOB, *, size: int = 100, seq: int = 1) -> Mail:
    empty = Mail(seq, reader, "ref", 0, sender, "MSG_DIRECT", 1, b"", "", 0, 1)
    return Mail(seq, reader, "ref", 0, sender, "MSG_DIRECT", 1, bytes(size - empty.size), "", 0, 1)


SIZE = mail(ALICE, size=1_000).size


def boxes(*rows: BoxRow, total: int = 100, authors: int = 100) -> Boxes:
    """Of 8 pieces or the size of 10 each, so that one sender has room for 4 or 5."""
    return Boxes(BoxLimits(8, 10 * SIZE, total * SIZE, authors), rows)


def put(held: Boxes, *senders: str, reader: str = BOB, size: int = 1_000) -> None:
    for seq, sender in enumerate(senders, 1):
        piece = mail(sender, reader, size=size, seq=seq)
        held.check(piece)
        held.put(piece)


def test_an_empty_box_is_none_and_has_all_its_room_half_of_it_for_each() -> None:
    held = boxes()
    assert (len(held), held.waiting, held.count(BOB), held.last_seq(BOB)) == (0, 0, 0, 0)
    assert held.room(BOB, ALICE) == (4, 5 * SIZE)


def test_what_lies_in_a_box_takes_room_from_its_sender_and_less_from_others() -> None:
    held = boxes()
    put(held, ALICE, ALICE, ALICE)
    assert (held.count(BOB), held.waiting, held.last_seq(BOB)) == (3, 3, 3)
    assert held.room(BOB, ALICE) == (1, 2 * SIZE)
    assert held.room(BOB, CAROL) == (4, 5 * SIZE)
    put(held, CAROL, CAROL, CAROL)
    assert held.room(BOB, "dora") == (2, 4 * SIZE)
    assert held.room(CAROL, ALICE) == (4, 5 * SIZE)


def test_one_sender_may_fill_half_by_pieces_or_by_size() -> None:
    held = boxes()
    put(held, *[ALICE] * 4)
    with pytest.raises(PeerFault, match="MAILBOX_FULL"):
        put(held, ALICE)
    heavy = boxes()
    put(heavy, ALICE, ALICE, size=2_000)
    with pytest.raises(PeerFault, match="MAILBOX_FULL"):
        put(heavy, ALICE, size=2_000)
    put(heavy, ALICE)


def test_all_boxes_together_have_a_size_too() -> None:
    held = boxes(total=3)
    put(held, ALICE)
    put(held, ALICE, reader=CAROL)
    assert held.room("dora", ALICE) == (4, SIZE)
    held.take(CAROL, ALICE, 1, SIZE)
    assert held.room("dora", ALICE) == (4, 2 * SIZE)
    held.empty(BOB)
    held.empty(BOB)
    assert held.room("dora", ALICE) == (4, 3 * SIZE)


def test_what_is_counted_at_start_counts_as_what_comes_later() -> None:
    held = boxes(BoxRow(BOB, ALICE, 2, 3 * SIZE, 9), BoxRow(BOB, CAROL, 1, SIZE, 5))
    assert (held.count(BOB), held.last_seq(BOB), list(held)) == (3, 9, [BOB])
    assert held.room(BOB, ALICE) == (2, 2 * SIZE)
    assert held.room(BOB, CAROL) == (3, 4 * SIZE)


def test_what_is_taken_out_makes_room_and_never_more_than_there_was() -> None:
    held = boxes()
    put(held, ALICE, ALICE, CAROL)
    held.take(BOB, ALICE, 1, SIZE)
    assert (held.count(BOB), held.room(BOB, ALICE)) == (2, (3, 4 * SIZE))
    held.take(BOB, ALICE, 9, 9 * SIZE)  # said twice
    assert (held.count(BOB), held.room(BOB, ALICE)) == (1, (4, 5 * SIZE))
    held.take(BOB, "dora", 1, SIZE)  # who has nothing there
    held.take("nobody", ALICE, 1, SIZE)
    assert held.count(BOB) == 1
    held.expired([ExpiredBox(BOB, CAROL, 1, SIZE)])
    assert (len(held), held.waiting, held.room(BOB, CAROL)) == (0, 0, (4, 5 * SIZE))


def test_where_too_many_authors_are_counted_the_next_ones_share_the_room_of_one() -> None:
    held = boxes(authors=2)
    put(held, ALICE, reader=CAROL)
    put(held, ALICE, "dora", "erin")
    assert (
        held.room(BOB, "dora")
        == held.room(BOB, "erin")
        == held.room(BOB, "fred")
        == (
            2,
            3 * SIZE,
        )
    )
    assert held.room(BOB, ALICE) == (3, 4 * SIZE), "who was there before keeps their own"
    held.take(CAROL, ALICE, 1, SIZE)
    put(held, "erin")
    assert held.room(BOB, "dora") == (1, 2 * SIZE), "until nothing of theirs is left"
    for author in ("dora", "erin", "erin"):
        held.take(BOB, author, 1, SIZE)
    put(held, "erin")
    assert held.room(BOB, "erin") == (3, 4 * SIZE)
    assert held.room(BOB, OTHERS) == (4, 5 * SIZE), "nobody is counted there any more"
    held.empty(BOB)
    put(held, ALICE, "dora")
    assert held.room(BOB, "dora") == (3, 4 * SIZE), "what was emptied is counted no more"
