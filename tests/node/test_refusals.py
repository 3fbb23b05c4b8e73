"""What the log says of refusals: the reason, the remedy, and each of them once (section 5)."""

from __future__ import annotations

import pytest

from socp.node.effects import Level, Note
from socp.node.events import DialFailed, Event, Forget, LinkLost, LinkOpened
from socp.node.repeats import FIRST_PAUSE_MS
from socp.wire.addresses import HostPort
from tests.node.cast import admit, prove, server_socket
from tests.node.mesh import Mesh, Server, an_id


def warnings(server: Server) -> list[str]:
    return [note.text for note in server.notes if note.level is Level.WARNING]


@pytest.mark.spec("5")
def test_who_is_refused_in_the_handshake_tells_why_and_both_tell_it_once(mesh: Mesh) -> None:
    a = mesh.server("a", given=True)
    b = mesh.server("b", port=8002, given=True, peers=(8001,))
    mesh.run(300)
    a_key, b_key = a.key.public.fingerprint, b.key.public.fingerprint
    assert warnings(a) == [
        f"Peer ws://localhost:8002 with key {b_key} refused us: NOT_ALLOWED: known peers only;"
        f" key {a_key} is not known here; to admit: socp admin admit {a_key}"
    ]
    assert warnings(b) == [
        "Refused AUTH_CHALLENGE of ws://localhost:8001: NOT_ALLOWED: known peers only;"
        f" key {a_key} is not known here; to admit: socp admin admit {a_key}"
    ]


@pytest.mark.spec("5")
def test_a_key_that_is_not_the_configured_one_is_told_once_on_both_sides(mesh: Mesh) -> None:
    other = mesh.suite.generate().public.fingerprint
    a = mesh.server("a", given=True)
    b = mesh.server("b", port=8002, given=True, peers=(8001,), keys={8001: other})
    mesh.run(300)
    for server in (a, b):
        (line,) = warnings(server)
        assert f"BAD_KEY: ws://localhost:8001 has key {a.key.public.fingerprint}" in line


@pytest.mark.spec("5")
def test_a_server_that_we_refuse_is_told_once_with_the_command_and_so_is_it(mesh: Mesh) -> None:
    a = mesh.server("a", given=True)
    b = mesh.server("b", port=8002, peers=(8001,))
    mesh.run(300)
    command = f"socp admin admit {b.key.public.fingerprint}"
    for server in (a, b):
        (line,) = warnings(server)
        assert command in line


@pytest.mark.spec("5")
def test_a_refusal_after_a_link_is_news(mesh: Mesh) -> None:
    a, b = mesh.server("a", given=True), mesh.server("b", port=8002, peers=(8001,))
    mesh.run(20)
    admit(mesh, a, b.key)
    mesh.run(4)
    assert a.linked() == {b.id}
    mesh.event(a, Forget(1, b.id))
    mesh.run(60)
    assert len([line for line in warnings(a) if "Refused AUTH_PROOF" in line]) == 2
    assert len([line for line in warnings(b) if "refused us" in line]) == 2


@pytest.mark.spec("5")
def test_the_same_refusal_is_told_again_after_pauses_that_double(mesh: Mesh, a: Server) -> None:
    key, told = mesh.suite.generate(), list[int]()
    for minute in range(80):
        prove(server_socket(mesh, a, "b", key=key))
        if len(warnings(a)) > len(told):
            told.append(minute)
        mesh.mono += 60_000
    first = FIRST_PAUSE_MS // 60_000
    assert told == [0, first, 3 * first, 7 * first]


@pytest.mark.spec("2")
@pytest.mark.threat("I8")
def test_what_a_refusing_peer_says_reaches_the_log_harmlessly(mesh: Mesh, a: Server) -> None:
    peer = server_socket(mesh, a, "b")
    peer.say("ERROR", {"code": "NO", "detail": "\x1b[31m\nINFO:server.server:forged"})
    (line,) = warnings(a)
    assert "refused us: NO: " in line
    assert not {"\x1b", "\n"} & set(line)
    assert (peer.errors(), peer.closed) == ([], 1000)


@pytest.mark.spec("11")
def test_a_user_who_refuses_our_challenge_is_let_go(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice", settle=False)
    alice.drop()
    again = mesh.open_socket(a, "alice", key=alice.key, features=alice.features)
    hello: dict[str, object] = {"pubkey": alice.key.public.text, "features": list(alice.features)}
    again.say("USER_HELLO", {**hello, "auth_nonce": "A" * 43})
    again.say("ERROR", {"code": "BAD_KEY", "detail": "your key changed"}, bind=False)
    assert warnings(a) == [
        f"User {an_id('alice')} at 127.0.0.1 refused us: BAD_KEY: your key changed"
    ]
    assert (again.errors(), again.closed) == ([], 1000)


@pytest.mark.spec("5")
def test_a_refusal_of_who_waits_for_our_own_dial_ends_the_wait(mesh: Mesh) -> None:
    a = mesh.server("a", peers=(8002,))
    b = server_socket(mesh, a, "b", host="localhost", port=8002)
    prove(b)
    b.say("ERROR", {"code": "NOT_ALLOWED", "detail": "known peers only"})
    assert any("refused us: NOT_ALLOWED: known peers only" in line for line in warnings(a))
    assert (b.errors(), b.closed) == ([], 1000)


@pytest.mark.spec("5")
def test_a_peer_that_hangs_up_on_every_dial_is_told_once(mesh: Mesh) -> None:
    a, place = mesh.server("a", peers=(8002,)), HostPort("localhost", 8002)
    told: list[str] = []

    def happens(event: Event) -> None:
        effects = a.node.handle(event, mesh.now())
        told.extend(e.text for e in effects if isinstance(e, Note) and e.level is Level.WARNING)

    for link in range(1, 20):
        mesh.mono += 10_000
        happens(LinkOpened(link, "127.0.0.1", True, False, bytes(32), an_id("x"), place))
        happens(LinkLost(link, "connection lost"))
    assert told == [
        "Peer ws://localhost:8002 is unreachable (connection lost); retrying in the background"
    ]
    happens(DialFailed(place, "[Errno 111] Connection refused"))
    assert len(told) == 2
