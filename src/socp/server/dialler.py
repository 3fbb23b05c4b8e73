"""Our own way out: WebSockets to other servers, made on the brain's word (section 5)."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import ssl
from collections.abc import Callable
from typing import Any, Final, TypeGuard

import aiohttp
from aiohttp import ClientWebSocketResponse
from aiohttp.http_websocket import WebSocketWriter

from socp.node.effects import Dial
from socp.node.events import DialFailed, Event, LinkOpened
from socp.server import fresh
from socp.server.connection import Ear
from socp.server.front import peer_address
from socp.server.gate import Gate
from socp.server.link import Links
from socp.server.resolver import Resolver
from socp.server.shift import Shift
from socp.wire import limits
from socp.wire.addresses import is_loopback

log = logging.getLogger("server.links")

DIAL_S: Final = 10


class Dialled(ClientWebSocketResponse):
    """aiohttp's WebSocket of the dialling side, with its transport at hand."""

    def __init__(self, reader: Any, writer: WebSocketWriter, *rest: Any, **named: Any) -> None:
        super().__init__(reader, writer, *rest, **named)
        self.transport: asyncio.Transport = writer.transport


class Dialler:
    """Dials, listens, and tells the brain how it went."""

    def __init__(
        self, links: Links, tell: Callable[[Event], None], gate: Gate, shift: Shift
    ) -> None:
        self._links = links
        self._tell = tell
        self._gate = gate
        self._shift = shift
        self._session: aiohttp.ClientSession | None = None

    async def dial(self, effect: Dial) -> None:
        """Carry out one Dial, from the first packet to the link's end."""
        try:
            async with asyncio.timeout(DIAL_S):
                ws = await self._connect(effect)
        except TimeoutError:
            self._tell(DialFailed(effect.address, f"no answer within {DIAL_S} s"))
        except Exception as fault:  # the border: whatever a stranger's answer makes of aiohttp
            log.debug("dialling %s failed", effect.address, exc_info=fault)
            self._tell(DialFailed(effect.address, reason(fault)))
        else:
            await self._listen(effect, ws)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _connect(self, effect: Dial) -> Dialled:
        if self._session is None:
            self._session = _session()
        scheme = "wss" if effect.tls else "ws"
        ws = await self._session.ws_connect(
            f"{scheme}://{effect.address}/",
            autoclose=False,
            autoping=False,
            compress=0,
            decode_text=False,
            max_msg_size=limits.FRAME_BYTES + 2,
            timeout=aiohttp.ClientWSTimeout(ws_close=0.1),
        )
        assert isinstance(ws, Dialled)
        return ws

    async def _listen(self, effect: Dial, ws: Dialled) -> None:
        transport = ws.transport
        address = peer_address(transport)
        link = self._links.add(transport, masked=True, meter=None)
        opened = LinkOpened(
            link=link.id,
            address=address,
            loopback=is_loopback(address),
            browser=False,
            nonce=fresh.nonce(),
            spare_id=fresh.server_id(),
            dialled=effect.address,
        )
        try:
            await Ear(link, ws, self._tell, self._gate, self._shift).listen(opened)
        finally:
            self._links.remove(link)
            transport.close()
            await ws.close()


def reason(fault: Exception) -> str:
    """Why a dial failed, as the system says it: "[Errno 111] Connection refused"."""
    number = _errno(fault)
    if number is not None:
        return f"[Errno {number}] {os.strerror(number)}"
    if isinstance(fault, aiohttp.WSServerHandshakeError):
        return f"no WebSocket there: it answered HTTP {fault.status}"
    return str(fault) or type(fault).__name__


def _errno(fault: BaseException | None) -> int | None:
    """The system's error number in a chain of exceptions; a refusal before all others."""
    found: int | None = None
    while fault is not None:
        inner = [fault, *getattr(fault, "exceptions", ())]
        numbers = [e.errno for e in inner if _is_system_error(e)]
        if errno.ECONNREFUSED in numbers:
            return errno.ECONNREFUSED
        found = found or (numbers[0] if numbers else None)
        fault = fault.__cause__ or fault.__context__
    return found


def _is_system_error(fault: BaseException) -> TypeGuard[OSError]:
    # A name that is not found (below 0) and a certificate that is wrong have numbers of their own.
    return (
        isinstance(fault, OSError)
        and not isinstance(fault, ssl.SSLError)
        and fault.errno is not None
        and fault.errno > 0
    )


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=Resolver(), limit=0, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=DIAL_S),
        trust_env=False,
        ws_response_class=Dialled,
        middlewares=(_no_redirects,),
        headers={"User-Agent": "socp"},
    )


async def _no_redirects(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """A server we dial does not choose where else we go."""
    response = await handler(request)
    if 300 <= response.status < 400:
        response.close()
        raise aiohttp.ClientError(f"no WebSocket there: it answered HTTP {response.status}")
    return response
