"""M1: `sig` covers the payload alone: the same payload under another type, recipient or time."""

from __future__ import annotations

import pytest

from socp.wire.envelope import reencode
from socp.wire.payloads import TYPES
from tests.sim.town import town


@pytest.mark.threat("M1")
def test_nothing_that_a_server_said_counts_under_another_type() -> None:
    t = town()
    t.alice.says(t.bob, "one")
    t.run(1)
    assert t.bob.wire is not None
    before = list(t.bob.notices)
    for said in tuple(t.bob.heard("USER_DELIVER")) + tuple(t.bob.heard("USER_ADVERTISE")):
        for kind in TYPES:
            t.bob.replay(said, type=kind)
    t.run(1)
    others = [n for n in t.bob.notices[len(before) :] if type(n).__name__ != "Warned"]
    assert others == []
    t.carol.says(t.bob, "two")
    t.run(1)
    assert t.bob.texts == ["one", "two"]


@pytest.mark.threat("M1")
def test_a_delivery_moved_in_time_or_to_somebody_else_is_not_shown() -> None:
    t = town()
    t.alice.says(t.bob, "one")
    t.run(1)
    (said,) = t.bob.heard("USER_DELIVER")
    t.bob.replay(said, ts=said.ts + 60_000)
    t.bob.replay(said, to=t.carol.id)
    assert t.carol.wire is not None
    t.carol.wire.inject(reencode(said), up=False)
    t.carol.replay(said, to=t.carol.id)
    t.run(1)
    assert t.bob.texts == ["one"]
    assert t.carol.texts == []


@pytest.mark.threat("M1")
def test_a_users_frames_do_not_count_under_another_type_or_addressee_at_the_server() -> None:
    t = town()
    t.alice.says(t.bob, "for bob")
    t.run(1)
    (said,) = t.alice.sent("MSG_DIRECT")
    assert t.alice.wire is not None
    for changes in ({"to": t.carol.id}, {"type": "MSG_PUBLIC_CHANNEL", "to": "public"}):
        members = {name: getattr(said, name) for name in said.__struct_fields__}
        t.alice.wire.inject(reencode(type(said)(**(members | changes))), up=True)
    t.run(1)
    assert t.carol.texts == []
    assert t.carol.refusals == []
    assert t.bob.texts == ["for bob"]


@pytest.mark.threat("M1")
def test_presence_of_another_server_does_not_count_retyped() -> None:
    t = town()
    adverts = [e for e in t.alice.heard("USER_ADVERTISE") if e.from_ == t.b.id]
    assert adverts
    t.alice.replay(adverts[0], type="USER_REMOVE", ts=t.world.wall)
    t.run(1)
    assert t.alice.member.contacts.is_online(t.bob.id)
