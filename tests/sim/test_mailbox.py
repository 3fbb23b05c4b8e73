"""Mail for those who are away, with the real brains on both ends (section 11, `mailbox/1`)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from socp.member.effects import FileDone, FileWaits, Trust
from socp.member.events import LookUp
from socp.member.records import ChannelKey, LineState
from socp.node.references import reference
from socp.sim.server import Server
from socp.sim.user import User
from socp.wire import limits
from tests.sim.town import Town, town


def waiting(t: Town) -> list[int]:
    """How much mail lies at each server."""
    return [server.node.status().mail for server in (t.a, t.b, t.c)]


@pytest.mark.spec("11")
def test_mail_goes_to_the_readers_home_and_is_deleted_once_the_reader_has_it() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    t.alice.says(t.bob, "for later")
    t.run(1)
    assert waiting(t) == [0, 1, 0]
    t.bob.come_back()
    t.run(1)
    assert t.bob.texts == ["for later"]
    assert waiting(t) == [0, 0, 0]


@pytest.mark.spec("11")
def test_mail_for_a_server_that_is_down_waits_at_the_senders() -> None:
    t = town()
    t.b.kill()
    t.run(1)
    t.alice.says(t.bob, "one")
    t.alice.says(t.bob, "two")
    t.run(1)
    assert t.alice.line("two").state is LineState.DONE
    assert waiting(t)[0] == 2
    t.a.kill()
    t.a.start()
    t.b.start()
    t.run(8)
    assert t.bob.texts == ["one", "two"]
    assert waiting(t) == [0, 0, 0]


@pytest.mark.spec("11")
def test_a_home_that_moves_takes_its_mail_along() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    t.alice.says(t.bob, "to the old home")
    t.run(1)
    t.bob.address = t.c.address
    t.bob.come_back()
    t.run(2)
    assert t.bob.texts == ["to the old home"]
    assert waiting(t) == [0, 0, 0]
    t.alice.says(t.bob, "to the new one")
    t.run(1)
    assert t.bob.texts[1:] == ["to the new one"]


@pytest.mark.spec("11")
def test_mail_goes_back_where_it_came_from_when_its_reader_moved_there() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    t.alice.says(t.bob, "hello")
    t.run(1)
    assert waiting(t) == [0, 1, 0]
    t.bob.address = t.a.address
    t.bob.come_back()
    t.run(2)
    assert t.bob.texts == ["hello"]
    assert waiting(t) == [0, 0, 0]


@pytest.mark.spec("11")
def test_a_post_waits_for_those_who_are_away_here_and_elsewhere() -> None:
    t = town()
    t.bob.leave()
    t.carol.leave()
    t.c.kill()
    t.run(1)
    t.alice.posts("to everybody")
    t.run(1)
    t.c.start()
    t.bob.come_back()
    t.carol.come_back()
    t.run(8)
    assert t.bob.texts == ["to everybody"]
    assert t.carol.texts == ["to everybody"]


@pytest.mark.spec("11")
def test_a_newcomer_is_not_given_what_was_said_before_they_came() -> None:
    t = town()
    t.alice.posts("long ago")
    t.run(1)
    dave = t.world.add_user("dave", t.a)
    t.run(15)
    assert dave.texts == []
    assert dave.refusals == []


@pytest.mark.spec("8")
@pytest.mark.spec("11")
@pytest.mark.parametrize("reader", ["bob", "dave"])
def test_a_file_for_somebody_away_waits_in_their_mailbox(reader: str) -> None:
    t = town()
    dave = t.world.add_user("dave", t.a)
    t.run(5)
    them: User = {"bob": t.bob, "dave": dave}[reader]
    them.leave()
    t.run(1)
    content = bytes(range(256)) * 4096 * 3
    t.alice.sends_file(them, "later.bin", content)
    t.run(10)
    assert [done.sending for done in t.alice.told(FileDone)] == [True]
    them.come_back()
    t.run(10)
    assert them.received_files == {"later.bin": content}
    assert waiting(t) == [0, 0, 0]


@pytest.mark.spec("8")
@pytest.mark.spec("11")
def test_a_file_that_is_too_large_for_a_mailbox_goes_when_its_reader_is_back() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    content = bytes(limits.MAILBOX_BYTES)
    t.alice.sends_file(t.bob, "huge.bin", content)
    t.run(3)
    (waits,) = t.alice.told(FileWaits)
    assert "mailbox takes files of about 24 MiB" in waits.reason
    assert waiting(t) == [0, 0, 0]
    t.bob.come_back()
    t.run(40)
    assert t.bob.received_files == {"huge.bin": content}
    assert [done.kept for done in t.alice.told(FileDone)] == [False]


@pytest.mark.spec("8")
@pytest.mark.spec("11")
def test_a_reader_who_comes_while_their_file_is_put_into_the_mailbox_gets_all_of_it() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    content = bytes(6_000_000)
    t.alice.sends_file(t.bob, "half.bin", content)
    t.run(2)
    t.bob.come_back()
    t.run(20)
    assert t.bob.received_files == {"half.bin": content}
    assert waiting(t) == [0, 0, 0]


@pytest.mark.spec("8")
@pytest.mark.spec("11")
def test_a_file_whose_sender_leaves_before_it_is_whole_is_not_kept() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    content = bytes(6_000_000)
    t.alice.sends_file(t.bob, "half.bin", content)
    t.run(1)
    t.alice.kill()
    t.run(200)
    assert waiting(t)[0] == 0
    t.bob.come_back()
    t.run(200)
    assert t.bob.received_files == {}
    assert waiting(t) == [0, 0, 0]
    t.alice.start()
    t.run(20)
    assert t.bob.received_files == {"half.bin": content}


@pytest.mark.spec("8")
@pytest.mark.spec("11")
@pytest.mark.parametrize("killed", ["a", "b"])
def test_a_file_survives_either_server_once_it_is_kept(killed: str) -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    content = bytes(range(256)) * 8192
    t.alice.sends_file(t.bob, "kept.bin", content)
    t.run(1.2)
    server = {"a": t.a, "b": t.b}[killed]
    if killed == "b":
        server.kill()
    t.run(6)
    if killed == "a":
        server.kill()
    server.start()
    t.run(200)
    assert [done.sending for done in t.alice.told(FileDone)] == [True]
    t.bob.come_back()
    t.run(60)
    assert t.bob.received_files == {"kept.bin": content}
    assert waiting(t) == [0, 0, 0]


@pytest.mark.spec("12")
def test_a_full_mailbox_leaves_the_message_with_its_author_until_there_is_room() -> None:
    t = town()
    t.b.settings = replace(t.b.settings, mailbox_messages=2)  # half of it for one author
    t.b.kill()
    t.b.start()
    dave = t.world.add_user("dave", t.b)
    t.run(10)
    t.bob.leave()
    t.run(1)
    dave.says(t.bob, "one")
    dave.says(t.bob, "two")
    t.run(2)
    assert dave.line("two").state is LineState.WAITING
    assert "their mailbox is full" in dave.line("two").reason
    t.bob.come_back()
    t.run(60)
    assert t.bob.texts == ["one", "two"]


@pytest.mark.spec("12")
def test_mail_that_nobody_fetches_is_gone_after_thirty_days() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    t.alice.says(t.bob, "too late")
    t.run(1)
    t.b.kill()  # while it runs, a clock that goes on by so much at once was set
    t.world.agenda.skip(limits.MAILBOX_DAYS * 24 * 3_600_000)
    t.b.start()
    t.run(3700)
    assert waiting(t) == [0, 0, 0]
    t.bob.come_back()
    t.run(2)
    assert t.bob.texts == []


@pytest.mark.spec("11")
def test_a_message_is_shown_once_however_often_it_is_handed_out() -> None:
    t = town()
    t.alice.says(t.bob, "first")
    t.run(1)
    t.bob.up_tap = lambda data: () if b'"type":"ACK"' in data else (data,)
    assert t.bob.wire is not None
    t.bob.wire.cut()
    t.run(3)
    t.alice.says(t.bob, "second")
    t.run(1)
    assert t.bob.texts == ["first", "second"]
    assert waiting(t)[1] == 1
    t.bob.up_tap = None
    assert t.bob.wire is not None
    t.bob.wire.cut()
    t.run(3)
    assert t.bob.texts == ["first", "second"]
    assert waiting(t) == [0, 0, 0]


@pytest.mark.spec("9")
@pytest.mark.threat("S8")
def test_a_disk_that_takes_nothing_is_told_to_the_author_and_the_line_goes_when_it_does() -> None:
    t = town()
    t.a.disk.fault = "socp.db: the disk is full; free some space"
    t.alice.says(t.bob, "can you hear me?")
    t.run(1)
    assert t.bob.texts == []
    assert t.alice.line("can you hear me?").state is LineState.WAITING
    t.a.disk.fault = ""
    t.run(30)
    assert t.bob.texts == ["can you hear me?"]
    assert t.alice.line("can you hear me?").state is LineState.READ


@pytest.mark.spec("11")
@pytest.mark.threat("M15")
def test_a_newcomer_writes_to_somebody_away_as_their_client_signed_that_it_can() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    here, elsewhere = t.world.add_user("dave", t.b), t.world.add_user("erin", t.a)
    t.run(5)
    here.says(t.bob, "hello from dave")
    elsewhere.says(t.bob, "hello from erin")
    t.run(5)
    t.bob.come_back()
    t.run(3)
    assert sorted(t.bob.texts) == ["hello from dave", "hello from erin"]
    assert {message.trust for message in t.bob.messages} == {Trust.PINNED}
    assert t.bob.refusals == []


def stranger_posts(t: Town, name: str, at: Server, text: str, *readers: User) -> User:
    """Somebody who comes when nobody with a key is there, knows `readers` by their keys, makes a
    version of the channel's key, posts and leaves."""
    them = t.world.add_user(name, at)
    t.run(2)
    for reader in readers:
        them.event(LookUp(reader.id))
    t.run(20)
    them.posts(text)
    t.run(5)
    them.leave()
    t.run(1)
    return them


def away(t: Town) -> None:
    for user in t.users:
        user.leave()
    t.run(1)


@pytest.mark.spec("7")
@pytest.mark.spec("11")
@pytest.mark.parametrize("down", [False, True])
def test_a_post_under_a_key_that_was_made_while_its_reader_was_away_is_read(down: bool) -> None:
    t = town()
    away(t)
    if down:
        t.b.kill()
        t.run(60)
    stranger_posts(t, "dave", t.a, "while you were away", t.bob)
    if down:
        t.run(600)
        t.b.start()
        t.run(20)
    t.bob.come_back()
    t.run(40)
    assert t.bob.texts == ["while you were away"]
    assert t.bob.refusals == []


@pytest.mark.spec("7")
@pytest.mark.spec("11")
def test_posts_under_two_keys_that_were_made_while_their_reader_was_away_are_read() -> None:
    t = town()
    away(t)
    stranger_posts(t, "dave", t.a, "one", t.bob)
    stranger_posts(t, "erin", t.c, "two", t.bob)
    versions = {key.version for user in ("dave", "erin") for key in keys_of(t.world.users[user])}
    assert len(versions) == 2
    t.b.kill()
    t.b.start()
    t.run(10)
    t.bob.come_back()
    t.run(40)
    assert sorted(t.bob.texts) == ["one", "two"]
    assert t.bob.refusals == []


def keys_of(user: User) -> tuple[ChannelKey, ...]:
    return user.disk.load().channel_keys


@pytest.mark.spec("7")
@pytest.mark.spec("11")
def test_a_post_whose_key_comes_only_later_is_read_then() -> None:
    t = town()
    away(t)
    dave = stranger_posts(t, "dave", t.a, "under a key of mine")
    t.bob.come_back()
    t.run(50)
    assert len(t.bob.refusals) == 1
    assert t.bob.texts == []
    dave.come_back()
    t.run(5)
    t.bob.leave()
    t.run(1)
    dave.event(LookUp(t.bob.id))
    dave.posts("again")
    t.run(40)
    t.bob.come_back()
    t.run(40)
    assert "under a key of mine" in t.bob.texts
    assert len(t.bob.refusals) == 1


@pytest.mark.spec("8")
@pytest.mark.spec("11")
def test_a_file_is_the_first_that_is_ever_heard_of_somebody() -> None:
    t = town()
    away(t)
    dave = t.world.add_user("dave", t.a)
    t.run(2)
    dave.event(LookUp(t.bob.id))
    t.run(5)
    content = bytes(range(256)) * 4096
    dave.sends_file(t.bob, "first.bin", content)
    t.run(10)
    assert [done.sending for done in dave.told(FileDone)] == [True]
    dave.leave()
    t.run(1)
    t.bob.come_back()
    t.run(30)
    assert t.bob.received_files == {"first.bin": content}
    assert t.bob.refusals == []
    assert waiting(t) == [1, 0, 0]  # that bob has it, which dave hears when he is back
    dave.come_back()
    t.run(5)
    assert [done.kept for done in dave.told(FileDone)] == [True, False]
    assert waiting(t) == [0, 0, 0]


@pytest.mark.spec("11")
@pytest.mark.threat("S8")
def test_a_file_that_the_disk_does_not_take_costs_no_other_mail() -> None:
    t = town()
    t.b.kill()
    t.run(1)
    t.alice.says(t.bob, "hello")
    t.run(1)
    t.a.disk.fault = "full"
    t.alice.sends_file(t.bob, "f.bin", bytes(900_000))
    t.run(0.3)
    t.a.disk.fault = ""
    t.alice.leave()
    t.run(1)
    assert waiting(t)[0] == 1
    t.b.start()
    t.run(60)
    assert t.bob.texts == ["hello"]


@pytest.mark.spec("11")
@pytest.mark.threat("S8")
def test_mail_that_comes_back_is_kept_though_the_disk_still_says_it_went() -> None:
    """a hands it to b while its disk is full; the reader moves to a, and b hands it back."""
    t = town()
    t.bob.leave()
    t.run(1)
    t.b.kill()
    t.run(1)
    t.alice.says(t.bob, "m1")
    t.run(1)
    t.a.disk.fault, t.a.disk.reads = "full", True
    t.b.start()
    t.run(10)
    assert waiting(t) == [0, 1, 0]
    t.bob.address = t.a.address
    t.bob.come_back()
    t.run(5)
    t.a.disk.fault = ""
    t.run(700)
    assert t.bob.texts == ["m1"]


@pytest.mark.spec("11")
def test_half_a_file_that_a_kill_left_does_not_hold_up_messages() -> None:
    t = town()
    t.b.kill()
    t.run(1)
    t.alice.sends_file(t.bob, "f.bin", bytes(6_000_000))
    t.run(2)
    t.a.kill()
    t.alice.kill()
    t.run(1)
    t.a.start()
    t.b.start()
    t.run(200)
    dave = t.world.add_user("dave", t.a)
    t.run(100)
    for word in ("one", "two", "three"):
        dave.says(t.bob, word)
        t.run(2)
        assert t.bob.texts[-1] == word
        t.run(100)


@pytest.mark.spec("11")
@pytest.mark.threat("S8")
def test_a_newcomers_place_among_the_posts_outlives_a_kill() -> None:
    t = town()
    t.alice.posts("before them")
    t.run(5)
    dave = t.world.add_user("dave", t.c)
    while not dave.member.attached:
        t.run(0.005)
    dave.leave()
    t.run(0.01)
    t.c.kill()
    t.c.start()
    t.run(8)
    t.alice.posts("since")
    t.run(2)
    dave.come_back()
    t.run(30)
    assert dave.texts == ["since"]


@pytest.mark.spec("11")
@pytest.mark.threat("S8")
def test_a_member_who_moved_here_misses_no_post_after_a_kill() -> None:
    t = town()
    t.bob.address = t.c.address
    t.bob.kill()
    t.bob.start()
    t.run(5)
    t.c.kill()
    t.bob.leave()
    t.c.start()
    t.run(8)
    t.alice.posts("since")
    t.run(2)
    t.bob.come_back()
    t.run(10)
    assert t.bob.texts == ["since"]


@pytest.mark.spec("9")
@pytest.mark.threat("I11")
def test_only_the_server_that_has_it_says_that_it_was_delivered() -> None:
    t = town()
    t.bob.leave()
    t.run(1)
    t.alice.says(t.bob, "m")
    t.run(1)
    (sent,) = t.alice.sent("MSG_DIRECT")
    t.c.forge(t.a, "ACK", {"msg_ref": reference(sent)[0], "status": "delivered"}, to=t.a.id)
    t.run(1)
    assert t.alice.line("m").state is LineState.DONE
    t.bob.come_back()
    t.run(1)
    assert t.alice.line("m").state is LineState.DELIVERED


@pytest.mark.spec("11")
def test_what_two_servers_kept_for_weeks_each_is_not_too_old() -> None:
    t = town()
    everybody = (t.a, t.b, t.c, *t.users)
    for one in (t.b, t.bob):
        one.kill()
    t.alice.says(t.bob, "hi")
    t.run(5)
    for up in ((t.a, t.b), everybody):
        for one in everybody:
            one.kill()
        t.world.agenda.skip(20 * 24 * 3_600_000)
        for one in up:
            one.start()
        t.run(30)
    assert t.bob.texts == ["hi"]
    assert t.bob.refusals == []
