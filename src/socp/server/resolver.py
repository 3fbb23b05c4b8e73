"""Names to addresses, by threads that nobody waits for: a lookup may hang for minutes (S9)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult

from socp.wire.addresses import is_loopback

LOOKUPS_MAX: Final = 32  # at a time; each is a thread, which nothing can end
_LOOPBACK: Final = (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6))

Found = list[tuple[str, socket.AddressFamily]]


class Resolver(AbstractResolver):
    """localhost is the two loopback addresses, whatever a name server says."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Future[Found | Exception]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Its addresses, of either family."""
        found = list(_LOOPBACK) if is_loopback(host) else await self._look_up(host)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=kind,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address, kind in found
            if family in (kind, socket.AF_UNSPEC)
        ]

    async def close(self) -> None:
        """Whatever is still looked up is looked up for nobody."""

    async def _look_up(self, host: str) -> Found:
        """One thread a name, however often it is asked for."""
        answer = self._under_way.get(host)
        if answer is None:
            if len(self._under_way) >= LOOKUPS_MAX:
                raise OSError("too many names are being looked up; see to the name servers")
            answer = asyncio.get_running_loop().create_future()
            # Not of a pool: those are waited for, by the loop's end and by Python's own.
            asked = (host, answer, asyncio.get_running_loop())
            try:
                threading.Thread(target=self._ask, args=asked, name="lookup", daemon=True).start()
            except RuntimeError as fault:  # the system gives no more threads just now
                raise OSError(f"{host} is not looked up: {fault}") from fault
            self._under_way[host] = answer  # until `settle`, which the loop has not come to yet
        found = await asyncio.shield(answer)
        if isinstance(found, Exception):
            raise found
        return found

    def _ask(
        self,
        host: str,
        answer: asyncio.Future[Found | Exception],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """In a thread of its own."""
        found: Found | Exception
        try:
            rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found = [(str(row[4][0]), row[0]) for row in rows]
        except (OSError, UnicodeError) as fault:  # UnicodeError: no name that DNS could hold
            found = fault

        def settle() -> None:
            self._under_way.pop(host, None)
            answer.set_result(found)

        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle)
