"""One link over a real socket: frames in, refusals, pings, ends (sections 1 and 2, S1, S11)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest

from socp.node.effects import Close, Effect, Identified, Kind, Ping, Probe, Send
from socp.node.events import (
    Alive,
    Event,
    FrameReceived,
    FrameRefused,
    LinkOpened,
    Now,
    ProbeFailed,
)
from socp.server import framing, fresh, link, signers
from socp.wire import limits
from socp.wire.errors import Code
from tests.keys import SpiedKey
from tests.server.rig import KEY, Brain, echo, ended, frame, message, running, said, until


class HeldKey(SpiedKey):
    """Signs nothing until it is let."""

    def __init__(self) -> None:
        super().__init__(KEY)
        self.held = threading.Event()

    def sign(self, data: bytes) -> bytes:
        assert self.held.wait(60)
        return super().sign(data)


def identifying(event: Event) -> Sequence[Effect]:
    if isinstance(event, LinkOpened):
        return [Identified(event.link, Kind.USER, "x")]
    return echo(event)


def asking(effect: type[Ping] | type[Probe]) -> Brain:
    return Brain(lambda e: [effect(e.link)] if isinstance(e, FrameReceived) else ())


async def test_a_frame_comes_in_and_one_goes_out(tmp_path: Path) -> None:
    async with running(tmp_path, Brain(echo)) as shell:
        ws = await shell.connect()
        opened: LinkOpened = shell.brain.of(LinkOpened)[0]
        assert (opened.address, opened.loopback, opened.browser) == ("127.0.0.1", True, False)
        assert len(opened.nonce) == 32
        await ws.send_str(message("HEARTBEAT", n=1))
        assert (await said(ws))["payload"] == {"n": 1}
        await ws.close()
        await until(lambda: shell.brain.lost() == ["closed by the other side (1000)"])


@pytest.mark.spec("1")
@pytest.mark.parametrize("path", ["/", "/ws", "/chat", "/anything/at?all"])
async def test_any_path_takes_a_websocket(tmp_path: Path, path: str) -> None:
    async with running(tmp_path) as shell:
        await shell.connect(path)


@pytest.mark.spec("1")
async def test_compression_is_never_agreed_upon(tmp_path: Path) -> None:
    async with running(tmp_path) as shell:
        ws = await shell.connect(compress=15)
        assert ws.compress == 0


@pytest.mark.spec("2")
async def test_what_is_no_frame_is_told_to_the_brain_with_what_is_wrong(tmp_path: Path) -> None:
    async with running(tmp_path) as shell:
        ws = await shell.connect()
        await ws.send_str('{"type":1}')
        await ws.send_bytes(b"{}")
        await ws.send_frame(b'"\xff"', aiohttp.WSMsgType.TEXT)
        await until(lambda: len(shell.brain.of(FrameRefused)) == 3)
        faults = [event.fault for event in shell.brain.of(FrameRefused)]
        assert {fault.code for fault in faults} == {Code.BAD_FRAME}
        assert faults[1].detail == "binary frame; send JSON in a text frame"


@pytest.mark.threat("S11")
async def test_a_stranger_may_send_64_kib_and_not_more(tmp_path: Path) -> None:
    async with running(tmp_path) as shell:
        ws = await shell.connect()
        await ws.send_str(" " * limits.FRAME_BYTES_UNIDENTIFIED)
        await until(lambda: shell.brain.of(FrameRefused))
        await ws.send_str(" " * (limits.FRAME_BYTES_UNIDENTIFIED + 1))
        assert await ended(ws) == 1009
        await until(lambda: shell.brain.lost() == ["at most 64 KiB a message here"])
        assert len(shell.brain.of(FrameRefused)) == 1


@pytest.mark.spec("1")
async def test_a_known_peer_may_send_1_mib_and_not_more(tmp_path: Path) -> None:
    async with running(tmp_path, Brain(identifying)) as shell:
        ws = await shell.connect()
        await ws.send_str(message("LONG", text="x" * 1_000_000))
        assert len((await said(ws))["payload"]["text"]) == 1_000_000
        await ws.send_str(" " * (limits.FRAME_BYTES + 1))
        assert await ended(ws) == 1009


@pytest.mark.threat("S1")
async def test_a_message_that_never_ends_ends_the_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FIRST_FRAME_S", 0.3)
    async with running(tmp_path) as shell:
        reader, writer = await shell.handshake()
        half = framing.from_dialler(framing.TEXT, b"{}")
        writer.write(bytes([half[0] & 0x7F]) + half[1:])
        assert b"\x03\xf0a message took longer" in await asyncio.wait_for(reader.read(), 60)
        await until(lambda: shell.brain.lost())
        assert "took longer than" in shell.brain.lost()[0]
        writer.close()


@pytest.mark.spec("5")
async def test_a_ping_that_is_answered_is_a_sign_of_life(tmp_path: Path) -> None:
    async with running(tmp_path, asking(Ping)) as shell:
        ws = await shell.connect()
        await ws.send_str(message())
        with pytest.raises(TimeoutError):
            await ws.receive(0.1)  # which answers the ping
        await until(lambda: shell.brain.of(Alive))
        await ws.pong()  # nobody asked
        await ws.send_str(message())
        await until(lambda: len(shell.brain.of(FrameReceived)) == 2)
        assert len(shell.brain.of(Alive)) == 1


@pytest.mark.spec("5")
async def test_a_probe_that_is_not_answered_fails_after_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PING_S", 0.2)
    async with running(tmp_path, asking(Probe)) as shell:
        ws = await shell.connect(autoping=False)
        await ws.send_str(message())
        await until(lambda: shell.brain.of(ProbeFailed))
        assert not shell.brain.of(Alive)
        await ws.send_str(message())
        await ws.pong()
        await until(lambda: shell.brain.of(Alive))


async def test_the_other_sides_ping_is_answered_and_a_flood_of_them_ends_the_link(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as shell:
        ws = await shell.connect(autoping=False)
        await ws.ping(b"there?")
        answer = await ws.receive(5)
        assert (answer.type, answer.data) == (aiohttp.WSMsgType.PONG, b"there?")
        for _ in range(200):
            await ws.ping(b"")
        assert await ended(ws) == 1008


async def test_pongs_nobody_asked_for_end_the_link_when_they_are_a_flood(tmp_path: Path) -> None:
    async with running(tmp_path) as shell:
        ws = await shell.connect()
        for _ in range(200):
            await ws.pong(b"")
        assert await ended(ws) == 1008


@pytest.mark.spec("5")
async def test_a_peer_that_only_pings_is_never_cut_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Now(wall=1, mono=0)
    monkeypatch.setattr(fresh, "now", lambda: clock)
    async with running(tmp_path) as shell:
        ws = await shell.connect(autoping=False)
        for minute in range(300):
            clock = Now(wall=1, mono=minute * 60_000)
            await ws.ping(b"")
            assert (await ws.receive(5)).type == aiohttp.WSMsgType.PONG


@pytest.mark.threat("S3")
async def test_what_comes_after_our_goodbye_reaches_the_brain_no_more(tmp_path: Path) -> None:
    brain = Brain(lambda e: [Close(e.link, 1008, "no")] if isinstance(e, FrameReceived) else ())
    async with running(tmp_path, brain) as shell:
        ws = await shell.connect(autoclose=False)
        await ws.send_str(message())
        assert await ended(ws) == 1008
        for _ in range(50):
            await ws.send_str(message())
        await ws.close()
        await until(lambda: brain.lost() == ["no"])
        assert len(brain.of(FrameReceived)) == 1


async def test_a_bug_ends_its_link_loudly_and_the_server_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: Event) -> Sequence[Effect]:
        if isinstance(event, FrameReceived):
            raise ZeroDivisionError
        return ()

    async with running(tmp_path, Brain(broken)) as shell:
        ws, other = await shell.connect(), await shell.connect()
        await ws.send_str(message())
        assert await ended(ws) == 1011
        await until(lambda: shell.brain.lost() == ["a fault of this server"])
        assert "ZeroDivisionError" in caplog.text
        await other.ping()
        await shell.connect()


async def test_the_other_side_that_vanishes_is_noticed(tmp_path: Path) -> None:
    async with running(tmp_path) as shell:
        _, writer = await shell.handshake()
        writer.transport.abort()
        await until(lambda: shell.brain.lost() == ["connection lost"])


async def test_who_does_not_answer_our_goodbye_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "GOODBYE_S", 0.2)
    brain = Brain(lambda e: [Close(e.link, 1008, "no")] if isinstance(e, FrameReceived) else ())
    async with running(tmp_path, brain) as shell:
        ws = await shell.connect(autoclose=False)
        await ws.send_str(message())
        await until(lambda: brain.lost() == ["no"])


async def test_while_too_much_waits_to_be_signed_nobody_is_read_from(tmp_path: Path) -> None:
    key, many = HeldKey(), 4 * signers.WAITING_A_THREAD  # twice what strains two threads
    brain = Brain(
        lambda e: (
            [Send((e.link,), frame(payload=f'{{"n":{n}}}')) for n in range(many)]
            if isinstance(e, FrameReceived)
            else ()
        )
    )
    async with running(tmp_path, brain, key=key) as shell:
        ws, other = await shell.connect(), await shell.connect()
        await ws.send_str(message())
        await until(lambda: len(brain.of(FrameReceived)) == 1)
        # One message may be in other's hands already; the ones behind it must wait.
        for _ in range(3):
            await other.send_str(message())
        assert (await shell.session.get(shell.url + "/healthz")).status == 200
        assert len(brain.of(FrameReceived)) <= 2
        key.held.set()
        await until(lambda: len(brain.of(FrameReceived)) == 4)
