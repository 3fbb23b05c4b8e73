"""What leaves a link: in order, bounded, and signed once (section 12; performance, "Sign once")."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from socket import SO_RCVBUF, SOL_SOCKET

import pytest
from msgspec import structs

from socp.crypto.signing import verify_transport
from socp.node.effects import Close, Effect, Outgoing, Relay, Send, Snapshot
from socp.node.events import Event, FrameReceived, LinkId, LinkLost
from socp.wire import base64url, envelope, limits
from socp.wire.canonical import canonical
from tests.keys import SpiedKey
from tests.server.rig import KEY, Brain, ended, frame, message, running, said, until


class SlowKey(SpiedKey):
    """A key that takes its time, a different one each time."""

    def __init__(self, seconds: float = 0.02) -> None:
        super().__init__(KEY)
        self._seconds = seconds
        self._dice = random.Random(3)

    def sign(self, data: bytes) -> bytes:
        assert threading.current_thread() is not threading.main_thread()
        time.sleep(self._dice.random() * self._seconds)
        return super().sign(data)


def saying(*frames: Effect | Outgoing) -> Brain:
    """A brain that says these to whoever sends GO."""

    def answers(event: Event) -> Sequence[Effect]:
        if not isinstance(event, FrameReceived):
            return ()
        return [Send((event.link,), f) if isinstance(f, Outgoing) else f for f in frames]

    return Brain(answers)


def unlike(count: int) -> list[Outgoing]:
    return [frame(payload=f'{{"msg_ref":"{n}"}}') for n in range(count)]


@pytest.mark.spec("9")
async def test_frames_leave_in_the_order_they_were_asked_for(tmp_path: Path) -> None:
    frames = unlike(40)
    mixed = [
        f if n % 3 else frame("PLAIN", f.payload.decode(), signed=False)
        for n, f in enumerate(frames)
    ]
    async with running(tmp_path, saying(*mixed), key=SlowKey()) as shell:
        ws = await shell.connect()
        await ws.send_str(message("GO"))
        refs = [(await said(ws))["payload"]["msg_ref"] for _ in mixed]
    assert refs == [str(n) for n in range(40)]


@pytest.mark.spec("3")
async def test_a_frame_carries_a_signature_over_its_canonical_payload(tmp_path: Path) -> None:
    foreign = frame(payload='{ "z": 1, "a": "\u00e9" }', verbatim=True)
    async with running(tmp_path, saying(frame(), foreign)) as shell:
        ws = await shell.connect()
        await ws.send_str(message("GO"))
        for _ in range(2):
            text = await asyncio.wait_for(ws.receive_str(), 60)
            assert verify_transport(KEY.public, envelope.decode(text))
    assert '"payload":{ "z": 1, "a": "\u00e9" }' in text


@pytest.mark.spec("11")
async def test_proofs_are_filled_in_before_the_frame_is_signed(tmp_path: Path) -> None:
    proving = frame(payload='{"status":"ok"}', proofs=(("proof", b"socp-link-auth/1..."),))
    async with running(tmp_path, saying(proving)) as shell:
        ws = await shell.connect()
        await ws.send_str(message("GO"))
        got = envelope.decode(await asyncio.wait_for(ws.receive_str(), 60))
    proof = got.members["proof"]
    assert isinstance(proof, str)
    assert KEY.public.verify(base64url.decode(proof), b"socp-link-auth/1...")
    assert verify_transport(KEY.public, got)
    assert got.payload == canonical(got.members)


async def test_an_unsigned_frame_has_an_empty_sig(tmp_path: Path) -> None:
    async with running(tmp_path, saying(frame(signed=False))) as shell:
        ws = await shell.connect()
        await ws.send_str(message("GO"))
        assert (await said(ws))["sig"] == ""


async def test_one_frame_for_many_is_signed_once(tmp_path: Path) -> None:
    key = SlowKey()
    links: list[LinkId] = []
    brain = Brain(
        lambda event: [Send(tuple(links), frame())] if isinstance(event, FrameReceived) else ()
    )
    async with running(tmp_path, brain, key=key) as shell:
        sockets = []
        for _ in range(5):
            sockets.append(await shell.connect())
            links.append(brain.link())
        await sockets[0].send_str(message("GO"))
        texts = {await asyncio.wait_for(ws.receive_str(), 60) for ws in sockets}
    assert len(texts) == 1
    assert len(key.signed) == 1


async def test_the_same_object_again_and_the_same_payload_again_are_not_signed_again(
    tmp_path: Path,
) -> None:
    key, same = SlowKey(), frame()
    async with running(tmp_path, saying(same), key=key) as shell:
        for _ in range(3):
            ws = await shell.connect()
            await ws.send_str(message("GO"))
            await said(ws)
        shell.brain.answers = saying(frame()).answers
        await ws.send_str(message("GO"))
        await said(ws)
    assert len(key.signed) == 1


async def test_a_bound_payload_is_always_signed(tmp_path: Path) -> None:
    key = SlowKey()
    bound = '{"bind":{"from":"a","to":"b","ts":1,"type":"ACK"}}'
    async with running(tmp_path, saying(frame(payload=bound), frame(payload=bound)), key=key) as s:
        ws = await s.connect()
        await ws.send_str(message("GO"))
        await said(ws)
        await said(ws)
    assert len(key.signed) == 2


async def test_somebody_elses_frame_goes_out_as_it_is(tmp_path: Path) -> None:
    theirs = b'{"type":"USER_ADVERTISE",  "from":"x"}'
    brain = Brain(lambda e: [Relay((e.link,), theirs)] if isinstance(e, FrameReceived) else ())
    async with running(tmp_path, brain) as shell:
        ws = await shell.connect()
        await ws.send_str(message("GO"))
        assert await asyncio.wait_for(ws.receive_str(), 60) == theirs.decode()


@pytest.mark.spec("1")
async def test_a_close_comes_after_all_that_was_said_before(tmp_path: Path) -> None:
    brain = saying(*unlike(5))
    shut = brain.answers
    brain.answers = lambda e: (
        [*shut(e), Close(e.link, 1008, "no more"), Send((e.link,), frame("LATE"))]
        if isinstance(e, FrameReceived)
        else ()
    )
    async with running(tmp_path, brain, key=SlowKey()) as shell:
        ws = await shell.connect()
        await ws.send_str(message("GO"))
        kinds = [(await said(ws))["type"] for _ in range(6)]
        assert kinds == ["ACK"] * 5 + ["CTRL_CLOSE"]
        assert await ended(ws) == 1008
        await until(lambda: brain.lost() == ["no more"])


async def test_a_snapshot_is_whole_however_long_it_is_and_the_goodbye_waits(tmp_path: Path) -> None:
    lines = tuple(frame(payload=f'{{"n":{n},"text":"{"x" * 9000}"}}') for n in range(1000))

    def answers(event: Event) -> Sequence[Effect]:
        if not isinstance(event, FrameReceived):
            return ()
        return [Snapshot(event.link, (*lines, b'{"n":1000}')), Close(event.link, 1000, "done")]

    async with running(tmp_path, Brain(answers)) as shell:
        ws = await shell.connect()
        await ws.send_str(message("GO"))
        numbers = [(await said(ws))["payload"]["n"] for _ in lines]
        assert numbers == list(range(1000))
        assert await said(ws) == {"n": 1000}
        assert await ended(ws) == 1000


async def test_who_leaves_during_a_snapshot_is_gone_after_it(
    tmp_path: Path,
) -> None:
    lines = tuple(frame(payload=f'{{"n":{n},"text":"{"x" * 9000}"}}') for n in range(200))
    gone = structs.replace(frame(payload="{}"), type="USER_REMOVE")
    relayed = b'{"type":"USER_REMOVE","from":"b","to":"*","ts":1,"payload":{"n":2},"sig":""}'

    def answers(event: Event) -> Sequence[Effect]:
        if not isinstance(event, FrameReceived):
            return ()
        links = (event.link,)
        return [Snapshot(event.link, lines), Send(links, gone), Relay(links, relayed)]

    async with running(tmp_path, Brain(answers)) as shell:
        ws = await shell.connect()
        await ws.send_str(message("GO"))
        kinds = [(await said(ws))["type"] for _ in range(202)]
        assert kinds[-2:] == ["USER_REMOVE", "USER_REMOVE"]


@pytest.mark.threat("S2")
async def test_a_slow_reader_is_cut_and_the_others_get_everything(tmp_path: Path) -> None:
    links: list[LinkId] = []
    brain = Brain()
    async with running(tmp_path, brain) as shell:
        slow = await shell.connect()
        links.append(brain.link())
        fast = await shell.connect()
        links.append(brain.link())
        big = frame(payload=f'{{"text":"{"x" * 250_000}"}}')
        brain.answers = lambda e: [Send(tuple(links), big)] if isinstance(e, FrameReceived) else ()
        for _ in range(40):  # 10 MB each
            await fast.send_str(message("GO"))
            await said(fast)
        await until(lambda: brain.lost())
        assert brain.lost() == ["slow reader: over 4 MiB wait for it"]
        assert limits.OUTBOX_BYTES == 4 * limits.MIB
        await slow.close()


@pytest.mark.threat("S2")
async def test_who_takes_nothing_is_cut_in_time_and_who_reads_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OUTBOX_STALL_S", 0.3)
    brain = Brain()
    async with running(tmp_path, brain) as shell:
        slow = await shell.connect()
        slow.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)
        stuck = brain.link()
        fast = await shell.connect()
        big = frame(payload=f'{{"text":"{"x" * 250_000}"}}')
        links = (stuck, brain.link())
        brain.answers = lambda e: [Send(links, big)] if isinstance(e, FrameReceived) else ()
        for _ in range(10):
            await fast.send_str(message("GO"))
            await said(fast)
        await until(lambda: brain.lost())
        assert brain.lost() == ["slow reader: took nothing for 0.3 s"]
        assert [event.link for event in brain.of(LinkLost)] == [stuck]
        await slow.close()


async def test_signing_that_breaks_ends_the_links_that_wait_for_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = frame(payload="not json", verbatim=True)
    async with running(tmp_path, saying(broken)) as shell:
        ws = await shell.connect()
        await ws.send_str(message("GO"))
        await ended(ws)
        await until(lambda: shell.brain.lost() == ["a frame for it could not be signed"])
        assert "could not be signed" in caplog.text
        await shell.connect()  # the server goes on
