"""The address of a server as people give it: ws://host:port, wss:// for TLS, a path if need be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from socp.client.errors import BadAddress
from socp.wire.addresses import is_loopback
from socp.wire.text import printable

DEFAULT: Final = "ws://localhost:8001"
_SHOWN_COLUMNS: Final = 80
_PORTS: Final = {"ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """`text` is the one spelling that this server is remembered by."""

    text: str
    loopback: bool


def endpoint(url: ServerUrl) -> tuple[str, int]:
    """The host and the port that it stands for."""
    parts = urlsplit(url.text)
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]


def parse(text: str) -> ServerUrl:
    """BadAddress for anything but ws:// or wss:// with a host; port and path may be missing."""
    try:
        url = urlsplit(text.strip())
        port = url.port
    except ValueError:
        raise _bad(text) from None
    host = url.hostname
    if url.scheme not in _PORTS or not host or not _host_like(host) or port == 0:
        raise _bad(text)
    if url.username is not None or url.query or url.fragment or not _plain(url.path):
        raise _bad(text)
    return ServerUrl(_spelled(url, host, port), is_loopback(host))


def meant(text: str) -> ServerUrl:
    """As `parse`, for what somebody typed: without a scheme it is TLS, and on this machine none."""
    if "://" in text:
        return parse(text)
    url = parse(f"ws://{text.strip()}")
    return url if url.loopback else parse(f"wss://{text.strip()}")


def http(url: ServerUrl) -> str:
    """The server's address for HTTP, without a path: http:// beside ws://, https:// beside wss."""
    parts = urlsplit(url.text)
    return f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}"


def _spelled(url: SplitResult, host: str, port: int | None) -> str:
    bracketed = f"[{host}]" if ":" in host else host
    place = bracketed if port is None or port == _PORTS[url.scheme] else f"{bracketed}:{port}"
    return f"{url.scheme}://{place}{'' if url.path == '/' else url.path}"


def _host_like(host: str) -> bool:
    return host.isascii() and all(char.isalnum() or char in "-._:" for char in host)


def _plain(path: str) -> bool:
    return path.isascii() and path.isprintable() and " " not in path


def _bad(text: str) -> BadAddress:
    shown = printable(text, width=_SHOWN_COLUMNS)
    return BadAddress(
        f'"{shown}" is not the address of a server; write it like {DEFAULT}, or wss://host for TLS'
    )
