"""A client that says it may rest is not missed by anybody meanwhile."""

from __future__ import annotations

from itertools import pairwise

from socp.member.events import Now, Tick
from socp.member.watching import LOOK_AGAIN_MS
from socp.sim.user import User
from socp.sim.world import World

LOOK_MS = 50


def looked_in_on(world: World, user: User) -> list[int]:
    """Tick the client before it wants that, again and again: when it had something to do."""
    found: list[int] = []

    def look() -> None:
        mono = world.agenda.mono
        if not user.up or mono >= user.member.rests_until_ms(mono):
            return
        if user.member.handle(Tick(), Now(world.wall + user.skew_ms, mono)):
            found.append(mono)

    world.agenda.every(LOOK_MS, look, lambda: True)
    return found


def test_before_its_time_a_tick_brings_nothing_whatever_goes_on() -> None:
    world = World()
    a, b, _ = world.three()
    alice, bob = world.add_user("alice", a), world.add_user("bob", b)
    early = [looked_in_on(world, user) for user in (alice, bob)]
    world.run(20)
    alice.says(bob, "hello")
    bob.posts("to everybody")
    alice.sends_file(bob, "a.bin", bytes(600_000))
    world.run(30)
    bob.leave()
    alice.says(bob, "while you are away")
    alice.sends_file(bob, "b.bin", bytes(1_000))
    world.run(30)
    a.kill()
    alice.says(bob, "while my server is down")
    world.run(30)
    a.start()
    bob.come_back()
    world.run(60)
    bob.rotates()
    world.run(60)
    assert bob.texts == ["hello", "while you are away", "while my server is down"]
    assert set(bob.received_files) == {"a.bin", "b.bin"}
    assert early == [[], []]


def test_who_has_nothing_to_do_rests_until_it_looks_around() -> None:
    world = World()
    a, _, _ = world.three()
    alice, bob = world.add_user("alice", a), world.add_user("bob", a)
    world.run(60)
    ticks: list[int] = []
    alice.watch = lambda _user, event, _effects: (
        ticks.append(world.agenda.mono) if isinstance(event, Tick) else None
    )
    world.run(59)
    pauses = [after - before for before, after in pairwise(ticks)]
    assert pauses
    assert min(pauses) >= LOOK_AGAIN_MS
    bob.says(alice, "hello")
    world.run(1)
    mono = world.agenda.mono
    assert alice.member.rests_until_ms(mono) <= mono + 1_000  # that it was read is to be said
