"""Who acknowledges nothing would have us remember everything (threat S5)."""

from __future__ import annotations

import pytest

from socp.node.budget import Budget, Table
from socp.node.drains import Drain, Handed
from socp.node.effects import Close
from socp.node.emitter import Emitter
from socp.node.events import LinkOpened
from socp.node.links import Link, Links, Stage
from socp.node.owed import Owed, owed
from socp.node.pace import Bucket
from socp.wire import limits
from socp.wire.features import SERVER_FEATURES
from tests.node.cast import advertise, linked_server
from tests.node.mesh import Mesh
from tests.node.test_mailbox import keeper, says, waiting


def house(count: int) -> tuple[Emitter, Links]:
    emit, links = Emitter("server"), Links()
    for number in range(1, count + 1):
        opened, full = LinkOpened(number, "192.0.2.1", False, False, b"", ""), Bucket.full(1, 1, 0)
        links.all[number] = Link(opened, Stage.USER, 0, 0, full, full, full)
    return emit, links


def closed(emit: Emitter) -> list[int]:
    return [each.link for each in emit.take() if isinstance(each, Close)]


def drain(link: int, count: int, user_id: str = "alice") -> Drain:
    out = {f"ref {n}": Handed("bob", "", is_file=False) for n in range(count)}
    return Drain(user_id, link, acks=True, to_server=False, since_ms=0, out=out)


@pytest.mark.threat("S5")
@pytest.mark.parametrize(("most", "gone"), [(149, [2]), (90, [2]), (89, [2, 4]), (9, [2, 4, 3, 1])])
def test_those_who_owe_most_are_closed_and_no_more_of_them_than_need_be(
    most: int, gone: list[int]
) -> None:
    emit, links = house(4)
    assert not Owed(emit, links, most).bound({1: 10, 2: 60, 3: 30, 4: 50})
    assert closed(emit) == gone


def test_as_long_as_it_is_not_too_much_nobody_is_closed() -> None:
    emit, links = house(2)
    assert not Owed(emit, links, 100).bound({1: 40, 2: 60})
    assert closed(emit) == []


@pytest.mark.threat("S5")
def test_a_server_that_owes_most_keeps_its_link_and_its_mail_waits() -> None:
    emit, links = house(2)
    links.all[2].stage = Stage.SERVER
    at_server = [drain(2, 40, "carol"), drain(2, 0, "dora"), drain(2, 30, "erin")]
    pieces = owed([drain(1, 60), *at_server])
    assert pieces == {1: 60, 2: 70}
    assert Owed(emit, links, 100).bound(pieces) == {2}
    assert closed(emit) == []


@pytest.mark.threat("S5")
def test_mail_for_the_users_of_a_server_that_acknowledges_nothing_is_kept_and_goes_again_later(
    mesh: Mesh,
) -> None:
    a = mesh.server("a", memory=limits.MEMORY_BYTES_MIN)
    most = Budget(limits.MEMORY_BYTES_MIN).rows(Table.OWED) // 2
    b = linked_server(mesh, a, "b", features=SERVER_FEATURES)
    readers = [advertise(b, f"bob {n}", attach_ts=mesh.wall)[0] for n in range(8)]
    said = 0
    while said <= most:
        author = keeper(mesh, a, f"author {said}")
        for _ in range(100):
            said += 1
            says(author, readers[said % 8], b"%d" % said)
    assert (len(b.said("SERVER_DELIVER")), waiting(a)) == (said, said)
    mesh.run(2)
    b.clear()
    says(author, readers[0], b"another")
    assert (b.said("SERVER_DELIVER"), waiting(a)) == ([], said + 1)
    assert b.closed is None
    mesh.run(10)
    assert b.said("SERVER_DELIVER")
