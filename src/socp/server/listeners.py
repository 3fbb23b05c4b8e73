"""The listening sockets: bound before anything else is begun, and accepting until the end (S9)."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from socp.server.faults import StartFault
from socp.server.guard import Addresses, Handshakes, Seats, plain_address

log = logging.getLogger("server.server")

BACKLOG: Final = 1024
BACK_OFF_S: Final = 0.5  # when there is no file descriptor left for a newcomer
SHORT_OF_S: Final = 60  # between two lines that say so
TLS_S: Final = 10
_LOCALHOST: Final = ("127.0.0.1", "::1")
_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_ABSENT: Final = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


@dataclass(frozen=True, slots=True)
class Bound:
    """The sockets, the port they share, and the hosts that this machine does not have."""

    sockets: tuple[socket.socket, ...]
    port: int
    absent: tuple[str, ...]

    def addresses(self) -> tuple[str, ...]:
        """What each socket listens on, as it stands in a URL: "127.0.0.1:8001", "[::1]:8001"."""
        names = (found.getsockname() for found in self.sockets)
        return tuple(f"[{n[0]}]:{n[1]}" if ":" in n[0] else f"{n[0]}:{n[1]}" for n in names)

    def close(self) -> None:
        for found in self.sockets:
            found.close()


def bind(host: str, port: int) -> Bound:
    """Listen on every address of `host` ("localhost": both loopback ones), or StartFault."""
    sockets: list[socket.socket] = []
    absent: list[str] = []
    try:
        for address in _addresses(host):
            try:
                sockets.append(_listen(address, port))
            except OSError as fault:
                if fault.errno not in _ABSENT or host != "localhost":
                    raise _refused(address, port, fault) from fault
                absent.append(address)
                continue
            port = sockets[-1].getsockname()[1]
        if not sockets:
            raise StartFault(f"{host} has no address on this machine; choose another --host")
    except StartFault:
        for found in sockets:
            found.close()
        raise
    return Bound(tuple(sockets), port, tuple(absent))


def _addresses(host: str) -> Sequence[str]:
    if host == "localhost":
        return _LOCALHOST
    try:
        rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as fault:
        raise StartFault(f"--host {host} is no address of this machine: {fault}") from fault
    return tuple(dict.fromkeys(str(row[4][0]) for row in rows))


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        found.bind((address, port))
        found.listen(BACKLOG)
        found.setblocking(False)
    except OSError:
        found.close()
        raise
    return found


def _refused(address: str, port: int, fault: OSError) -> StartFault:
    where = f"port {port} on {address}"
    match fault.errno:
        case errno.EADDRINUSE:
            return StartFault(
                f"{where} is in use by another program; stop it or choose another --port"
            )
        case errno.EACCES | errno.EPERM:
            return StartFault(f"{where} is not allowed for this user; choose a --port above 1023")
        case number if number in _ABSENT:
            return StartFault(f"{address} is no address of this machine; choose another --host")
        case _:
            return StartFault(f"cannot listen on {where}: {fault.strerror or fault}")


class Acceptor:
    """Takes newcomers from one listening socket."""

    def __init__(
        self,
        listening: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        addresses: Addresses,
        seats: Seats,
        handshakes: Handshakes,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._listening = listening
        self._protocol = protocol
        self._addresses = addresses
        self._seats = seats
        self._handshakes = handshakes
        self._tls = tls
        self._said_short = -float(SHORT_OF_S)

    async def run(self) -> None:
        """Accept until cancelled."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as handshakes:
            while True:
                try:
                    newcomer, name = await loop.sock_accept(self._listening)
                except ConnectionAbortedError:
                    continue  # it left before we looked
                except OSError as fault:
                    await self._back_off(fault)
                    continue
                address = plain_address(name[0])
                if self._seats.are_gone or self._addresses.is_flooding(address):
                    newcomer.close()
                elif self._tls is None:
                    await self._take(newcomer)
                else:  # which may wait for the other side
                    handshakes.create_task(self._shake_hands(newcomer, address))

    async def _shake_hands(self, newcomer: socket.socket, address: str) -> None:
        """Those who are in are counted when they are: until then this counts them."""
        try:
            if self._handshakes.enter(address):
                await self._take(newcomer)
            else:
                newcomer.close()
        finally:
            self._handshakes.leave(address)

    async def _take(self, newcomer: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        limit = TLS_S if self._tls is not None else None
        try:
            await loop.connect_accepted_socket(
                self._protocol, newcomer, ssl=self._tls, ssl_handshake_timeout=limit
            )
        except (OSError, TimeoutError) as fault:  # ssl.SSLError is an OSError
            log.debug("a connection was lost in its handshake: %s", fault)
            newcomer.close()

    async def _back_off(self, fault: OSError) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._said_short >= SHORT_OF_S:
            self._said_short = now
            log.warning(
                "New connections wait: %s; %s",
                fault.strerror or fault,
                "raise the limit of open files (ulimit -n)"
                if fault.errno in _EXHAUSTED
                else "trying again",
            )
        await asyncio.sleep(BACK_OFF_S)
