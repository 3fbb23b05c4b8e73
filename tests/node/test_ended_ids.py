"""Ids that were revoked or barred are as dead over HTTP as on links (section 10; threat I10)."""

from __future__ import annotations

import pytest

from socp.node import calls
from socp.node.events import RevokeUser
from tests.node.callers import Caller
from tests.node.failing import full
from tests.node.keychain import Owner
from tests.node.mesh import Mesh, Server, load

PASSWORD = "correct horse battery"


@pytest.mark.threat("I10")
@pytest.mark.parametrize("by", ["owner", "operator"])
def test_an_id_that_is_not_taken_gets_nothing_over_http(mesh: Mesh, a: Server, by: str) -> None:
    alice = Owner(mesh, "alice")
    peer = alice.arrives(a)
    ann = Caller(mesh, a, "alice", alice.key)
    ann.sets_password(PASSWORD)
    login, begun = ann.begins(PASSWORD)
    if by == "owner":
        alice.revokes(peer)
    else:
        mesh.event(a, RevokeUser(1, alice.id))
    proof, _ = login.finish(begun.response)
    assert ann.refused(calls.EndLogin(begun.login, proof)) is calls.Why.NOT_PROVEN
    for call in (
        ann.register(),
        calls.BeginPassword(ann.user_id, bytes(32), ann.proof()),
        calls.KeepPassword(ann.user_id, bytes(192), b"box", ann.proof()),
        calls.RemovePassword(ann.user_id, ann.proof()),
        calls.BeginLogin(ann.user_id, bytes(32)),
    ):
        assert ann.refused(call) is calls.Why.NOT_ALLOWED
    found = ann.got(calls.FindUser(alice.id), calls.UserFound)
    assert found.revoked is (by == "owner")
    assert load(a.disk).logins == ()


@pytest.mark.threat("I10")
def test_an_id_that_was_revoked_elsewhere_does_not_register(mesh: Mesh) -> None:
    a, b, _ = mesh.three()
    alice = Owner(mesh, "alice")
    alice.revokes(alice.arrives(a))
    ann = Caller(mesh, b, "alice", alice.key)
    assert ann.refused(ann.register()) is calls.Why.NOT_ALLOWED


@pytest.mark.threat("S8")
def test_an_operators_word_that_could_not_be_stored_never_was(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    alice.arrives(a)
    ann = Caller(mesh, a, "alice", alice.key)
    ann.sets_password(PASSWORD)
    with full(a):
        mesh.event(a, RevokeUser(1, alice.id))
    assert alice.arrives(a).errors() == []
    assert isinstance(ann.logs_in(PASSWORD), calls.LoggedIn)
