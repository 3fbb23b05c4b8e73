"""Which servers may link: known, open, loopback on first use, the operator's word (section 5)."""

from __future__ import annotations

import pytest

from socp.crypto.keys import PrivateKey
from socp.node.events import Admit, Ban, Forget, ListServers
from socp.node.records import PinOrigin, Ruling, ServerPin, Verdict
from socp.node.settings import Federation
from tests.node.cast import admit, advertise, linked_server, prove, server_socket
from tests.node.mesh import Mesh, Peer, Server, an_id


def proven_join(
    mesh: Mesh,
    server: Server,
    name: str,
    *,
    host: str = "peer.example",
    port: int = 9009,
    key: PrivateKey | None = None,
) -> Peer:
    peer = server_socket(mesh, server, name, key=key, host=host, port=port)
    prove(peer)
    return peer


@pytest.mark.spec("5")
def test_an_unknown_server_is_refused_with_the_command_that_would_admit_it(
    mesh: Mesh, a: Server
) -> None:
    b = proven_join(mesh, a, "b")
    assert (b.errors(), b.closed) == (["NOT_ALLOWED"], 1008)
    command = f"socp admin admit {b.key.public.fingerprint}"
    assert command in str(b.members("ERROR")[0]["detail"])
    assert command in a.log()
    assert not [r for r in a.disk if isinstance(r, ServerPin)]


@pytest.mark.spec("5")
def test_a_key_in_the_bootstrap_list_is_known_from_wherever_it_comes(mesh: Mesh) -> None:
    key = mesh.suite.generate()
    a = mesh.server("a", peers=(8002,), given=True, keys={8002: key.public.fingerprint})
    b = proven_join(mesh, a, "b", key=key)
    assert a.linked() == {b.id}
    assert [r.origin for r in a.disk if isinstance(r, ServerPin)] == [PinOrigin.BOOTSTRAP]


@pytest.mark.spec("5")
def test_open_federation_pins_on_first_use_from_anywhere(mesh: Mesh) -> None:
    a = mesh.server("a", federation=Federation.OPEN)
    b = proven_join(mesh, a, "b")
    assert a.linked() == {b.id}
    assert [r.origin for r in a.disk if isinstance(r, ServerPin)] == [PinOrigin.OPEN]


@pytest.mark.spec("5")
def test_who_came_in_while_federation_was_open_is_not_known_when_it_is_closed(mesh: Mesh) -> None:
    a = mesh.server("a", federation=Federation.OPEN)
    b = proven_join(mesh, a, "b")
    b.drop()
    from tests.node.mesh import load

    again = mesh.server("a", remembered=load(a.disk))
    assert proven_join(mesh, again, "b", key=b.key).errors() == ["NOT_ALLOWED"]


@pytest.mark.spec("5")
def test_loopback_servers_of_the_default_list_pin_each_other_by_their_own_dial(mesh: Mesh) -> None:
    a, b = mesh.server("a", peers=(8002,)), mesh.server("b", port=8002, peers=(8001,))
    mesh.run(4)
    assert (a.linked(), b.linked()) == ({b.id}, {a.id})
    for server in (a, b):
        pins = [r for r in server.disk if isinstance(r, ServerPin)]
        assert pins[-1].origin is PinOrigin.LOOPBACK
        assert pins[-1].features == ("bind/1", "link-auth/1", "mailbox/1")


@pytest.mark.spec("5")
def test_once_bootstrap_is_given_loopback_is_not_pinned_on_first_use(mesh: Mesh) -> None:
    a = mesh.server("a", peers=(8002,), given=True)
    b = mesh.server("b", port=8002, peers=(8001,))
    mesh.run(10)
    assert not a.linked()
    assert not b.linked()
    assert f"socp admin admit {b.key.public.fingerprint}" in a.log()


@pytest.mark.spec("5")
def test_a_pin_of_first_use_is_not_known_once_bootstrap_is_given(mesh: Mesh) -> None:
    from tests.node.mesh import load

    a, b = mesh.server("a", peers=(8002,)), mesh.server("b", port=8002, peers=(8001,))
    mesh.run(4)
    mesh.kill(a)
    again = mesh.server("a", given=True, key=a.key, remembered=load(a.disk))
    assert proven_join(mesh, again, "b", key=b.key).errors() == ["NOT_ALLOWED"]


@pytest.mark.spec("5")
def test_a_claim_to_be_at_a_loopback_address_waits_for_our_own_dial(mesh: Mesh) -> None:
    a = mesh.server("a", peers=(8002,))
    liar = proven_join(mesh, a, "liar", host="localhost", port=8002)
    assert (liar.errors(), liar.closed, a.linked()) == ([], None, set())
    mesh.server("b", port=8002, peers=(8001,))
    mesh.run(5)
    assert a.linked() == {an_id("b")}
    mesh.run(10)
    assert (liar.errors(), liar.closed) == (["NOT_ALLOWED"], 1008)
    assert "Refused hello of" in a.log()
    assert f"admit {liar.key.public.fingerprint}" in a.log()


@pytest.mark.spec("5")
@pytest.mark.threat("P1")
def test_a_claim_to_be_where_another_server_answers_is_refused_at_once(mesh: Mesh) -> None:
    a, _ = mesh.server("a", peers=(8002,)), mesh.server("b", port=8002, peers=(8001,))
    mesh.run(4)
    liar = proven_join(mesh, a, "liar", host="localhost", port=8002)
    assert (liar.errors(), liar.closed) == (["NOT_ALLOWED"], 1008)


@pytest.mark.spec("5")
def test_a_loopback_address_is_no_excuse_for_who_comes_from_elsewhere(mesh: Mesh) -> None:
    from tests.node.cast import hello_of

    a = mesh.server("a", peers=(8002,))
    far = mesh.open_socket(
        a, "far", features=("link-auth/1", "bind/1"), loopback=False, address="203.0.113.9"
    )
    far.say("SERVER_HELLO_JOIN", hello_of(far, host="localhost", port=8002), to="localhost:8001")
    prove(far)
    assert (far.errors(), far.closed) == (["NOT_ALLOWED"], 1008)


@pytest.mark.spec("5")
def test_another_id_at_a_pinned_loopback_address_is_another_server(mesh: Mesh) -> None:
    a, b = mesh.server("a", peers=(8002,)), mesh.server("b", port=8002, peers=(8001,))
    mesh.run(4)
    mesh.kill(b)
    del mesh.servers["b"]
    anew = mesh.server("anew", port=8002, peers=(8001,))
    mesh.run(5)
    assert a.linked() == {anew.id}


@pytest.mark.spec("5")
def test_the_operator_admits_by_the_start_of_a_refused_fingerprint(mesh: Mesh, a: Server) -> None:
    b = proven_join(mesh, a, "b")
    mesh.event(a, Admit(7, b.key.public.fingerprint[:8]))
    assert (a.answers[-1].request, a.answers[-1].ok) == (7, True)
    assert [r.verdict for r in a.disk if isinstance(r, Ruling)] == [Verdict.ADMITTED]
    again = proven_join(mesh, a, "b", key=b.key)
    assert a.linked() == {again.id}


@pytest.mark.spec("5")
@pytest.mark.parametrize("who", ["", "xyz", "x" * 64, "deadbeef", an_id("nobody")])
def test_the_operator_is_told_when_nobody_goes_by_that_name(
    mesh: Mesh, a: Server, who: str
) -> None:
    for event in (Admit(1, who), Ban(1, who), Forget(1, who)):
        mesh.event(a, event)
        assert not a.answers[-1].ok
        assert "no server known" in a.answers[-1].lines[0]


@pytest.mark.spec("5")
def test_too_short_a_start_of_a_fingerprint_is_told_how_long_it_must_be(
    mesh: Mesh, a: Server
) -> None:
    b = proven_join(mesh, a, "b")
    for event in (Admit, Ban, Forget):
        mesh.event(a, event(1, b.key.public.fingerprint[:7]))
        assert not a.answers[-1].ok
        assert "give 8 characters or more" in a.answers[-1].lines[0]


@pytest.mark.spec("5")
def test_admitting_a_refused_server_dials_it_at_once(mesh: Mesh) -> None:
    a, b = mesh.server("a"), mesh.server("b", port=8002, given=True, peers=(8001,))
    mesh.run(2)
    assert not a.linked()
    admit(mesh, b, a.key)
    admit(mesh, a, b.key)
    mesh.run(2)
    assert a.linked() == {b.id}


@pytest.mark.spec("5")
def test_a_banned_server_is_cut_and_stays_out(mesh: Mesh) -> None:
    a = mesh.server("a", federation=Federation.OPEN)
    b = proven_join(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, _ = advertise(b, "bob")
    mesh.event(a, Ban(1, b.id))
    assert (b.closed, a.linked()) == (1008, set())
    assert alice.members("USER_REMOVE")[-1]["user_id"] == bob
    for name in ("b", "another name"):
        again = proven_join(mesh, a, name, key=b.key)
        assert again.errors() == ["NOT_ALLOWED"]
        assert "banned" in str(again.members("ERROR")[0]["detail"])


@pytest.mark.spec("5")
def test_a_ban_outlives_a_restart(mesh: Mesh) -> None:
    a = mesh.server("a", federation=Federation.OPEN)
    b = proven_join(mesh, a, "b")
    mesh.event(a, Ban(1, b.key.public.fingerprint))
    mesh.restart(a)
    assert proven_join(mesh, a, "b", key=b.key).errors() == ["NOT_ALLOWED"]


@pytest.mark.spec("5")
def test_a_forgotten_server_may_come_with_a_new_key(mesh: Mesh) -> None:
    a = mesh.server("a", federation=Federation.OPEN)
    b = proven_join(mesh, a, "b")
    mesh.event(a, Forget(1, b.id))
    assert (b.closed, a.linked()) == (1008, set())
    anew = proven_join(mesh, a, "b")
    assert a.linked() == {anew.id}


@pytest.mark.spec("5")
def test_what_our_own_dial_saw_of_a_server_is_forgotten_with_it(mesh: Mesh) -> None:
    a = mesh.server("a", peers=(8002,))
    b = mesh.server("b", port=8002, peers=(8001,))
    mesh.run(4)
    assert a.linked() == {b.id}
    b.up = False
    mesh.event(a, Forget(1, b.id))
    assert a.linked() == set()
    again = proven_join(mesh, a, "b", key=b.key)
    assert again.errors() == ["NOT_ALLOWED"]


@pytest.mark.spec("5")
def test_the_operator_sees_each_server_with_its_state(mesh: Mesh) -> None:
    a = mesh.server("a")
    mesh.event(a, ListServers(1))
    assert a.answers[-1].lines == ("no other servers are known",)
    b = linked_server(mesh, a, "b")
    advertise(b, "bob")
    stranger = proven_join(mesh, a, "stranger", port=9010)
    mesh.event(a, ListServers(2))
    linked, refused = list(a.answers[-1].lines)
    assert all(word in linked for word in (b.id, "linked", "admitted", "1 users"))
    assert "refused" in refused
    assert stranger.key.public.fingerprint in refused


@pytest.mark.spec("12")
@pytest.mark.threat("S3")
def test_refused_servers_are_kept_in_a_bounded_list(mesh: Mesh, a: Server) -> None:
    for n in range(300):
        proven_join(mesh, a, f"s{n}")
    mesh.event(a, ListServers(1))
    assert len(a.answers[-1].lines) == 256


@pytest.mark.spec("11")
@pytest.mark.threat("M9")
@pytest.mark.parametrize("features", [(), ("bind/1",), ("link-auth/1",)])
def test_a_server_that_once_proved_is_refused_without_what_it_proved(
    mesh: Mesh, a: Server, features: tuple[str, ...]
) -> None:
    b = linked_server(mesh, a, "b")
    b.drop()
    again = server_socket(mesh, a, "b", key=b.key, features=features)
    assert (again.errors(), again.closed) == (["NOT_ALLOWED"], 1008)
    assert "must do so again" in str(again.members("ERROR")[0]["detail"])


@pytest.mark.spec("11")
def test_an_unproven_server_pins_no_features(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b", features=("bind/1",))
    assert a.linked() == {b.id}
    b.drop()
    again = server_socket(mesh, a, "b", key=b.key, features=())
    assert a.linked() == {again.id}
