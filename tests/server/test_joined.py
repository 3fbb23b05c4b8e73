"""Several frames as one write: shared by all links, in order, once the last one is signed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from socp.node.effects import Bundle, Effect, Piece, Snapshot
from socp.node.events import Event, FrameReceived, LinkId
from socp.server import framing
from socp.server.joined import Joined
from socp.server.signers import Sealed, ready
from tests.server.rig import Brain, frame, message, running, said
from tests.server.test_signers import Desk
from tests.server.wires import Loop, Owner, Wire

THEIRS = b'{"type":"USER_ADVERTISE","n":"theirs"}'


def unmasked(data: bytes) -> list[bytes]:
    """The texts of short frames of a dialler."""
    texts = []
    while data:
        assert data[0] == 0x80 | framing.TEXT
        assert data[1] & 0x80, "masked"
        size, mask, data = data[1] & 0x7F, data[2:6], data[6:]
        texts.append(bytes(byte ^ mask[n % 4] for n, byte in enumerate(data[:size])))
        data = data[size:]
    return texts


def test_all_links_are_given_the_same_bytes_once() -> None:
    loop, wires = Loop(), [Wire(), Wire(), Wire()]
    bundle = Joined([ready(b'{"n":1}'), ready(b'{"n":2}')])
    for wire in wires:
        loop.outbox(wire).put_news(bundle)
    loop.turns()
    assert [len(wire.written) for wire in wires] == [1, 1, 1]
    assert len({id(wire.written[0]) for wire in wires}) == 1
    assert wires[0].written[0] == b"".join(
        framing.from_server(framing.TEXT, text) for text in (b'{"n":1}', b'{"n":2}')
    )


def test_it_goes_when_the_last_of_its_frames_is_signed_and_what_follows_waits_for_it() -> None:
    desk = Desk()
    first, second = desk.seal(2)
    loop, wire = Loop(), Wire()
    out = loop.outbox(wire)
    out.put(Joined([first, ready(THEIRS), second]))
    out.put(ready(b'{"n":"later"}'))
    desk.sign(1, until=lambda: first.framed is not None)
    loop.turns()
    assert wire.written == []
    desk.sign(1, until=lambda: second.framed is not None)
    loop.turns()
    assert [THEIRS in data for data in wire.written] == [True, False]
    assert wire.written[0].endswith(second.text)


def test_one_frame_twice_in_it_is_sent_twice() -> None:
    desk = Desk()
    (only,) = desk.seal(1)
    loop, wire = Loop(), Wire()
    loop.outbox(wire).put(Joined([only, only]))
    desk.sign(1, until=lambda: only.framed is not None)
    loop.turns()
    assert wire.written == [2 * (only.framed or b"")]


def test_a_frame_that_cannot_be_signed_ends_the_links_that_wait_for_it() -> None:
    broken, owner = Sealed(10), Owner()
    bundle = Joined([ready(THEIRS), broken])
    Loop().outbox(Wire(), owner).put(bundle)
    broken.failed = True
    bundle.flush()
    assert owner.reasons == ["a frame for it could not be signed"]


@pytest.mark.spec("1")
def test_on_a_link_that_we_dialled_each_frame_has_a_mask_of_its_own() -> None:
    loop, wire = Loop(), Wire()
    loop.outbox(wire, masked=True).put(Joined([ready(b'{"n":1}'), ready(THEIRS)]))
    loop.turns()
    (data,) = wire.written
    assert unmasked(data) == [b'{"n":1}', THEIRS]


async def test_a_bundle_reaches_every_link_and_comes_after_a_snapshot(tmp_path: Path) -> None:
    links: list[LinkId] = []
    lines = tuple(frame(payload=f'{{"n":{n},"text":"{"x" * 9000}"}}') for n in range(100))

    def answers(event: Event) -> Sequence[Effect]:
        if not isinstance(event, FrameReceived):
            return ()
        return [
            Snapshot(event.link, lines),
            Bundle(tuple(links), (frame(payload='{"n":"ours"}'), THEIRS)),
        ]

    brain = Brain(answers)
    async with running(tmp_path, brain) as shell:
        sockets = []
        for _ in range(3):
            sockets.append(await shell.connect())
            links.append(brain.link())
        await sockets[0].send_str(message("GO"))
        for ws in sockets[1:]:
            assert (await said(ws))["payload"] == {"n": "ours"}
            assert await asyncio.wait_for(ws.receive_str(), 60) == THEIRS.decode()
        numbers = [(await said(sockets[0]))["payload"]["n"] for _ in range(101)]
        assert numbers == [*range(100), "ours"]


async def test_a_piece_of_a_list_reaches_all_who_are_told_of_it_frame_by_frame(
    tmp_path: Path,
) -> None:
    lines = tuple(frame(payload=f'{{"n":{n}}}') for n in range(20))
    piece = Piece((*lines, THEIRS), 20 * 1024)

    def answers(event: Event) -> Sequence[Effect]:
        if not isinstance(event, FrameReceived):
            return ()
        return [Snapshot(event.link, (frame(payload='{"n":"first"}'), piece))]

    async with running(tmp_path, Brain(answers)) as shell:
        for _ in range(2):
            ws = await shell.connect()
            await ws.send_str(message("GO"))
            numbers = [(await said(ws))["payload"]["n"] for _ in range(21)]
            assert numbers == ["first", *range(20)]
            assert await asyncio.wait_for(ws.receive_str(), 60) == THEIRS.decode()
