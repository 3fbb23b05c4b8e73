"""A copy of a profile of some time ago is put back: what came since comes again, and is called as
its author calls it (section 11, `resend`)."""

from __future__ import annotations

from copy import deepcopy

import pytest

from socp.member.effects import Amended, GapClosed, LineMoved
from socp.member.events import Amend
from tests.sim.town import Town, town

HEALED_S = 200
"""The servers know the bytes that are sent again, and keep them back: the second time helps."""


def restored() -> Town:
    """Bob has read four messages, and three of them are not in the profile that he has now."""
    t = town()
    t.alice.says(t.bob, "zero")
    t.run(2)
    old = deepcopy(t.bob.disk)
    for text in ("one", "two", "three"):
        t.alice.says(t.bob, text)
        t.run(1)
    t.alice.event(Amend(t.bob.id, ref(t, "two"), "edit", "two!"))
    t.run(1)
    t.bob.kill()
    t.bob.disk = old
    t.bob.forget_notices()
    t.bob.start()
    t.run(5)
    t.alice.says(t.bob, "four")
    t.run(HEALED_S)
    return t


def ref(t: Town, text: str) -> str:
    """What Alice calls it."""
    return next(m.msg_ref for m in t.alice.told(LineMoved) if m.text == text and m.msg_ref)


@pytest.mark.spec("11")
def test_what_the_servers_know_already_comes_again_all_the_same() -> None:
    t = restored()
    assert t.bob.texts == ["four", "one", "two", "three"]
    assert t.bob.told(GapClosed) == [GapClosed(t.alice.id, t.alice.id)]


@pytest.mark.spec("11")
def test_both_call_it_alike_so_that_edits_and_reactions_find_it() -> None:
    t = restored()
    assert {m.text: m.msg_ref for m in t.bob.messages} == {
        text: ref(t, text) for text in ("one", "two", "three", "four")
    }
    (edit,) = t.bob.told(Amended)
    assert (edit.of, edit.body) == (ref(t, "two"), "two!")


@pytest.mark.spec("11")
def test_once_it_is_there_nobody_says_anything_more() -> None:
    t = restored()
    assert t.alice.wire is not None
    assert t.bob.wire is not None

    def said() -> tuple[int, ...]:
        """What both said but for the look around that `presence/1` takes now and then."""
        logs = (wire.up_log for wire in (t.alice.wire, t.bob.wire) if wire is not None)
        return tuple(sum(b'"LIST_REQUEST"' not in data for data in log) for log in logs)

    before = said()
    t.run(1000)
    assert said() == before
