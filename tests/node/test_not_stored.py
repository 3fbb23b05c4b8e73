"""What the disk did not take, and everybody was told so: it is as if it had never been (S8)."""

from __future__ import annotations

import pytest

from socp.node import calls
from socp.node.events import Admit, Ban, CommitFailed, Forget, ListServers
from socp.node.settings import Federation, Joining
from tests.node.cast import advertise, linked_server
from tests.node.mesh import Mesh, Server, an_id, load
from tests.node.test_admission import proven_join
from tests.node.test_registration import caller, comes, invite

pytestmark = [pytest.mark.spec("10"), pytest.mark.threat("S8")]


@pytest.fixture
def inviting(mesh: Mesh) -> Server:
    return mesh.server("a", registration=Joining.INVITE)


def fails(mesh: Mesh, server: Server, before: int) -> None:
    """What the shell does where what was written since `before` could not be committed."""
    lost = tuple(server.disk[before:])
    del server.disk[before:]
    mesh.event(server, CommitFailed(lost, "the disk is full"))


def restarted(mesh: Mesh, server: Server) -> Server:
    return mesh.server(
        "a", registration=Joining.INVITE, remembered=load(server.disk), key=server.key
    )


def test_one_code_lets_in_one_person_whatever_the_disk_does(mesh: Mesh, inviting: Server) -> None:
    (code,) = invite(mesh, inviting)
    before = len(inviting.disk)
    ann = caller(mesh, inviting, "ann")
    ann.call(ann.register(code))
    fails(mesh, inviting, before)
    assert ann.refused(ann.register()) is calls.Why.NOT_ALLOWED, "the code is asked for again"
    assert ann.got(ann.register(code), calls.Registered).new
    assert comes(mesh, restarted(mesh, inviting), "bob", code).errors() == ["NOT_ALLOWED"]


def test_a_code_is_its_holders_again_where_the_account_was_not_stored(
    mesh: Mesh, inviting: Server
) -> None:
    (code,) = invite(mesh, inviting)
    before = len(inviting.disk)
    assert comes(mesh, inviting, "ann", code).said("ACK")
    fails(mesh, inviting, before)
    assert comes(mesh, inviting, "bob", code).said("ACK")
    assert comes(mesh, inviting, "ann", code).errors() == ["NOT_ALLOWED"]
    assert {each.user_id for each in load(inviting.disk).accounts} == {an_id("bob")}


def test_a_code_is_spent_where_any_of_two_writes_reached_the_disk(
    mesh: Mesh, inviting: Server
) -> None:
    (code,) = invite(mesh, inviting)
    before = len(inviting.disk)
    ann = caller(mesh, inviting, "ann")
    ann.call(ann.register(code))
    lost = tuple(inviting.disk[before:])
    del inviting.disk[before:]
    assert not ann.got(ann.register(), calls.Registered).new, "asked again before the disk answered"
    mesh.event(inviting, CommitFailed(lost, "the disk is full"))
    assert comes(mesh, inviting, "bob", code).errors() == ["NOT_ALLOWED"]
    again = restarted(mesh, inviting)
    assert comes(mesh, again, "bob", code).errors() == ["NOT_ALLOWED"]
    assert mesh.user(again, "ann", key=ann.key).said("ACK")


def test_a_code_that_was_not_stored_is_none(mesh: Mesh, inviting: Server) -> None:
    before = len(inviting.disk)
    (code,) = invite(mesh, inviting)
    fails(mesh, inviting, before)
    assert comes(mesh, inviting, "bob", code).errors() == ["NOT_ALLOWED"]


def test_a_ban_that_was_not_stored_bans_nobody(mesh: Mesh) -> None:
    a = mesh.server("a", federation=Federation.OPEN)
    b = proven_join(mesh, a, "b")
    before = len(a.disk)
    mesh.event(a, Ban(1, b.id))
    fails(mesh, a, before)
    assert proven_join(mesh, a, "b", key=b.key).errors() == []


def test_an_admission_that_was_not_stored_admits_nobody(mesh: Mesh) -> None:
    a = mesh.server("a")
    key = mesh.suite.generate()
    before = len(a.disk)
    mesh.event(a, Admit(1, key.public.fingerprint))
    fails(mesh, a, before)
    assert proven_join(mesh, a, "b", key=key).errors() == ["NOT_ALLOWED"]


def test_a_server_stays_known_that_could_not_be_forgotten(mesh: Mesh) -> None:
    a = mesh.server("a")
    b = linked_server(mesh, a, "b")
    before = len(a.disk)
    mesh.event(a, Forget(1, b.id))
    fails(mesh, a, before)
    mesh.event(a, ListServers(2))
    assert b.key.public.fingerprint in a.answers[-1].lines[0]
    assert proven_join(mesh, a, "b", key=b.key).errors() == []


def test_what_the_operator_said_before_holds_again(mesh: Mesh) -> None:
    a = mesh.server("a")
    key = mesh.suite.generate()
    mesh.event(a, Admit(1, key.public.fingerprint))
    before = len(a.disk)
    mesh.event(a, Ban(2, key.public.fingerprint))
    assert proven_join(mesh, a, "b", key=key).errors() != []
    fails(mesh, a, before)
    assert proven_join(mesh, a, "b", key=key).errors() == []


def test_what_the_operator_said_since_is_not_undone(mesh: Mesh) -> None:
    a = mesh.server("a")
    key = mesh.suite.generate()
    before = len(a.disk)
    mesh.event(a, Ban(1, key.public.fingerprint))
    lost = tuple(a.disk[before:])
    del a.disk[before:]
    mesh.event(a, Admit(2, key.public.fingerprint))
    mesh.event(a, CommitFailed(lost, "the disk is full"))
    assert proven_join(mesh, a, "b", key=key).errors() == []


@pytest.mark.parametrize("stored", [True, False])
def test_a_ruling_on_a_key_is_lifted_once_that_is_stored(mesh: Mesh, stored: bool) -> None:
    a = mesh.server("a", federation=Federation.OPEN)
    key = mesh.suite.generate()
    mesh.event(a, Ban(1, key.public.fingerprint))
    before = len(a.disk)
    mesh.event(a, Forget(2, key.public.fingerprint))
    if not stored:
        fails(mesh, a, before)
    assert (proven_join(mesh, a, "b", key=key).errors() == []) is stored


def test_whose_account_was_not_stored_may_come_with_another_key(mesh: Mesh) -> None:
    a = mesh.server("a")
    before = len(a.disk)
    ann = mesh.user(a, "ann")
    fails(mesh, a, before)
    ann.drop()
    other = mesh.user(a, "ann", key=mesh.suite.generate())
    assert (other.errors(), a.node.status().users) == ([], 1)


def test_whom_another_server_had_told_of_is_known_as_before(mesh: Mesh) -> None:
    a = mesh.server("a")
    b = linked_server(mesh, a, "b")
    ann, key = advertise(b, "ann")
    b.say("USER_REMOVE", {"user_id": ann, "server_id": b.id}, ts=mesh.wall + 1)
    before = len(a.disk)
    here = mesh.user(a, "ann", key=key)
    fails(mesh, a, before)
    here.drop()
    assert mesh.user(a, "ann", key=mesh.suite.generate()).errors() == ["BAD_KEY"]
    assert mesh.user(a, "ann", key=key).errors() == []
