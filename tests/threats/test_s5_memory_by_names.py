"""S5: memory by names: unlimited ids, keys, half files, mailboxes; every table has a bound, and
none that a stranger fills hurts the honest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from socp.member.effects import FileFailed, FileWaits
from socp.member.records import LineState
from socp.node.effects import Persist
from socp.node.emitter import Emitter
from socp.node.links import Links
from socp.node.post_log import PostLog
from socp.node.records import Post, PostsDropped, PostsHeld
from socp.wire import limits
from tests.sim.town import Town, town


def small_mailboxes(t: Town, messages: int) -> None:
    """All servers start again with mailboxes of so many pieces."""
    for server in (t.a, t.b, t.c):
        server.settings = replace(server.settings, mailbox_messages=messages)
        server.kill()
        server.start()
    t.run(15)


@pytest.mark.threat("S5")
def test_one_author_fills_half_a_mailbox_and_the_others_still_reach_its_reader() -> None:
    t = town()
    small_mailboxes(t, 6)
    t.bob.leave()
    t.run(1)
    for number in range(10):
        t.carol.says(t.bob, f"flood {number}")
    t.run(20)
    assert t.b.node.status().mail == 3
    t.alice.says(t.bob, "hello bob")
    t.run(2)
    assert t.alice.line("hello bob").state is LineState.DONE
    t.bob.come_back()
    t.run(120)
    assert "hello bob" in t.bob.texts
    assert len(t.bob.texts) == 11  # the flood came too, from its author's own outbox and server


@pytest.mark.threat("S5")
def test_a_mailbox_full_of_files_takes_no_more_and_says_so_before_the_first_byte() -> None:
    t = town()
    dave = t.world.add_user("dave", t.b)
    t.run(5)
    t.bob.leave()
    t.run(1)
    half = limits.MAILBOX_BYTES // 2 * 5 // 8
    dave.sends_file(t.bob, "one.bin", bytes(half))
    t.run(60)
    dave.sends_file(t.bob, "two.bin", bytes(half))
    t.run(5)
    (waits,) = dave.told(FileWaits)
    assert waits.name == "two.bin"
    assert "no room for the file" in waits.reason
    assert dave.told(FileFailed) == []


@pytest.mark.threat("S5")
def test_the_oldest_posts_make_room() -> None:
    emitter = Emitter("server")
    log = PostLog(emitter, Links(), PostsHeld(), (), count_max=3, size_max=10_000)
    for seq in range(1, 6):
        log.keep(Post(seq, f"ref {seq}", "alice", 1, b"{}", "", 1))
    assert len(log) == 3
    dropped = [e.record for e in emitter.take() if isinstance(e, Persist)]
    assert [record.seq for record in dropped if isinstance(record, PostsDropped)] == [1, 2]
