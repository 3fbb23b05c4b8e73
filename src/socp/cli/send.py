"""`socp send`: one message, and what became of it."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

import click

from socp.cli import exits
from socp.cli.choices import HELP, Options, as_json, waiting, whose

if TYPE_CHECKING:
    from socp.cli.errand import Errand
    from socp.client.line import Line

TEXT_BYTES_MAX: Final = 1024 * 1024


@click.command(context_settings=HELP)
@click.argument("to", metavar="TO")
@click.argument("text", metavar="[TEXT|-]", required=False)
@whose
@waiting("How long to wait until it is handed over.")
@as_json
def command(to: str, text: str | None, wait_s: float, json: bool, **options: str | None) -> int:
    """Say TEXT to one person, or to everyone.

    TO is a name as `socp list` shows it, the start of an id, or "all". Without TEXT, or with -,
    what comes on standard input is the message. A message that cannot go yet is kept, and goes when
    the profile is used again.

    \b
    socp send bob "the build is done"
    make 2>&1 | tail -n 20 | socp send bob
    socp send all - < notes.txt

    Exit code 0: handed over, to them or to a server that keeps it for them; 1: refused, nobody is
    called that, or it still waits; 2: it could not begin.
    """
    # Standard input is read outside the loop, where Ctrl-C works.
    return exits.carried_out(lambda: _send(options, to, _text(text), wait_s, json=json), "send")


def _send(
    options: Options, to: str, text: str, wait_s: float, *, json: bool
) -> Coroutine[Any, Any, int]:
    from socp.cli import errand
    from socp.cli.whose import Whose

    async def work(doing: Errand) -> int:
        line = await doing.me.send(await doing.patience.addressee(to), text)
        await doing.patience.until(lambda: line.over, wait_s)
        return _said(doing, line)

    return errand.run(Whose(**options), work, json=json, verb="send")


def _said(doing: Errand, line: Line) -> int:
    from socp.client.clock import now_ms
    from socp.member.records import LineState

    refused = line.state is LineState.REFUSED
    if doing.json:
        doing.say_json(doing.events.event(line.last))
    elif not line.over:
        doing.printer.complain(f"not sent yet, and kept: {line.reason or 'it is on its way'}")
    elif refused:
        doing.printer.aside(doing.phrases.own_moved(line.last, now_ms()))
    else:
        doing.say(doing.phrases.own(line.last, now_ms()))
    return exits.OK if line.over and not refused else exits.FAILED


def _text(given: str | None) -> str:
    """What to say. BadName."""
    from socp.talk.places import BadName
    from socp.wire.text import encodable

    text = _read() if given in (None, "-") else encodable(given or "")
    if not text.strip():
        raise BadName("there is no text to send; write it, or give it on standard input")
    return text


def _read() -> str:
    """All of standard input, without the end of its last line. BadName."""
    from socp.talk.places import BadName

    if sys.stdin.isatty():
        sys.stderr.write("type the message; Ctrl-D on a line of its own ends it\n")
    data = sys.stdin.buffer.read(TEXT_BYTES_MAX + 1)
    if len(data) > TEXT_BYTES_MAX:
        raise BadName("the text is too long; send it as a file")
    try:
        return data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise BadName("the text is not UTF-8; send it as a file") from None
