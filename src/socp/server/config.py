"""What was asked of a server, checked (`flags` says how it is asked)."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from socp.node.budget import Budget
from socp.node.settings import Federation, Joining, Settings
from socp.server import places
from socp.server.guard import Guard, Network, host_name
from socp.storage.address import PostgresAddress
from socp.wire import limits
from socp.wire.addresses import BootstrapEntry, HostPort, is_loopback

_WILDCARDS: Final = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True, slots=True)
class Config:
    """What was asked for, checked. `folder` is None where nothing is kept (`--ephemeral`)."""

    host: str
    port: int
    data_dir: Path | None
    database: PostgresAddress | None
    bootstrap: tuple[BootstrapEntry, ...]
    bootstrap_given: bool
    federation: Federation
    registration: Joining
    list_users: bool
    ephemeral: bool
    advertise: HostPort | None
    tls_cert: Path | None
    tls_key: Path | None
    allow_origin: tuple[str, ...]
    allow_host: tuple[str, ...]
    trusted_proxy: tuple[Network, ...]
    max_per_address: int
    sign_threads: int | None  # None: one a core
    mailbox_messages: int
    mailbox_mib: int
    mailbox_days: int
    mailboxes_mib: int
    memory: int  # bytes
    log_level: str
    log_format: str

    def folder(self, port: int) -> Path:
        """The data folder of a server on `port`, as short as it can be written here."""
        folder = self.data_dir or places.default_data_folder(port)
        try:
            here = Path.cwd()
        except OSError:  # a folder that was removed around us
            return folder
        folder = here / folder
        return folder.relative_to(here) if folder.is_relative_to(here) else folder

    def address(self, port: int) -> HostPort:
        """What other servers are told to dial."""
        if self.advertise is not None:
            return self.advertise
        host = socket.gethostname() if self.host in _WILDCARDS else self.host
        return HostPort(host.lower(), port)

    def settings(self, server_id: str, port: int) -> Settings:
        """What the brain needs of all this."""
        own = self.address(port)
        others = tuple(entry for entry in self.bootstrap if not _is_self(entry.address, own, port))
        return Settings(
            server_id=server_id,
            address=own,
            bootstrap=others,
            bootstrap_given=self.bootstrap_given,
            federation=self.federation,
            registration=self.registration,
            lists_users=self.list_users,
            admin_hint=places.admin_command(self.folder(port).absolute()),
            mailbox_messages=self.mailbox_messages,
            mailbox_bytes=self.mailbox_mib * limits.MIB,
            mailbox_days=self.mailbox_days,
            mailboxes_bytes=self.mailboxes_mib * limits.MIB,
            budget=Budget(self.memory),
        )

    def guard(self, port: int) -> Guard:
        """Whom the front door lets in."""
        hosts = {"localhost", "127.0.0.1", "::1", self.address(port).host, *self.allow_host}
        if self.host not in _WILDCARDS:
            hosts.add(self.host)
        return Guard(
            hosts=frozenset(host_name(h if ":" not in h else f"[{h.strip('[]')}]") for h in hosts),
            origins=frozenset(origin.lower().rstrip("/") for origin in self.allow_origin),
            proxies=self.trusted_proxy,
        )


def _is_self(address: HostPort, own: HostPort, port: int) -> bool:
    return address == own or (is_loopback(address.host) and address.port == port)
