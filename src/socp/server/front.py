"""The front door: one port for users, servers and plain HTTP (section 1)."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_websocket import WebSocketReader
from aiohttp.web_protocol import RequestHandler

from socp.node.events import Event, LinkOpened
from socp.server import fresh
from socp.server.connection import Ear
from socp.server.gate import Gate
from socp.server.guard import Addresses, Guard, Seats, plain_address
from socp.server.http_api.api import HttpApi
from socp.server.intake import Account, Intake
from socp.server.link import Link, Links
from socp.server.meter import Meter, Reader
from socp.server.shift import Shift
from socp.wire import limits
from socp.wire.addresses import is_loopback

log = logging.getLogger("server.http")
# It warns of every request that names a subprotocol: a stranger could fill the log.
logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)

REQUEST_S: Final = 10  # for the whole of an HTTP request, and between two of them
REQUESTS_MAX: Final = 256  # of one connection; it ends with the last
HEADER_BYTES_MAX: Final = 8190
HEADERS_MAX: Final = 64
KEY_BYTES: Final = 16  # of Sec-WebSocket-Key (RFC 6455, 4.1)
READ_BYTES: Final = 16 * limits.KIB  # of a body that nobody reads, or not yet
FULL: Final = "this server has as many connections as fit its memory; come back later"
CROWDED: Final = "too many connections from this address; close some first"
HINT: Final = "this is a SOCP v1.3 chat server; talk with `socp chat --server ws://{}`"
NOT_OUR_HOST: Final = "not a host name of this server; its operator can add it with --allow-host"
NOT_OUR_PAGE: Final = "pages of this origin may not connect; the operator can --allow-origin them"
_OPEN_PATHS: Final = ("/", "/ws", "/chat")  # where people point their clients


@dataclass(frozen=True, slots=True)
class Doors:
    """What counts who comes in, and what they bring."""

    seats: Seats
    addresses: Addresses
    intake: Intake
    shift: Shift


class Handler(RequestHandler):
    """aiohttp's protocol of one connection, with our meter before its WebSocket reader."""

    __slots__ = (
        "_account",
        "_answers",
        "_doors",
        "_stalls",
        "address",
        "link",
        "meter",
        "refusal",
    )

    def __init__(self, manager: web.Server, doors: Doors, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            manager,
            loop=loop,
            keepalive_timeout=REQUEST_S,
            lingering_time=0,
            auto_decompress=False,
            max_line_size=HEADER_BYTES_MAX,
            max_field_size=HEADER_BYTES_MAX,
            max_headers=HEADERS_MAX,
            read_bufsize=READ_BYTES,
        )
        self._doors = doors
        self._account: Account = doors.intake.open(self)
        self.address = ""
        self.refusal = ""  # why it is one connection too many, if it is
        self.link: Link | None = None
        self.meter: Meter | None = None
        self._answers = 0
        self._stalls: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.transport is not None:
            self.transport.set_write_buffer_limits(0)  # any byte nobody reads counts
        self.address = peer_address(transport)
        self.refusal = "" if self._doors.seats.enter() else FULL
        if not self._doors.addresses.enter(self.address):
            self.refusal = CROWDED

    def connection_lost(self, exc: BaseException | None) -> None:
        self._doors.seats.leave()
        self._doors.addresses.leave(self.address)
        self._unwatch()
        super().connection_lost(exc)
        if self.meter is not None:
            self.meter.end()  # what is whole is still taken
        else:
            self.forget()

    def forget(self) -> None:
        """Nothing of what came is here any more."""
        self._account.close()

    # --- what it makes us hold (S11) ------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self.meter is None:
            self._account.came(len(data))
        super().data_received(data)

    def pause(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()

    def resume(self) -> None:
        held_back = self._reading_paused or self._buffer_paused  # by aiohttp, for its own queues
        if self.transport is not None and not self.transport.is_closing() and not held_back:
            self.transport.resume_reading()

    def give_way(self) -> None:
        log.debug("cut %s: memory is short, and it sends more than is taken in", self.address)
        if self.link is not None and self.meter is not None:
            self.link.cut("memory is short, and what it sent was not whole yet")
            self.meter.end()
        elif self.transport is not None:
            self.transport.abort()

    # --- who does not read (S2) -----------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.meter is None:
            self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unwatch()

    def _watch(self) -> None:
        if self.transport is not None:
            size = self.transport.get_write_buffer_size()
            self._stalls = self._loop.call_later(limits.OUTBOX_STALL_S, self._look, size)

    def _unwatch(self) -> None:
        if self._stalls is not None:
            self._stalls.cancel()
            self._stalls = None

    def _look(self, size: int) -> None:
        """Cut whoever took nothing of an answer for so long."""
        if self.transport is None:
            return None
        if self.transport.get_write_buffer_size() < size:
            return self._watch()
        log.debug("cut %s: it reads no answers", self.address)
        self.transport.abort()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send it, and take up no next request before it is on its way."""
        self._answers += 1
        if not resp.prepared:
            resp.headers.setdefault("Server", SERVER["Server"])  # aiohttp's own names its version
            if self._answers >= REQUESTS_MAX:
                resp.force_close()
        done = await super().finish_response(request, resp, start_time)
        if self.meter is None:
            self._account.took_all()
            await self._drain_helper()
        return done

    # --- WebSockets -----------------------------------------------------------------------------

    def set_parser(
        self, parser: WebSocketReader, data_received_cb: Callable[[], None] | None = None
    ) -> None:
        self._account.took_all()
        self.meter = Meter(cast("Reader", parser), self._account)
        self._unwatch()
        if self.transport is not None:
            self.transport.set_write_buffer_limits()  # its outbox looks after the rest
        super().set_parser(cast("WebSocketReader", self.meter), data_received_cb)

    def log_exception(self, *_said: object, **rest: object) -> None:
        """What aiohttp could not handle: a stranger's bad HTTP, or a bug of ours."""
        fault = rest.get("exc_info")
        if isinstance(fault, HttpProcessingError):
            log.debug("refused a request from %s: %s", self.address, fault.message)
        elif isinstance(fault, ConnectionError):  # they hung up while they were being answered
            log.debug("a request from %s was given up: %s", self.address, fault)
        else:
            log.error("a request from %s failed", self.address, exc_info=cast("Exception", fault))


class FrontDoor(web.Server):
    """Makes a Handler for each connection, and answers its requests."""

    def __init__(
        self,
        guard: Guard,
        doors: Doors,
        links: Links,
        tell: Callable[[Event], None],
        gate: Gate,
        health: Callable[[], Mapping[str, object]],
        api: HttpApi,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(self._answer, loop=loop)
        self._guard = guard
        self._doors = doors
        self._links = links
        self._tell = tell
        self._gate = gate
        self._health = health
        self._api = api
        self._own_loop = loop
        self.closing = False

    def __call__(self) -> Handler:
        return Handler(self, self._doors, self._own_loop)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Any request: refused, upgraded, or told where it is."""
        handler = request.protocol
        assert isinstance(handler, Handler)
        host, origin = request.headers.get("Host"), request.headers.get("Origin")
        refusal = self._refusal(request, handler, host, origin)
        if refusal is not None:
            return refusal
        if request.headers.get("Upgrade", "").lower().strip() == "websocket":
            return await self._upgrade(request, handler, browser=origin is not None)
        if self._api.has(request.path):
            client = self._client(request, handler)
            return await self._api.answer(
                request, client, loopback=self._is_near(request, handler, client)
            )
        if request.method not in ("GET", "HEAD"):
            return text(405, HINT.format(host))
        if request.path == "/healthz":
            return web.json_response(self._health(), dumps=json.dumps, headers=SERVER)
        if request.path in _OPEN_PATHS:
            return text(426, HINT.format(host), Upgrade="websocket")
        return text(404, HINT.format(host))

    def _refusal(
        self, request: web.BaseRequest, handler: Handler, host: str | None, origin: str | None
    ) -> web.Response | None:
        """Why nothing of this request is served, if so."""
        if handler.refusal:
            return text(503, handler.refusal)
        if not self._guard.is_our_host(host, local_address(request)):
            return text(403, NOT_OUR_HOST)
        if origin is not None and not self._guard.is_our_origin(origin, host):
            return text(403, NOT_OUR_PAGE)
        if self.closing:
            return text(503, "this server is stopping")
        return None

    def _client(self, request: web.BaseRequest, handler: Handler) -> str:
        """The address a request comes from, by the word of a trusted proxy where there is one."""
        if not self._guard.is_proxy(handler.address):
            return handler.address
        # All of these headers: some proxies add one of their own below what the client wrote.
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", ()))
        return self._guard.client_behind(handler.address, forwarded)

    def _is_near(self, request: web.BaseRequest, handler: Handler, client: str) -> bool:
        """Whether it comes from this very machine: by the connection, not by a proxy's word."""
        if "X-Forwarded-For" in request.headers and self._guard.is_proxy(handler.address):
            return False
        return client == handler.address and is_loopback(client)

    async def _upgrade(
        self, request: web.BaseRequest, handler: Handler, *, browser: bool
    ) -> web.StreamResponse:
        client = self._client(request, handler)
        if client == handler.address:
            return await self._converse(request, handler, client, browser=browser)
        try:
            if not self._doors.addresses.enter(client):
                return text(503, CROWDED)
            return await self._converse(request, handler, client, browser=browser)
        finally:
            self._doors.addresses.leave(client)

    async def _converse(
        self, request: web.BaseRequest, handler: Handler, client: str, *, browser: bool
    ) -> web.StreamResponse:
        """Make it a WebSocket and listen until its end."""
        try:
            return await self._listen(request, handler, client, browser=browser)
        finally:
            handler.forget()

    async def _listen(
        self, request: web.BaseRequest, handler: Handler, client: str, *, browser: bool
    ) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            autoclose=False,
            autoping=False,
            compress=False,
            decode_text=False,
            max_msg_size=limits.FRAME_BYTES + 2,  # the meter refuses sooner
            timeout=0.1,
        )
        socket.headers.update(SERVER)
        flaw = handshake_flaw(request)
        if flaw is not None:
            log.debug("refused an upgrade from %s: %s", client, flaw)
            return text(400, flaw)
        await socket.prepare(request)
        transport, meter = request.transport, handler.meter
        if transport is None or meter is None:
            return socket
        link = handler.link = self._links.add(transport, masked=False, meter=meter)
        meter.watch(link.breached, link.keep_watch)
        opened = LinkOpened(
            link=link.id,
            address=client,
            loopback=self._is_near(request, handler, client),
            browser=browser,
            nonce=fresh.nonce(),
            spare_id=fresh.server_id(),
        )
        try:
            await Ear(link, socket, self._tell, self._gate, self._doors.shift).listen(opened)
        finally:
            self._links.remove(link)
            handler.link = None
            _forget_where(socket.exception())
            transport.close()  # before aiohttp says a goodbye of its own
        return socket


def _forget_where(fault: BaseException | None) -> None:
    """A fault that a socket keeps knows the functions it came through, and they the socket: all of
    a link would stay in memory until a garbage collection of what is old, which is rare."""
    if fault is not None:
        fault.__traceback__ = fault.__context__ = fault.__cause__ = None


SERVER: Final = {"Server": "socp"}


def handshake_flaw(request: web.BaseRequest) -> str | None:
    """Why this upgrade is no WebSocket's, if so: aiohttp stumbles over bytes beyond ASCII."""
    if "upgrade" not in request.headers.get("Connection", "").lower():
        return "no WebSocket handshake: Connection must say Upgrade"
    if request.headers.get("Sec-WebSocket-Version") != "13":
        return "no WebSocket handshake: Sec-WebSocket-Version must be 13"
    try:
        key = base64.b64decode(request.headers.get("Sec-WebSocket-Key", ""), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        return "no WebSocket handshake: Sec-WebSocket-Key must be 16 bytes in base64"
    return None


def text(status: int, line: str, **headers: str) -> web.Response:
    """A plain answer of one line, which may repeat what the request said."""
    body = (line + "\n").encode(errors="backslashreplace")
    response = web.Response(
        status=status,
        body=body,
        content_type="text/plain",
        charset="utf-8",
        headers={**SERVER, **headers},
    )
    if status == 503:
        response.force_close()
    return response


def peer_address(transport: asyncio.BaseTransport) -> str:
    """The other side's IP address."""
    name = transport.get_extra_info("peername")
    return plain_address(name[0]) if name else ""


def local_address(request: web.BaseRequest) -> str:
    """Our own IP address on this connection."""
    transport = request.transport
    name = transport.get_extra_info("sockname") if transport is not None else None
    return plain_address(name[0]) if name else ""
