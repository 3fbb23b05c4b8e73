"""One HTTP request's way: limits, table, strict parsing, the brain, an answer."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable
from typing import Final

import msgspec
from aiohttp import web

from socp.crypto import signing
from socp.crypto.fields import NONCE_BYTES
from socp.node import calls
from socp.node.effects import Told
from socp.node.events import Called, Event
from socp.node.pace import AddressBuckets
from socp.server import fresh
from socp.server.gate import Gate
from socp.server.http_api import document
from socp.server.http_api.bodies import Body, Fault
from socp.server.http_api.operations import Asked, Operation, encoded, find
from socp.wire import base64url, limits, strict
from socp.wire.complaints import complaint
from socp.wire.errors import PeerFault
from socp.wire.ids import is_uuid4
from socp.wire.text import printable

log = logging.getLogger("server.http")

BODY_S: Final = 10
ANSWER_S: Final = 10
STATUSES: Final = {
    calls.Why.NOT_PROVEN: 401,
    calls.Why.NOT_ALLOWED: 403,
    calls.Why.UNKNOWN: 404,
    calls.Why.TAKEN: 409,
    calls.Why.UNFIT: 422,
    calls.Why.LIMITED: 429,
    calls.Why.NOT_STORED: 503,
}
HEADERS: Final = {
    "Server": "socp",
    "Content-Type": "application/json",
    "X-Content-Type-Options": "nosniff",
}
UNPROVEN: Final = (
    f"this needs the header {document.PROOF_HEADER}: server_nonce.salt.signature;"
    " ask for a challenge first, see docs/protocol.md"
)


class Refusal(Exception):
    """Ends a request with a status and a Fault."""

    def __init__(self, status: int, code: str, detail: str, **headers: str) -> None:
        # It may repeat what the stranger wrote, and somebody's terminal will show it.
        shown = printable(detail, width=limits.ERROR_DETAIL_CHARS)
        super().__init__(f"{status} {code}: {shown}")
        self.status = status
        self.fault = Fault(code=code, detail=shown)
        self.headers = headers


class HttpApi:
    """Knows what JSON and HTTP want; what may be done the brain decides."""

    def __init__(
        self,
        tell: Callable[[Event], None],
        gate: Gate,
        sign: Callable[[bytes, Callable[[str], None]], None],
    ) -> None:
        """`sign` gives our signature over some bytes to a function, soon; "" where it broke."""
        self._tell = tell
        self._gate = gate
        self._sign = sign
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[tuple[calls.Outcome, dict[str, str]]]] = {}
        self._requests = AddressBuckets(limits.HTTP_REQUESTS_BURST, limits.HTTP_REQUESTS_PER_S)

    @staticmethod
    def has(path: str) -> bool:
        """Whether requests for this path are ours to answer."""
        return path == "/.well-known/socp" or path == "/api" or path.startswith("/api/")

    async def answer(
        self, request: web.BaseRequest, address: str, *, loopback: bool
    ) -> web.Response:
        """`address`: of the client, a trusted proxy's word for it where there is one."""
        try:
            return await self._answer(request, address, loopback=loopback)
        except Refusal as refusal:
            response = _json(refusal.status, refusal.fault, secret=True, **refusal.headers)
            if refusal.status in (408, 413):
                response.force_close()  # the rest of the body is not worth reading
            return response

    def told(self, effect: Told) -> None:
        """The brain's answer; what it wants signed is signed first."""
        waiting = self._waiting.get(effect.request)
        if waiting is None or waiting.done():
            return None
        signed: dict[str, str] = {}
        if not effect.proofs:
            return waiting.set_result((effect.outcome, signed))

        def filled(name: str, sig: str) -> None:
            signed[name] = sig
            if len(signed) == len(effect.proofs) and not waiting.done():
                waiting.set_result((effect.outcome, signed))

        for name, preimage in effect.proofs:
            self._sign(preimage, lambda sig, name=name: filled(name, sig))  # type: ignore[misc]

    # --- one request ----------------------------------------------------------------------------

    async def _answer(
        self, request: web.BaseRequest, address: str, *, loopback: bool
    ) -> web.Response:
        if not loopback and not self._requests.take(address, fresh.now().mono):
            raise Refusal(
                429,
                calls.Why.LIMITED,
                f"more than {limits.HTTP_REQUESTS_PER_S} requests a second; ask slower",
                **{"Retry-After": "1"},
            )
        path = request.rel_url.raw_path
        if path == document.PATH and request.method in ("GET", "HEAD"):
            return web.Response(body=document.document(), headers=HEADERS)
        operation, user_id = _found(request.method, path)
        asked = await _asked(request, operation, user_id)
        try:
            call = operation.ask(asked)
        except PeerFault as fault:  # what no schema can say
            raise Refusal(422, calls.Why.UNFIT, f"{fault.detail}; see {document.PATH}") from None
        outcome, signed = await self._outcome(call, address, loopback=loopback)
        if isinstance(outcome, calls.Refused):
            raise _refusal(outcome)
        status, body = operation.say(outcome)
        if signed:
            body = msgspec.structs.replace(body, **signed)
        return _json(status, body, secret=operation.secret)

    async def _outcome(
        self, call: calls.Call, address: str, *, loopback: bool
    ) -> tuple[calls.Outcome, dict[str, str]]:
        await self._gate.passed()
        number = next(self._numbers)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._tell(Called(number, call, address, loopback, fresh.nonce()))
            async with asyncio.timeout(ANSWER_S):
                outcome, signed = await waiting
        except TimeoutError:
            raise Refusal(503, "TIMEOUT", "the server has too much to do; try again") from None
        finally:
            del self._waiting[number]
        if "" in signed.values():
            raise Refusal(503, "TIMEOUT", "the server could not sign; try again")
        return outcome, signed


def _found(method: str, path: str) -> tuple[Operation, str]:
    found = find(method, path)
    if isinstance(found, frozenset):
        if path == document.PATH:
            found = frozenset({"GET"})
        if found:
            allowed = ", ".join(sorted(found))
            raise Refusal(405, "NOT_ALLOWED", f"use {allowed}", Allow=allowed)
        raise Refusal(404, "NOT_FOUND", f"nothing here; see {document.PATH}")
    operation, user_id = found
    if "{user_id}" in operation.path and not is_uuid4(user_id):
        raise Refusal(404, calls.Why.UNKNOWN, "ids are UUIDs v4 in lower case; check it")
    return found


async def _asked(request: web.BaseRequest, operation: Operation, user_id: str) -> Asked:
    """Everything that can be checked without the brain."""
    query = _query(request, operation)
    salted = _salted(request) if operation.wants_proof else None
    data = await _data(request) if operation.wants_proof or operation.body is not None else b""
    proof = None
    if salted is not None:
        server_nonce, salt, sig = salted
        path = request.rel_url.raw_path
        nonce = signing.request_nonce(request.method, path, salt, data)
        proof = calls.Proof(server_nonce, nonce, sig)
    body = None if operation.body is None else _body(request, operation.body, data)
    return Asked(user_id, body, query, proof)


def _query(request: web.BaseRequest, operation: Operation) -> Body | None:
    pairs = request.rel_url.query
    texts = dict(pairs)
    if len(texts) != len(pairs):
        raise Refusal(422, calls.Why.UNFIT, "a parameter stands twice; say it once")
    if operation.query is None:
        if texts and operation.method == "GET":
            raise Refusal(422, calls.Why.UNFIT, f"there are no parameters; see {document.PATH}")
        return None
    try:
        return msgspec.convert(texts, operation.query, strict=False)
    except msgspec.ValidationError as fault:
        raise Refusal(422, calls.Why.UNFIT, f"{complaint(fault)}; see {document.PATH}") from None


def _salted(request: web.BaseRequest) -> tuple[bytes, bytes, str]:
    """(server_nonce, salt, signature) of the proof's header."""
    parts = request.headers.get(document.PROOF_HEADER, "").split(".")
    try:
        nonces = [base64url.decode(part) for part in parts[:2]]
    except PeerFault:
        nonces = []
    if len(parts) != 3 or [len(nonce) for nonce in nonces] != [NONCE_BYTES, NONCE_BYTES]:
        raise _refusal(calls.Refused(calls.Why.NOT_PROVEN, UNPROVEN))
    return nonces[0], nonces[1], parts[2]


async def _data(request: web.BaseRequest) -> bytes:
    """The body, within its bounds of size and time."""
    too_long = Refusal(
        413, "TOO_LARGE", f"a body has at most {limits.HTTP_BODY_BYTES} bytes; send less"
    )
    if (request.content_length or 0) > limits.HTTP_BODY_BYTES:
        raise too_long
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.content.iter_any():
                data += chunk
                if len(data) > limits.HTTP_BODY_BYTES:
                    raise too_long
    except TimeoutError:
        raise Refusal(408, "TIMEOUT", f"the body took over {BODY_S} s; send it at once") from None
    return bytes(data)


def _body(request: web.BaseRequest, kind: type[Body], data: bytes) -> Body:
    charset = (request.charset or "utf-8").lower()
    if request.content_type != "application/json" or charset != "utf-8":
        raise Refusal(
            415, calls.Why.UNFIT, "a body must be application/json in UTF-8; set Content-Type"
        )
    try:
        value = strict.loads(data, what="body")
    except PeerFault as fault:
        raise Refusal(400, calls.Why.UNFIT, fault.detail) from None
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as fault:
        raise Refusal(422, calls.Why.UNFIT, f"{complaint(fault)}; see {document.PATH}") from None


def _refusal(refused: calls.Refused) -> Refusal:
    headers = {}
    if refused.why is calls.Why.NOT_PROVEN:
        headers["WWW-Authenticate"] = document.PROOF_HEADER
    if refused.why is calls.Why.LIMITED:
        headers["Retry-After"] = str(refused.wait_s or 1)
    return Refusal(STATUSES[refused.why], refused.why, refused.detail, **headers)


def _json(status: int, body: Body, *, secret: bool, **headers: str) -> web.Response:
    kept = {"Cache-Control": "no-store"} if secret else {}
    return web.Response(status=status, body=encoded(body), headers={**HEADERS, **kept, **headers})
