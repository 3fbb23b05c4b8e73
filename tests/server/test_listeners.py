"""Listening and accepting (section 1, threat S9)."""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from socp.server import listeners
from socp.server.faults import StartFault
from tests.server.rig import running


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine")
def test_localhost_is_both_loopback_addresses_on_one_port() -> None:
    bound = listeners.bind("localhost", 0)
    assert bound.addresses() == (f"127.0.0.1:{bound.port}", f"[::1]:{bound.port}")
    assert bound.absent == ()
    bound.close()


def test_without_ipv6_the_rest_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket.bind

    def bind(self: socket.socket, address: tuple[str, int]) -> None:
        if self.family == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        real(self, address)

    monkeypatch.setattr(socket.socket, "bind", bind)
    bound = listeners.bind("localhost", 0)
    assert bound.absent == ("::1",)
    assert len(bound.sockets) == 1
    bound.close()
    with pytest.raises(StartFault, match="::1 is no address of this machine"):
        listeners.bind("::1", 0)


@pytest.mark.threat("S9")
def test_a_port_in_use_is_one_line_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartFault) as refused:
            listeners.bind("localhost", port)
    assert str(refused.value) == (
        f"port {port} on 127.0.0.1 is in use by another program; stop it or choose another --port"
    )


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (errno.EACCES, "port 80 on 127.0.0.1 is not allowed for this user"),
        (errno.EIO, "cannot listen on port 80 on 127.0.0.1: broken"),
    ],
)
def test_what_the_system_refuses_is_one_line(
    number: int, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bind(_self: socket.socket, _address: object) -> None:
        raise OSError(number, "broken")

    monkeypatch.setattr(socket.socket, "bind", bind)
    with pytest.raises(StartFault, match=line):
        listeners.bind("localhost", 80)


def test_a_host_that_is_none_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_asked: object, **_more: object) -> list[object]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(StartFault, match=r"--host nobody\.invalid is no address"):
        listeners.bind("nobody.invalid", 0)


@pytest.fixture
def few_files() -> Iterator[None]:
    """Room for some more file descriptors and no others."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 60, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.threat("S9")
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="cannot count open files here")
async def test_out_of_file_descriptors_newcomers_wait_and_the_log_says_so_once(
    tmp_path: Path,
    few_files: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(listeners, "BACK_OFF_S", 0.05)
    async with running(tmp_path) as shell:
        served = await shell.connect()
        crowd: list[socket.socket] = []
        # Each newcomer takes two descriptors here, its own and the server's.
        while "New connections wait" not in caplog.text:
            crowd.append(socket.create_connection(("127.0.0.1", shell.port)))
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.2)
        await served.ping()
        for newcomer in crowd:
            newcomer.close()
        await shell.connect()
        assert caplog.text.count("New connections wait") == 1
