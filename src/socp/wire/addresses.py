"""Where a server listens: "host:port", and "ws://host:port#fingerprint" in bootstrap lists."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from socp.wire.errors import Code, PeerFault
from socp.wire.text import printable

_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_NAME: Final = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,252}")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
_PORT_MAX: Final = 65535
_SHOWN_COLUMNS: Final = 80
_URL_FORM: Final = "ws://host:port or ws://host:port#fingerprint, the fingerprint in 64 hex digits"


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host in lower case (a name, an IPv4 or, without brackets, an IPv6 address) and its port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class BootstrapEntry:
    """One introducer: its address, whether to use TLS, its key's fingerprint where it is known."""

    address: HostPort
    tls: bool = False
    fingerprint: str | None = None


def parse_host_port(text: str) -> HostPort:
    """The address in "host:port" or "[v6]:port". PeerFault(BAD_FRAME) for anything else."""
    host, _, port = text.rpartition(":")
    if _PORT.fullmatch(port) is None or int(port) > _PORT_MAX:
        raise _fault(text, "host:port, the port from 1 to 65535")
    return HostPort(_host(host.lower(), text), int(port))


def parse_ws_url(text: str) -> BootstrapEntry:
    """The introducer in "ws://host:port" or "wss://host:port", with "#fingerprint" where known.

    PeerFault(BAD_FRAME), whose detail shows the right form, for anything else.
    """
    scheme, _, rest = text.partition("://")
    address, hashed, fingerprint = rest.partition("#")
    fingerprint = fingerprint.lower()
    if scheme.lower() not in ("ws", "wss") or not rest:
        raise _fault(text, _URL_FORM)
    if hashed and _FINGERPRINT.fullmatch(fingerprint) is None:
        raise _fault(text, _URL_FORM)
    return BootstrapEntry(
        parse_host_port(address.removesuffix("/")),
        tls=scheme.lower() == "wss",
        fingerprint=fingerprint or None,
    )


def is_loopback(host: str) -> bool:
    """True for a host that is this machine by its text alone: localhost, 127/8 or ::1."""
    bare = host.lower().removeprefix("[").removesuffix("]").removesuffix(".")
    if bare == "localhost":
        return True
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def source_of(address: str) -> str:
    """What counts as one source: an IPv4 address, or the /64 of an IPv6 one, which is one line."""
    try:
        found = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    network = ipaddress.IPv6Network((int(found) >> 64 << 64, 64))
    return str(network)


def _host(host: str, text: str) -> str:
    if not (host.startswith("[") and host.endswith("]")):
        if _NAME.fullmatch(host) is None:
            raise _fault(text, "host:port, or [host]:port for IPv6")
        return host
    try:
        if "%" in host:
            raise ValueError
        return ipaddress.IPv6Address(host[1:-1]).compressed
    except ValueError:
        raise _fault(text, "[host]:port with an IPv6 address and no zone") from None


def _fault(text: str, form: str) -> PeerFault:
    shown = printable(text, width=_SHOWN_COLUMNS)
    return PeerFault(Code.BAD_FRAME, f'"{shown}" is not an address; write {form}')
