"""S12: a frame that our peers refuse, which we forwarded: we are cut off for another's fault."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from socp.sim.ids import an_id
from socp.wire.envelope import decode
from tests.sim.town import Town, town


def bad_frames(t: Town) -> list[tuple[str, Mapping[str, object], dict[str, object]]]:
    """Frames of gossip with one thing wrong in each."""
    ghost = an_id("ghost")
    user = {"user_id": ghost, "server_id": t.c.id}
    later = t.world.wall + 400_000
    return [
        ("USER_ADVERTISE", user | {"pubkey": "AAAA"}, {}),
        ("USER_ADVERTISE", user, {"signed": False}),
        ("USER_ADVERTISE", user, {"bind": False}),
        ("USER_ADVERTISE", user, {"ts": later}),
        ("USER_ADVERTISE", {"user_id": "nobody", "server_id": t.c.id}, {}),
        ("USER_ADVERTISE", {"user_id": t.bob.id, "server_id": t.b.id}, {}),
        ("USER_REMOVE", {"user_id": t.carol.id, "server_id": t.c.id, "pubkey": "AAAA"}, {}),
        ("PUBLIC_CHANNEL_UPDATED", {"version": 2**50}, {}),
        ("PUBLIC_CHANNEL_ADD", {"add": ["x"]}, {}),
        ("PUBLIC_CHANNEL_KEY_SHARE", {"shares": [], "creator_pub": "", "content_sig": ""}, {}),
        ("MSG_PUBLIC_CHANNEL", {"ciphertext": "AA", "sender_pub": "AA", "content_sig": "A"}, {}),
        ("FILE_START", {"file_id": "x"}, {"to": "public"}),
    ]


@pytest.mark.threat("S12")
@pytest.mark.parametrize("index", range(12))
def test_what_we_would_refuse_is_not_passed_on(index: int) -> None:
    t = town()
    assert len(bad_frames(t)) == 12
    kind, members, how = bad_frames(t)[index]
    wire = t.world.network.between(t.a, t.b)
    passed = len(wire.up_log) + len(wire.down_log)
    heard = len(t.alice.wire.down_log) if t.alice.wire is not None else 0
    t.c.forge(t.a, kind, members, **how)  # type: ignore[arg-type]
    t.run(2)
    fresh = [*wire.up_log, *wire.down_log][passed:]
    assert kind not in {decode(data).type for data in fresh}
    assert t.alice.wire is not None
    assert kind not in {decode(data).type for data in t.alice.wire.down_log[heard:]}
    assert t.b.id in t.a.linked


@pytest.mark.threat("S12")
def test_a_server_that_is_fed_rubbish_by_another_stays_in_good_standing() -> None:
    t = town()
    for _ in range(30):
        for kind, members, how in bad_frames(t):
            try:
                t.c.forge(t.a, kind, members, **how)  # type: ignore[arg-type]
            except KeyError:
                break
        t.run(0.1)
    assert t.b.id in t.a.linked
    t.alice.says(t.bob, "we are fine")
    t.run(1)
    assert t.bob.texts == ["we are fine"]
