"""I11: a server waits until a user's home removed them, claims them with their public key, swallows
their mail."""

from __future__ import annotations

import pytest

from socp.member.effects import LineMoved
from socp.member.records import LineState
from socp.wire import base64url
from socp.wire.envelope import decode
from socp.wire.msg_ref import msg_ref
from tests.sim.town import Town, town


def claim(t: Town) -> None:
    """c says that bob, who left b, is with it now."""
    key = t.bob.key.public.text
    said = {"user_id": t.bob.id, "server_id": t.c.id, "pubkey": key}
    for server in (t.a, t.b):
        t.c.forge(server, "USER_ADVERTISE", said)
    t.run(1)


@pytest.mark.threat("I11")
def test_a_claim_without_the_users_own_word_moves_no_home() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    claim(t)
    for server in (t.a, t.b):
        homes = {home.user_id: home.server_id for home in server.disk.load().homes}
        assert homes[t.bob.id] == t.b.id


@pytest.mark.threat("I11")
def test_the_person_is_told_that_the_claim_is_unsigned_and_the_claimant_reads_nothing() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    claim(t)
    assert any("without their own signature" in text for text in t.alice.warnings)
    t.alice.says(t.bob, "secret words")
    t.run(1)
    wire = t.world.network.between(t.a, t.c)
    assert not any(b"secret words" in data for data in (*wire.up_log, *wire.down_log))


@pytest.mark.threat("I11")
def test_the_user_comes_back_to_their_home_against_any_claim() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    claim(t)
    t.bob.come_back()
    t.run(1)
    claim(t)
    t.alice.says(t.bob, "welcome back")
    t.run(1)
    assert t.bob.texts == ["welcome back"]


@pytest.mark.threat("I11")
def test_mail_stays_at_home_whatever_the_claimant_acknowledges() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    claim(t)
    t.alice.says(t.bob, "for bob alone")
    t.run(1)
    wire = t.world.network.between(t.a, t.c)
    deliver = [d for d in (*wire.up_log, *wire.down_log) if b"SERVER_DELIVER" in d]
    assert deliver  # the claimant got its copy, and swallows it
    (line,) = [moved for moved in t.alice.told(LineMoved) if moved.state is LineState.DONE]
    for status in ("queued", "delivered"):
        t.c.forge(t.a, "ACK", {"msg_ref": ref_of(deliver[0]), "status": status}, to=t.a.id)
    t.run(1)
    assert line.text == "for bob alone"
    assert t.b.node.status().mail == 1
    t.bob.come_back()
    t.run(2)
    assert t.bob.texts == ["for bob alone"]


def ref_of(data: bytes) -> str:
    said = decode(data).members
    raw, ts = base64url.decode(str(said["ciphertext"])), said["orig_ts"]
    assert isinstance(ts, int)
    return msg_ref(raw, str(said["sender"]), str(said["user_id"]), ts)
