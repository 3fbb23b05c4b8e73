"""S4: 1 MiB of `[[[[`, huge strings, lists without end, compressed bombs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack

import aiohttp
import pytest

from socp.wire import limits
from tests.mesh.launch import Running, running
from tests.mesh.test_v13_client import ALICE, BOB, hello

STALL_S = 2.0  # of a neighbour, generous: a busy machine stalls too

SIZE = limits.FRAME_BYTES - 1000
HEAD = f'{{"type":"MSG_DIRECT","from":"{ALICE}","to":"{BOB}","ts":1,"payload":'
HOSTILE = {
    "brackets": "[" * SIZE,
    "braces": '{"a":' * (SIZE // 5),
    "values": HEAD + "{" + '"x":[' + "{}," * (SIZE // 3) + "{}]}}",
    "members": HEAD + "{" + ",".join(f'"{n}":1' for n in range(80_000)) + "}}",
    "a string": HEAD + '{"ciphertext":"' + "A" * (SIZE - 200) + '"}}',
    "escapes": HEAD + '{"ciphertext":"' + "\\u0041" * (SIZE // 7) + '"}}',
    "digits": HEAD + "1" * (SIZE - 200) + "}",
    "an exponent": HEAD + '{"ts":1e999999999}}',
    "the same member": HEAD + "{" + '"a":1,' * (SIZE // 7) + '"a":1}}',
    "nothing": "\x00" * SIZE,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("s4"), "--ephemeral", "--bootstrap", "none") as started:
        yield started


@pytest.mark.threat("S4")
async def test_every_bomb_is_answered_and_harms_nobody(server: Running) -> None:
    async with AsyncExitStack() as stack:
        alice = await hello(stack, server, ALICE, 0)
        bob = await hello(stack, server, BOB, 1)
        for name, bomb in HOSTILE.items():
            await alice.socket.send_str(bomb)
            began = time.monotonic()
            await bob.say("LIST_REQUEST", {})
            await bob.hears("USER_LIST")
            assert time.monotonic() - began < STALL_S, name
            error = await alice.hears("ERROR")
            assert error["payload"]["code"] in ("BAD_FRAME", "BAD_KEY", "NOT_ALLOWED"), name
    assert "Traceback" not in server.log()


@pytest.mark.threat("S4")
async def test_more_than_a_frame_is_closed_before_it_is_read(server: Running) -> None:
    async with AsyncExitStack() as stack:
        alice = await hello(stack, server, ALICE, 0)
        await alice.socket.send_str(json.dumps("x" * limits.FRAME_BYTES))
        await alice.hears("CTRL_CLOSE")
        await stack.aclose()
        assert alice.socket.close_code == 1009


@pytest.mark.threat("S4")
async def test_compression_is_not_spoken_so_nothing_swells(server: Running) -> None:
    async with (
        aiohttp.ClientSession(trust_env=False) as session,
        session.ws_connect(server.url, compress=15) as socket,
    ):
        assert socket.compress == 0
