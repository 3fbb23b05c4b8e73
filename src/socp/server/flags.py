"""The flags of `socp serve`, which are variables SOCP_... as well, and keys in a TOML file.

Their --help loads no more than this: keep it light.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from socp import __version__
from socp.server.faults import StartFault
from socp.wire import limits

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network
    from pathlib import Path

    from socp.node.settings import Federation, Joining
    from socp.server.config import Config
    from socp.storage.address import PostgresAddress
    from socp.wire.addresses import BootstrapEntry, HostPort

DEFAULT_PORT: Final = 8001
INTRODUCERS: Final = (8001, 8002, 8003)
NOBODY: Final = "none"
FEDERATIONS: Final = ("known", "open")
REGISTRATIONS: Final = ("open", "invite", "closed")
SIGN_THREADS_MAX: Final = 64
LEVELS: Final = ("trace", "debug", "info", "warning", "error")  # of the log
_SCHEME: Final = r"[A-Za-z][A-Za-z0-9+.-]*"
_WITH_PORT: Final = r":[0-9]+\Z"


def parse(arguments: Sequence[str]) -> Config | None:
    """The configuration, or StartFault; None when `--help` or `--version` said all there is."""
    try:
        values = command.main(list(arguments), prog_name="socp serve", standalone_mode=False)
    except click.ClickException as fault:
        from socp.wire.text import printable

        line = fault.format_message().rstrip(".").replace("\n", " ")
        raise StartFault(f"{printable(line)}; see --help") from fault
    return None if isinstance(values, int) else values


def _read_file(context: click.Context, _parameter: click.Parameter, path: str | None) -> None:
    """Make a TOML file the defaults of all else. Its keys are the flags without the dashes."""
    if path is None:
        return
    import difflib
    import tomllib
    from pathlib import Path

    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as fault:
        raise click.UsageError(f"cannot read {path}: {fault.strerror}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as fault:
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
        from socp.wire.errors import PeerFault

        try:
            return tuple(map(parse_one, value)) if isinstance(value, tuple) else parse_one(value)
        except PeerFault as fault:
            raise click.BadParameter(fault.detail) from fault
        except ValueError as fault:
            raise click.BadParameter(str(fault)) from fault

    return parsed


def _bootstrap(text: str) -> BootstrapEntry | None:
    from socp.wire.addresses import parse_ws_url

    return None if text == NOBODY else parse_ws_url(text)


def database(text: str) -> PostgresAddress:
    """As `PostgresAddress.parse`."""
    from socp.storage.address import PostgresAddress

    return PostgresAddress.parse(text)


def _federation(text: str) -> Federation:
    from socp.node.settings import Federation

    return Federation(text)


def _registration(text: str) -> Joining:
    from socp.node.settings import Joining

    return Joining(text)


def _advertised(text: str) -> HostPort:
    from socp.wire.addresses import parse_host_port

    return parse_host_port(text)


def _network(text: str) -> IPv4Network | IPv6Network:
    import ipaddress

    return ipaddress.ip_network(text)


def _given(text: str) -> str:
    """Raises ValueError for an empty value, which would be another folder, or all addresses."""
    if not text.strip():
        raise ValueError("it is empty; leave the option out or give it a value")
    return text


def _path(text: str) -> Path:
    from pathlib import Path

    return Path(_given(text))


def _memory(text: str) -> int:
    from socp.server import sizes

    size = sizes.parsed(text)
    if size < limits.MEMORY_BYTES_MIN:
        raise ValueError(f"a server needs {sizes.shown(limits.MEMORY_BYTES_MIN)} at least")
    return size


def _allowed_host(text: str) -> str:
    """A name or an address as a Host header has it, less the port."""
    from socp.wire.addresses import parse_host_port
    from socp.wire.errors import PeerFault
    from socp.wire.text import printable

    bare = text.removeprefix("[").removesuffix("]")
    try:
        return parse_host_port(f"[{bare}]:1" if ":" in bare else f"{bare}:1").host
    except PeerFault as fault:
        raise ValueError(
            f'"{printable(text)}" is no host name or address; write one, without a port'
        ) from fault


def _allowed_origin(text: str) -> str:
    """As a browser writes it: scheme and host, and the port where it is not the usual one."""
    import re

    from socp.wire.addresses import parse_host_port
    from socp.wire.errors import PeerFault
    from socp.wire.text import printable

    scheme, _, place = text.removesuffix("/").partition("://")
    try:
        if re.fullmatch(_SCHEME, scheme) is None:
            raise ValueError
        parse_host_port(place if re.search(_WITH_PORT, place) else f"{place}:1")
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
    type=click.Path(),
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
    callback=each(database),
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
    type=click.Choice(FEDERATIONS),
    default=FEDERATIONS[0],
    show_default=True,
    callback=each(_federation),
    help="Servers that may join: those known, or any.",
)
@click.option(
    "--registration",
    type=click.Choice(REGISTRATIONS),
    default=REGISTRATIONS[0],
    show_default=True,
    callback=each(_registration),
    help="Who may become a user: anybody, who has a code of `socp admin invite`, or nobody new.",
)
@click.option(
    "--list-users", is_flag=True, help="Let anybody who asks over HTTP have all users' ids."
)
@click.option("--ephemeral", is_flag=True, help="Keep key and state in memory alone.")
@click.option(
    "--advertise",
    metavar="HOST:PORT",
    callback=each(_advertised),
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
    callback=each(_network),
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
    "--sign-threads",
    type=click.IntRange(1, SIGN_THREADS_MAX),
    metavar="N",
    help="Sign for clients and servers without fast-sig/1 in so many threads.  [default: one a"
    " core]",
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
    "--memory",
    default="1G",
    callback=each(_memory),
    show_default=True,
    metavar="SIZE",
    help="Memory for all of it, such as 256M; newcomers are refused before there is more.",
)
@click.option(
    "--log-level",
    type=click.Choice(LEVELS),
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
    from socp.server.config import Config
    from socp.wire.addresses import BootstrapEntry, HostPort

    asked: tuple[BootstrapEntry | None, ...] = values.pop("bootstrap")
    given = tuple(entry for entry in asked if entry is not None)
    default = tuple(BootstrapEntry(HostPort("localhost", port)) for port in INTRODUCERS)
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    others: dict[str, Any] = {**values, **lists}
    return Config(bootstrap=given if asked else default, bootstrap_given=bool(asked), **others)
