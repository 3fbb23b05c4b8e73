"""Keys that are replaced and revoked, as servers see it (section 10; docs/protocol.md)."""

from __future__ import annotations

import pytest

from socp.crypto import rotation, signing
from socp.crypto.rotation import KeyStep, Revocation
from socp.node import key_history, presence
from socp.node.events import CommitFailed, RevokeUser
from socp.node.records import Barred, Remembered
from socp.wire import limits
from socp.wire.canonical import to_members
from socp.wire.errors import PeerFault
from tests.node.cast import advert_of, attach_of, linked_server
from tests.node.failing import full
from tests.node.keychain import Owner, account, steps_on_disk
from tests.node.mesh import Mesh, Peer, Server, message

Three = tuple[Server, Server, Server]


def asked(peer: Peer, user_id: str) -> dict[str, object]:
    peer.say("PUBKEY_REQUEST", {"user_id": user_id})
    return peer.members("PUBKEY_RESPONSE")[-1]


@pytest.mark.spec("10")
def test_a_rotation_is_committed_before_its_ack_and_ends_the_old_keys_link(
    mesh: Mesh, a: Server
) -> None:
    alice = Owner(mesh, "alice")
    peer = alice.arrives(a)
    step = alice.rotates(peer)
    assert peer.members("ACK")[-1]["msg_ref"] == "KEY_ROTATE"
    assert peer.closed == 1000
    stored = account(a, alice.id)
    assert (stored.pubkey, stored.version, stored.proven) == (alice.key.public.text, 2, True)
    first, second = steps_on_disk(a, alice.id)
    assert (first.version, first.pubkey, first.sig) == (1, alice.keys[0].public.text, "")
    assert second == step


@pytest.mark.spec("10")
def test_the_new_key_attaches_and_the_former_one_does_not(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    alice.rotates(alice.arrives(a))
    assert alice.arrives(a, rotations=()).members("ACK")[0]["msg_ref"] == "USER_HELLO"
    former = mesh.user(a, "alice", key=alice.keys[0])
    assert former.errors() == ["BAD_KEY"]


@pytest.mark.spec("10")
def test_the_directory_says_version_chain_and_its_signature_over_them(
    mesh: Mesh, a: Server
) -> None:
    alice = Owner(mesh, "alice")
    alice.rotates(alice.arrives(a))
    said = asked(mesh.user(a, "bob"), alice.id)
    assert said["pubkey"] == alice.key.public.text
    assert said["version"] == 2
    assert said["rotations"] == [to_members(step) for step in alice.chain]
    text = signing.directory(alice.id, alice.key.public.fingerprint, 2)
    assert signing.verify(a.key.public, str(said["directory_sig"]), text)


@pytest.mark.spec("10")
def test_other_servers_follow_at_once_and_when_the_user_is_back(mesh: Mesh, three: Three) -> None:
    a, b, c = three
    alice = Owner(mesh, "alice")
    alice.rotates(alice.arrives(a))
    for server in three:
        assert account(server, alice.id).version == 2
    alice.arrives(a)
    carol = mesh.user(c, "carol")
    advert = next(m for m in carol.members("USER_ADVERTISE") if m["user_id"] == alice.id)
    assert advert["pubkey"] == alice.key.public.text
    assert advert["rotations"] == [to_members(step) for step in alice.chain]
    assert [s.version for s in steps_on_disk(b, alice.id)] == [1, 2]


@pytest.mark.spec("10")
def test_a_server_that_was_down_follows_by_the_advert_alone(mesh: Mesh, three: Three) -> None:
    a, b, _ = three
    alice = Owner(mesh, "alice")
    peer = alice.arrives(a)
    mesh.kill(b)
    alice.rotates(peer)
    mesh.wall += 60_000
    alice.rotates(alice.arrives(a))
    mesh.restart(b)
    mesh.run(10)
    assert account(b, alice.id).version == 3
    bob = mesh.user(b, "bob")
    alice.arrives(a)
    assert bob.members("USER_ADVERTISE")[-1]["pubkey"] == alice.key.public.text


@pytest.mark.spec("10")
def test_a_user_takes_their_chain_along_to_a_server_that_knows_the_old_key(
    mesh: Mesh, three: Three
) -> None:
    a, b, c = three
    alice = Owner(mesh, "alice")
    peer = alice.arrives(a)
    mesh.kill(b)
    alice.rotates(peer)
    mesh.kill(a)
    mesh.kill(c)
    mesh.restart(b)
    mesh.wall += 1_000
    moved = alice.arrives(b)
    assert moved.members("ACK")[0]["msg_ref"] == "USER_HELLO"
    assert account(b, alice.id).version == 2
    mesh.wall += 60_000
    alice.rotates(moved)
    assert account(b, alice.id).version == 3


@pytest.mark.spec("10")
def test_a_new_home_learns_the_version_of_somebody_it_never_saw(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    alice.step(ts=mesh.wall - 9_000)
    alice.step(ts=mesh.wall - 8_000)
    mesh.wall += 60_000
    peer = alice.arrives(a)
    assert account(a, alice.id).version == 3
    alice.rotates(peer)
    assert account(a, alice.id).version == 4
    assert peer.errors() == []


@pytest.mark.spec("10")
def test_a_restart_keeps_version_chain_and_revocations(mesh: Mesh, a: Server) -> None:
    alice, bob = Owner(mesh, "alice"), Owner(mesh, "bob")
    alice.rotates(alice.arrives(a))
    bob.revokes(bob.arrives(a))
    mesh.kill(a)
    mesh.restart(a)
    assert mesh.user(a, "alice", key=alice.keys[0]).errors() == ["BAD_KEY"]
    peer = alice.arrives(a, rotations=())
    assert asked(peer, alice.id)["rotations"] == [to_members(step) for step in alice.chain]
    assert bob.arrives(a).errors() == ["NOT_ALLOWED"]


@pytest.mark.spec("10")
def test_every_step_of_a_chain_outlives_a_restart_and_a_new_link_hears_it(
    mesh: Mesh, a: Server
) -> None:
    alice = Owner(mesh, "alice")
    for _ in range(2):
        alice.rotates(alice.arrives(a))
        mesh.wall += 61_000
    mesh.kill(a)
    mesh.restart(a)
    (said,) = linked_server(mesh, a, "b").members("KEY_HISTORY")
    assert said["rotations"] == [to_members(step) for step in alice.chain]
    assert len(alice.chain) == 2


@pytest.mark.threat("S8")
def test_what_could_not_be_stored_never_was(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    peer = alice.arrives(a)
    before = len(a.disk)
    alice.rotates(peer)
    lost = tuple(a.disk[before:])
    del a.disk[before:]
    mesh.event(a, CommitFailed(lost, "disk full"))
    assert mesh.user(a, "alice", key=alice.keys[1]).errors() == ["BAD_KEY"]
    again = mesh.user(a, "alice", key=alice.keys[0])
    assert again.members("ACK")[0]["msg_ref"] == "USER_HELLO"
    alice.keys.pop()
    alice.steps.pop()
    alice.rotates(again)
    assert account(a, alice.id).version == 2
    bob = Owner(mesh, "bob")
    bob.revokes(bob.arrives(a))
    mesh.event(a, CommitFailed((Revocation(bob.id, "", 1, 0, ""),), "disk full"))
    assert bob.arrives(a).errors() == []


@pytest.mark.threat("S8")
def test_a_version_that_could_not_be_stored_leaves_the_key_as_it_is(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    for n in range(3):
        alice.step(ts=mesh.wall - 9 + n)
    alice.arrives(a)
    lost = tuple(r for r in a.disk if isinstance(r, KeyStep))
    assert [step.version for step in lost] == [2, 3, 4]
    mesh.event(a, CommitFailed(lost, "disk full"))
    said = asked(mesh.user(a, "bob"), alice.id)
    assert (said["pubkey"], said["version"]) == (alice.key.public.text, 1)


@pytest.mark.spec("10")
def test_a_rotation_from_before_the_last_one_is_refused(mesh: Mesh, a: Server) -> None:
    """Nobody could follow a chain whose times do not grow."""
    alice = Owner(mesh, "alice")
    alice.rotates(alice.arrives(a))
    mesh.wall += 61_000
    peer = alice.arrives(a)
    step = alice.step(ts=mesh.wall - 62_000)
    peer.say("KEY_ROTATE", {**to_members(step.rotation), "user_id": alice.id})
    assert peer.errors() == ["BAD_KEY"]
    assert account(a, alice.id).version == 2


# --- what is refused at the door ----------------------------------------------------------------


@pytest.mark.threat("I10")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": 3}, "BAD_KEY"),
        ({"version": 1}, "BAD_KEY"),
        ({"sig": "A" * 683}, "BAD_KEY"),
        ({"new_sig": "A" * 683}, "BAD_KEY"),
        ({"ts": 1_000}, "BAD_FRAME"),
        ({"pubkey": "AA"}, "BAD_KEY"),
        ({"user_id": "b0b00000-0000-4000-8000-000000000002"}, "NOT_ALLOWED"),
    ],
)
def test_a_rotation_with_anything_wrong_changes_nothing(
    mesh: Mesh, a: Server, changes: dict[str, object], code: str
) -> None:
    alice = Owner(mesh, "alice")
    peer = alice.arrives(a)
    alice.rotates(peer, **changes)
    assert peer.errors() == [code]
    assert peer.members("ERROR")[-1]["msg_ref"] == "KEY_ROTATE"
    assert peer.closed is None
    assert account(a, alice.id).version == 1
    assert steps_on_disk(a, alice.id) == []


@pytest.mark.threat("I10")
def test_only_a_proven_link_may_rotate_or_revoke(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    peer = alice.arrives(a, rotations=(), features=("bind/1", "hybrid/1"))
    alice.rotates(peer)
    assert peer.errors() == ["NOT_ALLOWED"]
    alice.keys.pop()
    alice.revokes(peer)
    assert peer.errors() == ["NOT_ALLOWED"] * 2
    assert account(a, alice.id).version == 1


@pytest.mark.threat("S3")
def test_rotations_are_a_minute_apart(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    alice.rotates(alice.arrives(a))
    peer = alice.arrives(a)
    mesh.wall += 59_000
    alice.rotates(peer)
    assert peer.errors() == ["RATE_LIMITED"]
    alice.keys.pop()
    alice.steps.pop()
    mesh.wall += 1_000
    alice.rotates(peer)
    assert account(a, alice.id).version == 3


@pytest.mark.threat("I10")
def test_a_key_one_had_before_does_not_come_back(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    first = alice.key
    alice.rotates(alice.arrives(a))
    peer = alice.arrives(a)
    mesh.wall += 60_000
    back = rotation.rotate(alice.id, alice.key, first, 3, mesh.wall)
    peer.say("KEY_ROTATE", {**to_members(back.rotation), "user_id": alice.id})
    assert peer.errors() == ["BAD_KEY"]
    assert account(a, alice.id).version == 2


@pytest.mark.spec("10")
def test_of_two_rotations_at_once_the_first_one_counts(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    peer = alice.arrives(a)
    one, other = (
        rotation.rotate(alice.id, alice.key, mesh.suite.generate(), 2, mesh.wall) for _ in "ab"
    )
    for step in (one, other):
        peer.say("KEY_ROTATE", {**to_members(step.rotation), "user_id": alice.id})
    assert account(a, alice.id).pubkey == one.pubkey


@pytest.mark.spec("10")
def test_a_user_who_attaches_elsewhere_with_the_old_key_while_rotating_stays_with_the_new(
    mesh: Mesh, three: Three
) -> None:
    a, b, _ = three
    alice = Owner(mesh, "alice")
    peer = alice.arrives(a)
    alice.rotates(peer)
    mesh.wall += 5
    elsewhere = mesh.user(b, "alice", key=alice.keys[0])
    assert elsewhere.errors() == ["BAD_KEY"]
    assert alice.arrives(b).members("ACK")[0]["msg_ref"] == "USER_HELLO"


@pytest.mark.spec("10")
def test_a_link_with_a_key_that_was_replaced_elsewhere_ends(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    peer = alice.arrives(a)
    other = linked_server(mesh, a, "other")
    mesh.wall += 1_000
    alice.step()
    members = advert_of(alice.id, other.id, alice.key)
    members["rotations"] = [to_members(step) for step in alice.chain]
    other.say("USER_ADVERTISE", members)
    assert peer.closed == 1000
    assert account(a, alice.id).version == 2


@pytest.mark.spec("10")
@pytest.mark.threat("I9")
def test_a_link_with_a_former_key_ends_where_the_claim_that_brings_the_new_one_is_refused(
    mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "ONLINE_PER_SERVER", 0)
    alice = Owner(mesh, "alice")
    peer, other = alice.arrives(a), linked_server(mesh, a, "other")
    mesh.wall += 1
    alice.step()
    assert followed(mesh, a, alice, other)
    assert (other.errors(), peer.closed) == (["RATE_LIMITED"], 1000)
    assert alice.id not in a.node.whereabouts()


@pytest.mark.spec("10")
@pytest.mark.threat("I9")
def test_a_link_with_a_former_key_ends_where_a_forged_revocation_comes_with_the_new_one(
    mesh: Mesh, a: Server
) -> None:
    alice = Owner(mesh, "alice")
    peer, other = alice.arrives(a), linked_server(mesh, a, "other")
    mesh.wall += 1
    forged = rotation.revoke(alice.id, other.key, 1, mesh.wall)
    alice.step()
    said: dict[str, object] = {"user_id": alice.id, "rotations": chain_of(alice)}
    other.say("KEY_HISTORY", {**said, "revoked": to_members(forged.revoked)})
    assert (other.errors(), peer.closed) == (["BAD_KEY"], 1000)
    assert alice.arrives(a).closed is None


@pytest.mark.threat("I9")
@pytest.mark.threat("S8")
def test_a_link_with_a_former_key_ends_once_the_new_one_is_heard_again_and_stored(
    mesh: Mesh, a: Server
) -> None:
    alice = Owner(mesh, "alice")
    other = linked_server(mesh, a, "other")
    assert followed(mesh, a, alice, other)
    mesh.run(3)
    other.say("USER_REMOVE", {"user_id": alice.id, "server_id": other.id})
    alice.step()
    with full(a):
        other.say("KEY_HISTORY", {"user_id": alice.id, "rotations": chain_of(alice)})
    peer = mesh.user(a, "alice", key=alice.keys[0])
    assert peer.closed is None
    mesh.run(3)
    assert peer.closed == 1000
    assert account(a, alice.id).pubkey == alice.key.public.text


# --- what other servers say ---------------------------------------------------------------------


def chain_of(alice: Owner) -> list[dict[str, object]]:
    return [to_members(step) for step in alice.chain]


def followed(mesh: Mesh, a: Server, alice: Owner, other: Peer, **changes: object) -> bool:
    """Whether server a follows alice's chain when `other` says it."""
    mesh.wall += 1_000
    attach = attach_of(alice.key, alice.id, other.id, mesh.wall)
    members = advert_of(alice.id, other.id, alice.key, attach=attach)
    members["rotations"] = [to_members(step) for step in alice.chain]
    members |= changes
    other.say("USER_ADVERTISE", members)
    return account(a, alice.id).pubkey == alice.key.public.text


@pytest.mark.spec("10")
def test_an_advert_with_a_chain_is_followed_and_passed_on_unchanged(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    other, third = linked_server(mesh, a, "other"), linked_server(mesh, a, "third", port=9010)
    assert followed(mesh, a, alice, other)
    alice.step()
    assert followed(mesh, a, alice, other)
    assert account(a, alice.id).version == 2
    assert third.members("USER_ADVERTISE")[-1]["rotations"] == [to_members(alice.chain[0])]


@pytest.mark.threat("I9")
@pytest.mark.parametrize("chain", ["none", "of another", "cut", "turned"])
def test_an_advert_without_the_right_chain_is_bad_key(mesh: Mesh, a: Server, chain: str) -> None:
    alice, mallory = Owner(mesh, "alice"), Owner(mesh, "mallory")
    other = linked_server(mesh, a, "other")
    assert followed(mesh, a, alice, other)
    for owner in (alice, mallory):
        owner.step(ts=mesh.wall - 2)
        owner.step(ts=mesh.wall - 1)
    said = {
        "none": [],
        "of another": mallory.chain,
        "cut": alice.chain[1:],
        "turned": alice.chain[::-1],
    }[chain]
    assert not followed(mesh, a, alice, other, rotations=[to_members(s) for s in said])
    assert other.errors() == ["BAD_KEY"]


@pytest.mark.threat("M2")
def test_an_older_chain_said_again_never_leads_back(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    other = linked_server(mesh, a, "other")
    assert followed(mesh, a, alice, other)
    alice.step()
    older, old_key = alice.chain, alice.key
    assert followed(mesh, a, alice, other)
    alice.step()
    assert followed(mesh, a, alice, other)
    mesh.wall += 1_000
    members = advert_of(alice.id, other.id, old_key)
    other.say("USER_ADVERTISE", {**members, "rotations": [to_members(s) for s in older]})
    told: dict[str, object] = {"user_id": alice.id, "rotations": [to_members(s) for s in older]}
    other.say("KEY_HISTORY", told)
    assert account(a, alice.id).pubkey == alice.key.public.text
    assert other.errors() == ["BAD_KEY"]  # the advert; a history that is behind is no fault


@pytest.mark.threat("S3")
def test_hostile_chains_are_looked_at_at_a_pace(
    mesh: Mesh, a: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = Owner(mesh, "alice")
    other = linked_server(mesh, a, "other")
    assert followed(mesh, a, alice, other)
    mallory = Owner(mesh, "mallory")
    for n in range(limits.ROTATIONS_MAX):
        mallory.step(ts=mesh.wall + n)
    looked: list[object] = []

    def holds(*facts: object) -> bool:
        looked.append(facts)
        return False

    monkeypatch.setattr(rotation, "step_holds", holds)
    third = linked_server(mesh, a, "third", port=9010)
    chain = [to_members(step) for step in mallory.chain]
    for n in range(250):  # on another's word, so that the messenger is not cut for it
        told: dict[str, object] = {"user_id": alice.id, "rotations": chain, "n": n}
        other.say("KEY_HISTORY", told, from_=third.id, sign_with=third.key)
    assert len(looked) == 200


@pytest.mark.threat("S5")
def test_one_server_makes_us_remember_so_many_new_keys_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_history, "NEW_PER_SERVER", 3)
    histories = key_history.Histories(Remembered(), 100)
    histories.make_room("m", 2)
    histories.make_room_for_last_word("m")
    with pytest.raises(PeerFault, match="RATE_LIMITED"):
        histories.make_room("m", 1)
    with pytest.raises(PeerFault, match="RATE_LIMITED"):
        histories.make_room_for_last_word("m")
    histories.make_room("b", 3)
    histories.make_room("", 9)  # our own users


@pytest.mark.threat("S5")
def test_a_rotation_of_somebody_nobody_pinned_is_not_kept(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    alice.step()
    other = linked_server(mesh, a, "other")
    word = rotation.revoke(alice.id, alice.key, 2, mesh.wall)
    told: dict[str, object] = {
        "user_id": alice.id,
        "rotations": [to_members(s) for s in alice.chain],
        "revoked": to_members(word.revoked),
    }
    other.say("KEY_HISTORY", told)
    assert not [r for r in a.disk if isinstance(r, KeyStep | Revocation)]
    assert other.errors() == []


@pytest.mark.spec("10")
def test_a_late_message_signed_with_the_former_key_still_goes_on(mesh: Mesh, three: Three) -> None:
    a, _, _ = three
    alice = Owner(mesh, "alice")
    peer = alice.arrives(a)
    other = linked_server(mesh, a, "other")
    post = message(peer, "public", ts=mesh.wall)
    late = message(peer, "public", text=b"after", ts=mesh.wall + 2_000)
    alice.rotates(peer)
    bob = mesh.user(a, "bob")
    for members, ts in ((post, mesh.wall), (late, mesh.wall + 2_000)):
        other.say("MSG_PUBLIC_CHANNEL", members, to="public", from_=alice.id, ts=ts, bind=False)
    assert [e.ts for e in bob.said("MSG_PUBLIC_CHANNEL")] == [mesh.wall]
    assert other.errors() == ["BAD_KEY"]


# --- revocation ---------------------------------------------------------------------------------


@pytest.mark.spec("10")
def test_a_revoked_id_is_dead_everywhere_for_ever(mesh: Mesh, three: Three) -> None:
    a, b, c = three
    alice, carol = Owner(mesh, "alice"), mesh.user(c, "carol")
    peer = alice.arrives(a)
    alice.revokes(peer)
    assert peer.members("ACK")[-1]["msg_ref"] == "KEY_REVOKE"
    assert peer.closed == 1008
    told = carol.members("KEY_HISTORY")[-1]
    assert told["user_id"] == alice.id
    assert told["revoked"]
    for server in three:
        assert alice.arrives(server).errors() == ["NOT_ALLOWED"]
    assert asked(mesh.user(b, "bob"), alice.id)["revoked"]
    carol.say("MSG_DIRECT", message(carol, alice.id), to=alice.id)
    assert carol.errors() == ["NOT_ALLOWED"]


@pytest.mark.threat("I10")
@pytest.mark.parametrize("first", ["rotation", "revocation"])
def test_a_revocation_beats_every_rotation_whichever_is_heard_first(
    mesh: Mesh, a: Server, first: str
) -> None:
    """The thief of the first key rotates it, its owner revokes it: the id is nobody's."""
    alice = Owner(mesh, "alice")
    other = linked_server(mesh, a, "other")
    assert followed(mesh, a, alice, other)
    word = rotation.revoke(alice.id, alice.key, 1, mesh.wall)
    alice.step()
    said: list[dict[str, object]] = [
        {"user_id": alice.id, "rotations": [to_members(s) for s in alice.chain]},
        {"user_id": alice.id, "revoked": to_members(word.revoked)},
    ]
    for members in said if first == "rotation" else said[::-1]:
        other.say("KEY_HISTORY", members)
    assert alice.arrives(a).errors() == ["NOT_ALLOWED"]
    assert mesh.user(a, "alice", key=alice.keys[0]).errors() == ["NOT_ALLOWED"]
    followed(mesh, a, alice, other)
    assert other.errors()[-1] == "BAD_KEY"


@pytest.mark.threat("I10")
def test_only_a_key_of_the_user_revokes(mesh: Mesh, a: Server) -> None:
    alice, mallory = Owner(mesh, "alice"), Owner(mesh, "mallory")
    other = linked_server(mesh, a, "other")
    assert followed(mesh, a, alice, other)
    forged = rotation.revoke(alice.id, mallory.key, 1, mesh.wall)
    stolen = rotation.revoke(mallory.id, alice.key, 1, mesh.wall)
    for word in (forged, stolen):
        told: dict[str, object] = {"user_id": alice.id, "revoked": to_members(word.revoked)}
        other.say("KEY_HISTORY", told)
    assert other.errors() == ["BAD_KEY"] * 2
    assert not [r for r in a.disk if isinstance(r, Revocation)]


@pytest.mark.spec("10")
def test_who_pinned_only_the_newest_key_takes_the_word_of_one_before_it(
    mesh: Mesh, a: Server
) -> None:
    alice = Owner(mesh, "alice")
    alice.step(ts=mesh.wall - 5)
    other = linked_server(mesh, a, "other")
    assert followed(mesh, a, alice, other, rotations=[])
    word = rotation.revoke(alice.id, alice.keys[0], 1, mesh.wall)
    told: dict[str, object] = {"user_id": alice.id, "revoked": to_members(word.revoked)}
    other.say("KEY_HISTORY", told)
    assert other.errors() == ["BAD_KEY"]
    other.say("KEY_HISTORY", {**told, "rotations": [to_members(s) for s in alice.chain]})
    assert [r.user_id for r in a.disk if isinstance(r, Revocation)] == [alice.id]


@pytest.mark.spec("10")
def test_a_server_that_was_down_hears_of_revocations_when_it_is_back(
    mesh: Mesh, three: Three
) -> None:
    a, b, _ = three
    alice = Owner(mesh, "alice")
    peer = alice.arrives(a)
    mesh.kill(b)
    alice.revokes(peer)
    mesh.restart(b)
    mesh.run(10)
    assert alice.arrives(b).errors() == ["NOT_ALLOWED"]
    bob = mesh.user(b, "bob")
    assert [m["user_id"] for m in bob.members("KEY_HISTORY")] == [alice.id]


@pytest.mark.spec("11")
def test_peers_without_the_feature_hear_nothing_of_it(mesh: Mesh, a: Server) -> None:
    plain = mesh.user(a, "plain", features=())
    server = linked_server(mesh, a, "plain server", features=())
    alice = Owner(mesh, "alice")
    alice.rotates(alice.arrives(a))
    peer = alice.arrives(a)
    alice.revokes(peer)
    for v13 in (plain, server):
        assert v13.said("KEY_HISTORY") == []
    assert server.members("USER_REMOVE")[-1]["user_id"] == alice.id


@pytest.mark.threat("S3")
def test_a_history_is_signed_once_however_many_hear_it(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    alice.rotates(alice.arrives(a))
    first, second = (linked_server(mesh, a, f"peer {n}", port=9010 + n) for n in range(2))
    mesh.wall += 60_000
    alice.rotates(alice.arrives(a))
    heard = [peer.said("KEY_HISTORY") for peer in (first, second)]
    assert [[e.sig for e in said] for said in heard] == [[e.sig for e in heard[0]]] * 2
    assert [len(e.members["rotations"]) for e in heard[0]] == [1, 2]  # type: ignore[arg-type]


# --- the operator -------------------------------------------------------------------------------


@pytest.mark.spec("10")
def test_the_operator_revokes_a_user_of_this_server_alone(mesh: Mesh, three: Three) -> None:
    a, b, _ = three
    alice = Owner(mesh, "alice")
    peer = alice.arrives(a)
    bob = mesh.user(b, "bob")
    mesh.event(a, RevokeUser(7, alice.id[:8]))
    assert (a.answers[-1].request, a.answers[-1].ok) == (7, True)
    assert peer.closed == 1008
    assert bob.members("USER_REMOVE")[-1]["user_id"] == alice.id
    assert bob.said("KEY_HISTORY") == []
    assert alice.arrives(a).errors() == ["NOT_ALLOWED"]
    mesh.kill(a)
    mesh.restart(a)
    mesh.run(10)
    assert alice.arrives(a).errors() == ["NOT_ALLOWED"]
    mesh.wall += 1_000
    assert alice.arrives(b).errors() == []
    assert [r.user_id for r in a.disk if isinstance(r, Barred)] == [alice.id]


@pytest.mark.spec("10")
def test_the_operator_is_told_who_cannot_be_revoked(mesh: Mesh, a: Server) -> None:
    alice = Owner(mesh, "alice")
    alice.arrives(a)
    for who in ("alice", "00000000", alice.id[:7]):
        mesh.event(a, RevokeUser(1, who))
        assert not a.answers[-1].ok
        assert "give it whole" in a.answers[-1].lines[0]
    for _ in range(2):
        mesh.event(a, RevokeUser(1, alice.id))
    assert a.answers[-1].lines == (f"{alice.id} is revoked here already",)


# --- a disk that takes nothing ------------------------------------------------------------------


@pytest.mark.spec("10")
@pytest.mark.threat("S8")
@pytest.mark.parametrize(
    ("what", "closed"), [("rotates", 1000), ("revokes", 1008)], ids=["rotation", "revocation"]
)
def test_who_says_of_a_key_what_cannot_be_stored_hears_so_and_stays(
    mesh: Mesh, a: Server, what: str, closed: int
) -> None:
    alice = Owner(mesh, "alice")
    peer, bob = alice.arrives(a), mesh.user(a, "bob")
    bob.clear()
    with full(a):
        getattr(alice, what)(peer)
    error = peer.members("ERROR")[-1]
    assert (error["code"], error["msg_ref"]) == ("TIMEOUT", f"KEY_{what[:-1].upper()}")
    assert "nothing has changed" in str(error["detail"])
    assert peer.closed is None
    assert bob.heard == []
    alice.keys[1:], alice.steps[:] = [], []
    getattr(alice, what)(peer)
    assert peer.members("ACK")[-1]["msg_ref"] == f"KEY_{what[:-1].upper()}"
    assert peer.closed == closed
