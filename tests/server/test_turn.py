"""All that goes to a link within one turn of the loop leaves it in one write, as it would have
alone: in order, bounded, and nothing after the goodbye (section 12)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from socp.node.effects import Send
from socp.node.events import Event, FrameReceived
from socp.server import framing, turn
from socp.server.outbox import GOODBYE, WRITE_BYTES, Outbox
from socp.server.signers import Sealed, ready
from socp.wire import limits
from tests.server.rig import Brain, frame, message, running, said
from tests.server.wires import Loop, Owner, Wire

FRAMES = [ready(f'{{"n":{n}}}'.encode()) for n in range(5)]


def framed(sealed: Sealed) -> bytes:
    assert sealed.framed is not None
    return sealed.framed


def tell_all(loop: Loop, outboxes: Sequence[Outbox], frames: Sequence[Sealed]) -> None:
    """Each of these to all of them, in a turn of its own."""
    for sealed in frames:
        for out in outboxes:
            out.put(sealed)
        loop.turns()


def test_what_a_link_gets_within_a_turn_is_written_at_its_end_in_order() -> None:
    loop, wire = Loop(), Wire()
    out = loop.outbox(wire)
    for sealed in FRAMES[:3]:
        out.put(sealed)
    out.control(framing.PING, b"")
    out.put_news(FRAMES[3])
    assert wire.writes == []
    loop.turns()
    ping = framing.from_server(framing.PING, b"")
    assert wire.writes == [[*map(framed, FRAMES[:3]), ping, framed(FRAMES[3])]]


def test_the_next_turn_has_a_write_of_its_own_and_a_turn_without_frames_has_none() -> None:
    loop, wire = Loop(), Wire()
    out = loop.outbox(wire)
    for sealed in FRAMES[:2]:
        out.put(sealed)
        loop.turns()
    loop.turns()
    assert wire.writes == [[framed(FRAMES[0])], [framed(FRAMES[1])]]


def test_the_loop_is_asked_once_for_all_links() -> None:
    loop, wires = Loop(), [Wire() for _ in range(4)]
    outboxes = [loop.outbox(wire) for wire in wires]
    for sealed in FRAMES:
        for out in outboxes:
            out.put(sealed)
    assert len(loop.asked) == 1
    loop.turns()
    assert [wire.writes for wire in wires] == 4 * [[[*map(framed, FRAMES)]]]


def test_a_crowd_is_written_to_at_once_and_what_follows_soon_goes_together() -> None:
    loop, wires = Loop(), [Wire() for _ in range(turn.MANY)]
    outboxes = [loop.outbox(wire) for wire in wires]
    tell_all(loop, outboxes, FRAMES[:3])
    assert all(wire.writes == [[framed(FRAMES[0])]] for wire in wires)
    loop.time_passes()
    assert all(wire.writes[1:] == [[framed(FRAMES[1]), framed(FRAMES[2])]] for wire in wires)
    loop.time_passes()
    for out in outboxes:
        out.put(FRAMES[3])
    loop.turns()
    assert all(wire.writes[2:] == [[framed(FRAMES[3])]] for wire in wires)


def test_a_few_are_written_to_while_a_crowd_rests() -> None:
    loop, wires, few = Loop(), [Wire() for _ in range(turn.MANY)], Wire()
    outboxes = [loop.outbox(wire) for wire in wires]
    tell_all(loop, outboxes, FRAMES[:2])
    loop.outbox(few).put(FRAMES[2])
    loop.turns()
    assert few.writes == [[framed(FRAMES[2])]]
    assert {len(wire.writes) for wire in wires} == {1}


def test_what_is_for_one_of_a_resting_crowd_goes_at_once_after_what_it_was_owed() -> None:
    loop, wires = Loop(), [Wire() for _ in range(turn.MANY)]
    outboxes = [loop.outbox(wire) for wire in wires]
    tell_all(loop, outboxes, FRAMES[:2])
    outboxes[0].put(FRAMES[2])
    loop.turns()
    assert wires[0].writes[1:] == [[framed(FRAMES[1]), framed(FRAMES[2])]]
    assert {len(wire.writes) for wire in wires[1:]} == {1}
    loop.time_passes()
    assert len(wires[0].writes) == 2
    assert all(wire.writes[1:] == [[framed(FRAMES[1])]] for wire in wires[1:])


def test_a_few_with_much_to_write_are_no_crowd() -> None:
    loop, wire, other = Loop(), Wire(stuck=False), Wire()
    long = ready(bytes(WRITE_BYTES))
    for out in (loop.outbox(wire), loop.outbox(other)):
        for _ in range(turn.MANY):
            out.put(long)
    loop.turns()
    assert loop.timers == []


def test_a_fault_in_one_write_keeps_no_crowd_waiting_for_ever() -> None:
    loop, wires = Loop(), [Wire() for _ in range(turn.MANY)]
    outboxes = [loop.outbox(wire) for wire in wires]
    wires[-1].breaks = True
    for out in outboxes:
        out.put(FRAMES[0])
    with pytest.raises(OSError, match="broken"):
        loop.turns()
    wires[-1].breaks = False
    loop.time_passes()
    for out in outboxes:
        out.put(FRAMES[1])
    loop.turns()
    assert {tuple(wire.written) for wire in wires[:-1]} == {tuple(map(framed, FRAMES[:2]))}


@pytest.mark.parametrize("ends", ["finish", "answer_close"])
def test_who_says_goodbye_while_a_crowd_rests_gets_all_before_it_and_nothing_after(
    ends: str,
) -> None:
    loop, wires = Loop(), [Wire() for _ in range(turn.MANY)]
    outboxes = [loop.outbox(wire) for wire in wires]
    tell_all(loop, outboxes, FRAMES[:2])
    if ends == "finish":
        outboxes[0].finish(1000, "")
    else:
        outboxes[0].answer_close(1000)
    outboxes[0].put(FRAMES[2])
    outboxes[0].control(framing.PING, b"")
    loop.turns()
    loop.time_passes()
    close = framing.from_server(framing.CLOSE, framing.close_data(1000, ""))
    said = [framed(FRAMES[1]), *([framed(GOODBYE)] if ends == "finish" else []), close]
    assert [data for write in wires[0].writes[1:] for data in write] == said


def test_who_is_cut_while_a_crowd_rests_gets_nothing_more() -> None:
    loop, wires = Loop(), [Wire() for _ in range(turn.MANY)]
    outboxes = [loop.outbox(wire) for wire in wires]
    tell_all(loop, outboxes, FRAMES[:2])
    outboxes[0].drop()
    loop.time_passes()
    assert [len(wire.writes) for wire in wires] == [1, *[2] * (turn.MANY - 1)]


def test_a_long_frame_for_many_is_one_object_and_written_at_once() -> None:
    loop, wires = Loop(), [Wire() for _ in range(3)]
    short, long = FRAMES[0], ready(bytes(WRITE_BYTES))
    for wire in wires:
        out = loop.outbox(wire)
        out.put(short)
        out.put(long)
    assert [len(wire.writes) for wire in wires] == [1, 1, 1]
    assert {id(wire.written[1]) for wire in wires} == {id(long.framed)}
    loop.turns()
    assert [len(wire.writes) for wire in wires] == [1, 1, 1]


def test_what_is_not_written_yet_counts_as_waiting() -> None:
    loop, wire, owner = Loop(), Wire(stuck=False), Owner()
    out = loop.outbox(wire, owner)
    for sealed in FRAMES:
        out.put(sealed)
    assert out.queued_bytes == sum(len(framed(sealed)) for sealed in FRAMES)
    loop.turns()
    assert out.queued_bytes == 0
    assert owner.reasons == []


@pytest.mark.threat("S2")
def test_who_takes_nothing_is_cut_at_the_same_byte() -> None:
    loop, wire, owner = Loop(), Wire(), Owner()
    out, quarter = loop.outbox(wire, owner), ready(bytes(limits.OUTBOX_BYTES // 4 - 100))
    for _ in range(4):
        out.put(quarter)
    assert owner.reasons == []
    out.put(ready(bytes(400)))
    assert owner.reasons == ["slow reader: over 4 MiB wait for it"]


@pytest.mark.threat("S2")
def test_a_link_is_looked_at_once_not_all_that_was_written_has_left() -> None:
    loop, reads, dead = Loop(), Owner(), Owner()
    loop.outbox(Wire(stuck=False), reads).put(FRAMES[0])
    loop.outbox(Wire(), dead).put(FRAMES[0])
    loop.turns()
    assert (reads.lagged, dead.lagged) == (0, 1)


@pytest.mark.threat("S2")
def test_a_link_is_stuck_when_nothing_leaves_it_however_often_it_is_looked_at_in_a_turn() -> None:
    loop, wire = Loop(), Wire()
    out = loop.outbox(wire)
    out.put(FRAMES[0])
    loop.turns()
    assert not out.is_stuck(0)
    out.put(FRAMES[1])
    assert not out.is_stuck(limits.OUTBOX_STALL_S)
    loop.turns()
    assert out.is_stuck(limits.OUTBOX_STALL_S + 1)


@pytest.mark.spec("1")
def test_the_goodbye_goes_at_once_behind_all_that_waits() -> None:
    loop, wire = Loop(), Wire()
    out = loop.outbox(wire)
    out.put(FRAMES[0])
    out.finish(1008, "no more")
    out.put(FRAMES[1])
    loop.turns()
    close = framing.from_server(framing.CLOSE, framing.close_data(1008, "no more"))
    assert wire.writes == [[framed(FRAMES[0]), framed(GOODBYE), close]]


def test_an_answer_to_a_close_goes_at_once_behind_all_that_waits() -> None:
    loop, wire = Loop(), Wire()
    out = loop.outbox(wire)
    out.put(FRAMES[0])
    out.answer_close(1000)
    close = framing.from_server(framing.CLOSE, framing.close_data(1000, ""))
    assert wire.writes == [[framed(FRAMES[0]), close]]


def test_nothing_is_written_to_a_link_that_was_cut_or_lost_within_the_turn() -> None:
    loop, cut, lost = Loop(), Wire(), Wire()
    first, second = loop.outbox(cut), loop.outbox(lost)
    first.put(FRAMES[0])
    second.put(FRAMES[0])
    first.drop()
    lost.closing = True
    assert first.queued_bytes == 0
    loop.turns()
    assert cut.writes == lost.writes == []


def test_what_was_said_before_a_link_is_let_go_is_written_before() -> None:
    loop, wire = Loop(), Wire()
    out = loop.outbox(wire)
    out.put(FRAMES[0])
    out.release()
    assert wire.writes == [[framed(FRAMES[0])]]


async def test_over_a_real_socket_frames_come_as_they_were_said(tmp_path: Path) -> None:
    def answers(event: Event) -> list[Send]:
        if not isinstance(event, FrameReceived):
            return []
        lines = [f'{{"n":{n},"text":"{"x" * (n * 700)}"}}' for n in range(60)]
        return [Send((event.link,), frame(payload=line, signed=False)) for line in lines]

    async with running(tmp_path, Brain(answers)) as shell:
        ws = await shell.connect()
        await ws.send_str(message("GO"))
        got = [(await asyncio.wait_for(said(ws), 60))["payload"]["n"] for _ in range(60)]
    assert got == list(range(60))
