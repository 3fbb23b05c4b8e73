"""`socp conform`: judge a server, or a client, by the rules of the protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from socp.cli import exits
from socp.cli.choices import HELP, NewFile, Number

if TYPE_CHECKING:
    from socp.conform.listen.house import House
    from socp.conform.results import Report, Result
    from socp.conform.rule import Rule

_URL: Final = "ws://host:port"
_PORT_MAX: Final = 65_535


@click.command(context_settings=HELP)
@click.argument("url", metavar=f"[{_URL}]", required=False)
@click.option(
    "--peer",
    metavar="URL",
    help="Another server, linked with this one: also try what needs two.",
)
@click.option(
    "--throw-away",
    is_flag=True,
    help="The server is one for tests: also try what people at it would see, such as posts.",
)
@click.option(
    "--listen",
    metavar="[HOST:]PORT",
    help="Be a server instead, and judge the client or server that attaches to it.",
)
@click.option(
    "--wait",
    "wait_s",
    type=Number(0, 3_600),
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="With --listen: how long to wait for what a person must have the client do.",
)
@click.option("--quick", is_flag=True, help="Leave out what waits for more than a few seconds.")
@click.option(
    "--only",
    multiple=True,
    metavar="GLOB",
    help="Try only rules whose id fits, such as '3.*' or '*ack*'; repeatable.",
)
@click.option("--json", is_flag=True, help="The report as one JSON object.")
@click.option(
    "--junit",
    metavar="FILE",
    type=NewFile(),
    help="Also write the report as JUnit XML, for build servers.",
)
@click.option("--rules", is_flag=True, help="Only show the rules, as a table in Markdown.")
def command(url: str | None, rules: bool, listen: str | None, **chosen: Any) -> int:
    """Judge a SOCP v1.3 server from outside, rule by rule; with --listen a client, or a server
    that dials.

    Each rule is one of the protocol's page: its section, how much it binds, what was sent, what
    came, what to change. A verdict is pass, fail, differs (in a way that others share, named), or
    skipped (why). It says hello as users and servers made for this run, slowly, and sends no
    flood; what people at that server would see is tried only with --throw-away.

    \b
    socp conform ws://localhost:8001
    socp conform ws://localhost:8001 --peer ws://localhost:8002 --throw-away
    socp conform ws://localhost:8001 --only '3.*' --json | jq '.rules[] | select(.verdict=="fail")'
    socp conform --listen 9009

    Exit code 0: every MUST that was tried holds; 1: a MUST is broken; 2: nothing could be judged
    (nobody is there, or nobody who speaks SOCP; an option is wrong), and one line says why.
    """
    if url is not None and listen is not None:
        raise click.UsageError("--listen waits for whom to judge; leave the address out")
    if rules:
        return _shown(chosen["only"], json=chosen["json"])
    wanted = _chosen(chosen["only"], guests=listen is not None)
    if not wanted:
        raise click.UsageError("no rule has such an id; `socp conform --rules` shows them")
    if listen is not None:
        return exits.carried_out(lambda: _hear(listen, wanted, chosen), "conform")
    if url is None:
        raise click.UsageError(f"say whom to judge: socp conform {_URL}, or --listen PORT")
    return exits.carried_out(lambda: _run(url, wanted, chosen), "conform")


def _chosen(globs: tuple[str, ...], *, guests: bool) -> tuple[Rule[Any], ...]:
    """The rules for a guest, or for a server, whose id fits."""
    from fnmatch import fnmatchcase

    from socp.conform.listen.run import GUEST_RULES
    from socp.conform.rules.table import SERVER_RULES

    def wanted(rule_id: str) -> bool:
        return not globs or any(fnmatchcase(rule_id, glob) for glob in globs)

    every: tuple[Rule[Any], ...] = GUEST_RULES if guests else SERVER_RULES
    return tuple(rule for rule in every if wanted(rule.id))


def _shown(globs: tuple[str, ...], *, json: bool) -> int:
    """The rules themselves, on standard output."""
    from socp.conform.report import as_page, rules_as_json

    servers, guests = _chosen(globs, guests=False), _chosen(globs, guests=True)
    text = rules_as_json((*servers, *guests)) if json else "\n".join(as_page(servers, guests))
    click.echo(text)
    return exits.OK


async def _run(url: str, rules: tuple[Rule[Any], ...], chosen: dict[str, Any]) -> int:
    from socp.conform.server_run import CannotRun, Order, judge_server

    order = Order(
        url=_checked(url),
        rules=rules,
        peer_url=_checked(chosen["peer"]) if chosen["peer"] else "",
        throw_away=chosen["throw_away"],
        quick=chosen["quick"],
    )
    try:
        report = await judge_server(order, _silence if chosen["json"] else _say)
    except CannotRun as fault:
        exits.complain(str(fault), "conform")
        return exits.USAGE
    return _reported(report, json=chosen["json"], junit=chosen["junit"])


async def _hear(listen: str, rules: tuple[Rule[Any], ...], chosen: dict[str, Any]) -> int:
    from socp.conform.listen.run import Door, judge_guest
    from socp.conform.server_run import CannotRun

    host, port = place(listen)
    door = Door(host, port, rules, wait_s=chosen["wait_s"])
    try:
        report = await judge_guest(
            door,
            _silence if chosen["json"] else _say,
            lambda house: _invite(house, dialled(host)),
        )
    except CannotRun as fault:
        exits.complain(str(fault), "conform")
        return exits.USAGE
    return _reported(report, json=chosen["json"], junit=chosen["junit"])


def place(text: str) -> tuple[str, int]:
    """Host and port in "[HOST:]PORT", loopback where no host is said."""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > _PORT_MAX:
        raise click.UsageError(f"--listen {text}: write PORT or HOST:PORT")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)


def dialled(host: str) -> str:
    """Who listens at `host`, as it stands in an address for somebody on this machine."""
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - how all addresses are called
    host = loopback.get(host, host)
    return f"[{host}]" if ":" in host else host


def _invite(house: House, host: str) -> None:
    """Where the door is, and what to do: on standard error, beside the report."""
    lines = (
        f"attach a client to ws://{host}:{house.port}, or have a server dial it:",
        f"  --bootstrap ws://{host}:{house.port}#{house.who.key.public.fingerprint}",
        f"and have the client send a message to {house.bob.id}, and ask for the list;",
        f"if it has hybrid/1, two messages and a file of 8 MiB to {house.hal.id}",
    )
    click.echo("\n".join(lines), err=True)


def _checked(url: str) -> str:
    """Raises UsageError for what is no address of a server."""
    from socp.conform.reaching import BadAddress, checked

    try:
        return checked(url)
    except BadAddress as fault:
        raise click.UsageError(str(fault)) from fault


def _say(result: Result) -> None:
    from socp.conform.report import told

    click.echo("\n".join(told(result)))


_silence: Callable[[Result], None] = lambda _result: None  # noqa: E731 - the report comes whole


def _reported(report: Report, *, json: bool, junit: str | None) -> int:
    """Write the report; the exit code."""
    from socp.conform.report import as_json, as_junit, summary

    click.echo(as_json(report) if json else "\n".join(("", *summary(report))))
    if junit is not None:
        try:
            with open(junit, "wb") as file:
                file.write(as_junit(report))
        except OSError as fault:
            exits.complain(f"cannot write {junit}: {fault.strerror}", "conform")
            return exits.USAGE
    return exits.OK if report.holds else exits.FAILED
