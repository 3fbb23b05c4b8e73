"""The HTTP API with the real brain behind it, fed with the bytes of one request."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from unittest.mock import Mock

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser

from socp.crypto.fields import NONCE_BYTES
from socp.node import calls
from socp.node.events import Called, Event
from socp.server.gate import Gate
from socp.server.http_api import document
from socp.server.http_api.api import HttpApi
from socp.server.http_api.operations import OPERATIONS
from socp.wire import base64url
from tests.node.callers import Caller
from tests.node.mesh import Mesh

STATUSES = {200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503}


class Door:
    """One server; Ann is registered there, so that some ids are known."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        mesh = Mesh()
        self._server = mesh.server("a", lists_users=True)
        self._mesh = mesh
        self.ann = Caller(mesh, self._server, "ann", mesh.suite.generate(), loopback=True)
        self.ann.got(self.ann.register(), calls.Registered)
        self._api = HttpApi(self._tell, self.loop.run_until_complete(self._gate()), self._sign)

    async def _gate(self) -> Gate:
        return Gate()

    def _tell(self, event: Event) -> None:
        assert isinstance(event, Called)
        self._mesh.event(self._server, event)
        answer = self._server.told.pop()
        assert answer.request == event.request
        self._api.told(answer)

    def _sign(self, preimage: bytes, give: object) -> None:
        assert callable(give)
        give(base64url.encode(preimage[:8].ljust(8)))

    def asked(self, data: bytes) -> list[web.Response]:
        """The answers to all requests in these bytes."""
        return self.loop.run_until_complete(self._asked(data))

    async def _asked(self, data: bytes) -> list[web.Response]:
        parser = HttpRequestParser(Mock(), self.loop, 2**16)
        try:
            messages, _, _ = parser.feed_data(data)
        except HttpProcessingError:  # aiohttp answers by itself
            return []
        answers = []
        for message, payload in messages:
            if not payload.is_eof():
                payload.feed_eof()  # the rest never comes
            task = asyncio.current_task()
            assert task is not None
            request = web.BaseRequest(message, payload, Mock(), Mock(), task, self.loop)
            if HttpApi.has(request.path):
                answers.append(await self._api.answer(request, "127.0.0.1", loopback=True))
        return answers


@cache
def door() -> Door:
    return Door()


def take(data: bytes) -> None:
    """Every request has an answer with a status that the document knows, and JSON in it."""
    for response in door().asked(data):
        assert response.status in STATUSES
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        if response.body:
            assert isinstance(response.body, bytes)
            said = json.loads(response.body)
            if response.status >= 400:
                assert set(said) == {"code", "detail"}
                assert said["detail"].isprintable()


def seeds() -> list[bytes]:
    """A request for each operation, with a proof of the right size that does not hold."""
    ann = door().ann.user_id
    nonce, sig = base64url.encode(bytes(NONCE_BYTES)), base64url.encode(bytes(512))
    proof = f"{document.PROOF_HEADER}: {nonce}.{nonce}.{sig}\r\n"
    body = json.dumps({"user_id": ann, "pubkey": "AA", "request": "A" * 128, "name": "ann"})
    found = [
        f"{op.method} {op.path.replace('{user_id}', ann)} HTTP/1.1\r\nHost: localhost\r\n"
        f"{proof if op.wants_proof else ''}Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
        for op in OPERATIONS
    ]
    found.append(f"GET {document.PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n")
    found.append("GET /api/v1/users?after=&limit=3 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return [text.encode() for text in found]
