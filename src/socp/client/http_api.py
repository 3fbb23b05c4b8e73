"""The server's HTTP API as a client calls it: an answer that fits, or a ClientError."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final, TypeVar

import aiohttp
import msgspec
from msgspec import Meta

from socp.client import dialling, server_url
from socp.client.errors import NoAnswer, TurnedAway
from socp.client.server_url import ServerUrl
from socp.crypto import signing
from socp.crypto.fields import NONCE_BYTES
from socp.crypto.keys import PrivateKey, Suite
from socp.crypto.rotation import FIRST_VERSION
from socp.wire import base64url, limits, strict
from socp.wire.errors import PeerFault
from socp.wire.text import printable

PROOF_HEADER: Final = "SOCP-Proof"
_ANSWER_S: Final = 30
_SHOWN_COLUMNS: Final = 200
A = TypeVar("A", bound="Answer")


class Answer(msgspec.Struct, frozen=True):
    """What we need of an answer; other members may come."""


class Fault(Answer, frozen=True):
    code: str = ""
    detail: str = ""


class Challenge(Answer, frozen=True):
    server_id: str
    server_nonce: str


class User(Answer, frozen=True):
    user_id: str
    pubkey: str
    version: Annotated[int, Meta(ge=FIRST_VERSION, le=limits.KEY_VERSION_MAX)] = FIRST_VERSION
    revoked: bool = False


class Server(Answer, frozen=True):
    server_id: str
    login: tuple[str, ...] = ()
    registration: str = ""


class NotKnown(TurnedAway):
    """404: there is no such thing at this server."""


class HttpApi:
    """One server. Use as a context manager."""

    def __init__(self, url: ServerUrl, suite: Suite) -> None:
        self._url = url
        self._base = server_url.http(url)
        self._suite = suite
        self._session = dialling.session()

    async def __aenter__(self) -> HttpApi:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def get(self, path: str, kind: type[A]) -> A:
        """NoAnswer, TurnedAway."""
        return await self._call("GET", path, kind, b"", {})

    async def post(self, path: str, kind: type[A], body: object) -> A:
        """NoAnswer, TurnedAway."""
        return await self._call("POST", path, kind, msgspec.json.encode(body), {})

    async def prove(
        self,
        method: str,
        path: str,
        kind: type[A],
        body: object | None,
        *,
        user_id: str,
        server_id: str,
        key: PrivateKey,
    ) -> A:
        """A request with the user's own word for it: it serves for no other (threat M11).

        Nothing is signed for a server that calls itself anything else than `server_id`.
        """
        data = b"" if body is None else msgspec.json.encode(body)
        path_of = f"/api/v1/users/{user_id}/challenge"
        challenge = await self.post(path_of, Challenge, {})
        if challenge.server_id != server_id:
            raise TurnedAway(
                f"{self._url.text} calls itself {printable(challenge.server_id, width=40)} now,"
                f" not {server_id}; ask its operator"
            )
        salt = self._suite.random(NONCE_BYTES)
        try:
            server_nonce = base64url.decode(challenge.server_nonce)
            nonce = signing.request_nonce(method, path, salt, data)
            said = signing.login(user_id, server_id, nonce, server_nonce)
        except PeerFault:
            raise self._nonsense() from None
        sig = await asyncio.to_thread(signing.sign, key, said)
        proof = f"{challenge.server_nonce}.{base64url.encode(salt)}.{sig}"
        return await self._call(method, path, kind, data, {PROOF_HEADER: proof})

    async def _call(
        self, method: str, path: str, kind: type[A], data: bytes, headers: dict[str, str]
    ) -> A:
        if data:
            headers = {**headers, "Content-Type": "application/json"}
        try:
            async with (
                asyncio.timeout(_ANSWER_S),
                self._session.request(
                    method, self._base + path, data=data or None, headers=headers
                ) as response,
            ):
                status, text = response.status, await self._text(response)
        except TimeoutError:
            raise NoAnswer(f"nothing from {self._url.text} within {_ANSWER_S} s") from None
        except dialling.Redirected:
            raise NoAnswer(f"{self._url.text} sends us elsewhere; give that address") from None
        except (aiohttp.ClientError, OSError) as fault:
            said = dialling.why(fault, self._url)
            raise NoAnswer(f"{self._url.text} cannot be reached: {said}") from None
        if status >= 300:
            raise self._refused(status, text)
        return self._read(text, kind)

    async def _text(self, response: aiohttp.ClientResponse) -> bytes:
        text = bytearray()
        async for chunk in response.content.iter_any():
            text += chunk
            if len(text) > limits.HTTP_BODY_BYTES:
                raise self._nonsense()
        return bytes(text)

    def _read(self, text: bytes, kind: type[A]) -> A:
        try:
            return msgspec.convert(strict.loads(text, what="answer"), kind)
        except (PeerFault, msgspec.ValidationError):
            raise self._nonsense() from None

    def _refused(self, status: int, text: bytes) -> TurnedAway:
        try:
            fault = self._read(text, Fault)
        except NoAnswer:
            fault = Fault()
        detail = printable(fault.detail, width=_SHOWN_COLUMNS)
        line = (
            detail or f"{self._url.text} has no such service (HTTP {status}); is it a SOCP server?"
        )
        return NotKnown(line) if status == 404 else TurnedAway(line)

    def _nonsense(self) -> NoAnswer:
        return NoAnswer(
            f"{self._url.text} gave an answer that makes no sense; is it another program?"
        )
