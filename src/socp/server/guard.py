"""Who may open a connection at all: Host, Origin and how many from one address (P1, S1, S9)."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from socp.wire.addresses import source_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Guard:
    """`hosts`: the names we answer to, lower case; `origins`: the pages that may talk to us."""

    hosts: frozenset[str]
    origins: frozenset[str]
    proxies: Sequence[Network]

    def is_our_host(self, host: str | None, local_address: str) -> bool:
        """Whether a request's Host means us: no foreign name may be bound to our address (P1)."""
        name = host_name(host)
        return name != "" and (name in self.hosts or name == plain_address(local_address))

    def is_our_origin(self, origin: str, host: str | None) -> bool:
        """Whether a page of this Origin may connect: our own pages, and those configured."""
        if origin.lower() in self.origins:
            return True
        try:
            parts = urlsplit(origin.lower())
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and parts.netloc == (host or "").lower()

    def is_proxy(self, address: str) -> bool:
        """Whether this address is a configured proxy, whose word about its clients counts."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self.proxies)

    def client_behind(self, address: str, forwarded: str) -> str:
        """The last in X-Forwarded-For that is no proxy of ours: anyone can write the others.

        What stands before one that cannot be read is not believed either: the proxy counts.
        """
        for text in reversed(forwarded.split(",")):
            client = forwarded_address(text)
            if not client:
                return address
            if not self.is_proxy(client):
                return client
        return address


class Addresses:
    """How many connections each source has; those of `exempt` addresses are not counted."""

    def __init__(self, most: int, exempt: Callable[[str], bool]) -> None:
        self._most = most
        self._exempt = exempt
        self._open: Counter[str] = Counter()

    def is_flooding(self, address: str) -> bool:
        """Far too many: not even worth an answer."""
        return self._open[source_of(address)] >= 2 * self._most and not self._exempt(address)

    def enter(self, address: str) -> bool:
        """Count one more; False when it is one too many. Either way `leave` follows."""
        if self._exempt(address):
            return True
        source = source_of(address)
        self._open[source] += 1
        return self._open[source] <= self._most

    def leave(self, address: str) -> None:
        if self._exempt(address):
            return
        source = source_of(address)
        if self._open[source] > 1:
            self._open[source] -= 1
        else:
            self._open.pop(source, None)


class Seats:
    """How many connections there may be in all, links and others."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0

    @property
    def are_gone(self) -> bool:
        """Not even an answer that refuses somebody would have room."""
        return self._taken >= self._most + self._most // 8

    def enter(self) -> bool:
        """Count one more; False when it is one too many. Either way `leave` follows."""
        self._taken += 1
        return self._taken <= self._most

    def leave(self) -> None:
        self._taken -= 1


class Handshakes:
    """Connections whose TLS is not agreed yet: nobody's link, and they hold memory all the same."""

    def __init__(self, seats: Seats, addresses: Addresses) -> None:
        self._seats = seats
        self._addresses = addresses

    def enter(self, address: str) -> bool:
        """Count one more; False when it is one too many. Either way `leave` follows."""
        has_seat = self._seats.enter()
        return self._addresses.enter(address) and has_seat

    def leave(self, address: str) -> None:
        self._seats.leave()
        self._addresses.leave(address)


def host_name(host: str | None) -> str:
    """The name in a Host header, without its port, in lower case; "" where there is none."""
    if not host:
        return ""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
    return name.rstrip(".")


def forwarded_address(text: str) -> str:
    """The IP address in one entry of X-Forwarded-For, where some proxies add the port; or ""."""
    host, _, port = text.strip().rpartition(":")
    if port.isdecimal() and ("." in host or host.endswith("]")):
        return plain_address(host)
    return plain_address(text.strip())


def plain_address(text: str) -> str:
    """An IP address in its usual form, IPv4 where it is one inside IPv6; "" for anything else."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0].removeprefix("[").removesuffix("]"))
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)
