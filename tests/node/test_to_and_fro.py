"""Mail for a reader of whom servers say different things: it goes on, and not round and round
(sections 5 and 11; docs/protocol.md)."""

from __future__ import annotations

import pytest

from socp.node.events import Event, SnapshotDone
from socp.node.waits import AT_A_TIME, PAUSE_FIRST_MS
from socp.wire.features import SERVER_FEATURES
from tests.node.cast import advertise, linked_server
from tests.node.mesh import Mesh, Peer, Server
from tests.node.test_mailbox import keeper, says, waiting

pytestmark = pytest.mark.spec("11")


@pytest.fixture
def b(mesh: Mesh, a: Server) -> Peer:
    return linked_server(mesh, a, "b", features=SERVER_FEATURES)


@pytest.fixture
def c(mesh: Mesh, a: Server) -> Peer:
    return linked_server(mesh, a, "c", features=SERVER_FEATURES, port=9010)


def sends_on(server: Peer, ref: object, to: str) -> None:
    said = {"code": "USER_NOT_FOUND", "detail": "", "msg_ref": ref, "moved_to": to}
    server.say("ERROR", said, to=server.server.id)


def handed(*servers: Peer) -> list[int]:
    return [len(server.said("SERVER_DELIVER")) for server in servers]


@pytest.mark.threat("S6")
def test_a_home_and_the_server_that_it_names_do_not_play_mail_to_and_fro(
    mesh: Mesh, a: Server, b: Peer, c: Peer
) -> None:
    alice = keeper(mesh, a, "alice")
    bob, _ = advertise(b, "bob", attach_ts=mesh.wall)
    ref = says(alice, bob)
    for _ in range(5):
        sends_on(b, ref, c.id)
        sends_on(c, ref, b.id)
    assert handed(b, c) == [1, 1]
    mesh.run(PAUSE_FIRST_MS / 1000 + 1)
    assert handed(b, c) == [2, 1]
    assert waiting(a) == 1


def test_where_the_server_named_is_gone_the_home_is_asked_again(
    mesh: Mesh, a: Server, b: Peer, c: Peer
) -> None:
    alice = keeper(mesh, a, "alice")
    bob, _ = advertise(b, "bob", attach_ts=mesh.wall)
    sends_on(b, says(alice, bob), c.id)
    assert handed(b, c) == [1, 1]
    c.drop()
    says(alice, bob, b"again")
    b.drop()
    again = linked_server(mesh, a, "b", features=SERVER_FEATURES, key=b.key)
    assert handed(again) == [2]


@pytest.mark.threat("S5")
def test_mailboxes_that_go_elsewhere_give_up_their_turns(
    mesh: Mesh, a: Server, b: Peer, c: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = keeper(mesh, a, "alice")
    readers = [advertise(b, f"{n}", attach_ts=mesh.wall)[0] for n in range(AT_A_TIME + 2)]
    b.drop()
    refs = {reader: says(alice, reader) for reader in readers}
    at_once = mesh.event

    def slowly(server: Server, event: Event) -> None:
        """No link takes a page whole."""
        if not isinstance(event, SnapshotDone):
            at_once(server, event)

    monkeypatch.setattr(mesh, "event", slowly)
    again = linked_server(mesh, a, "b", features=SERVER_FEATURES, key=b.key)
    first = [str(members["user_id"]) for members in again.members("SERVER_DELIVER")]
    assert len(first) == AT_A_TIME
    for reader in first:
        sends_on(again, refs[reader], c.id)
    late = [members["user_id"] for members in again.members("SERVER_DELIVER")[AT_A_TIME:]]
    assert sorted(map(str, late)) == sorted(set(readers) - set(first))


@pytest.mark.threat("I11")
def test_who_is_here_without_a_newer_attach_gets_a_copy_and_their_home_keeps_it(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    """Their clock was ahead where they were before."""
    a, b, c = three
    bob = keeper(mesh, b, "bob")
    alice, dave = keeper(mesh, a, "alice"), keeper(mesh, c, "dave")
    bob.drop()
    mesh.run(2)
    before = mesh.wall - 60_000
    here = mesh.user(a, "bob", features=bob.features, key=bob.key, attach_ts=before)
    refs = {says(alice, bob.id, b"one"), says(dave, bob.id, b"two")}
    mesh.run(30)
    assert len(here.said("USER_DELIVER")) == 2
    for ref in refs:
        here.say("ACK", {"msg_ref": ref}, to=a.id)
    assert (waiting(a), waiting(b), waiting(c)) == (0, 2, 0)
    here.drop()
    assert len(keeper(mesh, a, "bob", bob).said("USER_DELIVER")) == 2
    assert (waiting(a), waiting(b)) == (2, 0), "it moved here with their newer word"
