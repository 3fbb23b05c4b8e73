"""Which servers answer, for somebody who has none yet: each is asked one short question."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from socp.client import server_url
from socp.client.errors import ClientError
from socp.client.http_api import HttpApi, Server
from socp.client.server_url import ServerUrl
from socp.crypto.keys import RsaSuite

LOOK_S: Final = 1.5
PORTS_MAX: Final = 16
_KNOWN: Final = ("open", "invite", "closed")


@dataclass(frozen=True, slots=True)
class Found:
    """Something answers there. `registration`: "open", "invite" or "closed" where it is a server
    that says so, "" else."""

    url: str
    registration: str


class NothingThere(ClientError):
    """`str()` says what was found instead of a server, without the address."""


async def look(url: ServerUrl) -> Found:
    """What answers there. NothingThere, also for what takes longer than a moment."""
    host, port = server_url.endpoint(url)
    try:
        async with asyncio.timeout(LOOK_S):
            _, writer = await asyncio.open_connection(host, port)
        writer.close()
    except socket.gaierror:
        raise NothingThere(f"there is no host called {host}") from None
    except (OSError, TimeoutError):
        raise NothingThere("nothing answers there now") from None
    try:
        async with asyncio.timeout(LOOK_S), HttpApi(url, RsaSuite()) as api:
            server = await api.get("/.well-known/socp", Server)
    except (ClientError, TimeoutError):
        return Found(url.text, "")
    return Found(url.text, server.registration if server.registration in _KNOWN else "")


async def on_this_machine(ports: Iterable[int]) -> list[Found]:
    """The servers that listen on these ports of loopback, in their order. Nobody else is asked."""
    urls = [server_url.parse(f"ws://localhost:{port}") for port in ports][:PORTS_MAX]
    found = await asyncio.gather(*map(look, urls), return_exceptions=True)
    return [one for one in found if isinstance(one, Found) and one.registration]
