"""The configuration: a flag, else an environment variable SOCP_..., else a key in a TOML file."""

from __future__ import annotations

import difflib
import ipaddress
import re
import socket
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from socp import __version__
from socp.node.settings import Federation, Joining, Settings
from socp.server import logs, places
from socp.server.faults import StartFault
from socp.server.guard import Guard, Network, host_name
from socp.storage.address import PostgresAddress
from socp.wire import limits
from socp.wire.addresses import BootstrapEntry, HostPort, is_loopback, parse_host_port, parse_ws_url
from socp.wire.errors import PeerFault
from socp.wire.text import printable

DEFAULT_PORT: Final = 8001
INTRODUCERS: Final = (8001, 8002, 8003)
NOBODY: Final = "none"
_WILDCARDS: Final = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_WITH_PORT: Final = re.compile(r":[0-9]+\Z")


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
    mailbox_messages: int
    mailbox_mib: int
    mailbox_days: int
    mailboxes_mib: int
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


def parse(arguments: Sequence[str]) -> Config | None:
    """The configuration, or StartFault; None when `--help` or `--version` said all there is."""
    try:
        values = command.main(list(arguments), prog_name="socp serve", standalone_mode=False)
    except click.ClickException as fault:
        line = fault.format_message().rstrip(".").replace("\n", " ")
        raise StartFault(f"{printable(line)}; see --help") from fault
    return values if isinstance(values, Config) else None


def _read_file(context: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    """Make a TOML file the defaults of all else. Its keys are the flags without the dashes."""
    if path is None:
        return
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise click.UsageError(f"cannot read {path}: {fault.strerror}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise click.UsageError(f"{path} is not TOML: {fault}") from fault
    names = {
        p.name: p for p in context.command.params if p.name not in ("config", "version", "help")
    }
    defaults: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in names:
            near = difflib.get_close_matches(name, [str(n) for n in names], 1)
            hint = f"; did you mean {near[0].replace('_', '-')}?" if near else ""
            raise click.UsageError(f'{path} has an unknown key "{key}"{hint}')
        flaw = _toml_flaw(names[name], value)
        if flaw is not None:
            raise click.UsageError(f'"{key}" in {path} must be {flaw}')
        defaults[name] = value
    context.default_map = defaults


def _toml_flaw(parameter: click.Parameter, value: object) -> str | None:
    """What a value in the file must be, where it is not that: click takes nearly anything."""
    wanted: type = str
    kind = "a text"
    if isinstance(parameter.type, click.IntRange):
        wanted, kind = int, "a whole number"
    elif isinstance(parameter.type, click.types.BoolParamType):
        wanted, kind = bool, "true or false"
    if parameter.multiple and not isinstance(value, list):
        return f"a list, each item {kind}"
    items = value if isinstance(value, list) and parameter.multiple else [value]
    if any(type(item) is not wanted for item in items):  # a bool is an int too
        return f"a list, each item {kind}" if parameter.multiple else kind
    if any(isinstance(item, str) and "\0" in item for item in items):
        return "without null characters"
    return None


def each(parse_one: Callable[[str], object]) -> Callable[..., Any]:
    """A click callback that parses one text or several, and says in one line what is wrong."""

    def parsed(_context: click.Context, _parameter: click.Parameter, value: Any) -> Any:
        if value is None:
            return None
        try:
            return tuple(map(parse_one, value)) if isinstance(value, tuple) else parse_one(value)
        except PeerFault as fault:
            raise click.BadParameter(fault.detail) from fault
        except ValueError as fault:
            raise click.BadParameter(str(fault)) from fault

    return parsed


def _bootstrap(text: str) -> BootstrapEntry | None:
    return None if text == NOBODY else parse_ws_url(text)


def _given(text: str) -> str:
    """Raises ValueError for an empty value, which would be another folder, or all addresses."""
    if not text.strip():
        raise ValueError("it is empty; leave the option out or give it a value")
    return text


def _path(text: str) -> Path:
    return Path(_given(text))


def _allowed_host(text: str) -> str:
    """A name or an address as a Host header has it, less the port."""
    bare = text.removeprefix("[").removesuffix("]")
    try:
        return parse_host_port(f"[{bare}]:1" if ":" in bare else f"{bare}:1").host
    except PeerFault as fault:
        raise ValueError(
            f'"{printable(text)}" is no host name or address; write one, without a port'
        ) from fault


def _allowed_origin(text: str) -> str:
    """As a browser writes it: scheme and host, and the port where it is not the usual one."""
    scheme, _, place = text.removesuffix("/").partition("://")
    try:
        if _SCHEME.fullmatch(scheme) is None:
            raise ValueError
        parse_host_port(place if _WITH_PORT.search(place) else f"{place}:1")
    except (PeerFault, ValueError) as fault:
        raise ValueError(
            f'"{printable(text)}" is no origin of web pages; write scheme://host or'
            " scheme://host:port, such as https://chat.example"
        ) from fault
    return text


@click.command(
    context_settings={"auto_envvar_prefix": "SOCP", "help_option_names": ["-h", "--help"]},
    help="Run a SOCP v1.3 chat server.",
    epilog="Each flag is also an environment variable (--data-dir is SOCP_DATA_DIR) and a key in"
    " the TOML file (data-dir).",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_read_file,
    help="Read defaults from this TOML file.",
)
@click.option(
    "--host",
    default="localhost",
    callback=each(_given),
    show_default=True,
    help="Listen here; localhost is 127.0.0.1 and ::1, 0.0.0.0 all of IPv4.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Listen on this port; 0 takes a free one.",
)
@click.option(
    "--data-dir",
    metavar="PATH",
    callback=each(_path),
    help="Keep key and state here.  [default: var/PORT in the project's folder]",
)
@click.option(
    "--database",
    metavar="URL",
    callback=each(PostgresAddress.parse),
    help="Keep state in PostgreSQL, postgresql://USER:PASSWORD@HOST/NAME; better given as"
    " SOCP_DATABASE, which other users do not see.  [default: a file in --data-dir]",
)
@click.option(
    "--bootstrap",
    multiple=True,
    metavar="URL",
    callback=each(_bootstrap),
    help="Introduce us at ws://host:port or ws://host:port#FINGERPRINT; repeatable; `none` for"
    " nobody.  [default: localhost 8001, 8002 and 8003]",
)
@click.option(
    "--federation",
    type=click.Choice([kind.value for kind in Federation]),
    default=Federation.KNOWN.value,
    show_default=True,
    callback=each(Federation),
    help="Servers that may join: those known, or any.",
)
@click.option(
    "--registration",
    type=click.Choice([kind.value for kind in Joining]),
    default=Joining.OPEN.value,
    show_default=True,
    callback=each(Joining),
    help="Who may become a user: anybody, who has a code of `socp admin invite`, or nobody new.",
)
@click.option(
    "--list-users", is_flag=True, help="Let anybody who asks over HTTP have all users' ids."
)
@click.option("--ephemeral", is_flag=True, help="Keep key and state in memory alone.")
@click.option(
    "--advertise",
    metavar="HOST:PORT",
    callback=each(parse_host_port),
    help="What other servers are told to dial.",
)
@click.option(
    "--tls-cert",
    metavar="PATH",
    callback=each(_path),
    help="Certificate chain, PEM; read again on SIGHUP.",
)
@click.option("--tls-key", metavar="PATH", callback=each(_path), help="Its private key, PEM.")
@click.option(
    "--allow-origin",
    multiple=True,
    metavar="URL",
    callback=each(_allowed_origin),
    help="Pages of this origin may connect, such as https://chat.example; repeatable.",
)
@click.option(
    "--allow-host",
    multiple=True,
    metavar="NAME",
    callback=each(_allowed_host),
    help="Answer requests to this host name too; repeatable.",
)
@click.option(
    "--trusted-proxy",
    multiple=True,
    metavar="ADDRESS",
    callback=each(ipaddress.ip_network),
    help="Believe X-Forwarded-For from this address or network; repeatable.",
)
@click.option(
    "--max-per-address",
    type=click.IntRange(min=1),
    default=limits.CONNECTIONS_PER_ADDRESS,
    show_default=True,
    help="Connections from one address, loopback excepted.",
)
@click.option(
    "--mailbox-messages",
    type=click.IntRange(2, 1_000_000),
    default=limits.MAILBOX_MESSAGES,
    show_default=True,
    help="Pieces of mail kept for one user who is away; half of them by one author.",
)
@click.option(
    "--mailbox-mib",
    type=click.IntRange(1, 65_536),
    default=limits.MAILBOX_BYTES // limits.MIB,
    show_default=True,
    metavar="MIB",
    help="The same in MiB.",
)
@click.option(
    "--mailbox-days",
    type=click.IntRange(1, limits.MAILBOX_DAYS),
    default=limits.MAILBOX_DAYS,
    show_default=True,
    metavar="DAYS",
    help="How long mail is kept.",
)
@click.option(
    "--mailboxes-mib",
    type=click.IntRange(min=1),
    default=limits.MAILBOXES_BYTES // limits.MIB,
    show_default=True,
    metavar="MIB",
    help="All mailboxes of this server together, in MiB.",
)
@click.option(
    "--log-level",
    type=click.Choice(logs.LEVELS),
    default="info",
    show_default=True,
    help="trace shows every frame, shortened.",
)
@click.option(
    "--log-format",
    type=click.Choice(["plain", "json"]),
    default="plain",
    show_default=True,
    help="How log lines look on standard error.",
)
@click.version_option(__version__, message="socp %(version)s (SOCP v1.3)", allow_from_autoenv=False)
def command(**values: Any) -> Config:
    """Check what belongs together."""
    if (values["tls_cert"] is None) != (values["tls_key"] is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    if values["ephemeral"] and values["database"] is not None:
        raise click.UsageError("--ephemeral keeps nothing, and --database keeps it; choose one")
    asked: tuple[BootstrapEntry | None, ...] = values.pop("bootstrap")
    given = tuple(entry for entry in asked if entry is not None)
    default = tuple(BootstrapEntry(HostPort("localhost", port)) for port in INTRODUCERS)
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    others: dict[str, Any] = {**values, **lists}
    return Config(bootstrap=given if asked else default, bootstrap_given=bool(asked), **others)
