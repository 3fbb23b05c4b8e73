"""A server, and a guest, that say anything: by seed, so that what went wrong can be seen again."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from typing import Any, Final

import aiohttp

from socp.conform.cast import Identity, new_id
from socp.conform.frames import now_ms
from socp.conform.listen.house import House
from socp.conform.peers import user_hello
from tests.conform.bent import Bent, Frame, Through
from tests.conform.stage import private_key

JUNK: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 1.5, 2**70, "", "\x00", "x" * 3_000, "é\ud800", "AAAA", "=", "..."),
    *([], [1], [None], [{}], [["x"]], {}, {"a": {}}, {"user_id": 7}),
)
SAID: Final = (
    *("MSG_DIRECT", "ACK", "ERROR", "LIST_REQUEST", "PUBKEY_REQUEST", "PUBLIC_CHANNEL_KEY_SHARE"),
    *("AUTH_PROOF", "USER_HELLO", "FILE_START", "HEARTBEAT", "CTRL_CLOSE"),
)


def spoilt(dice: random.Random, value: Any, rate: float) -> Any:
    """The value with some of its parts gone, and others anything."""
    if dice.random() < rate:
        return dice.choice(JUNK)
    if isinstance(value, dict):
        kept = {name: each for name, each in value.items() if dice.random() > rate / 2}
        return {name: spoilt(dice, each, rate) for name, each in kept.items()}
    if isinstance(value, list):
        return [spoilt(dice, each, rate) for each in value]
    return value


def mad_server(seed: int, rate: float) -> Bent:
    """It loses frames, says them twice, and spoils them."""
    dice = random.Random(seed)

    def down(_link: Through, frame: Frame) -> list[Frame]:
        if dice.random() < rate / 4:
            return []
        said = spoilt(dice, frame, rate)
        whole: Frame = said if isinstance(said, dict) else {"payload": said}
        return [whole] * dice.choice((1, 1, 1, 2))

    return Bent(f"mad {seed}", down=down)


class MadGuest:
    """A client that says hello somehow, and then anything whenever it hears something."""

    def __init__(self, seed: int, rate: float) -> None:
        self._dice, self._rate = random.Random(seed), rate
        self._who = Identity("mad", new_id(), private_key(seed % 32))

    async def __call__(self, house: House) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                with suppress(aiohttp.ClientError, ConnectionError):
                    async with session.ws_connect(f"ws://127.0.0.1:{house.port}") as socket:
                        await self._talk(socket)

    async def _talk(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        features = self._dice.choice(((), ("link-auth/1", "bind/1")))
        await self._say(socket, "USER_HELLO", user_hello(self._who, features=features, nonce=b"x"))
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT or self._dice.random() < self._rate:
                return
            heard = json.loads(message.data) if message.data.startswith('{"type"') else {}
            payload = heard.get("payload") or {}
            await self._say(socket, self._dice.choice(SAID), payload)

    async def _say(
        self, socket: aiohttp.ClientWebSocketResponse, kind: str, payload: dict[str, Any]
    ) -> None:
        frame = {"type": kind, "from": self._who.id, "to": "*", "ts": now_ms(), "payload": payload}
        spoil = 0 if kind == "USER_HELLO" else self._rate
        await socket.send_str(json.dumps(spoilt(self._dice, frame, spoil)))
