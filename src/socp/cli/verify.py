"""`socp verify`: compare keys with somebody, and decide about a key that changed."""

from __future__ import annotations

import os
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

import click

from socp.cli import exits
from socp.cli.choices import HELP, Options, as_json, whose

if TYPE_CHECKING:
    from socp.cli.errand import Errand
    from socp.talk.qr import Ink

CHANGED: Final = 3
"""The exit code where another key is claimed for them, and is not decided about."""
_TYPED_BYTES_MAX: Final = 4_096


@click.command(context_settings=HELP)
@click.argument("who", metavar="WHO")
@click.argument("digits", metavar="[DIGITS|-]", nargs=-1)
@click.option(
    "--accept",
    "decision",
    flag_value="accept",
    help="Take the key that is claimed for WHO; with DIGITS only if they are its numbers.",
)
@click.option(
    "--keep", "decision", flag_value="keep", help="Keep the known key, and refuse the claimed one."
)
@click.option("--undo", "decision", flag_value="undo", help="WHO is not verified any more.")
@whose
@as_json
def command(
    who: str, digits: tuple[str, ...], decision: str | None, json: bool, **options: str | None
) -> int:
    """Be sure that WHO is WHO: compare the 60 digits that only your two keys make.

    Without DIGITS they are shown, with a QR code that says the same. WHO's client shows the same
    ones, or somebody stands between you. Compare them by another way than this chat: let WHO read
    theirs out and type them, or have a camera read their QR code. Then WHO is verified.

    \b
    socp verify bob
    socp verify bob 12345 67890 12345 67890 12345 67890 12345 67890 12345 67890 12345 67890
    zbarcam --raw --oneshot | socp verify bob -

    Where bob's key changed, nothing is sent to him until you decide. His numbers compared: if they
    are those of the known key, that is kept; if those of the claimed one, --accept takes it.

    Exit code 0: shown, or it is as you said; 1: the numbers differ, nobody is called that, or there
    is nothing to decide; 2: it could not begin; 3: shown, and WHO's key has CHANGED.
    """
    if decision in ("keep", "undo") and digits:
        raise click.UsageError(f"--{decision} takes no digits")
    # Standard input is read outside the loop, where Ctrl-C works.
    return exits.carried_out(
        lambda: _verify(options, who, _typed(digits), decision, json=json), "verify"
    )


def _typed(digits: tuple[str, ...]) -> str:
    """What is to be compared, "" for nothing."""
    if digits != ("-",):
        return " ".join(digits)
    read = sys.stdin.buffer.read(_TYPED_BYTES_MAX).decode(errors="replace").strip()
    return read or "nothing"  # which is no safety number, while "" would only ask for it


def _verify(
    options: Options, who: str, digits: str, decision: str | None, *, json: bool
) -> Coroutine[Any, Any, int]:
    from socp.cli import errand
    from socp.cli.whose import Whose

    async def work(doing: Errand) -> int:
        user_id = await _known(doing, who)
        await _decide(doing, user_id, digits, decision)
        if digits or decision:
            return _decided(doing, user_id)
        return _shown(doing, user_id)

    return errand.run(Whose(**options), work, json=json, verb="verify")


async def _known(doing: Errand, who: str) -> str:
    """Their id, with their key pinned where anybody knows it."""
    from socp.client.errors import UnknownKey

    user_id = await doing.patience.find(who)
    try:
        doing.me.safety_number(user_id)
    except UnknownKey:
        await doing.patience.attached()
        await doing.me.look_up(user_id)
    return user_id


async def _decide(doing: Errand, user_id: str, digits: str, decision: str | None) -> None:
    match decision:
        case "accept":
            await doing.me.accept_key(user_id, digits)
        case "keep":
            await doing.me.keep_key(user_id)
        case "undo":
            await doing.me.unverify(user_id)
        case _ if digits:
            await doing.me.verify(user_id, digits)


def _decided(doing: Errand, user_id: str) -> int:
    from socp.member.effects import TrustMoved
    from socp.talk.entries import Entry

    state = doing.me.trust_of(user_id)
    if doing.json:
        doing.say_json(doing.events.event(TrustMoved(user_id, state)))
    else:
        doing.say(Entry((("", f"{doing.phrases.name(user_id)} is {state}"),)))
    return exits.OK


def _shown(doing: Errand, user_id: str) -> int:
    from socp.crypto.safety_number import qr_text
    from socp.member.records import TrustState

    me = doing.me
    state, number = me.trust_of(user_id), me.safety_number(user_id)
    changed = state is TrustState.CHANGED
    if doing.json:
        claimed = {"claimed_number": me.claimed_number(user_id)} if changed else {}
        named = {"event": "safety_number", **doing.events.named("user", user_id)}
        said = {"state": str(state), "number": number, "qr": qr_text(number)}
        doing.say_json({**named, **said, **claimed})
    elif changed:
        _show_both(doing, user_id, number, me.claimed_number(user_id))
    else:
        _show(doing, user_id, str(state), number)
    return CHANGED if changed else exits.OK


def _show(doing: Errand, user_id: str, state: str, number: str) -> None:
    from socp.crypto.safety_number import qr_text
    from socp.talk.qr import drawn

    name = doing.phrases.name(user_id)
    _lines(
        doing,
        f"if {name} sees the same, by another way than this chat, type what they read out:",
        f"  socp verify {user_id} DIGITS",
    )
    # What is compared comes last, and all of it is to be seen in 24 rows.
    _lines(doing, *drawn(qr_text(number), _ink()))
    _lines(doing, f"{name} is {state}; the safety number of you two:", *_rows(number))


def _show_both(doing: Errand, user_id: str, known: str, claimed: str) -> None:
    name = doing.phrases.name(user_id)
    _lines(
        doing,
        f"KEY CHANGED: somebody claims another key for {name}, and nothing is sent until you"
        " decide",
        "with the known key the safety number of you two is",
        *_rows(known),
        "with the claimed key it is",
        *_rows(claimed),
        f"ask {name} by another way than this chat which one they see, and type what they read:",
        f"  socp verify {user_id} DIGITS            keeps the known key, if they are the first",
        f"  socp verify {user_id} DIGITS --accept   takes the claimed one, if they are the second",
        f"  socp verify {user_id} --keep            refuses the claimed key without comparing",
    )


def _rows(number: str) -> list[str]:
    from socp.crypto.safety_number import rows

    return [f"  {row}" for row in rows(number)]


def _lines(doing: Errand, *lines: str) -> None:
    for line in lines:
        doing.printer.line(line)


def _ink() -> Ink:
    """What standard output can show."""
    from socp.talk.qr import Ink

    try:
        "\u2580".encode(sys.stdout.encoding)
    except (UnicodeEncodeError, LookupError):
        return Ink.ASCII
    plain = not sys.stdout.isatty() or os.environ.get("NO_COLOR")
    return Ink.BLOCKS if plain else Ink.COLOURS
