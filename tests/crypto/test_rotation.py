"""Chains of keys: what is followed, and what is not (section 10; threats I9, I10)."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as part

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from socp.crypto import rotation, signing
from socp.crypto.keys import PrivateKey
from socp.crypto.rotation import KeyStep, Unfollowed
from socp.crypto.symbolic import SymbolicSuite
from socp.wire import limits
from socp.wire.payloads import Revoked, Rotation

TS = 1_760_000_000_000
LATEST = TS + 1_000_000
ALICE = "a11ce000-0000-4000-8000-000000000001"
BOB = "b0b00000-0000-4000-8000-000000000002"


@dataclass
class Line:
    """Alice's keys one after the other, and the statements between them."""

    suite: SymbolicSuite = part(default_factory=lambda: SymbolicSuite(1))

    def __post_init__(self) -> None:
        self.keys: list[PrivateKey] = [self.suite.generate()]
        self.steps: list[KeyStep] = []

    def grows(self, steps: int) -> Line:
        for _ in range(steps):
            new, version = self.suite.generate(), len(self.keys) + 1
            self.steps.append(rotation.rotate(ALICE, self.keys[-1], new, version, TS + version))
            self.keys.append(new)
        return self

    @property
    def chain(self) -> list[Rotation]:
        return [step.rotation for step in self.steps][-limits.ROTATIONS_MAX :]

    def followed(
        self, chain: list[Rotation], *, pinned: int = 0, after: int = 1, user_id: str = ALICE
    ) -> tuple[KeyStep, ...]:
        key = self.keys[pinned].public
        return rotation.follow(self.suite, user_id, key, after, chain, LATEST)


@pytest.mark.spec("10")
@pytest.mark.parametrize("pinned", range(5))
def test_a_chain_leads_from_every_key_in_it_to_its_end(pinned: int) -> None:
    line = Line().grows(5)
    steps = line.followed(line.chain, pinned=pinned, after=pinned + 1)
    assert steps == tuple(line.steps[pinned:])


@pytest.mark.spec("10")
def test_who_pinned_a_key_without_knowing_its_version_follows_all_the_same() -> None:
    line = Line().grows(3)
    assert line.followed(line.chain, pinned=2, after=1) == tuple(line.steps[2:])


@pytest.mark.spec("10")
def test_who_missed_more_steps_than_a_chain_has_does_not_follow() -> None:
    line = Line().grows(limits.ROTATIONS_MAX + 1)
    with pytest.raises(Unfollowed, match="not signed by both"):
        line.followed(line.chain)
    assert len(line.followed(line.chain, pinned=1, after=2)) == limits.ROTATIONS_MAX


@pytest.mark.threat("I10")
@pytest.mark.parametrize(("pinned", "after"), [(3, 4), (2, 4), (1, 3)])
def test_a_chain_never_leads_back(pinned: int, after: int) -> None:
    line = Line().grows(3)
    with pytest.raises(Unfollowed, match="former key"):
        line.followed(line.chain[: pinned + 1], pinned=pinned, after=after)


@pytest.mark.threat("I10")
def test_one_who_lacks_the_old_key_cannot_name_a_successor() -> None:
    line = Line()
    thief = line.suite.generate()
    forged = rotation.rotate(ALICE, thief, thief, 2, TS)
    with pytest.raises(Unfollowed, match="not signed by both"):
        line.followed([forged.rotation])


@pytest.mark.threat("I10")
def test_nobody_can_take_anothers_key_for_their_own() -> None:
    line = Line()
    victim, thief = line.suite.generate(), line.keys[0]
    facts = (ALICE, thief.public.fingerprint, victim.public.fingerprint, 2, TS)
    sig = signing.sign(thief, rotation.rotate_text(*facts))
    taken = msgspec.structs.replace(
        rotation.rotate(ALICE, thief, thief, 2, TS).rotation,
        pubkey=victim.public.text,
        sig=sig,
        new_sig=signing.sign(thief, rotation.rotate_new_text(*facts, sig)),
    )
    with pytest.raises(Unfollowed, match="not signed by both"):
        line.followed([taken])


@pytest.mark.threat("I10")
def test_a_step_of_another_user_is_not_ours() -> None:
    line = Line().grows(1)
    with pytest.raises(Unfollowed, match="not signed by both"):
        line.followed(line.chain, user_id=BOB)


@pytest.mark.threat("S3")
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"version": 7}, "count up by one"),
        ({"version": 1}, "versions go from 2|count up by one"),
        ({"ts": TS}, "times do not grow"),
        ({"ts": LATEST + 1}, "times do not grow, or lie ahead"),
        ({"ts": 12}, "times do not grow"),
        ({"sig": "AA"}, "cannot be one"),
        ({"new_sig": "A" * 700}, "cannot be one"),
    ],
)
def test_what_is_wrong_in_itself_costs_no_verification(
    change: dict[str, object], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line().grows(3)
    chain = line.chain
    chain[1] = msgspec.structs.replace(chain[1], **change)
    monkeypatch.setattr(signing, "verify", None)
    with pytest.raises(Unfollowed, match=why):
        line.followed(chain)


@pytest.mark.threat("S5")
def test_a_chain_has_a_length_and_versions_an_end() -> None:
    line = Line().grows(limits.ROTATIONS_MAX + 1)
    with pytest.raises(Unfollowed, match="1 to 5 steps"):
        line.followed([step.rotation for step in line.steps])
    with pytest.raises(Unfollowed, match="1 to 5 steps"):
        line.followed([])
    last = msgspec.structs.replace(line.chain[0], version=limits.KEY_VERSION_MAX + 1)
    with pytest.raises(Unfollowed, match="versions go from"):
        line.followed([last])


@pytest.mark.threat("I10")
def test_a_chain_that_returns_to_a_key_is_no_chain() -> None:
    line = Line().grows(1)
    back = rotation.rotate(ALICE, line.keys[1], line.keys[0], 3, TS + 9)
    away = rotation.rotate(ALICE, line.keys[0], line.keys[1], 4, TS + 10)
    with pytest.raises(Unfollowed, match="comes back"):
        line.followed([*line.chain, back.rotation, away.rotation])


@pytest.mark.spec("10")
def test_a_chain_introduces_somebody_whom_nobody_knew() -> None:
    line = Line().grows(7)
    key = line.keys[-1].public
    steps = rotation.introduced(line.suite, ALICE, key, line.chain, LATEST)
    assert steps == tuple(line.steps[-limits.ROTATIONS_MAX :])
    with pytest.raises(Unfollowed, match="another key"):
        rotation.introduced(line.suite, ALICE, line.keys[0].public, line.chain, LATEST)
    broken = [*line.chain[:-1], msgspec.structs.replace(line.chain[-1], sig=line.chain[0].sig)]
    with pytest.raises(Unfollowed, match="not signed by both"):
        rotation.introduced(line.suite, ALICE, key, broken, LATEST)


@pytest.mark.threat("I10")
@given(st.data())
def test_who_introduces_somebody_can_change_nothing_of_what_they_signed(
    data: st.DataObject,
) -> None:
    """The version of a key least of all: it would freeze the key for ever."""
    line = Line().grows(data.draw(st.integers(1, 3)))
    chain = line.chain
    other = Line(SymbolicSuite(2)).grows(3).chain
    name = data.draw(st.sampled_from(["follows", "version", "ts", "sig", "new_sig"]))
    value = getattr(data.draw(st.sampled_from([*other, *chain])), name)
    changed = msgspec.structs.replace(chain[0], **{name: value})
    if changed == chain[0]:
        return
    key = line.keys[-1].public
    with pytest.raises(Unfollowed):
        rotation.introduced(line.suite, ALICE, key, [changed, *chain[1:]], LATEST)


@pytest.mark.threat("I10")
@given(st.data())
def test_a_chain_with_anything_changed_leads_nowhere(data: st.DataObject) -> None:
    line = Line().grows(3)
    chain = line.chain
    at = data.draw(st.integers(0, 2))
    other = Line(SymbolicSuite(2)).grows(3).chain
    name = data.draw(st.sampled_from(["pubkey", "follows", "version", "ts", "sig", "new_sig"]))
    value = getattr(data.draw(st.sampled_from([*other, *chain])), name)
    changed = msgspec.structs.replace(chain[at], **{name: value})
    if changed == chain[at]:
        return
    chain[at] = changed
    with pytest.raises(Unfollowed):
        line.followed(chain)


@pytest.mark.spec("10")
def test_a_revocation_is_by_the_key_it_names_of_the_user_it_names() -> None:
    line = Line()
    key = line.keys[0]
    said = rotation.revoke(ALICE, key, 1, TS).revoked
    assert rotation.revocation_holds(ALICE, key.public, said)
    assert not rotation.revocation_holds(BOB, key.public, said)
    assert not rotation.revocation_holds(ALICE, line.suite.generate().public, said)
    for change in ({"version": 2}, {"ts": TS + 1}, {"ts": 5}, {"version": 0}):
        changed: Revoked = msgspec.structs.replace(said, **change)
        assert not rotation.revocation_holds(ALICE, key.public, changed)


@pytest.mark.threat("I10")
def test_only_keys_that_the_pinned_one_names_came_before_it() -> None:
    line = Line().grows(3)
    chain, pinned = line.chain, line.keys[3].public

    def before(key: PrivateKey, said: list[Rotation]) -> bool:
        return rotation.precedes(line.suite, ALICE, key.public, pinned, said)

    assert [before(key, chain) for key in line.keys] == [True, True, True, False]
    assert before(line.keys[0], line.chain[1:]) is False
    thief = line.suite.generate()
    assert not before(thief, chain)
    forged = rotation.rotate(ALICE, thief, line.keys[3], 4, TS + 4).rotation
    lied = msgspec.structs.replace(forged, new_sig=chain[-1].new_sig)
    assert not before(thief, [lied])


@pytest.mark.threat("I10")
def test_what_came_after_the_pinned_key_does_not_matter_to_what_came_before_it() -> None:
    line = Line().grows(4)
    pinned = line.keys[2].public
    chain = line.chain
    chain[3] = msgspec.structs.replace(chain[3], sig=chain[2].sig)  # a later step that is a lie

    def before(place: int) -> bool:
        return rotation.precedes(line.suite, ALICE, line.keys[place].public, pinned, chain)

    assert [before(place) for place in range(5)] == [True, True, False, False, False]


@pytest.mark.spec("10")
@pytest.mark.parametrize(
    ("last", "fits"), [(limits.KEY_VERSION_MAX, True), (limits.KEY_VERSION_MAX + 1, False)]
)
def test_a_chain_may_end_at_the_highest_version_there_is(last: int, fits: bool) -> None:
    (step,) = Line().grows(1).chain
    chain = [msgspec.structs.replace(step, version=last)]
    if fits:
        rotation.check_shape(chain, LATEST)
        return
    with pytest.raises(Unfollowed, match=f"versions go from 2 to {limits.KEY_VERSION_MAX}"):
        rotation.check_shape(chain, LATEST)
