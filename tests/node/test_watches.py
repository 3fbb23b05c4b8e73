"""`presence/1` on the server: nobody is told of before they are asked for (section 11)."""

from __future__ import annotations

import pytest

from socp.node import watches
from socp.node.budget import Budget, Table
from socp.node.events import Measured
from socp.wire import limits
from socp.wire.features import PRESENCE
from tests.node.cast import advertise, linked_server
from tests.node.mesh import USER_FEATURES, Mesh, Peer, Server, an_id

WATCHES = (*USER_FEATURES, PRESENCE)
SMALL = Budget(limits.MEMORY_BYTES_MIN)
PRESENCE_FRAMES = ("USER_ADVERTISE", "USER_REMOVE")


def watcher(mesh: Mesh, server: Server, name: str = "wendy") -> Peer:
    return mesh.user(server, name, features=WATCHES)


def watch(peer: Peer, *user_ids: str) -> None:
    peer.clear()
    peer.say("PRESENCE_WATCH", {"users": list(user_ids)})


def is_refused(peer: Peer, user_ids: list[str]) -> bool:
    watch(peer, *user_ids)
    errors = [e.members for e in peer.heard if e.type == "ERROR"]
    return [(e["code"], e["msg_ref"]) for e in errors] == [("RATE_LIMITED", "PRESENCE_WATCH")]


def told(peer: Peer) -> list[tuple[str, object]]:
    """What it heard of presence, by type and user."""
    return [(e.type, e.members["user_id"]) for e in peer.heard if e.type in PRESENCE_FRAMES]


@pytest.mark.spec("11")
def test_after_its_hello_a_client_hears_of_nobody(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    mesh.user(a, "alice")
    advertise(b, "bob")
    wendy = watcher(mesh, a)
    mesh.user(a, "carol")
    mesh.user(a, "dora").drop()
    advertise(b, "erin")
    b.drop()
    mesh.run(60)
    assert told(wendy) == []


@pytest.mark.spec("11")
@pytest.mark.threat("S11")
def test_while_memory_is_short_nobody_new_is_watched_and_those_watched_are_told_of(
    mesh: Mesh, a: Server
) -> None:
    wendy = watcher(mesh, a)
    bob = mesh.user(a, "bob")
    watch(wendy, bob.id)
    mesh.event(a, Measured(limits.MEMORY_BYTES * 76 // 100))
    watch(wendy, bob.id, an_id("nobody"))
    assert [e.members["code"] for e in wendy.heard] == ["RATE_LIMITED"]
    wendy.clear()
    bob.drop()
    mesh.run(5)
    assert told(wendy) == [("USER_REMOVE", bob.id)]
    watch(wendy)
    assert wendy.heard == []
    mesh.event(a, Measured(0))
    watch(wendy, bob.id)
    assert told(wendy) == [("USER_REMOVE", bob.id)]


@pytest.mark.threat("S11")
def test_who_watches_many_leaves_room_for_those_who_come_later(mesh: Mesh) -> None:
    a = mesh.server("a", memory=SMALL.total)
    most = SMALL.rows(Table.WATCHED)
    hoarders = [watcher(mesh, a, f"h{n}") for n in range(60)]
    taken = []
    for number, each in enumerate(hoarders):
        ids = [an_id(f"{number} {n}") for n in range(limits.WATCHED)]
        while is_refused(each, ids):
            ids = ids[: len(ids) // 2]
        taken.append(len(ids))
    assert taken[0] == limits.WATCHED
    assert sum(taken) <= most
    assert min(taken) == 31, "which a thousand is when it is halved"
    wendy = watcher(mesh, a)
    assert not is_refused(wendy, [an_id("bob"), an_id("carol")])


@pytest.mark.threat("S11")
def test_where_no_more_can_be_watched_that_is_said_and_those_watched_can_be_changed(
    mesh: Mesh,
) -> None:
    a = mesh.server("a", memory=SMALL.total)
    few = watches.FEW
    hoarders = [watcher(mesh, a, f"h{n}") for n in range(SMALL.rows(Table.WATCHED) // few + 1)]
    refused = [
        is_refused(each, [an_id(f"{number} {n}") for n in range(few)])
        for number, each in enumerate(hoarders)
    ]
    assert refused == [False] * (len(hoarders) - 1) + [True]
    assert hoarders[-1].heard[-1].members["detail"] == watches.FULL
    hoarders[0].clear()
    assert not is_refused(hoarders[0], [an_id(f"new {n}") for n in range(few)])
    hoarders[1].drop()
    mesh.run(60)
    assert not is_refused(hoarders[-1], [an_id(f"late {n}") for n in range(few)])


@pytest.mark.spec("11")
def test_two_who_watch_the_same_user_are_told_until_each_stops(mesh: Mesh, a: Server) -> None:
    names = ("wendy", "wilma", "wanda")
    peers = [watcher(mesh, a, name) for name in names]
    for peer in peers:
        watch(peer, an_id("bob"))
        peer.clear()
    bob = mesh.user(a, "bob")
    assert [told(peer) for peer in peers] == 3 * [[("USER_ADVERTISE", bob.id)]]
    watch(peers[0])
    watch(peers[1])
    for peer in peers:
        peer.clear()
    bob.drop()
    mesh.run(5)
    assert [told(peer) for peer in peers] == [[], [], [("USER_REMOVE", bob.id)]]


@pytest.mark.spec("11")
def test_that_somebody_left_another_server_is_told_in_the_words_of_that_server(
    mesh: Mesh, a: Server
) -> None:
    b = linked_server(mesh, a, "b")
    bob, _ = advertise(b, "bob")
    said = b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id}, ts=mesh.wall + 1)
    wendy = watcher(mesh, a)
    watch(wendy, bob)
    (heard,) = wendy.said("USER_REMOVE")
    assert (heard.from_, heard.ts, heard.sig) == (b.id, said.ts, said.sig)


@pytest.mark.spec("11")
def test_who_is_watched_is_told_of_now_and_on_every_change(mesh: Mesh, a: Server) -> None:
    b = linked_server(mesh, a, "b")
    alice = mesh.user(a, "alice")
    bob, key = advertise(b, "bob")
    wendy = watcher(mesh, a)
    watch(wendy, alice.id, bob, an_id("carol"), an_id("nobody"))
    assert told(wendy) == [
        ("USER_ADVERTISE", alice.id),
        ("USER_ADVERTISE", bob),
        ("USER_REMOVE", an_id("carol")),
        ("USER_REMOVE", an_id("nobody")),
    ]
    wendy.clear()
    alice.drop()
    mesh.run(1)
    b.say("USER_REMOVE", {"user_id": bob, "server_id": b.id})
    carol = mesh.user(a, "carol")
    mesh.user(a, "dora")
    mesh.run(1)
    advertise(b, "bob", key)
    b.drop()
    assert told(wendy) == [
        ("USER_REMOVE", alice.id),
        ("USER_REMOVE", bob),
        ("USER_ADVERTISE", carol.id),
        ("USER_ADVERTISE", bob),
        ("USER_REMOVE", bob),
    ]


@pytest.mark.spec("11")
def test_a_list_takes_the_place_of_the_last_and_answers_what_is_new_in_it(
    mesh: Mesh, a: Server
) -> None:
    alice, bob, carol = (mesh.user(a, name) for name in ("alice", "bob", "carol"))
    wendy = watcher(mesh, a)
    watch(wendy, alice.id, bob.id)
    watch(wendy, bob.id, carol.id, carol.id)
    assert told(wendy) == [("USER_ADVERTISE", carol.id)]
    wendy.clear()
    alice.drop()
    assert told(wendy) == []
    bob.drop()
    assert told(wendy) == [("USER_REMOVE", bob.id)]
    watch(wendy)
    carol.drop()
    assert told(wendy) == []


@pytest.mark.spec("11")
def test_nobody_is_told_of_themselves(mesh: Mesh, a: Server) -> None:
    wendy = watcher(mesh, a)
    watch(wendy, wendy.id)
    wendy.drop()
    again = watcher(mesh, a, "wendy2")
    watch(again, wendy.id)
    assert told(again) == [("USER_REMOVE", wendy.id)]


@pytest.mark.spec("11")
def test_a_link_that_is_gone_watches_nobody_and_the_next_one_begins_anew(
    mesh: Mesh, a: Server
) -> None:
    alice, wendy = mesh.user(a, "alice"), watcher(mesh, a)
    watch(wendy, alice.id)
    wendy.drop()
    again = mesh.user(a, "wendy", key=wendy.key, features=WATCHES)
    alice.drop()
    assert told(again) == []


@pytest.mark.spec("6")
def test_who_does_not_announce_it_hears_of_everybody_as_ever(mesh: Mesh, a: Server) -> None:
    alice, wendy, old = mesh.user(a, "alice"), watcher(mesh, a), mesh.user(a, "old", features=())
    assert told(old) == [("USER_ADVERTISE", alice.id), ("USER_ADVERTISE", wendy.id)]
    for peer, code in ((old, "UNKNOWN_TYPE"), (alice, "UNKNOWN_TYPE")):
        watch(peer, wendy.id)
        assert peer.errors() == [code]
    alice.drop()
    assert told(old)[-1] == ("USER_REMOVE", alice.id)


@pytest.mark.spec("11")
def test_a_key_is_asked_for_and_answered_without_watching(mesh: Mesh, a: Server) -> None:
    alice, wendy = mesh.user(a, "alice"), watcher(mesh, a)
    wendy.say("PUBKEY_REQUEST", {"user_id": alice.id})
    assert wendy.members("PUBKEY_RESPONSE")[0]["pubkey"] == alice.key.public.text


# --- bounds -------------------------------------------------------------------------------------


@pytest.mark.spec("11")
@pytest.mark.threat("S5")
def test_more_than_a_thousand_are_refused(mesh: Mesh, a: Server) -> None:
    wendy = watcher(mesh, a)
    watch(wendy, *(an_id(f"u{n}") for n in range(1_001)))
    assert wendy.errors() == ["BAD_FRAME"]


@pytest.mark.spec("11")
@pytest.mark.threat("S3")
def test_signatures_for_who_is_away_are_rationed_and_all_are_answered(
    mesh: Mesh, a: Server
) -> None:
    alice, wendy = mesh.user(a, "alice"), watcher(mesh, a)
    ids = [an_id(f"u{n}") for n in range(999)]
    watch(wendy, *ids, alice.id)
    mesh.run(0.25)
    assert len(wendy.said("USER_REMOVE")) <= 200 + 100
    mesh.run(5)
    assert len(wendy.said("USER_REMOVE")) == 999
    assert told(wendy).count(("USER_ADVERTISE", alice.id)) == 1
    other = watcher(mesh, a, "other")
    watch(other, *ids)
    assert len(other.said("USER_REMOVE")) == 999, "signed once for all"


@pytest.mark.threat("S11")
def test_of_who_is_away_no_more_is_kept_than_there_is_room_for_and_the_oldest_goes(
    mesh: Mesh,
) -> None:
    a = mesh.server("a", memory=SMALL.total)
    most = SMALL.rows(Table.REMOVES)
    ids = [an_id(f"u{n}") for n in range(most + 10)]
    first, second = watcher(mesh, a), watcher(mesh, a, "other")
    watch(first, *ids)
    mesh.run(5)
    watch(second, *ids[:10], *ids[-10:])
    mesh.run(5)
    before = {e.members["user_id"]: e.ts for e in first.said("USER_REMOVE")}
    after = {e.members["user_id"]: e.ts for e in second.said("USER_REMOVE")}
    assert all(after[user_id] > before[user_id] for user_id in ids[:10])
    assert all(after[user_id] == before[user_id] for user_id in ids[-10:])


@pytest.mark.spec("11")
@pytest.mark.threat("S3")
def test_who_watches_others_all_the_time_is_slowed(mesh: Mesh, a: Server) -> None:
    wendy = watcher(mesh, a)
    everybody = [mesh.user(a, f"u{n}").id for n in range(40)]
    answers, errors = 0, set()
    for n in range(200):
        watch(wendy, *everybody[20 * (n % 2) :][:20])
        answers += len(wendy.said("USER_ADVERTISE"))
        errors |= set(wendy.errors())
    assert answers <= 120 * 20
    assert errors == {"RATE_LIMITED"}


@pytest.mark.spec("11")
@pytest.mark.threat("S1")
def test_watches_that_end_leave_nothing_behind(mesh: Mesh, a: Server) -> None:
    key = mesh.suite.generate()
    for _ in range(3):
        wendy = mesh.user(a, "wendy", features=WATCHES, key=key)
        watch(wendy, *(an_id(f"u{n}") for n in range(900)))
        wendy.drop()
    audience, watches = a.node._presence._audience, a.node._watches
    assert not audience._watchers
    assert not audience._watched
    assert not watches._open
    assert not watches._telling


# --- LIST_REQUEST -------------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_a_list_is_given_in_pages(mesh: Mesh, a: Server) -> None:
    everybody = sorted(mesh.user(a, f"u{n}").id for n in range(7))
    wendy = watcher(mesh, a)
    everybody = sorted((*everybody, wendy.id))
    seen: list[str] = []
    for more in (True, True, False):
        wendy.clear()
        wendy.say("LIST_REQUEST", {"after": seen[-1] if seen else "", "limit": 3})
        (page,) = wendy.members("USER_LIST")
        users = page["users"]
        assert isinstance(users, list)
        assert page.get("more", False) is more
        seen += users
    assert seen == everybody


@pytest.mark.spec("11")
def test_a_page_after_the_last_is_empty_and_without_a_limit_all_are_listed(
    mesh: Mesh, a: Server
) -> None:
    wendy = watcher(mesh, a)
    wendy.say("LIST_REQUEST", {"after": "f" * 36, "limit": 3})
    wendy.say("LIST_REQUEST", {"after": "f" * 36})
    wendy.say("LIST_REQUEST", {"limit": 0})
    assert [members["users"] for members in wendy.members("USER_LIST")] == [[], [wendy.id]]
    assert wendy.errors() == ["BAD_FRAME"]


@pytest.mark.spec("6")
def test_to_others_those_members_mean_nothing(mesh: Mesh, a: Server) -> None:
    alice = mesh.user(a, "alice")
    alice.say("LIST_REQUEST", {"after": 7, "limit": "many"})
    assert alice.members("USER_LIST")[0]["users"] == [alice.id]
