"""S7: clocks that are wrong or jump, and a ts far ahead that would stay the newest for ever."""

from __future__ import annotations

import pytest

from socp.crypto import signing
from socp.sim.server import Server
from socp.wire.envelope import decode
from tests.sim.town import Town, town

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
YEAR_MS = 365 * DAY_MS


def everybody_talks(t: Town, text: str) -> None:
    for user in t.users:
        user.forget_notices()
    for author in t.users:
        for reader in t.users:
            if author is not reader:
                author.says(reader, f"{text}, {reader.name}, says {author.name}")
    t.run(5)
    for reader in t.users:
        others = {f"{text}, {reader.name}, says {u.name}" for u in t.users if u is not reader}
        assert set(reader.texts) == others
        assert len(reader.texts) == len(others)


@pytest.mark.threat("S7")
@pytest.mark.parametrize("skew_ms", [-YEAR_MS, -DAY_MS, DAY_MS, YEAR_MS])
def test_somebody_whose_clock_is_wrong_talks_in_both_directions(skew_ms: int) -> None:
    t = town()
    dave = t.world.add_user("dave", t.b, skew_ms=skew_ms)
    t.run(10)
    for n in range(5):
        dave.says(t.alice, f"{n}")
        t.alice.says(dave, f"answer {n}")
    t.run(5)
    assert t.alice.texts == [f"{n}" for n in range(5)]
    assert dave.texts == [f"answer {n}" for n in range(5)]
    assert not t.alice.refusals
    assert not dave.refusals


@pytest.mark.threat("S7")
@pytest.mark.parametrize("jump_ms", [HOUR_MS, DAY_MS, -HOUR_MS, -DAY_MS])
def test_every_clock_jumps_at_once_and_no_link_falls(jump_ms: int) -> None:
    t = town()
    wires = [user.wire for user in t.users]
    t.world.agenda.skip(jump_ms)
    t.run(60)
    assert [user.wire for user in t.users] == wires
    assert [len(server.linked) for server in (t.a, t.b, t.c)] == [2, 2, 2]
    everybody_talks(t, "hello")


@pytest.mark.threat("S7")
@pytest.mark.parametrize("jump_ms", [HOUR_MS, DAY_MS, -HOUR_MS, -DAY_MS])
def test_who_comes_back_after_every_clock_jumped_is_seen_by_all(jump_ms: int) -> None:
    t = town()
    t.carol.leave()
    t.run(2)
    t.world.agenda.skip(jump_ms)
    t.carol.come_back()
    t.run(10)
    everybody_talks(t, "back again")
    t.carol.leave()
    t.run(2)
    t.alice.says(t.carol, "are you there?")
    t.run(2)
    assert "away" in t.alice.line("are you there?").reason


@pytest.mark.threat("S7")
@pytest.mark.parametrize("jump_ms", [-HOUR_MS, -1, 10, HOUR_MS])
def test_lines_stay_in_order_while_their_authors_clock_jumps(jump_ms: int) -> None:
    t = town()
    for n in range(4):
        t.alice.says(t.bob, f"{n}")
        t.run(1)
        t.alice.skew_ms += jump_ms
    t.run(10)
    assert t.bob.texts == [f"{n}" for n in range(4)]


@pytest.mark.threat("S7")
@pytest.mark.parametrize("ahead_ms", [6 * 60_000, YEAR_MS, 2**53 - 1 - 1_760_000_100_000])
def test_presence_of_a_server_that_lives_in_the_future_is_refused(ahead_ms: int) -> None:
    t = town()
    where = {"user_id": t.carol.id, "server_id": t.c.id}
    t.c.forge(t.a, "USER_REMOVE", where, ts=t.world.wall + ahead_ms)
    t.run(1)
    t.alice.says(t.carol, "still there?")
    t.run(2)
    assert t.carol.texts == ["still there?"]
    assert codes_heard(t.c, t.a, t) == ["BAD_FRAME"]


def codes_heard(server: Server, peer: Server, t: Town) -> list[object]:
    """The codes of the ERRORs that `server` got from `peer`."""
    wire = t.world.network.between(server, peer)
    log = wire.down_log if wire.near is server else wire.up_log
    return [e.members["code"] for data in log if (e := decode(data)).type == "ERROR"]


@pytest.mark.threat("S7")
def test_a_statement_of_the_future_moves_nobody() -> None:
    """An attach far ahead would be the newest for ever, wherever its user says hello later."""
    t = town()
    ts = t.world.wall + YEAR_MS
    preimage = signing.attach(t.bob.id, t.c.id, ts, ())
    attach = {"ts": ts, "sig": signing.sign(t.bob.key, preimage)}
    t.c.forge(
        t.a,
        "USER_ADVERTISE",
        {
            "user_id": t.bob.id,
            "server_id": t.c.id,
            "pubkey": t.bob.key.public.text,
            "attach": attach,
        },
    )
    t.run(1)
    t.alice.says(t.bob, "where are you?")
    t.run(2)
    assert t.bob.texts == ["where are you?"]
