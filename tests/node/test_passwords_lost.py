"""Passwords of keys that are replaced, and on a disk that takes nothing (threats S8, P3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from socp.crypto import opaque
from socp.node import calls
from tests.node.callers import Caller
from tests.node.failing import full
from tests.node.keychain import Owner, account
from tests.node.mesh import Mesh, Peer, Server, load

PASSWORD = "correct horse battery"


def with_password(mesh: Mesh, a: Server) -> tuple[Owner, Peer, Caller]:
    alice = Owner(mesh, "alice")
    peer = alice.arrives(a)
    ann = Caller(mesh, a, "alice", alice.keys[0])
    ann.sets_password(PASSWORD)
    return alice, peer, ann


def after_a_restart(ann: Caller) -> Caller:
    a = ann.server
    return replace(ann, server=ann.mesh.server("a", remembered=load(a.disk), key=a.key))


@pytest.mark.threat("S8")
def test_a_rotation_that_never_was_leaves_the_password(mesh: Mesh, a: Server) -> None:
    alice, peer, ann = with_password(mesh, a)
    with full(a):
        alice.rotates(peer)
    assert isinstance(ann.logs_in(PASSWORD), calls.LoggedIn)


@pytest.mark.threat("P3")
@pytest.mark.parametrize("last", ["rotates", "revokes"])
def test_a_change_of_key_that_was_stored_at_the_second_try_deletes_the_box(
    mesh: Mesh, a: Server, last: str
) -> None:
    alice, peer, ann = with_password(mesh, a)
    with full(a):
        getattr(alice, last)(peer)
    alice.keys[1:], alice.steps[:] = [], []
    getattr(alice, last)(peer)
    assert load(a.disk).logins == ()
    if last == "rotates":
        assert isinstance(ann.logs_in(PASSWORD), calls.Refused)
        assert isinstance(after_a_restart(ann).logs_in(PASSWORD), calls.Refused)
    assert account(a, alice.id).version == (2 if last == "rotates" else 1)


@pytest.mark.threat("P3")
def test_a_login_begun_before_a_rotation_gets_nothing_after_it(mesh: Mesh, a: Server) -> None:
    alice, peer, ann = with_password(mesh, a)
    login, begun = ann.begins(PASSWORD)
    proof, _ = login.finish(begun.response)
    alice.rotates(peer)
    assert ann.refused(calls.EndLogin(begun.login, proof)) is calls.Why.NOT_PROVEN


@pytest.mark.threat("S8")
def test_a_password_that_could_not_be_stored_never_was(mesh: Mesh, a: Server) -> None:
    _, peer, ann = with_password(mesh, a)
    asked = opaque.Registration("another horse battery")
    begin = calls.BeginPassword(ann.user_id, asked.request, ann.proof())
    upload, _ = asked.finish(ann.got(begin, calls.PasswordBegun).response)
    with full(a):
        keep = calls.KeepPassword(ann.user_id, upload, b"sealed again", ann.proof())
        assert ann.refused(keep) is calls.Why.NOT_STORED
    assert isinstance(ann.logs_in(PASSWORD), calls.LoggedIn)
    assert isinstance(ann.logs_in("another horse battery"), calls.Refused)
    assert peer.closed is None


@pytest.mark.threat("S8")
def test_a_password_whose_removal_could_not_be_stored_stays(mesh: Mesh, a: Server) -> None:
    _, _, ann = with_password(mesh, a)
    remove = calls.RemovePassword(ann.user_id, ann.proof())
    with full(a):
        assert ann.refused(remove) is calls.Why.NOT_STORED
    assert isinstance(ann.logs_in(PASSWORD), calls.LoggedIn)
    with full(a):  # twice, and once more when there is room
        for _ in "ab":
            ann.refused(calls.RemovePassword(ann.user_id, ann.proof()))
    ann.got(calls.RemovePassword(ann.user_id, ann.proof()), calls.Done)
    assert isinstance(after_a_restart(ann).logs_in(PASSWORD), calls.Refused)
