"""`socp bench`: what a server costs, beside what the machine could do at best."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from socp.cli import exits
from socp.cli.choices import HELP, NewFile, Number

if TYPE_CHECKING:
    from socp.bench.figures import Report

BENCHES: Final = {
    "direct": "direct messages: signing, routing, fast-sig/1",
    "public": "posts to 1,000, and what those cost who do not read",
    "federated": "messages between two servers",
    "presence": "users who come",
    "mailbox": "messages to those away, on the disk before they are acknowledged",
    "hostile": "frames made to hurt",
    "files": "files between two servers",
    "start": "how soon a command and a server are there",
    "idle": "memory of 10,000 links that say nothing",
    "hello": "a hello beside 10,000 others",
}
REMOTE: Final = ("direct", "public", "mailbox")
"""What can be measured of a server whose process is out of sight."""
ALL: Final = "all"
COMPARE: Final = "compare"


def _offered(context: click.Context, _argument: click.Parameter, begun: str) -> list[str]:
    """What Tab offers."""
    given = context.params.get("what") or ()
    offers = [*BENCHES, ALL, *(() if given else (COMPARE,))]
    return [each for each in offers if each.startswith(begun) and each not in given]


@click.command(context_settings=HELP)
@click.argument(
    "what",
    nargs=-1,
    metavar="[BENCH...|compare OLD.json NEW.json]",
    shell_complete=_offered,
)
@click.option(
    "--json",
    "json_file",
    type=NewFile(),
    metavar="FILE",
    help="Also write the report as JSON.",
)
@click.option(
    "--report",
    "page",
    type=NewFile(),
    metavar="FILE",
    help="Also write it as a page with plots.",
)
@click.option("--quick", is_flag=True, help="Small and soon; fails only far from a goal.")
@click.option("--url", metavar="URL", help="Load the server there, any that speaks SOCP v1.3.")
@click.option(
    "--scale",
    type=Number(0.01, 10),
    help="Numbers of users and messages, times this.  [default: 1, with --quick 0.1]",
)
@click.option(
    "--pairs",
    type=click.IntRange(1, 100),
    help="Measurements of each figure.  [default: 5, with --quick 2]",
)
def command(what: tuple[str, ...], json_file: str | None, page: str | None, **chosen: Any) -> int:
    """Measure a server, each figure beside a named reference in the same run.

    Its servers are `socp serve` with default settings and folders of their own; the load is this
    process. Each pair is reference, ours, reference; one is repeated when the reference moved by
    more than a tenth. A busy machine makes spreads wide; ratios stay.

    \b
    socp bench all --json today.json --report today.html
    socp bench direct idle --scale 0.5
    socp bench direct --url ws://localhost:8001
    socp bench compare before.json today.json

    BENCH is any of direct, public, federated, presence, mailbox, hostile, files, start, idle,
    hello, or all. With --url: direct, public, mailbox.

    Exit code 0: every goal that was measured is met (with --quick: none is missed by half); 1: one
    is not, or could not be measured; 2: it could not begin.
    """
    if what and what[0] == COMPARE:
        return _compared(what[1:])
    every = REMOTE if chosen["url"] else tuple(BENCHES)
    wanted = every if not what or ALL in what else what
    for name in wanted:
        if name not in BENCHES:
            raise click.UsageError(f"no bench {name!r}; there are {', '.join(BENCHES)} and {ALL}")
    if chosen["url"] is not None:
        _check(chosen["url"])
    try:
        report = _measured(wanted, chosen)
    except ImportError as fault:
        exits.complain(f"measures on Unix alone ({fault})", "bench")
        return exits.USAGE
    return _told(report, json_file, page)


def _check(url: str) -> None:
    """Raises UsageError for what is no address of a server."""
    from socp.conform.reaching import BadAddress, checked

    try:
        checked(url)
    except BadAddress as fault:
        raise click.UsageError(str(fault)) from fault


def _measured(wanted: tuple[str, ...], chosen: dict[str, Any]) -> Report:
    from socp.bench import run, table

    signal.signal(signal.SIGTERM, _stop)
    order = run.Order(
        benches=wanted,
        url=chosen["url"] or "",
        scale=chosen["scale"],
        pairs=chosen["pairs"],
        quick=chosen["quick"],
    )
    return run.run(
        order,
        lambda line: click.echo(line, err=True),
        lambda figure: click.echo(table.one_line(figure), err=True),
    )


def _stop(*_: object) -> None:
    """So that the servers end with us."""
    sys.exit(exits.STOPPED)


def _told(report: Report, json_file: str | None, page: str | None) -> int:
    """Print it, and write what was asked for; the exit code."""
    from socp.bench import figures, table

    click.echo("\n".join(table.lines(report)))
    kept = True
    if json_file is not None:
        kept = _write(json_file, figures.written(report))
    if page is not None:
        from socp.bench import page as pages

        kept = _write(page, "\n".join(pages.lines(report)).encode()) and kept
    sys.stdout.flush()
    return exits.OK if kept and not (report.missed or report.skipped) else exits.FAILED


def _compared(files: tuple[str, ...]) -> int:
    from socp.bench import comparison

    if len(files) != 2:
        raise click.UsageError("compare two reports: socp bench compare OLD.json NEW.json")
    old, new = (_read(file) for file in files)
    found = comparison.compared(old, new)
    click.echo("\n".join(comparison.lines(old, new, found)))
    return exits.FAILED if any(each.is_worse for each in found) else exits.OK


def _read(file: str) -> Report:
    from pathlib import Path

    from socp.bench import figures

    try:
        return figures.read(Path(file).read_bytes())
    except OSError as fault:
        raise click.UsageError(f"{file}: {fault.strerror}") from fault
    except figures.BadReport as fault:
        raise click.UsageError(f"{file}: {fault}") from fault


def _write(file: str, data: bytes) -> bool:
    """False where it does not fit there, which is said: the table was shown, and the other file
    may have room."""
    from pathlib import Path

    try:
        Path(file).write_bytes(data)
    except OSError as fault:
        exits.complain(f"cannot write {file}: {fault.strerror}", "bench")
        return False
    return True
