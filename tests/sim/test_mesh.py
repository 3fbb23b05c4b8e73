"""People talk across three servers: the main job, with the real brains and no sockets."""

from __future__ import annotations

import hashlib

import pytest

from socp.crypto.keys import RsaSuite
from socp.member.effects import (
    FileDone,
    FileFailed,
    FileOffered,
    ListAnswered,
    MessageArrived,
    PeerMoved,
    Trust,
)
from socp.member.events import RequestList
from socp.member.records import LineState
from socp.sim.world import PORTS, World
from tests.keys import test_key
from tests.sim.town import town


@pytest.mark.spec("5")
@pytest.mark.parametrize("order", ["abc", "acb", "bac", "bca", "cab", "cba"])
def test_three_servers_find_each_other_in_any_order_and_their_users_see_each_other(
    order: str,
) -> None:
    world = World()
    for name in order:
        world.add_server(name, PORTS["abc".index(name)])
        world.run(0.7)
    world.run(5)
    assert [len(server.linked) for server in world.servers.values()] == [2, 2, 2]
    users = [world.add_user(name, server) for name, server in world.servers.items()]
    world.run(1)
    for user in users:
        others = {other.id for other in users} - {user.id}
        assert {p.user_id for p in user.member.contacts.members() if p.online} == others


@pytest.mark.spec("6")
def test_a_direct_message_reaches_its_reader_alone_once_and_as_pinned() -> None:
    t = town()
    t.alice.says(t.bob, "hello bob")
    t.run(1)
    assert t.bob.texts == ["hello bob"]
    assert t.bob.messages[0].trust is Trust.PINNED
    assert t.carol.texts == []
    assert t.alice.line("hello bob").state is LineState.DELIVERED


@pytest.mark.spec("7")
def test_a_post_reaches_everybody_once_but_its_author() -> None:
    t = town()
    for user in t.users:
        user.posts(f"{user.name} says hello")
    t.run(2)
    for user in t.users:
        others = {f"{other.name} says hello" for other in t.users if other is not user}
        assert sorted(user.texts) == sorted(others)


@pytest.mark.spec("7")
def test_somebody_who_comes_later_reads_and_writes_in_public_too() -> None:
    t = town()
    dave = t.world.add_user("dave", t.b)
    t.run(5)
    t.alice.posts("welcome dave")
    dave.posts("thanks")
    t.run(2)
    assert "welcome dave" in dave.texts
    assert "thanks" in t.alice.texts
    assert "thanks" in t.bob.texts


@pytest.mark.spec("7")
def test_somebody_who_was_away_has_the_key_from_before_and_reads_on() -> None:
    t = town()
    t.bob.leave()
    t.run(2)
    t.bob.come_back()
    t.run(2)
    t.alice.posts("hello again")
    t.run(1)
    assert t.bob.texts == ["hello again"]


@pytest.mark.spec("8")
def test_a_file_reaches_one_and_a_file_reaches_all() -> None:
    t = town()
    content = bytes(range(256)) * 12_000
    t.alice.sends_file(t.bob, "one.bin", content)
    t.carol.sends_file(None, "all.bin", content)
    t.run(15)
    assert t.bob.received_files == {"one.bin": content, "all.bin": content}
    assert t.alice.received_files == {"all.bin": content}
    assert t.carol.received_files == {}
    assert [done.sending for done in t.alice.told(FileDone)] == [True, False]
    assert t.bob.told(FileOffered)[0].trust is Trust.PINNED


@pytest.mark.spec("9")
def test_a_line_to_somebody_away_goes_when_they_are_back_in_order() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    t.alice.says(t.bob, "one")
    t.alice.says(t.bob, "two")
    t.run(1)
    assert t.alice.line("two").state is LineState.DONE
    assert t.alice.line("two").reason == "bob is away; a server keeps it until they are back"
    t.bob.come_back()
    t.run(2)
    assert t.bob.texts == ["one", "two"]
    assert t.alice.line("two").state is LineState.READ


@pytest.mark.spec("9")
def test_a_line_survives_the_writers_and_the_readers_process() -> None:
    t = town()
    t.bob.kill()
    t.run(1)
    t.alice.says(t.bob, "still there?")
    t.alice.kill()
    t.run(1)
    t.alice.start()
    t.bob.start()
    t.run(5)
    assert t.bob.texts == ["still there?"]


@pytest.mark.spec("5")
def test_a_killed_server_comes_back_and_nobody_has_to_do_anything() -> None:
    t = town()
    t.b.kill()
    t.run(2)
    t.alice.says(t.carol, "we go on")
    t.alice.says(t.bob, "are you there?")
    t.run(2)
    assert t.carol.texts == ["we go on"]
    assert t.alice.line("are you there?").state is LineState.DONE  # kept by her own server
    t.b.start()
    t.run(5)
    assert t.b.linked == {t.a.id, t.c.id}
    assert t.bob.texts == ["are you there?"]
    t.bob.posts("back again")
    t.run(1)
    assert t.carol.texts == ["we go on", "back again"]


@pytest.mark.spec("5")
def test_a_message_in_flight_when_the_readers_server_dies_is_shown_once() -> None:
    t = town()
    t.alice.says(t.bob, "in flight")
    t.run(0.001)
    t.b.kill()
    t.run(50)
    t.b.start()
    t.run(10)
    assert t.bob.texts.count("in flight") <= 1


@pytest.mark.spec("9")
def test_a_lost_link_in_mid_line_neither_loses_nor_doubles_it() -> None:
    t = town()
    for number in range(20):
        t.alice.says(t.bob, f"{number}")
        t.run(0.05)
        assert t.alice.wire is not None
        t.alice.wire.cut()
        t.run(2)
    assert sorted(t.bob.texts, key=int) == [f"{number}" for number in range(20)]


@pytest.mark.spec("8")
@pytest.mark.parametrize("whose", ["alice", "bob", "a's and b's", "alice, killed", "bob, killed"])
def test_a_transfer_that_breaks_off_goes_on_where_it_stands(whose: str) -> None:
    t = town()
    content = hashlib.shake_128(b"half").digest(20_000_000)
    t.alice.sends_file(t.bob, "half.bin", content)
    for _ in range(3):
        t.run(2)
        if whose == "a's and b's":
            t.world.network.between(t.a, t.b).cut()
        elif whose.endswith("killed"):
            user = t.alice if whose.startswith("alice") else t.bob
            user.kill()
            t.run(0.2)
            user.start()
        else:
            user = t.alice if whose == "alice" else t.bob
            assert user.wire is not None
            user.wire.cut()
        assert t.bob.received_files == {}
    t.run(100)
    assert t.bob.received_files == {"half.bin": content}
    assert t.bob.parts == {}
    assert len(t.alice.told(FileDone)) == len(t.bob.told(FileDone)) == 1
    assert t.alice.told(FileFailed) == t.bob.told(FileFailed) == []
    assert t.alice.member.idle
    assert t.bob.member.idle


@pytest.mark.spec("2")
def test_somebody_with_a_clock_an_hour_off_talks_all_the_same() -> None:
    t = town()
    dave = t.world.add_user("dave", t.a, skew_ms=3_600_000)
    t.run(5)
    assert any("3600 s ahead" in text for text in dave.warnings)
    dave.says(t.bob, "what time is it?")
    t.bob.says(dave, "noon")
    t.run(1)
    assert t.bob.texts == ["what time is it?"]
    assert dave.texts == ["noon"]
    assert abs(t.bob.messages[0].ts - t.world.wall) < 5_000


@pytest.mark.spec("10")
def test_two_with_one_name_are_told_apart() -> None:
    t = town()
    t.world.add_user("eve", t.b)
    impostor = t.world.add_stranger("impostor")
    impostor.dials(t.c)
    t.run(1)
    impostor.say(
        "USER_HELLO",
        {"client": "x", "pubkey": impostor.key.public.text, "meta": {"display_name": "bob"}},
    )
    t.run(1)
    labels = {t.alice.member.contacts.label(u) for u in (t.bob.id, impostor.id)}
    assert labels == {f"bob#{t.bob.id[:8]}", f"bob#{impostor.id[:8]}"}


@pytest.mark.spec("6")
def test_everybody_is_on_the_list() -> None:
    t = town()
    t.alice.event(RequestList())
    t.run(1)
    assert t.alice.told(ListAnswered)[0].users == tuple(sorted(u.id for u in t.users))


@pytest.mark.spec("5")
def test_who_leaves_is_gone_everywhere_and_who_comes_is_there() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    t.bob.come_back()
    t.run(1)
    for user in (t.alice, t.carol):
        assert [moved.online for moved in user.told(PeerMoved)] == [False, True]


@pytest.mark.spec("3")
def test_with_real_keys_it_is_the_same() -> None:
    world = World(suite=RsaSuite())
    a = world.add_server("a", 8001, key=test_key(0))
    b = world.add_server("b", 8002, key=test_key(1))
    world.run(5)
    alice = world.add_user("alice", a, key=test_key(2))
    bob = world.add_user("bob", b, key=test_key(3))
    world.run(8)
    alice.says(bob, "hello")
    bob.posts("hello all")
    alice.sends_file(bob, "x.bin", bytes(600_000))
    world.run(3)
    assert bob.texts == ["hello"]
    assert alice.texts == ["hello all"]
    assert [m.trust for m in alice.told(MessageArrived)] == [Trust.PINNED]
    assert bob.received_files == {"x.bin": bytes(600_000)}


@pytest.mark.spec("5")
def test_one_seed_is_one_run() -> None:
    def run(seed: int) -> list[bytes]:
        t = town(seed)
        t.alice.says(t.bob, "hello")
        t.run(2)
        assert t.bob.wire is not None
        return t.bob.wire.down_log

    assert run(7) == run(7)
    assert run(7) != run(8)
