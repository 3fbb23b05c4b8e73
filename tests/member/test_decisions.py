"""A contact's key is compared, changes, is taken or kept: only the person decides (section 10)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from socp.crypto import rotation
from socp.crypto.keys import PrivateKey
from socp.member.effects import (
    FileWaits,
    KeyChanged,
    KeyReplaced,
    LineMoved,
    MessageArrived,
    Trust,
    TrustMoved,
    WhoisAnswered,
)
from socp.member.events import (
    AcceptKey,
    KeepKey,
    LookUp,
    Unverify,
    Verify,
)
from socp.member.records import Contact, LineState, Said, TrustState
from socp.wire.canonical import to_members
from socp.wire.content import Text
from tests.member.desk import START_MS, WITH_MAILBOX, WITHOUT_MAILBOX, Desk, Friend
from tests.member.test_content import read
from tests.member.test_files import PIECE, offers, reads

UNVERIFIED, VERIFIED, CHANGED = TrustState.UNVERIFIED, TrustState.VERIFIED, TrustState.CHANGED


@dataclass
class Scene:
    """We know alice, who is online."""

    desk: Desk
    alice: Friend

    def claims(self, key: PrivateKey) -> None:
        """Our server claims another key for her."""
        self.desk.wall += 1
        self.desk.hears("USER_ADVERTISE", self.desk.advert(self.alice, key=key), to="*")

    def changes(self) -> PrivateKey:
        """The same, with a key made for it."""
        other = self.desk.suite.generate()
        self.claims(other)
        return other

    @property
    def fingerprint(self) -> str:
        return self.alice.key.public.fingerprint

    @property
    def state(self) -> TrustState:
        return self.desk.member.contacts.state(self.alice.id)

    @property
    def sent(self) -> int:
        return len(self.desk.sent("MSG_DIRECT"))

    @property
    def notes(self) -> list[str]:
        said = self.desk.kept(Said)
        return [row.text for row in said if row.kind == "note" and row.talk == self.alice.id]


@pytest.fixture
def scene() -> Scene:
    desk = Desk().attaches()
    return Scene(desk, desk.friend("alice"))


# --- verified ------------------------------------------------------------------------------------


@pytest.mark.spec("10")
def test_who_was_compared_is_verified_until_the_person_says_otherwise(scene: Scene) -> None:
    assert scene.state is UNVERIFIED
    scene.desk.event(Verify(scene.alice.id, scene.fingerprint))
    assert scene.state is VERIFIED
    scene.alice.writes("it is me")
    assert scene.desk.told(MessageArrived)[-1].trust is Trust.VERIFIED
    scene.desk.event(Unverify(scene.alice.id))
    assert scene.state is UNVERIFIED
    assert scene.desk.told(TrustMoved) == [
        TrustMoved(scene.alice.id, VERIFIED),
        TrustMoved(scene.alice.id, UNVERIFIED),
    ]


@pytest.mark.spec("10")
def test_verified_outlives_the_process(scene: Scene) -> None:
    scene.desk.event(Verify(scene.alice.id, scene.fingerprint))
    scene.desk.again(scene.desk.store())
    assert scene.state is VERIFIED


@pytest.mark.threat("I9")
def test_nobody_is_verified_by_the_number_of_another_key(scene: Scene) -> None:
    other = scene.desk.suite.generate().public.fingerprint
    scene.desk.event(Verify(scene.alice.id, other))
    assert scene.state is UNVERIFIED
    assert scene.desk.told(TrustMoved) == []


def test_both_ends_see_one_number_and_it_changes_with_the_key(scene: Scene) -> None:
    ours = scene.desk.member.decisions
    number = ours.number(scene.alice.id, ours.known(scene.alice.id))
    claimed = scene.changes()
    assert ours.known(scene.alice.id) == scene.fingerprint
    assert ours.claimed(scene.alice.id) == claimed.public.fingerprint
    assert ours.number(scene.alice.id, ours.claimed(scene.alice.id)) != number


# --- CHANGED -------------------------------------------------------------------------------------


@pytest.mark.threat("I9")
@pytest.mark.parametrize("before", [UNVERIFIED, VERIFIED])
def test_a_changed_key_blocks_sending_and_says_since_when_and_what_to_do(
    scene: Scene, before: TrustState
) -> None:
    if before is VERIFIED:
        scene.desk.event(Verify(scene.alice.id, scene.fingerprint))
    scene.changes()
    assert scene.state is CHANGED
    scene.desk.says(scene.alice, "are you there?")
    scene.desk.passes(60)
    line = scene.desk.line()
    assert line.state is LineState.WAITING
    assert "alice's key changed on Thursday, 2025-10-09" in line.reason
    assert "compare safety numbers" in line.reason
    assert scene.sent == 0
    offers(scene.desk, scene.alice.id)
    assert scene.desk.sent("FILE_START") == []
    assert "alice's key changed on" in scene.desk.told(FileWaits)[-1].reason
    assert not scene.desk.member.reaches(scene.alice.id)


@pytest.mark.threat("I9")
def test_a_file_on_its_way_stops_and_goes_on_once_the_person_decided(scene: Scene) -> None:
    content = b"x" * (3 * PIECE)
    offers(scene.desk, scene.alice.id, content)
    assert len(scene.desk.sent("FILE_START")) == 1
    claimed = scene.changes()
    reads(scene.desk, content)
    assert scene.desk.sent("FILE_CHUNK") == []
    assert "key changed on" in scene.desk.told(FileWaits)[-1].reason
    scene.desk.event(KeepKey(scene.alice.id, claimed.public.fingerprint))
    scene.desk.passes(20)
    assert len(scene.desk.sent("FILE_START")) == 2


@pytest.mark.threat("I9")
def test_it_blocks_without_a_link_and_after_a_new_start_too(scene: Scene) -> None:
    scene.changes()
    scene.desk.loses_the_link()
    scene.desk.says(scene.alice, "are you there?")
    assert "key changed" in scene.desk.line().reason
    scene.desk.again(scene.desk.store())
    scene.desk.attaches()
    scene.desk.comes(scene.alice)
    scene.desk.passes(60)
    assert scene.state is CHANGED
    assert scene.sent == 0


@pytest.mark.threat("I9")
@pytest.mark.parametrize("features", [WITH_MAILBOX, WITHOUT_MAILBOX])
@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("taken", [False, True])
def test_what_was_on_its_way_does_not_go_again_until_the_person_decided(
    features: tuple[str, ...], restart: bool, taken: bool
) -> None:
    desk = Desk(features).attaches()
    scene = Scene(desk, desk.friend("alice"))
    desk.says(scene.alice, "are you there?")
    (first,) = desk.sent("MSG_DIRECT")
    claimed = scene.changes()
    desk.says(scene.alice, "hello?")
    assert "key changed" in desk.line().reason
    desk.loses_the_link()
    if restart:
        desk.again(desk.store())
    desk.attaches()
    scene.claims(claimed)
    desk.passes(60)
    assert scene.sent == 1
    held = {moved.line_id: moved for moved in desk.told(LineMoved)}.values()
    assert {(moved.state, "key changed" in moved.reason) for moved in held} == {
        (LineState.WAITING, True)
    }
    if taken:
        desk.event(AcceptKey(scene.alice.id, claimed.public.fingerprint, compared=True))
        scene.alice.key = claimed
    else:
        desk.event(KeepKey(scene.alice.id, claimed.public.fingerprint))
    desk.comes(scene.alice)
    desk.passes(1)
    again = desk.sent("MSG_DIRECT")[1]
    assert (again.members == first.members) is not taken
    assert read(scene.alice, again)[0] == Text(body="are you there?")
    desk.acks(again, "queued")
    desk.passes(1)
    assert read(scene.alice, desk.sent("MSG_DIRECT")[2])[0] == Text(body="hello?")


@pytest.mark.threat("I9")
def test_what_was_on_its_way_does_not_go_again_for_want_of_an_answer_either() -> None:
    desk = Desk(WITH_MAILBOX).attaches()
    scene = Scene(desk, desk.friend("alice"))
    desk.says(scene.alice, "are you there?")
    scene.changes()
    desk.passes(120)
    assert scene.sent == 1
    assert "key changed" in desk.line().reason
    desk.acks(desk.sent("MSG_DIRECT")[0], "queued")  # it was there all the while
    assert desk.line().state is LineState.DONE


@pytest.mark.threat("I9")
def test_what_waited_goes_to_the_known_key_once_it_is_kept(scene: Scene) -> None:
    scene.desk.event(Verify(scene.alice.id, scene.fingerprint))
    claimed = scene.changes()
    scene.desk.says(scene.alice, "are you there?")
    scene.desk.event(KeepKey(scene.alice.id, claimed.public.fingerprint))
    scene.desk.passes(0.1)
    assert scene.state is VERIFIED
    assert scene.sent == 1
    contact = scene.desk.kept(Contact)[-1]
    assert (contact.pubkey, contact.claimed_key) == (scene.alice.key.public.text, "")


@pytest.mark.threat("I9")
@pytest.mark.parametrize("compared", [False, True])
def test_what_waited_goes_to_the_new_key_once_it_is_taken(scene: Scene, compared: bool) -> None:
    scene.desk.event(Verify(scene.alice.id, scene.fingerprint))
    claimed = scene.changes()
    scene.desk.says(scene.alice, "are you there?")
    scene.desk.event(AcceptKey(scene.alice.id, claimed.public.fingerprint, compared))
    former, scene.alice.key = scene.alice.key, claimed
    scene.desk.passes(0.1)
    assert scene.state is (VERIFIED if compared else UNVERIFIED)
    assert scene.sent == 1
    scene.claims(claimed)
    assert scene.desk.member.contacts.is_online(scene.alice.id)
    scene.alice.writes("it is me, with a new key")
    assert scene.desk.texts == ["it is me, with a new key"]
    Friend(scene.desk, "alice", former).writes("by the former one")
    assert len(scene.desk.texts) == 1
    scene.desk.again(scene.desk.store())
    assert scene.desk.member.decisions.known(scene.alice.id) == claimed.public.fingerprint


@pytest.mark.threat("I9")
def test_comparing_the_known_key_refuses_what_is_claimed(scene: Scene) -> None:
    claimed = scene.changes()
    scene.desk.event(Verify(scene.alice.id, scene.fingerprint))
    assert scene.state is VERIFIED
    scene.claims(claimed)
    assert scene.state is VERIFIED


@pytest.mark.threat("I9")
def test_a_key_that_was_refused_is_not_asked_about_again_but_another_is(scene: Scene) -> None:
    claimed = scene.changes()
    scene.desk.event(KeepKey(scene.alice.id, claimed.public.fingerprint))
    for _ in range(3):
        scene.claims(claimed)
    assert len(scene.desk.told(KeyChanged)) == 1
    assert scene.state is UNVERIFIED
    scene.changes()
    assert len(scene.desk.told(KeyChanged)) == 2
    assert scene.state is CHANGED


@pytest.mark.threat("I9")
@pytest.mark.threat("S5")
def test_a_server_that_claims_and_claims_lifts_nothing_and_is_told_once(scene: Scene) -> None:
    first = scene.changes()
    kept = len(scene.desk.records)
    for _ in range(50):
        scene.changes()
        scene.claims(first)
    assert len(scene.desk.records) == kept
    scene.claims(scene.alice.key)
    assert scene.state is CHANGED
    assert len(scene.desk.told(KeyChanged)) == 1
    assert scene.desk.member.decisions.claimed(scene.alice.id) == first.public.fingerprint
    scene.desk.says(scene.alice, "still blocked")
    scene.desk.passes(1)
    assert scene.sent == 0


@pytest.mark.threat("I9")
def test_the_key_that_the_person_looked_at_is_taken_or_none(scene: Scene) -> None:
    scene.changes()
    other = scene.changes().public.fingerprint
    scene.desk.event(AcceptKey(scene.alice.id, other, compared=True))
    scene.desk.event(KeepKey(scene.alice.id, other))
    assert scene.state is CHANGED
    assert scene.desk.kept(Contact)[-1].pubkey == scene.alice.key.public.text


def test_there_is_nothing_to_take_or_keep_where_nothing_is_claimed(scene: Scene) -> None:
    for fingerprint in ("", scene.fingerprint):
        scene.desk.event(AcceptKey(scene.alice.id, fingerprint, compared=True))
        scene.desk.event(KeepKey(scene.alice.id, fingerprint))
    assert scene.state is UNVERIFIED
    assert scene.desk.told(TrustMoved) == []


# --- the old key's own word ----------------------------------------------------------------------


@pytest.mark.threat("I10")
@pytest.mark.parametrize("same", [True, False], ids=["the claimed key", "another key"])
def test_a_chain_from_the_known_key_settles_the_claim_that_it_leads_to(
    scene: Scene, same: bool
) -> None:
    new = scene.desk.suite.generate()
    if same:
        scene.claims(new)
    else:
        scene.changes()
    assert scene.state is CHANGED
    scene.desk.wall += 1
    step = rotation.rotate(scene.alice.id, scene.alice.key, new, 2, scene.desk.wall)
    members = {"user_id": scene.alice.id, "rotations": [to_members(step.rotation)]}
    scene.desk.hears("KEY_HISTORY", members)
    assert len(scene.desk.told(KeyReplaced)) == 1
    assert scene.state is (UNVERIFIED if same else CHANGED)
    assert len(scene.desk.told(TrustMoved)) == same


@pytest.mark.threat("I10")
def test_after_a_new_key_was_taken_keys_before_it_are_nobodys(scene: Scene) -> None:
    alice, desk = scene.alice, scene.desk
    first = alice.key
    second = desk.suite.generate()
    desk.wall += 1
    step = rotation.rotate(alice.id, first, second, 2, desk.wall)
    members = {"user_id": alice.id, "rotations": [to_members(step.rotation)]}
    desk.hears("KEY_HISTORY", members)
    alice.key = second
    claimed = scene.changes()
    desk.event(AcceptKey(alice.id, claimed.public.fingerprint, compared=True))
    desk.again(desk.store())
    desk.attaches()
    late = Friend(desk, "alice", first)
    desk.hears("USER_DELIVER", late.delivery(late.seals("from before"), ts=START_MS), ts=START_MS)
    assert desk.texts == []
    alice.key = claimed
    third = desk.suite.generate()
    desk.wall += 1
    step = rotation.rotate(alice.id, claimed, third, 2, desk.wall)
    desk.hears("KEY_HISTORY", members | {"rotations": [to_members(step.rotation)]})
    assert desk.told(KeyReplaced)[-1].key == third.public.fingerprint


# --- what is said --------------------------------------------------------------------------------


@pytest.mark.threat("I9")
def test_no_message_of_theirs_goes_without_the_mark_while_it_is_undecided(scene: Scene) -> None:
    scene.changes()
    scene.alice.writes("with the known key")
    assert scene.desk.told(MessageArrived)[-1].trust is Trust.CHANGED


@pytest.mark.threat("I9")
def test_what_cannot_be_verified_then_says_since_when_and_what_to_do(scene: Scene) -> None:
    other = scene.changes()
    Friend(scene.desk, "alice", other).writes("with the claimed key")
    answer = {"user_id": scene.alice.id, "pubkey": scene.alice.key.public.text}
    scene.desk.hears("PUBKEY_RESPONSE", answer)
    (refused,) = scene.desk.refusals
    assert "alice's key changed on Thursday, 2025-10-09: compare safety numbers" in refused.reason


def test_the_conversation_keeps_a_note_of_each_change(scene: Scene) -> None:
    scene.desk.event(Verify(scene.alice.id, scene.fingerprint))
    claimed = scene.changes()
    scene.desk.event(AcceptKey(scene.alice.id, claimed.public.fingerprint, compared=False))
    scene.desk.event(Unverify(scene.alice.id))
    said = ["compared safety numbers", "key changed", "took the new key", "not sure"]
    assert len(scene.notes) == len(said)
    assert all(part in note for part, note in zip(said, scene.notes, strict=True))


def test_whois_and_the_list_of_members_say_it(scene: Scene) -> None:
    scene.changes()
    scene.desk.event(LookUp(scene.alice.id))
    assert "KEY CHANGED" in scene.desk.told(WhoisAnswered)[-1].note
    (person,) = scene.desk.member.contacts.members()
    assert person.state is CHANGED
    assert person.changed_ms
