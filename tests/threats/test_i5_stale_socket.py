"""I5: a stale socket blocks the owner (NAME_IN_USE); real sockets, real pings."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from socp.crypto import signing
from socp.wire import base64url, limits
from tests.keys import test_key
from tests.mesh.launch import Running, running
from tests.mesh.stored import give_key

ALICE = "11111111-1111-4111-8111-111111111111"
KEY = test_key(0)
FEATURES = ["link-auth/1"]

Socket = aiohttp.ClientWebSocketResponse[bool]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("i5")
    give_key(folder, 2)
    with running(folder, "--bootstrap", "none") as started:
        yield started


async def say(socket: Socket, kind: str, payload: dict[str, Any]) -> None:
    frame = {"type": kind, "from": ALICE, "to": "*", "ts": int(time.time() * 1000)}
    await socket.send_str(json.dumps({**frame, "payload": payload, "sig": ""}))


async def hears(socket: Socket, *kinds: str) -> dict[str, Any]:
    """The next frame of these types; pings are answered by aiohttp meanwhile, if at all."""
    async with asyncio.timeout(limits.PING_S + 10):
        while True:
            frame: dict[str, Any] = json.loads(await socket.receive_str())
            if frame["type"] in kinds:
                return frame


@asynccontextmanager
async def proven(server: Running, *, answers_pings: bool) -> AsyncIterator[Socket]:
    """Alice's socket, her proof given; whether she is taken is not heard yet."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(server.url, autoping=answers_pings) as socket,
    ):
        nonce = base64url.encode(secrets.token_bytes(32))
        hello = {"client": "by hand", "pubkey": KEY.public.text, "features": FEATURES}
        await say(socket, "USER_HELLO", {**hello, "auth_nonce": nonce})
        challenge = (await hears(socket, "AUTH_CHALLENGE"))["payload"]
        said = signing.link_auth(
            ALICE, challenge["server_id"], base64url.decode(challenge["nonce"])
        )
        await say(socket, "AUTH_PROOF", {"proof": signing.sign(KEY, said)})
        yield socket


async def keep_reading(socket: Socket) -> None:
    """As a living client does: its pings are answered on the way."""
    async for _ in socket:
        pass


@pytest.mark.threat("I5")
async def test_the_owner_takes_the_place_of_a_socket_that_answers_no_ping(
    server: Running,
) -> None:
    async with proven(server, answers_pings=False) as stale:
        await hears(stale, "ACK")
        began = time.monotonic()
        async with proven(server, answers_pings=True) as alice:
            assert (await hears(alice, "ACK", "ERROR"))["type"] == "ACK"
            assert time.monotonic() - began > limits.PING_S - 1, "the old one had its time"
            await keep_reading(stale)
            assert stale.close_code is not None


@pytest.mark.threat("I5")
async def test_a_link_that_answers_is_not_displaced_by_a_proof(server: Running) -> None:
    async with proven(server, answers_pings=True) as alice:
        await hears(alice, "ACK")
        living = asyncio.create_task(keep_reading(alice))
        async with proven(server, answers_pings=True) as second:
            refused = await hears(second, "ACK", "ERROR")
            assert refused["payload"]["code"] == "NAME_IN_USE"
        assert not living.done()
        living.cancel()


@pytest.mark.threat("I5")
async def test_a_socket_that_proves_nothing_displaces_nobody(server: Running) -> None:
    async with proven(server, answers_pings=False) as stale:
        await hears(stale, "ACK")
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(server.url) as thief,
        ):
            await say(thief, "USER_HELLO", {"client": "x", "pubkey": KEY.public.text})
            assert (await hears(thief, "ACK", "ERROR"))["payload"]["code"] == "NOT_ALLOWED"
        assert not stale.closed
