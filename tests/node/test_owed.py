"""Who acknowledges nothing would have us remember everything (threat S5)."""

from __future__ import annotations

import pytest

from socp.node.effects import Close
from socp.node.emitter import Emitter
from socp.node.events import LinkOpened
from socp.node.links import Link, Links, Stage
from socp.node.owed import Owed
from socp.node.pace import Bucket


def house(count: int) -> tuple[Emitter, Links]:
    emit, links = Emitter("server"), Links()
    for number in range(1, count + 1):
        opened, full = LinkOpened(number, "192.0.2.1", False, False, b"", ""), Bucket.full(1, 1, 0)
        links.all[number] = Link(opened, Stage.USER, 0, 0, full, full, full)
    return emit, links


def closed(emit: Emitter) -> list[int]:
    return [each.link for each in emit.take() if isinstance(each, Close)]


@pytest.mark.threat("S5")
@pytest.mark.parametrize(("most", "gone"), [(149, [2]), (90, [2]), (89, [2, 4]), (9, [2, 4, 3, 1])])
def test_those_who_owe_most_are_closed_and_no_more_of_them_than_need_be(
    most: int, gone: list[int]
) -> None:
    emit, links = house(4)
    owed = Owed(emit, links, most)
    owed.bound({1: 10, 2: 60, 3: 30, 4: 50})
    assert closed(emit) == gone


def test_as_long_as_it_is_not_too_much_nobody_is_closed() -> None:
    emit, links = house(2)
    Owed(emit, links, 100).bound({1: 40, 2: 60})
    assert closed(emit) == []
