"""Who may become a user: open, by invitation, nobody (section 10)."""

from __future__ import annotations

import pytest

from socp.node import calls, records
from socp.node.events import Invite
from socp.node.registration import DAY_MS, INVITATIONS_MAX
from socp.node.settings import Joining
from socp.wire import base64url, invitation
from tests.node.callers import Caller
from tests.node.cast import advertise, linked_server
from tests.node.mesh import Mesh, Peer, Server, an_id, load


@pytest.fixture
def inviting(mesh: Mesh) -> Server:
    return mesh.server("a", registration=Joining.INVITE)


def invite(mesh: Mesh, server: Server, count: int = 1, days: int = 7) -> list[str]:
    """The codes, as the operator is shown them."""
    codes = tuple(mesh.suite.random(invitation.CODE_BYTES) for _ in range(count))
    mesh.event(server, Invite(1, codes, days))
    assert server.answers[-1].ok
    return list(server.answers[-1].lines)


def hello(
    mesh: Mesh, server: Server, name: str, code: str, features: tuple[str, ...] = ("link-auth/1",)
) -> Peer:
    """Said, and not proven yet."""
    peer = mesh.open_socket(server, name, features=features)
    said: dict[str, object] = {
        "client": "test",
        "pubkey": peer.key.public.text,
        "features": list(features),
        "invitation": code,
    }
    if features:
        said["auth_nonce"] = base64url.encode(bytes(32))
    peer.say("USER_HELLO", said)
    return peer


def comes(mesh: Mesh, server: Server, name: str, code: str) -> Peer:
    """Said and proven."""
    peer = hello(mesh, server, name, code)
    if peer.said("AUTH_CHALLENGE"):
        mesh._prove_user(peer, None)
    return peer


def caller(mesh: Mesh, server: Server, name: str) -> Caller:
    return Caller(mesh, server, name, mesh.suite.generate())


@pytest.mark.spec("10")
def test_an_invitation_lets_one_person_in_once(mesh: Mesh, inviting: Server) -> None:
    (code,) = invite(mesh, inviting)
    ann = comes(mesh, inviting, "ann", code)
    assert ann.said("ACK")
    assert comes(mesh, inviting, "bob", code).errors() == ["NOT_ALLOWED"]
    ann.drop()
    assert mesh.user(inviting, "ann", key=ann.key).said("ACK"), "who is in needs no code"


@pytest.mark.spec("10")
def test_the_code_goes_and_the_account_comes_in_one_batch(mesh: Mesh, inviting: Server) -> None:
    (code,) = invite(mesh, inviting)
    peer = hello(mesh, inviting, "ann", code)
    before = len(inviting.disk)
    mesh._prove_user(peer, None)
    kinds = [type(each) for each in inviting.disk[before:]]
    assert kinds.index(records.Account) < kinds.index(records.InvitationGone)
    assert peer.said("ACK")


@pytest.mark.threat("I1")
def test_a_code_is_not_used_up_by_a_hello_that_proves_nothing(mesh: Mesh, inviting: Server) -> None:
    (code,) = invite(mesh, inviting)
    stranger = hello(mesh, inviting, "mallory", code)
    stranger.say("AUTH_PROOF", {"proof": "A" * 683}, bind=False)
    assert stranger.errors() == ["INVALID_SIG"]
    assert comes(mesh, inviting, "ann", code).said("ACK")


@pytest.mark.spec("10")
def test_a_code_used_by_two_at_once_lets_exactly_one_in(mesh: Mesh, inviting: Server) -> None:
    (code,) = invite(mesh, inviting)
    ann, bob = hello(mesh, inviting, "ann", code), hello(mesh, inviting, "bob", code)
    assert ann.said("AUTH_CHALLENGE")
    assert bob.said("AUTH_CHALLENGE")
    mesh._prove_user(bob, None)
    mesh._prove_user(ann, None)
    assert bob.said("ACK")
    assert (ann.errors(), ann.closed) == (["NOT_ALLOWED"], 1008)
    assert an_id("ann") not in {each.user_id for each in load(inviting.disk).accounts}


@pytest.mark.spec("10")
def test_by_hello_and_by_http_one_code_is_one_person(mesh: Mesh, inviting: Server) -> None:
    (code,) = invite(mesh, inviting)
    bob = hello(mesh, inviting, "bob", code)
    ann = caller(mesh, inviting, "ann")
    assert ann.got(ann.register(code), calls.Registered).new
    mesh._prove_user(bob, None)
    assert bob.errors() == ["NOT_ALLOWED"]


@pytest.mark.spec("10")
@pytest.mark.parametrize("code", ["", "nonsense", invitation.written(bytes(16))])
def test_without_a_good_code_nobody_comes_in_and_is_told_the_way(
    mesh: Mesh, inviting: Server, code: str
) -> None:
    invite(mesh, inviting)
    refused = comes(mesh, inviting, "ann", code)
    assert refused.errors() == ["NOT_ALLOWED"]
    detail = str(refused.members("ERROR")[0]["detail"])
    assert "ask its operator for a code" in detail or "ask for a new one" in detail


@pytest.mark.spec("10")
def test_an_invitation_expires(mesh: Mesh, inviting: Server) -> None:
    (code,) = invite(mesh, inviting, days=2)
    mesh.wall += 2 * DAY_MS
    assert comes(mesh, inviting, "ann", code).errors() == ["NOT_ALLOWED"]
    invite(mesh, inviting)
    assert len(load(inviting.disk).invitations) == 1, "the expired one is gone from the disk"


@pytest.mark.spec("10")
def test_invitations_survive_a_restart_as_hashes(mesh: Mesh, inviting: Server) -> None:
    used, kept = invite(mesh, inviting, 2)
    comes(mesh, inviting, "ann", used)
    again = mesh.server(
        "a", registration=Joining.INVITE, remembered=load(inviting.disk), key=inviting.key
    )
    assert comes(mesh, again, "bob", used).errors() == ["NOT_ALLOWED"]
    assert comes(mesh, again, "carol", kept).said("ACK")
    assert kept not in repr(inviting.disk)


@pytest.mark.threat("S5")
def test_invitations_are_bounded(mesh: Mesh, inviting: Server) -> None:
    for _ in range(INVITATIONS_MAX // 1000):
        invite(mesh, inviting, 1000)
    codes = tuple(mesh.suite.random(16) for _ in range(2))
    mesh.event(inviting, Invite(1, codes, 7))
    assert not inviting.answers[-1].ok
    assert "only 0 more" in inviting.answers[-1].lines[0]


@pytest.mark.spec("10")
def test_a_client_that_cannot_prove_its_key_cannot_use_a_code(mesh: Mesh, inviting: Server) -> None:
    (code,) = invite(mesh, inviting)
    assert hello(mesh, inviting, "ann", code, features=()).errors() == ["NOT_ALLOWED"]
    assert comes(mesh, inviting, "ann", code).said("ACK")


@pytest.mark.spec("10")
@pytest.mark.parametrize("how", [Joining.INVITE, Joining.CLOSED])
def test_a_user_of_another_server_is_new_here(mesh: Mesh, how: Joining) -> None:
    a = mesh.server("a", registration=how)
    b = linked_server(mesh, a, "b")
    _, key = advertise(b, "ann")
    b.say("USER_REMOVE", {"user_id": an_id("ann"), "server_id": b.id})
    assert mesh.user(a, "ann", key=key).errors() == ["NOT_ALLOWED"]


@pytest.mark.spec("10")
def test_a_closed_server_takes_nobody_new_whatever_they_bring(mesh: Mesh) -> None:
    a = mesh.server("a", registration=Joining.CLOSED)
    (code,) = invite(mesh, a)
    refused = comes(mesh, a, "ann", code)
    assert refused.errors() == ["NOT_ALLOWED"]
    assert "ask its operator" in str(refused.members("ERROR")[0]["detail"])
    ann = caller(mesh, a, "ann")
    assert ann.refused(ann.register(code)) is calls.Why.NOT_ALLOWED
