"""The simulation's own parts: time, wires, disks."""

from __future__ import annotations

from socp.sim.agenda import Agenda
from socp.sim.network import REFUSED, Network, Wire
from socp.wire.addresses import HostPort
from tests.sim.town import town


class End:
    """One end of a wire."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.ended: list[tuple[int, str]] = []
        self.wires: list[Wire] = []
        self.failed: list[str] = []

    def received(self, wire: Wire, data: bytes) -> None:
        self.heard.append(data)

    def closed(self, wire: Wire) -> None:
        self.ended.append((wire.close_code, wire.close_reason))

    def accepted(self, wire: Wire) -> None:
        wire.far = self
        self.wires.append(wire)


def linked() -> tuple[Agenda, End, End, Wire]:
    agenda = Agenda()
    network = Network(agenda)
    near, far = End(), End()
    network.listen(HostPort("localhost", 1), far)
    network.dial(near, HostPort("localhost", 1), near.wires.append, near.failed.append)
    agenda.run(10)
    return agenda, near, far, near.wires[0]


def test_things_happen_in_the_order_of_their_times_and_then_of_asking() -> None:
    agenda = Agenda()
    done: list[str] = []
    agenda.after(2, lambda: done.append("late"))
    agenda.after(1, lambda: done.append("early"))
    agenda.after(1, lambda: done.append("early too"))
    agenda.run(1)
    assert done == ["early", "early too"]
    agenda.run(1)
    assert done[-1] == "late"
    assert agenda.mono == 2


def test_what_repeats_ends_when_its_condition_does() -> None:
    agenda = Agenda()
    done: list[int] = []
    agenda.every(10, lambda: done.append(agenda.mono), lambda: len(done) < 3)
    agenda.run(1_000)
    assert done == [10, 20, 30]


def test_frames_arrive_in_order_at_the_other_end() -> None:
    agenda, near, far, wire = linked()
    for number in range(5):
        wire.send(near, b"%d" % number)
    wire.send(far, b"answer")
    agenda.run(10)
    assert far.heard == [b"0", b"1", b"2", b"3", b"4"]
    assert near.heard == wire.down_log == [b"answer"]


def test_what_was_sent_before_a_close_still_arrives_and_after_a_cut_it_does_not() -> None:
    agenda, near, far, wire = linked()
    wire.send(near, b"before")
    wire.close(1000, "done")
    agenda.run(10)
    assert far.heard == [b"before"]
    assert near.ended == far.ended == [(1000, "done")]
    agenda, near, far, wire = linked()
    wire.send(near, b"lost")
    wire.cut()
    agenda.run(10)
    assert far.heard == []
    assert far.ended == [(1006, "connection reset")]


def test_where_nobody_listens_a_dial_is_refused() -> None:
    agenda = Agenda()
    end = End()
    Network(agenda).dial(end, HostPort("localhost", 7), end.wires.append, end.failed.append)
    agenda.run(10)
    assert end.failed == [REFUSED]


def test_a_tap_changes_what_arrives() -> None:
    agenda, near, far, wire = linked()
    wire.up_tap = lambda data: (data.upper(), data)
    wire.send(near, b"twice")
    agenda.run(10)
    assert far.heard == [b"TWICE", b"twice"]


def test_what_a_server_committed_survives_a_kill() -> None:
    t = town()
    before = t.b.disk.load()
    t.b.kill()
    t.b.start()
    assert t.b.disk.load() == before
    t.run(5)
    assert t.b.linked == {t.a.id, t.c.id}


def test_what_a_user_committed_survives_a_kill() -> None:
    t = town()
    keys = t.bob.disk.load().channel_keys
    assert keys
    t.bob.kill()
    t.bob.start()
    t.run(5)
    assert t.bob.disk.load().channel_keys == keys
