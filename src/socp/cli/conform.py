"""`socp conform`: judge a server, or a client, by the rules of the protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from socp.cli import exits
from socp.cli.choices import HELP

if TYPE_CHECKING:
    from socp.conform.results import Report, Result
    from socp.conform.rule import Rule

_URL: Final = "ws://host:port"


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
    type=click.Path(dir_okay=False),
    help="Also write the report as JUnit XML, for build servers.",
)
@click.option("--rules", is_flag=True, help="Only show the rules, as a table in Markdown.")
def command(url: str | None, json: bool, junit: str | None, rules: bool, **chosen: Any) -> int:
    """Judge a SOCP v1.3 server from outside, rule by rule.

    Each rule is one of the protocol's page: its section, how much it binds, what was sent, what
    came, what to change. A verdict is pass, fail, differs (in a way that others share, named), or
    skipped (why). It says hello as users and servers made for this run, slowly, and sends no
    flood; what people at that server would see is tried only with --throw-away.

    \b
    socp conform ws://localhost:8001
    socp conform ws://localhost:8001 --peer ws://localhost:8002 --throw-away
    socp conform ws://localhost:8001 --only '3.*' --json | jq '.rules[] | select(.verdict=="fail")'

    Exit code 0: every MUST holds; 1: a MUST is broken; 2: it could not be tried.
    """
    chosen_rules = _chosen(chosen.pop("only"))
    if rules:
        from socp.conform.report import as_table

        click.echo("\n".join(as_table(chosen_rules)))
        return exits.OK
    if url is None:
        raise click.UsageError(f"say whom to judge: socp conform {_URL}")
    if not chosen_rules:
        raise click.UsageError("no rule has such an id; `socp conform --rules` shows them")
    return exits.carried_out(lambda: _run(url, chosen_rules, chosen, json, junit), "conform")


def _chosen(globs: tuple[str, ...]) -> tuple[Rule[Any], ...]:
    from fnmatch import fnmatchcase

    from socp.conform.rules.table import SERVER_RULES

    def wanted(rule_id: str) -> bool:
        return not globs or any(fnmatchcase(rule_id, glob) for glob in globs)

    return tuple(rule for rule in SERVER_RULES if wanted(rule.id))


async def _run(
    url: str, rules: tuple[Rule[Any], ...], chosen: dict[str, Any], json: bool, junit: str | None
) -> int:
    from socp.conform.server_run import CannotRun, Order, judge_server

    order = Order(
        url=_checked(url),
        rules=rules,
        peer_url=_checked(chosen["peer"]) if chosen["peer"] else "",
        throw_away=chosen["throw_away"],
        quick=chosen["quick"],
    )
    try:
        report = await judge_server(order, _silence if json else _say)
    except CannotRun as fault:
        exits.complain(str(fault), "conform")
        return exits.USAGE
    return _reported(report, json=json, junit=junit)


def _checked(url: str) -> str:
    """Raises UsageError for what is no address of a server."""
    from socp.wire.addresses import parse_ws_url
    from socp.wire.errors import PeerFault

    try:
        parse_ws_url(url)
    except PeerFault as fault:
        raise click.UsageError(fault.detail) from fault
    return url


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
