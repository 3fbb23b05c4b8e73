"""P1: a web page opens ws://localhost from the user's browser, as a user or as a server."""

from __future__ import annotations

from collections.abc import Iterator

import aiohttp
import pytest

from tests.keys import test_key
from tests.mesh.health import health
from tests.mesh.launch import Running, running
from tests.mesh.v13 import b64, canonical, now_ms

PAGE = "https://chat.example"
EVE = "44444444-4444-4444-8444-444444444444"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("p1")
    flags = ("--ephemeral", "--federation", "open", "--bootstrap", "none", "--allow-origin", PAGE)
    with running(folder, *flags) as started:
        yield started


async def refused(server: Running, **headers: str) -> int:
    """The status that a handshake with these headers is refused with."""
    async with aiohttp.ClientSession(trust_env=False) as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as fault:
            await session.ws_connect(server.url, headers=headers)
    return fault.value.status


@pytest.mark.threat("P1")
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
async def test_a_page_from_elsewhere_does_not_get_in(server: Running, origin: str) -> None:
    assert await refused(server, Origin=origin) == 403


@pytest.mark.threat("P1")
async def test_a_name_of_theirs_that_points_to_us_does_not_help(server: Running) -> None:
    rebound = f"evil.example:{server.port}"
    assert await refused(server, Host=rebound) == 403
    assert await refused(server, Host=rebound, Origin=f"http://{rebound}") == 403


@pytest.mark.threat("P1")
async def test_a_page_that_may_talk_is_never_a_server(server: Running) -> None:
    key = test_key(5)
    text = key.public.text
    payload = {"host": "127.0.0.1", "port": 9, "pubkey": text}
    async with (
        aiohttp.ClientSession(trust_env=False) as session,
        session.ws_connect(server.url, headers={"Origin": PAGE}) as socket,
    ):
        for_sig = b64(key.sign(canonical(payload)))
        frame = {"type": "SERVER_HELLO_JOIN", "from": EVE, "to": "localhost:1", "ts": now_ms()}
        await socket.send_json({**frame, "payload": payload, "sig": for_sig})
        answers = [message.json() async for message in socket]
    assert answers[0]["type"] == "ERROR"
    assert answers[0]["payload"]["code"] == "NOT_ALLOWED"
    assert socket.close_code == 1008
    assert health(server)["servers"] == 0


@pytest.mark.threat("P1")
async def test_a_page_that_may_talk_is_a_user_like_others(server: Running) -> None:
    async with (
        aiohttp.ClientSession(trust_env=False) as session,
        session.ws_connect(server.url, headers={"Origin": PAGE}) as socket,
    ):
        text = test_key(5).public.text
        frame = {"type": "USER_HELLO", "from": EVE, "to": "*", "ts": now_ms(), "sig": ""}
        hello = {"client": "page", "pubkey": text, "enc_pubkey": text}
        await socket.send_json({**frame, "payload": hello})
        answer = await socket.receive_json(timeout=60)
    assert (answer["type"], answer["payload"]["msg_ref"]) == ("ACK", "USER_HELLO")
