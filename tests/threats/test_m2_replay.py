"""M2: replay of a message, a file, a key share, an ADVERTISE or a REMOVE, minutes or months
later."""

from __future__ import annotations

import pytest

from socp.member.effects import FileDone, FileOffered
from socp.sim.disk import MemberDisk
from socp.wire.envelope import Envelope
from tests.sim.town import Town, town

MONTHS_S = 91 * 24 * 3600


def months_pass(t: Town) -> None:
    """Everything is off for three months and on again."""
    for user in t.users:
        user.kill()
    for server in (t.a, t.b, t.c):
        server.kill()
    t.run(MONTHS_S)
    for server in (t.a, t.b, t.c):
        server.start()
    t.run(5)
    for user in t.users:
        user.start()
    t.run(10)


@pytest.mark.threat("M2")
@pytest.mark.parametrize("later", ["at once", "minutes", "months"])
def test_messages_and_posts_are_shown_once(later: str) -> None:
    t = town()
    t.alice.says(t.bob, "direct")
    t.alice.posts("public")
    t.run(1)
    said = t.bob.heard("USER_DELIVER") + t.bob.heard("MSG_PUBLIC_CHANNEL")
    assert len(said) == 2
    if later == "minutes":
        t.run(600)
    elif later == "months":
        months_pass(t)
    for envelope in said:
        t.bob.replay(envelope)
    t.run(5)
    assert t.bob.texts == ["direct", "public"]
    assert t.bob.refusals == []


@pytest.mark.threat("M2")
def test_what_was_read_on_another_machine_is_not_read_again_months_later() -> None:
    t = town(fast_sig=False)  # what a server signs with its own key counts for ever
    t.alice.says(t.bob, "pay mallory 100")
    t.alice.posts("pay mallory 100")
    t.alice.sends_file(t.bob, "bill.pdf", bytes(1_000))
    t.run(5)
    assert len(t.bob.told(FileDone)) == 1
    kinds = ("USER_DELIVER", "MSG_PUBLIC_CHANNEL", "FILE_START", "FILE_END")
    said = [envelope for kind in kinds for envelope in t.bob.heard(kind)]
    assert {envelope.type for envelope in said} == set(kinds)
    keys = t.bob.disk.load().channel_keys
    t.bob.forget_notices()
    t.bob.disk = MemberDisk()  # he begins anew with his key alone, and is given the channel's
    for key in keys:
        t.bob.disk.write(key)
    months_pass(t)
    for envelope in said:
        t.bob.replay(envelope)
    t.run(5)
    assert t.bob.texts == []
    assert t.bob.told(FileOffered) == []
    reasons = [refused.reason for refused in t.bob.refusals]
    assert ["more than three months old" in reason for reason in reasons] == [True] * 3


@pytest.mark.threat("M2")
def test_a_server_that_repeats_a_delivery_to_another_server_reaches_nobody() -> None:
    t = town()
    t.alice.says(t.bob, "once")
    t.run(1)
    wire = t.world.network.between(t.a, t.b)
    (data,) = [d for d in (*wire.up_log, *wire.down_log) if b'"SERVER_DELIVER"' in d[:30]]
    for _ in range(3):
        wire.send(t.a, data)
        t.run(200)
    assert t.bob.texts == ["once"]
    assert len(t.bob.heard("USER_DELIVER")) == 1


@pytest.mark.threat("M2")
@pytest.mark.parametrize("later_s", [0, 600])
def test_a_file_is_received_once(later_s: int) -> None:
    t = town()
    t.alice.sends_file(t.bob, "x.bin", bytes(600_000))
    t.run(10)
    frames: list[Envelope] = [
        e for kind in ("FILE_START", "FILE_CHUNK", "FILE_END") for e in t.bob.heard(kind)
    ]
    t.run(later_s)
    for envelope in frames:
        t.bob.replay(envelope)
    t.run(5)
    assert len(t.bob.told(FileOffered)) == len(t.bob.told(FileDone)) == 1


@pytest.mark.threat("M2")
def test_an_old_key_share_does_not_bring_an_old_key_back_into_use() -> None:
    t = town()
    (shared,) = {e.payload: e for e in t.bob.heard("PUBLIC_CHANNEL_KEY_SHARE")}.values()
    t.run(600)
    t.bob.replay(shared)
    t.alice.posts("still fine")
    t.run(2)
    assert t.bob.texts == ["still fine"]
    assert t.bob.warnings == []


@pytest.mark.threat("M2")
def test_an_old_remove_does_not_make_anybody_leave_and_an_old_advert_brings_nobody_back() -> None:
    t = town()
    adverts = [e for e in t.alice.heard("USER_ADVERTISE") if t.bob.id in str(e.members)]
    t.bob.leave()
    t.run(1)
    (remove,) = t.alice.heard("USER_REMOVE")
    for advert in adverts:
        t.alice.replay(advert)
    t.run(1)
    assert not t.alice.member.contacts.is_online(t.bob.id)
    t.bob.come_back()
    t.run(1)
    t.alice.replay(remove)
    t.run(1)
    assert t.alice.member.contacts.is_online(t.bob.id)


@pytest.mark.threat("M2")
def test_replayed_presence_between_servers_moves_nobody() -> None:
    t = town()
    wire = t.world.network.between(t.b, t.a)
    logs = (*wire.up_log, *wire.down_log)
    adverts = [d for d in logs if b'"USER_ADVERTISE"' in d[:30] and t.bob.id.encode() in d]
    t.bob.leave()
    t.run(1)
    for data in adverts:
        t.world.network.between(t.c, t.a).send(t.c, data)
        wire.send(t.b, data)
    t.run(2)
    assert not t.alice.member.contacts.is_online(t.bob.id)
