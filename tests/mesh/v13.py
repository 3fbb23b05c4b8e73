"""A SOCP v1.3 peer without any extension, written by hand from the standard and from nothing of
ours.

It knows RSA, JSON and a socket. What it computes it computes itself, so that it judges our server
from outside; `vectors/keys` gives it its keys.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests import logbook

PSS = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
PSS_ANY = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
PATIENCE_S = 60.0

Frame = dict[str, Any]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def now_ms() -> int:
    return int(time.time() * 1000)


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def public_key(text: str) -> rsa.RSAPublicKey:
    key = serialization.load_der_public_key(unb64(text))
    assert isinstance(key, rsa.RSAPublicKey)
    return key


@dataclass
class V13:
    """One peer: its id, its key, its socket and everything it heard."""

    id: str
    key: rsa.RSAPrivateKey
    socket: aiohttp.ClientWebSocketResponse
    heard: list[Frame] = field(default_factory=list)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _read: int = 0

    @property
    def public(self) -> str:
        der = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return b64(der)

    def sign(self, data: bytes) -> str:
        return b64(self.key.sign(data, PSS, hashes.SHA256()))

    async def say(
        self, kind: str, payload: object, *, to: str = "*", ts: int | None = None, sig: str = ""
    ) -> None:
        """One frame; a v1.3 client may leave `sig` empty."""
        frame = {
            "type": kind,
            "from": self.id,
            "to": to,
            "ts": now_ms() if ts is None else ts,
            "payload": payload,
            "sig": sig,
        }
        await self.socket.send_str(json.dumps(frame))

    async def say_signed(
        self, kind: str, payload: object, *, to: str = "*", ts: int | None = None
    ) -> None:
        """As servers must."""
        await self.say(kind, payload, to=to, ts=ts, sig=self.sign(canonical(payload)))

    async def hears(self, kind: str, which: Callable[[Frame], bool] = lambda _: True) -> Frame:
        """The first frame of this type not asked for yet that fits; fails after 15 s."""
        looked = 0
        async with asyncio.timeout(PATIENCE_S):
            while True:
                while looked < len(self.heard):
                    frame = self.heard[looked]
                    looked += 1
                    if frame["type"] == kind and not frame.get("_taken") and which(frame):
                        frame["_taken"] = True
                        return frame
                self._arrived.clear()
                await self._arrived.wait()

    async def listen(self) -> None:
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.heard.append(json.loads(message.data))
                self._arrived.set()

    # --- messages -------------------------------------------------------------------------------

    def message(self, text: bytes, to: str, to_key: str, ts: int) -> Frame:
        """The payload of a MSG_DIRECT: one OAEP block, content_sig over the raw bytes."""
        logbook.said(text.decode(errors="replace"))
        sealed = public_key(to_key).encrypt(text, OAEP)
        said = sealed + self.id.encode() + to.encode() + str(ts).encode()
        return {
            "ciphertext": b64(sealed),
            "sender_pub": self.public,
            "content_sig": self.sign(said),
        }

    def read(self, ciphertext: str) -> bytes:
        return self.key.decrypt(unb64(ciphertext), OAEP)

    def verify(self, key: str, signature: str, data: bytes) -> None:
        """Raises InvalidSignature."""
        public_key(key).verify(unb64(signature), data, PSS_ANY, hashes.SHA256())


@asynccontextmanager
async def attached(url: str, peer_id: str, private_der: bytes) -> AsyncIterator[V13]:
    """A socket to `url` with somebody listening on it."""
    key = serialization.load_der_private_key(private_der, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey)
    async with (
        aiohttp.ClientSession(trust_env=False) as session,
        session.ws_connect(url, max_msg_size=2**20) as socket,
    ):
        peer = V13(peer_id, key, socket)
        listening = asyncio.ensure_future(peer.listen())
        try:
            yield peer
        finally:
            await socket.close()
            await listening
