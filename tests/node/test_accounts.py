"""What is asked over HTTP: the directory, registration, login (section 10)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from socp.crypto import opaque, signing
from socp.node import calls, logins, proofs, records, tallies
from socp.node.budget import SHARES, Table
from socp.node.calls import Why
from socp.node.events import ListUsers
from socp.node.settings import Joining
from socp.wire import base64url, limits
from tests.node.callers import Caller
from tests.node.cast import advertise, linked_server
from tests.node.mesh import Mesh, Server, an_id, load

PASSWORD = "correct horse battery"


@pytest.fixture
def a(mesh: Mesh) -> Server:
    return mesh.server("a")


@pytest.fixture
def ann(mesh: Mesh, a: Server) -> Caller:
    """Registered."""
    caller = Caller(mesh, a, "ann", mesh.suite.generate())
    assert caller.got(caller.register(), calls.Registered).new
    return caller


def another(ann: Caller, name: str, address: str = "203.0.113.7") -> Caller:
    return Caller(ann.mesh, ann.server, name, ann.mesh.suite.generate(), address)


def restarted(ann: Caller) -> Caller:
    """At the same server, started again from its disk."""
    disk = ann.server.disk
    again = ann.mesh.server("a", remembered=load(disk), key=ann.server.key)
    return replace(ann, server=again)


# --- directory ---------------------------------------------------------------------------------


@pytest.mark.spec("10")
def test_a_users_key_comes_with_its_version_and_the_directorys_word(ann: Caller) -> None:
    told = another(ann, "bob").told(calls.FindUser(ann.user_id))
    key = ann.key.public
    assert told.outcome == calls.UserFound(ann.user_id, key.text, key.fingerprint, 1, "ann")
    said = signing.directory(ann.user_id, key.fingerprint, 1)
    assert told.proofs == (("directory_sig", said),)


@pytest.mark.spec("10")
def test_who_is_not_known_is_not_found_and_signed_for(ann: Caller) -> None:
    told = ann.told(calls.FindUser(an_id("nobody")))
    assert isinstance(told.outcome, calls.Refused)
    assert (told.outcome.why, told.proofs) == (Why.UNKNOWN, ())


@pytest.mark.spec("10")
def test_users_are_listed_only_where_the_operator_allows_it(mesh: Mesh, ann: Caller) -> None:
    assert ann.refused(calls.ListIds("", 10)) is Why.NOT_ALLOWED
    b = mesh.server("b", lists_users=True)
    people = [Caller(mesh, b, name, mesh.suite.generate()) for name in ("x", "y", "z")]
    for each in people:
        each.call(each.register())
    peer = linked_server(mesh, b, "c")
    advertise(peer, "far")
    ids = sorted(each.user_id for each in people)
    assert people[0].call(calls.ListIds("", 10)) == calls.IdsListed(tuple(ids), more=False)
    assert people[0].call(calls.ListIds("", 2)) == calls.IdsListed(tuple(ids[:2]), more=True)
    assert people[0].call(calls.ListIds(ids[1], 2)) == calls.IdsListed((ids[2],), more=False)


@pytest.mark.spec("10")
def test_the_server_says_who_it_is_and_who_may_come(mesh: Mesh) -> None:
    a = mesh.server("a", registration=Joining.INVITE)
    ann = Caller(mesh, a, "ann", mesh.suite.generate())
    found = ann.got(calls.Describe(), calls.Description)
    assert (found.server_id, found.pubkey) == (a.id, a.key.public.text)
    assert (found.registration, found.lists_users) == ("invite", False)


# --- registration ------------------------------------------------------------------------------


@pytest.mark.spec("10")
def test_who_registered_proved_and_must_prove_again(mesh: Mesh, a: Server, ann: Caller) -> None:
    (account,) = load(a.disk).accounts
    assert (account.user_id, account.local, account.proven) == (ann.user_id, True, True)
    assert mesh.user(a, "ann", key=ann.key, features=()).errors() == ["NOT_ALLOWED"]
    assert mesh.user(a, "ann", key=ann.key).said("ACK")


@pytest.mark.spec("10")
def test_to_register_twice_changes_nothing_and_is_stored_before_it_is_said(ann: Caller) -> None:
    before = len(ann.server.disk)
    assert not ann.got(ann.register(), calls.Registered).new
    assert [type(each) for each in ann.server.disk[before:]] == [records.Account]


@pytest.mark.threat("I1")
def test_an_id_that_is_taken_stays_with_its_key(ann: Caller) -> None:
    thief = another(ann, "ann")
    assert thief.refused(thief.register()) is Why.TAKEN


@pytest.mark.spec("10")
def test_a_key_that_is_none_is_refused(ann: Caller) -> None:
    bob = another(ann, "bob")
    assert bob.refused(replace(bob.register(), pubkey="A" * 40)) is Why.UNFIT


# --- proofs ------------------------------------------------------------------------------------


@pytest.mark.threat("M11")
def test_a_proof_serves_once_for_one_user_and_one_minute(mesh: Mesh, ann: Caller) -> None:
    remove = calls.RemovePassword(ann.user_id, ann.proof())
    ann.got(remove, calls.Done)
    assert ann.refused(remove) is Why.NOT_PROVEN
    bob = another(ann, "bob")
    assert ann.refused(calls.RemovePassword(ann.user_id, bob.proof())) is Why.NOT_PROVEN
    late = calls.RemovePassword(ann.user_id, ann.proof())
    mesh.mono += proofs.CHALLENGE_MS
    assert ann.refused(late) is Why.NOT_PROVEN


@pytest.mark.threat("M11")
def test_a_proof_by_another_key_or_over_another_nonce_is_none(ann: Caller) -> None:
    by_bob = ann.proof(key=another(ann, "bob").key)
    assert ann.refused(calls.RemovePassword(ann.user_id, by_bob)) is Why.NOT_PROVEN
    moved = replace(ann.proof(), client_nonce=bytes(32))
    assert ann.refused(calls.RemovePassword(ann.user_id, moved)) is Why.NOT_PROVEN
    made_up = replace(ann.proof(), server_nonce=bytes(32))
    assert ann.refused(calls.RemovePassword(ann.user_id, made_up)) is Why.NOT_PROVEN


def test_challenges_are_bounded_and_the_newest_stays(ann: Caller) -> None:
    for number in range(proofs.CHALLENGES_MAX + 5):
        ann.call(calls.BeginProof(an_id(f"flood {number % 7}")))
    ann.got(calls.RemovePassword(ann.user_id, ann.proof()), calls.Done)


@pytest.mark.spec("10")
def test_nobody_sets_a_password_without_a_proof_or_for_a_user_of_another_server(
    mesh: Mesh, ann: Caller
) -> None:
    request = opaque.Registration("x").request
    nobody = another(ann, "nobody")
    begin = calls.BeginPassword(nobody.user_id, request, nobody.proof())
    assert nobody.refused(begin) is Why.NOT_PROVEN
    _, key = advertise(linked_server(mesh, ann.server, "b"), "far")
    far = Caller(mesh, ann.server, "far", key)
    begin = calls.BeginPassword(far.user_id, request, far.proof())
    assert far.refused(begin) is Why.NOT_ALLOWED


# --- passwords ---------------------------------------------------------------------------------


@pytest.mark.spec("10")
def test_the_password_gives_the_box_back_after_a_restart_too(ann: Caller) -> None:
    ann.sets_password(PASSWORD)
    for there in (ann, restarted(ann)):
        assert there.logs_in(PASSWORD) == calls.LoggedIn(
            ann.user_id, base64url.encode(b"sealed ann")
        )


@pytest.mark.spec("10")
def test_a_new_password_takes_the_place_of_the_old_one(ann: Caller) -> None:
    ann.sets_password(PASSWORD)
    ann.sets_password("another " + PASSWORD)
    for there in (ann, restarted(ann)):
        assert isinstance(there.logs_in(PASSWORD), calls.Refused)
        assert isinstance(there.logs_in("another " + PASSWORD), calls.LoggedIn)


@pytest.mark.spec("10")
def test_a_removed_password_is_gone_for_good(ann: Caller) -> None:
    ann.sets_password(PASSWORD)
    ann.got(calls.RemovePassword(ann.user_id, ann.proof()), calls.Done)
    for there in (ann, restarted(ann)):
        assert isinstance(there.logs_in(PASSWORD), calls.Refused)


@pytest.mark.spec("10")
def test_the_servers_message_in_the_setting_is_signed(ann: Caller) -> None:
    asked = opaque.Registration("x")
    told = ann.told(calls.BeginPassword(ann.user_id, asked.request, ann.proof()))
    assert isinstance(told.outcome, calls.PasswordBegun)
    said = signing.password_answer(ann.user_id, ann.server.id, asked.request, told.outcome.response)
    assert told.proofs == (("sig", said),)


@pytest.mark.threat("P3")
def test_wrong_guesses_unknown_ids_and_garbage_are_all_told_the_same(ann: Caller) -> None:
    ann.sets_password(PASSWORD)
    nobody = another(ann, "nobody", address="203.0.113.8")
    garbage = calls.EndLogin(bytes(16), bytes(opaque.LOGIN_PROOF_BYTES))
    said = {repr(each) for each in (ann.logs_in("wrong"), nobody.logs_in("x"), ann.call(garbage))}
    assert len(said) == 1
    request = bytes(opaque.LOGIN_REQUEST_BYTES)
    assert ann.refused(calls.BeginLogin(ann.user_id, request)) is Why.NOT_PROVEN
    assert nobody.refused(calls.BeginLogin(nobody.user_id, request)) is Why.NOT_PROVEN


@pytest.mark.threat("P3")
@pytest.mark.parametrize("exists", [True, False])
def test_guesses_are_limited_for_each_account_from_wherever_they_come(
    mesh: Mesh, ann: Caller, exists: bool
) -> None:
    if exists:
        ann.sets_password(PASSWORD)
    for number in range(limits.LOGIN_TRIES_BURST):
        replace(ann, address=f"198.51.100.{number}").begins("guess")
    far = replace(ann, address="192.0.2.1")
    request = opaque.Login("guess").request
    refused = far.got(calls.BeginLogin(ann.user_id, request), calls.Refused)
    assert (refused.why, refused.wait_s) == (Why.LIMITED, 60)
    mesh.mono += 60_000 // limits.LOGIN_TRIES_PER_MIN
    far.begins("guess")
    assert far.refused(calls.BeginLogin(ann.user_id, request)) is Why.LIMITED
    assert "guess" not in ann.server.log()


@pytest.mark.threat("P3")
def test_guesses_are_limited_for_each_address_whomever_they_mean(ann: Caller) -> None:
    for number in range(limits.LOGIN_TRIES_BURST):
        another(ann, f"victim {number}").begins("guess")
    request = opaque.Login("guess").request
    assert ann.refused(calls.BeginLogin(an_id("one more"), request)) is Why.LIMITED


@pytest.mark.spec("10")
def test_a_right_password_is_no_guess(ann: Caller) -> None:
    ann.sets_password(PASSWORD)
    for _ in range(3 * limits.LOGIN_TRIES_BURST):
        assert isinstance(ann.logs_in(PASSWORD), calls.LoggedIn)


@pytest.mark.spec("10")
def test_a_login_ends_within_its_minute_and_once(mesh: Mesh, ann: Caller) -> None:
    ann.sets_password(PASSWORD)
    login, begun = ann.begins(PASSWORD)
    proof, _ = login.finish(begun.response)
    end = calls.EndLogin(begun.login, proof)
    ann.got(end, calls.LoggedIn)
    assert ann.refused(end) is Why.NOT_PROVEN
    login, begun = ann.begins(PASSWORD)
    proof, _ = login.finish(begun.response)
    mesh.mono += logins.IN_HAND_MS
    assert ann.refused(calls.EndLogin(begun.login, proof)) is Why.NOT_PROVEN


@pytest.mark.threat("S5")
def test_passwords_and_logins_in_hand_are_bounded(
    ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SHARES, Table.PASSWORDS, replace(SHARES[Table.PASSWORDS], most=1))
    monkeypatch.setattr(logins, "IN_HAND_MAX", 2)
    ann = restarted(ann)
    ann.sets_password(PASSWORD)
    bob = another(ann, "bob")
    bob.call(bob.register())
    begin = calls.BeginPassword(bob.user_id, opaque.Registration("x").request, bob.proof())
    assert bob.refused(begin) is Why.NOT_ALLOWED
    login, begun = ann.begins(PASSWORD)
    proof, _ = login.finish(begun.response)
    for _ in range(2):
        ann.begins(PASSWORD)
    assert ann.refused(calls.EndLogin(begun.login, proof)) is Why.NOT_PROVEN


@pytest.mark.threat("P3")
def test_guesses_stay_limited_where_more_have_passwords_than_there_is_room_for_now(
    ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = another(ann, "bob")
    bob.call(bob.register())
    for user in (ann, bob):
        user.sets_password(PASSWORD)
    none = replace(SHARES[Table.PASSWORDS], row_bytes=2**40)
    monkeypatch.setitem(SHARES, Table.PASSWORDS, none)
    now = restarted(ann)
    for number in range(limits.LOGIN_TRIES_BURST):
        replace(now, address=f"198.51.100.{number}").begins("guess")
    replace(bob, server=now.server, address="192.0.2.1").begins("guess")
    guess = calls.BeginLogin(ann.user_id, opaque.Login("guess").request)
    assert replace(now, address="192.0.2.2").refused(guess) is Why.LIMITED


# --- the operator ------------------------------------------------------------------------------


def test_the_operator_sees_whom_the_server_knows(mesh: Mesh, ann: Caller) -> None:
    b = linked_server(mesh, ann.server, "b")
    advertise(b, "far")
    mesh.event(ann.server, ListUsers(1, ""))
    lines = ann.server.answers[-1].lines
    own = next(line for line in lines if line.startswith(ann.user_id))
    assert ann.key.public.fingerprint[:16] in own
    assert "version 1  proven  home here  ann" in own
    assert any(f"unproven  home {b.id}" in line for line in lines)
    mesh.event(ann.server, ListUsers(2, "AN"))
    assert [line[:36] for line in ann.server.answers[-1].lines] == [ann.user_id]
    mesh.event(ann.server, ListUsers(3, "nobody"))
    assert ann.server.answers[-1].lines == ("no users are known by 'nobody'",)


def test_a_long_list_of_users_is_cut_and_says_so(
    mesh: Mesh, ann: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socp.node.operator.USERS_SHOWN", 1)
    bob = another(ann, "bob")
    bob.call(bob.register())
    mesh.event(ann.server, ListUsers(1, ""))
    assert ann.server.answers[-1].lines[1:] == ("and 1 more; ask for fewer with --prefix",)


@pytest.mark.threat("P5")
def test_too_many_tries_are_told_once_and_then_counted(mesh: Mesh, ann: Caller) -> None:
    for number in range(limits.LOGIN_TRIES_BURST):
        another(ann, f"victim {number}").begins("guess")
    ask = calls.BeginLogin(an_id("one more"), opaque.Login("guess").request)
    assert {ann.refused(ask) for _ in range(150)} == {Why.LIMITED}
    lines = [line for line in ann.server.log().splitlines() if "Too many" in line]
    assert len(lines) == 3
    assert lines[0].startswith(f"Too many login tries from {ann.address}")
    assert lines[-1].endswith("(100 so far)")
    mesh.mono += tallies.QUIET_MS + 1
    for _ in range(limits.LOGIN_TRIES_BURST + 1):
        ann.call(ask)
    assert ann.server.log().count("Too many") == 4, "after an hour it is news again"
