"""M12: a server drops, holds back or swaps messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from socp.member.effects import GapClosed, GapFound, LineMoved
from socp.member.records import LineState
from socp.sim.user import User
from socp.wire.envelope import decode
from tests.sim.town import Town, town

MINUTES_S = 150


def refs(author: User) -> list[str]:
    """The msg_refs of what they said, in order."""
    found = [moved.msg_ref for moved in author.told(LineMoved) if moved.msg_ref]
    return list(dict.fromkeys(found))


def omits(reader: User, kind: str, *which: int) -> Callable[[bytes], Iterable[bytes]]:
    """A server that keeps some of what it should hand out, by their order, and says it had not."""
    seen: list[str] = []

    def tap(data: bytes) -> Iterable[bytes]:
        envelope = decode(data)
        if envelope.type != kind:
            return (data,)
        ciphertext = str(envelope.members["ciphertext"])
        if ciphertext not in seen:
            seen.append(ciphertext)
        return () if seen.index(ciphertext) in which else (data,)

    assert reader.wire is not None
    reader.wire.down_tap = reader.down_tap = tap
    return tap


def says(t: Town, *texts: str) -> None:
    """Alice to Bob, a second apart; Bob's server pretends that he has them all."""
    for text in texts:
        t.alice.says(t.bob, text)
        t.run(0.5)
        for ref in refs(t.alice):
            t.bob.forge("ACK", {"msg_ref": ref}, to=t.b.id)
        t.run(0.5)


@pytest.mark.threat("M12")
@pytest.mark.spec("11")
def test_what_a_server_drops_and_pretends_to_have_delivered_is_seen_and_healed() -> None:
    t = town()
    omits(t.bob, "USER_DELIVER", 1)
    says(t, "one", "two", "three")
    assert t.alice.line("two").state in (LineState.DELIVERED, LineState.READ)
    assert t.bob.texts == ["one", "three"]
    t.run(11)
    (gap,) = t.bob.told(GapFound)
    assert (gap.author, gap.talk, gap.count, gap.asked) == (t.alice.id, t.alice.id, 1, True)
    first, second = t.bob.messages
    assert (gap.after_ts, gap.before_ts) == (first.ts, second.ts)
    t.run(MINUTES_S)
    assert t.bob.texts == ["one", "three", "two"]
    assert [message.late for message in t.bob.messages] == [False, False, True]
    assert t.bob.told(GapClosed) == [GapClosed(t.alice.id, t.alice.id)]


@pytest.mark.threat("M12")
@pytest.mark.spec("11")
def test_a_server_that_drops_what_is_sent_again_too_cannot_hide_it() -> None:
    t = town()
    omits(t.bob, "USER_DELIVER", 1, *range(3, 100))
    says(t, "one", "two", "three")
    t.run(MINUTES_S)
    assert len(t.bob.told(GapFound)) == 1
    assert t.bob.told(GapClosed) == []
    t.bob.kill()
    t.bob.start()
    t.run(20)
    assert [gap.count for gap in t.bob.told(GapFound)] == [1, 1]


@pytest.mark.threat("M12")
@pytest.mark.spec("11")
def test_what_a_server_swaps_is_shown_as_late_once_and_is_no_gap() -> None:
    t = town()
    held: list[bytes] = []

    def swaps(data: bytes) -> Iterable[bytes]:
        if decode(data).type != "USER_DELIVER":
            return (data,)
        if not held:
            held.append(data)
            return ()
        return (data, *held)

    assert t.bob.wire is not None
    t.bob.wire.down_tap = swaps
    says(t, "one", "two", "three")
    t.run(30)
    assert [(message.text, message.late) for message in t.bob.messages] == [
        ("two", False),
        ("one", True),
        ("three", False),
    ]
    assert t.bob.told(GapFound) == []


@pytest.mark.threat("M12")
@pytest.mark.spec("11")
def test_a_post_that_does_not_come_is_told_and_asked_for_of_nobody() -> None:
    t = town()
    omits(t.bob, "MSG_PUBLIC_CHANNEL", 1)
    for text in ("one", "two", "three"):
        t.alice.posts(text)
        t.run(1)
    t.run(11)
    (gap,) = t.bob.told(GapFound)
    assert (gap.talk, gap.count, gap.asked) == ("public", 1, False)
    assert t.carol.told(GapFound) == []


@pytest.mark.threat("M12")
def test_honest_servers_leave_no_gaps_through_kills_and_lost_links() -> None:
    t = town()
    for number in range(12):
        t.alice.says(t.bob, f"alice {number}")
        t.bob.says(t.alice, f"bob {number}")
        if number % 4 == 1:
            t.alice.kill()
            t.alice.start()
        elif number % 4 == 2:
            t.b.kill()
            t.run(2)
            t.b.start()
        elif number % 4 == 3:
            t.bob.kill()
            t.run(20)
            t.bob.start()
        t.run(3)
    t.run(120)
    assert t.bob.texts == [f"alice {number}" for number in range(12)]
    assert t.alice.texts == [f"bob {number}" for number in range(12)]
    assert t.alice.told(GapFound) == t.bob.told(GapFound) == []
