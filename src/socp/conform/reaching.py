"""Where a server is, and why no WebSocket is to be had there: in one line, with what to do."""

from __future__ import annotations

import errno
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import aiohttp

from socp.conform.transcript import shortened

URL_FORM: Final = "ws://host:port, or wss://host:port for TLS, with a path if it needs one"
HTTP_S: Final = 10.0
_PORTS: Final = {"ws": 80, "wss": 443}
_REFUSED: Final = (errno.ECONNREFUSED, getattr(errno, "WSAECONNREFUSED", errno.ECONNREFUSED))


class BadAddress(ValueError):
    """A text that is no address of a server; what is."""


class _Redirected(aiohttp.ClientError):
    """It sends us elsewhere, and nobody asked us to judge who is there."""


def checked(url: str) -> str:
    """The address, as it was written. Raises BadAddress."""
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if not named or parts.scheme not in _PORTS or parts.query or parts.fragment or parts.username:
        raise BadAddress(f'"{shortened(url)}" is no address of a server; write {URL_FORM}')
    return url


def place(url: str) -> str:
    """Its host:port."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    return f"{host}:{_port(parts)}"


def ws_origin(url: str) -> str:
    """The address without a path."""
    return f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"


def http_origin(url: str) -> str:
    """The same for plain HTTP."""
    return "http" + ws_origin(url).removeprefix("ws")


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]


def new_session() -> aiohttp.ClientSession:
    """It uses no proxy, follows nobody elsewhere, and waits for no answer long."""
    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_stay)
    timeout = aiohttp.ClientTimeout(total=HTTP_S)
    return aiohttp.ClientSession(timeout=timeout, trust_env=False, trace_configs=[tracing])


async def _stay(_session: Any, _context: Any, redirect: aiohttp.TraceRequestRedirectParams) -> None:
    raise _Redirected(redirect.response.headers.get("Location", ""))


def why_not(url: str, fault: Exception) -> str:
    """What came in place of a WebSocket, and what to do about it."""
    secure = urlsplit(url).scheme == "wss"
    match fault:
        case _Redirected():
            return f"it sends clients to {shortened(str(fault))}; give the address that it means"
        case aiohttp.WSServerHandshakeError():
            return f"it answers HTTP {fault.status}; some servers need a path, such as {url}/ws"
        case aiohttp.ClientResponseError():
            return "what answers there speaks no HTTP; give the port of the SOCP server"
        case aiohttp.ClientConnectorCertificateError():
            reason = getattr(fault.certificate_error, "verify_message", fault.certificate_error)
            return (
                f"its certificate is not trusted here ({shortened(str(reason))}); set SSL_CERT_FILE"
                " to the certificate of who signed it"
            )
        case aiohttp.ClientConnectorSSLError():
            return "it speaks no TLS there; try ws:// in place of wss://"
        case aiohttp.ClientConnectorDNSError():
            return (
                f"no host is known by the name {shortened(str(fault.host))}; look at its spelling"
            )
        case aiohttp.ClientConnectorError() if fault.os_error.errno in _REFUSED:
            return "nothing listens there; start the server, or give its port"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError() | ConnectionError():
            other = "whether it speaks TLS at all" if secure else "whether it wants wss://"
            return f"it ends the connection before it answers; look {other}, and into its log"
        case TimeoutError():
            return f"it takes the connection and says nothing for {HTTP_S:g} s; look into its log"
    return f"{type(fault).__name__}; look into its log"
