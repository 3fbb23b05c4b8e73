"""Opening a WebSocket to our server: one attempt, and in people's words why it failed."""

from __future__ import annotations

import asyncio
import errno
import os
from typing import Final

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientWSTimeout

from socp.client.server_url import ServerUrl, endpoint
from socp.wire import limits
from socp.wire.text import printable

Socket = aiohttp.ClientWebSocketResponse[bool]

_DIAL_S: Final = 10
_CLOSE_S: Final = 2
_ALIVE_S: Final = 30  # a server gone without a word is noticed within one and a half of these
_SHOWN_COLUMNS: Final = 200
_REFUSED: Final = f"[Errno {errno.ECONNREFUSED}]"
"""Where a host has several addresses, of their faults there is but a text."""


class DialFailed(Exception):
    """`str()` says why, without the address."""


class Redirected(Exception):
    """To follow it would be to talk to somebody the person did not name."""


async def _refuse_redirects(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    response = await handler(request)
    if 300 <= response.status < 400:
        response.close()
        raise Redirected
    return response


def session() -> aiohttp.ClientSession:
    """No proxy and no credentials from the environment, no cookies, no redirects."""
    return aiohttp.ClientSession(
        trust_env=False, cookie_jar=aiohttp.DummyCookieJar(), middlewares=(_refuse_redirects,)
    )


async def dial(over: aiohttp.ClientSession, url: ServerUrl) -> Socket:
    """The open socket, or DialFailed. wss:// checks certificate and name as the system does."""
    try:
        async with asyncio.timeout(_DIAL_S):
            return await over.ws_connect(
                url.text,
                compress=0,
                max_msg_size=limits.FRAME_BYTES + 2,  # aiohttp refuses what has as many
                autoping=True,
                heartbeat=_ALIVE_S,
                timeout=ClientWSTimeout(ws_close=_CLOSE_S),
                decode_text=False,
            )
    except TimeoutError:
        raise DialFailed(f"no answer within {_DIAL_S} s") from None
    except Redirected:
        raise DialFailed("it sends us elsewhere; give the address it means with --server") from None
    except aiohttp.WSServerHandshakeError as fault:
        raise DialFailed(f"it is no chat server (HTTP {fault.status})") from None
    except aiohttp.ClientConnectorCertificateError as fault:
        raise DialFailed(f"its certificate is not trusted: {_said(fault)}") from None
    except aiohttp.ClientConnectorDNSError as fault:
        raise DialFailed(f"no such host: {fault.host}") from None
    except (aiohttp.ClientError, OSError) as fault:
        raise DialFailed(why(fault, url)) from None


def why(fault: Exception, url: ServerUrl) -> str:
    """Why nobody can be reached there, and what to do."""
    if not isinstance(fault, aiohttp.ClientConnectorError):
        return _said(fault)
    refused = fault.os_error.errno == errno.ECONNREFUSED or _REFUSED in str(fault.os_error)
    return _nothing_there(url) if refused else _system(fault.os_error)


def _nothing_there(url: ServerUrl) -> str:
    if not url.loopback:
        return "nothing listens there; check the address, or ask the server's operator"
    _, port = endpoint(url)
    return f"nothing listens there; start a server: script/server (or socp serve) --port {port}"


def _system(fault: OSError) -> str:
    number = fault.errno
    return f"[Errno {number}] {os.strerror(number)}" if number and number > 0 else _said(fault)


def _said(fault: Exception) -> str:
    return printable(str(fault), width=_SHOWN_COLUMNS) or type(fault).__name__
