"""The front door: HTTP, who may upgrade, and how many (section 1, threats P1 and S1)."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from multidict import CIMultiDict

from socp.node import calls
from socp.node.effects import Effect, Told
from socp.node.events import Called, Event, LinkOpened
from socp.server import front
from socp.server.guard import Addresses, Guard, host_name, plain_address
from tests.server.certificates import certificate
from tests.server.rig import HANDSHAKE, SERVER_ID, Brain, Shell, running, until


def refusing(event: Event) -> list[Effect]:
    """A brain that answers every call."""
    if not isinstance(event, Called):
        return []
    return [Told(event.request, calls.Refused(calls.Why.UNKNOWN, "nobody"))]


async def answer(shell: Shell, path: str = "/", **headers: str) -> tuple[int, str]:
    async with shell.session.get(shell.url + path, headers=headers) as response:
        return response.status, await response.text()


async def upgrade(shell: Shell, **headers: str) -> int:
    """The status of a WebSocket handshake."""
    async with shell.session.get(shell.url, headers={**HANDSHAKE, **headers}) as response:
        return response.status


async def test_health_is_told_to_whoever_asks(tmp_path: Path) -> None:
    async with running(tmp_path) as shell:
        await shell.connect()
        async with shell.session.get(shell.url + "/healthz") as response:
            health = await response.json()
            assert response.headers["Server"] == "socp"
        assert {**health, "version": "", "uptime_s": 0} == {
            "newcomers": "welcome",
            "status": "ok",
            "server_id": SERVER_ID,
            "version": "",
            "users": 0,
            "mail_waiting": 0,
            "servers": 0,
            "links": 1,
            "uptime_s": 0,
        }


async def test_a_browser_that_comes_by_is_told_what_this_is(tmp_path: Path) -> None:
    async with running(tmp_path) as shell:
        status, text = await answer(shell)
        assert status == 426
        assert f"socp chat --server ws://127.0.0.1:{shell.port}" in text
        assert (await answer(shell, "/index.html"))[0] == 404
        async with shell.session.post(shell.url, data=b"x" * 100_000) as response:
            assert response.status == 405


@pytest.mark.threat("P1")
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8001", "127.0.0.1.evil.example"])
async def test_a_foreign_host_name_bound_to_our_address_gets_nothing(
    tmp_path: Path, host: str
) -> None:
    async with running(tmp_path) as shell:
        assert await upgrade(shell, Host=host) == 403
        status, text = await answer(shell, "/healthz", Host=host)
        assert (status, "--allow-host" in text) == (403, True)
        assert not shell.brain.of(LinkOpened)


@pytest.mark.threat("P1")
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost", "file://", "http://[", ""]
)
async def test_a_page_of_another_origin_may_not_connect(tmp_path: Path, origin: str) -> None:
    async with running(tmp_path, origins=["https://chat.example"]) as shell:
        assert await upgrade(shell, Origin=origin) == 403
        assert not shell.brain.of(LinkOpened)


@pytest.mark.threat("P1")
async def test_our_own_pages_and_those_configured_connect_and_count_as_browsers(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, origins=["https://chat.example"]) as shell:
        for origin in (shell.url, "https://chat.example", "https://CHAT.example"):
            await shell.connect(headers={"Origin": origin})
        assert [event.browser for event in shell.brain.of(LinkOpened)] == [True] * 3


async def test_a_handshake_that_is_none_is_refused_without_a_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path) as shell:
        assert await upgrade(shell, **{"Sec-WebSocket-Version": "12"}) == 400
        assert await upgrade(shell, **{"Sec-WebSocket-Key": "short"}) == 400
        for garbage in (b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n", b"a" * 20_000):
            reader, writer = await asyncio.open_connection("127.0.0.1", shell.port)
            writer.write(garbage + b"\r\n\r\n")
            await asyncio.wait_for(reader.read(), 60)
            writer.close()
    assert "Traceback" not in caplog.text
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


GARBAGE = (b"\xff", b"\xc3\xa9", b"[", b"", b"\x7f", b"%ff", b"a" * 4000, b"b, c", b"://", b"@")
HEADERS = {
    b"Host": b"localhost",
    b"Upgrade": b"websocket",
    b"Connection": b"Upgrade",
    b"Sec-WebSocket-Version": b"13",
    b"Sec-WebSocket-Key": b"dGhlIHNhbXBsZSBub25jZQ==",
}
OTHERS = (b"Origin", b"X-Forwarded-For", b"Sec-WebSocket-Protocol", b"Sec-WebSocket-Extensions")
MORE = (b"Cookie", b"Content-Length", b"Transfer-Encoding", b"Expect", b"Content-Type", b"X-A")
PATHS = (
    b"/\xff",
    b"//",
    b"//[",
    b"http://[/",
    b"*",
    b"http://\xff/",
    b"/%",
    b"?\xff",
    b"a",
    b"/?a",
)
METHODS = (b"GET", b"POST", b"HEAD", b"OPTIONS", b"CONNECT", b"TRACE")


def requests_with_garbage() -> Iterator[bytes]:
    """Each header in turn, with and without an upgrade; each path by each method."""
    plain = {b"Host": b"localhost"}
    for piece in GARBAGE:
        for name in (*HEADERS, *OTHERS, *MORE):
            for headers in (HEADERS, plain):
                yield request_of(b"GET", b"/", {**headers, name: piece})
        yield request_of(b"GET", b"/", {**plain, b"Host": piece + b"@localhost"})
        yield request_of(b"GET", b"/", {**HEADERS, b"Connection": b"Upgrade," + piece})
    for method in METHODS:
        for path in PATHS:
            for headers in (HEADERS, plain):
                yield request_of(method, path, headers)


def request_of(method: bytes, path: bytes, headers: dict[bytes, bytes]) -> bytes:
    lines = [name + b": " + value for name, value in headers.items()]
    return b"\r\n".join([method + b" " + path + b" HTTP/1.1", *lines, b"", b""])


async def status_of(shell: Shell, request: bytes) -> int:
    """Of one raw request; 0 where the connection ends without an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", shell.port)
    writer.write(request)
    head = await asyncio.wait_for(reader.read(4096), 60)
    writer.close()
    return int(head.split()[1]) if head else 0


@pytest.mark.threat("S3")
async def test_no_request_of_a_stranger_makes_a_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, proxies=["127.0.0.1"]) as shell:
        key = request_of(b"GET", b"/", {**HEADERS, b"Sec-WebSocket-Key": b"\xff"})
        assert await status_of(shell, key) == 400
        for request in requests_with_garbage():
            status = await status_of(shell, request)
            assert status < 500, request
    assert "Traceback" not in caplog.text
    noted = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert not noted, noted


@pytest.mark.threat("S1")
async def test_a_request_that_never_ends_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "REQUEST_S", 0.3)
    async with running(tmp_path) as shell:
        for start in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "):
            reader, writer = await asyncio.open_connection("127.0.0.1", shell.port)
            writer.write(start)
            assert await asyncio.wait_for(reader.read(), 60) == b""
            writer.close()


@pytest.mark.threat("S1")
async def test_one_address_has_its_number_of_connections_and_no_more(tmp_path: Path) -> None:
    async with running(tmp_path, proxies=["127.0.0.1"], max_per_address=2) as shell:
        crowd = {"X-Forwarded-For": "198.51.100.7"}
        first = await shell.connect(headers=crowd)
        await shell.connect(headers=crowd)
        assert await upgrade(shell, **crowd) == 503
        await shell.connect(headers={"X-Forwarded-For": "198.51.100.8"})
        await first.close()
        await until(lambda: shell.brain.lost())
        await shell.connect(headers=crowd)


async def test_the_address_behind_a_trusted_proxy_counts_and_is_never_loopback(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, proxies=["127.0.0.0/8"]) as shell:
        lines = [("X-Forwarded-For", "10.9.9.9, 127.0.0.1"), ("X-Forwarded-For", "2001:DB8::1")]
        await shell.connect(headers=CIMultiDict(lines))
        opened: LinkOpened = shell.brain.of(LinkOpened)[0]
        assert (opened.address, opened.loopback) == ("2001:db8::1", False)


@pytest.mark.threat("S3")
@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("::1, 203.0.113.5:4711", "203.0.113.5"),
        ("::1, [2001:db8::5]:4711", "2001:db8::5"),
        ("::1, [2001:db8::5]", "2001:db8::5"),
        ("::1, ::ffff:203.0.113.5, 127.0.0.1", "203.0.113.5"),
        ("::1, unknown", "127.0.0.1"),
        ("198.51.100.7, unknown, 127.0.0.1", "127.0.0.1"),
        ("198.51.100.7,", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
    ],
)
async def test_what_a_client_writes_of_itself_is_never_believed(
    tmp_path: Path, forwarded: str, address: str
) -> None:
    async with running(tmp_path, Brain(refusing), proxies=["127.0.0.0/8"]) as shell:
        headers = {"X-Forwarded-For": forwarded}
        await shell.connect(headers=headers)
        async with shell.session.get(shell.url + "/.well-known/socp", headers=headers):
            pass
        (opened,), (called,) = shell.brain.of(LinkOpened), shell.brain.of(Called)
        assert (opened.address, opened.loopback) == (address, False)
        assert (called.address, called.loopback) == (address, False)


async def test_without_a_trusted_proxy_nobody_is_believed(tmp_path: Path) -> None:
    async with running(tmp_path) as shell:
        await shell.connect(headers={"X-Forwarded-For": "198.51.100.7"})
        assert shell.brain.of(LinkOpened)[0].address == "127.0.0.1"


async def test_tls_is_spoken_where_there_is_a_certificate(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    trusting = ssl.create_default_context(cafile=str(chain))
    async with running(tmp_path, tls=context) as shell:
        url = f"wss://localhost:{shell.port}"
        async with shell.session.ws_connect(url, ssl=trusting) as ws:
            await until(lambda: shell.brain.of(LinkOpened))
            await ws.close()
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await shell.session.ws_connect(url)
        # Who says nothing in the handshake keeps nobody else waiting.
        _, silent = await asyncio.open_connection("127.0.0.1", shell.port)
        async with shell.session.get(f"https://localhost:{shell.port}/healthz", ssl=trusting) as r:
            assert r.status == 200
        silent.close()


def test_addresses_are_counted_up_and_down() -> None:
    addresses = Addresses(2, lambda address: address == "127.0.0.1")
    assert [addresses.enter("a") for _ in range(4)] == [True, True, False, False]
    assert addresses.is_flooding("a")
    for _ in range(3):
        addresses.leave("a")
    assert addresses.enter("a")
    assert all(addresses.enter("127.0.0.1") for _ in range(9))
    assert not addresses.is_flooding("127.0.0.1")


def test_a_proxy_that_comes_and_goes_counts_neither_up_nor_down_for_its_line() -> None:
    proxy, other = "2001:db8:0:7::1", "2001:db8:0:7::2"
    addresses = Addresses(2, lambda address: address == proxy)
    for _ in range(4):
        addresses.enter(other)
        addresses.enter(proxy)
        addresses.leave(proxy)
    assert addresses.is_flooding(other)
    assert not addresses.is_flooding(proxy)


@pytest.mark.threat("S5")
def test_all_addresses_of_one_line_are_one_source() -> None:
    addresses = Addresses(2, lambda address: address == "::1")
    crowd = [f"2001:db8:0:7:{n:x}::1" for n in range(4)]
    assert [addresses.enter(each) for each in crowd] == [True, True, False, False]
    assert addresses.is_flooding("2001:db8:0:7::9")
    assert addresses.enter("2001:db8:0:8::1")
    for each in crowd[:3]:
        addresses.leave(each)
    assert addresses.enter("2001:db8:0:7::9")
    assert all(addresses.enter(f"192.0.2.{n}") for n in range(9))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost:8001", "localhost"),
        ("LOCALHOST.", "localhost"),
        ("[::1]:8001", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("user@localhost", "localhost"),
        ("[::1", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_the_name_in_a_host_header(header: str | None, name: str) -> None:
    assert host_name(header) == name


def test_an_address_literal_is_ours_when_the_connection_came_to_it() -> None:
    guard = Guard(frozenset({"localhost"}), frozenset(), ())
    assert guard.is_our_host("192.168.1.5:8001", "192.168.1.5")
    assert not guard.is_our_host("192.168.1.5:8001", "192.168.1.6")
    assert guard.is_our_host("[2001:db8::1]:8001", "2001:db8::1")


def test_an_address_has_one_form() -> None:
    assert plain_address("::ffff:192.0.2.1") == "192.0.2.1"
    assert plain_address("fe80::1%eth0") == "fe80::1"
    assert plain_address("host.example") == ""
