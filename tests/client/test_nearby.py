"""Who has no server yet is told of those on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from socp.client import nearby, server_url
from socp.client.nearby import PORTS_MAX, Found, NothingThere
from tests.client.described import described
from tests.client.v13_server import Server, serving

CLOSED = "ws://localhost:1"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Where a server that wants an invitation says so."""

    async with described("invite") as there:
        yield there


async def test_a_server_says_whom_it_takes(port: int) -> None:
    url = f"ws://localhost:{port}"
    assert await nearby.look(server_url.parse(url)) == Found(url, "invite")
    assert await nearby.on_this_machine([1, port]) == [Found(url, "invite")]


async def test_a_server_without_an_api_is_something_and_is_not_taken_for_a_find() -> None:
    async with serving() as plain:
        assert await nearby.look(server_url.parse(plain.url)) == Found(plain.url, "")
        assert await nearby.on_this_machine([_port(plain)]) == []


async def test_what_only_calls_itself_a_server_is_not_taken_for_a_find() -> None:
    async with described("\x1b[2Jfree") as there:
        url = f"ws://localhost:{there}"
        assert await nearby.look(server_url.parse(url)) == Found(url, "")
        assert await nearby.on_this_machine([there]) == []


async def test_nothing_is_nothing() -> None:
    with pytest.raises(NothingThere, match="nothing answers there now"):
        await nearby.look(server_url.parse(CLOSED))
    with pytest.raises(NothingThere, match="there is no host called nowhere"):
        await nearby.look(server_url.parse("ws://nowhere.invalid:8001"))
    assert await nearby.on_this_machine([1]) == []


async def test_who_takes_the_link_and_says_nothing_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nearby, "LOOK_S", 0.1)
    released = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert await nearby.look(server_url.parse(url)) == Found(url, "")
        released.set()


async def test_only_so_many_ports_are_tried(port: int) -> None:
    assert await nearby.on_this_machine([*range(1, PORTS_MAX + 1), port]) == []


def _port(server: Server) -> int:
    return server_url.endpoint(server_url.parse(server.url))[1]
