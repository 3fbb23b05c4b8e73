"""Our own way out to other servers (section 5)."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult

from socp.node.effects import Dial, Effect, Send
from socp.node.events import DialFailed, Event, FrameReceived, LinkOpened, Tick
from socp.server import dialler, resolver
from socp.wire.addresses import HostPort
from tests.server.rig import Brain, frame, running, until


def dialling(address: HostPort, *, tls: bool = False) -> Brain:
    """Dials once, and says HELLO when it is through."""
    dials = iter([Dial(address, tls)])

    def answers(event: Event) -> Sequence[Effect]:
        if isinstance(event, Tick):
            return tuple(dials)
        if isinstance(event, LinkOpened):
            return [Send((event.link,), frame("HELLO"))]
        return ()

    return Brain(answers)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def failure(folder: Path, address: HostPort, *, tls: bool = False) -> str:
    brain = dialling(address, tls=tls)
    async with running(folder, brain):
        await until(lambda: brain.of(DialFailed))
    failed: DialFailed = brain.of(DialFailed)[0]
    assert failed.address == address
    return failed.reason


def welcoming(event: Event) -> Sequence[Effect]:
    """Answers a frame with a long one."""
    if not isinstance(event, FrameReceived):
        return ()
    return [Send((event.link,), frame("WELCOME", f'{{"text":"{"x" * 70_000}"}}'))]


async def test_a_dialled_server_is_talked_to_and_may_answer_at_length(tmp_path: Path) -> None:
    async with running(tmp_path / "b", Brain(welcoming)) as there:
        address = HostPort("localhost", there.port)
        async with running(tmp_path / "a", dialling(address)) as here:
            await until(lambda: here.brain.of(FrameReceived))
            opened: LinkOpened = here.brain.of(LinkOpened)[0]
            assert (opened.dialled, opened.loopback, opened.browser) == (address, True, False)
            assert here.brain.of(FrameReceived)[0].envelope.type == "WELCOME"
            assert there.brain.of(FrameReceived)[0].envelope.type == "HELLO"
            there.stop.set()
            await until(
                lambda: here.brain.lost() == ["closed by the other side (1001: the server stops)"]
            )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
async def test_nobody_there_reads_as_the_system_says_it(tmp_path: Path, host: str) -> None:
    assert await failure(tmp_path, HostPort(host, free_port())) == (
        "[Errno 111] Connection refused"
    )


async def test_an_unknown_name_is_a_reason_and_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(*_asked: object, **_more: object) -> list[ResolveResult]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(resolver.Resolver, "resolve", unknown)
    reason = await failure(tmp_path, HostPort("nobody.invalid", 8001))
    assert "nobody.invalid" in reason
    assert "Name or service not known" in reason


@pytest.mark.threat("S9")
async def test_who_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialler, "DIAL_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert await failure(tmp_path, HostPort("127.0.0.1", port)) == "no answer within 0.3 s"


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (web.Response(status=200), "it answered HTTP 200"),
        (web.Response(status=302, headers={"Location": "http://192.0.2.1/"}), "HTTP 302"),
        (web.Response(status=503), "HTTP 503"),
    ],
)
async def test_an_http_server_is_no_peer_and_sends_us_nowhere(
    tmp_path: Path, response: web.Response, reason: str
) -> None:
    async def answer(_request: web.BaseRequest) -> web.StreamResponse:
        return response

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        assert reason in await failure(tmp_path, HostPort("127.0.0.1", port))
    finally:
        await runner.cleanup()


async def test_tls_is_verified(tmp_path: Path) -> None:
    async with running(tmp_path / "plain") as there:
        reason = await failure(tmp_path, HostPort("localhost", there.port), tls=True)
        assert "ssl" in reason.lower()


def test_a_refusal_counts_before_other_reasons() -> None:
    refused, no_route = ConnectionRefusedError(111, "x"), OSError(101, "Network is unreachable")
    group = OSError("Multiple exceptions")
    group.exceptions = [no_route, refused]  # type: ignore[attr-defined]
    assert dialler.reason(group) == "[Errno 111] Connection refused"
    assert dialler.reason(no_route) == "[Errno 101] Network is unreachable"
    assert dialler.reason(ValueError("port")) == "port"
