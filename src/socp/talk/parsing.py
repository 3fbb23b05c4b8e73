"""A line that was typed becomes a command, or a sentence about what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from socp.talk.commands import (
    DECISIONS,
    HISTORY_LINES,
    HISTORY_LINES_MAX,
    READERS,
    SURE,
    SWITCH,
    TABLE,
    TAKE_AWAY,
    WAIT_S_MAX,
    WORDS,
    Cancel,
    Command,
    Delete,
    Edit,
    Help,
    ListUsers,
    Members,
    Plain,
    Quit,
    React,
    Receipts,
    Reply,
    RevokeKey,
    RotateKey,
    Search,
    SendFile,
    ShowHistory,
    Tell,
    TellAll,
    Trust,
    Unclear,
    Verify,
    Wait,
    Whois,
    meant,
)
from socp.wire.text import printable

_SHOWN_COLUMNS: Final = 40
_QUOTES: Final = "\"'"


def parse(line: str) -> Command | None:
    """The command in one line (or in several, pasted at once); None for an empty one. Unclear."""
    text = line.strip()
    if not text:
        return None
    if text.startswith("//"):
        return Plain(text[1:])
    if not text.startswith("/"):
        return Plain(text)
    word, _, rest = text[1:].partition(" ") if " " in text else (text[1:], "", "")
    if "\n" in word:  # a pasted text: its first line may be the command
        word, _, rest = text[1:].partition("\n")
    return _command(_known(word), rest.strip())


def typed(text: str) -> str:
    """What to type so that just this is said."""
    said = text.lstrip()
    return f"/{said}" if said.startswith("/") else text


def _known(word: str) -> str:
    found = meant(word)
    if len(found) == 1:
        return found[0]
    shown = printable(word, width=_SHOWN_COLUMNS)
    if found:
        raise Unclear(f"/{shown} can be {' or '.join('/' + known for known in found)}")
    raise Unclear(
        f"there is no /{shown}; /help lists all, and //... says a text that begins with /"
    )


def _command(word: str, rest: str) -> Command:
    if parse_rest := _RESTS.get(word):
        return parse_rest(rest)
    if rest:
        raise Unclear(f"/{word} takes nothing after it")
    return _ALONE[word]


def _tell(rest: str) -> Command:
    return Tell(*_name(rest, "tell"))


def _file(rest: str) -> Command:
    who, path = _name(rest, "file")
    if not path:
        raise _incomplete("file")
    return SendFile(who, path)


def _whois(rest: str) -> Command:
    who, more = _name(rest, "whois")
    return Whois(f"{who} {more}".rstrip())


def _search(rest: str) -> Command:
    if not rest:
        raise _incomplete("search")
    return Search(rest)


def _reply(rest: str) -> Command:
    return Reply(*_number(_given(rest, "reply")))


def _edit(rest: str) -> Command:
    return Edit(*_number(_given(rest, "edit")))


def _react(rest: str) -> Command:
    number, emoji = _number(_given(rest, "react"))
    return React(number, "" if emoji == TAKE_AWAY else emoji)


def _delete(rest: str) -> Command:
    number, more = _number(rest)
    if more:
        raise _incomplete("delete")
    return Delete(number)


def _given(rest: str, word: str) -> str:
    """The rest, where it has more than a number."""
    if not _number(rest)[1]:
        raise _incomplete(word)
    return rest


def _number(rest: str) -> tuple[int, str]:
    """The number that the rest begins with, 0 for none, and what follows it."""
    word, _, text = rest.partition(" ")
    digits = word.removeprefix("#")
    if word.startswith("#") and digits.isascii() and digits.isdigit() and len(digits) <= 15:
        return int(digits), text.strip()
    return 0, rest


def _history(rest: str) -> Command:
    who, _, last = rest.rpartition(" ")
    if not (last.isascii() and last.isdigit() and len(last) <= len(str(HISTORY_LINES_MAX))):
        who, last = rest, str(HISTORY_LINES)
    if not 0 < int(last) <= HISTORY_LINES_MAX:
        raise Unclear(f"/history shows 1 to {HISTORY_LINES_MAX} lines")
    if not who.strip():
        return ShowHistory("", int(last))
    name, more = _name(who.strip(), "history")
    return ShowHistory(f"{name} {more}".rstrip(), int(last))


def _trust(rest: str) -> Command:
    who, decision = _name(rest, "trust")
    if decision.lower() not in ("", *DECISIONS):
        raise _incomplete("trust")
    return Trust(who, decision.lower())


def _receipts(rest: str) -> Command:
    if rest.lower() not in ("", *SWITCH):
        raise _incomplete("receipts")
    return Receipts(rest.lower())


def _members(rest: str) -> Command:
    if rest.lower() not in ("", *READERS):
        raise _incomplete("members")
    return Members(rest.lower())


def _name(rest: str, word: str) -> tuple[str, str]:
    """A name, in quotes where it has spaces, and what follows it."""
    if not rest:
        raise _incomplete(word)
    if rest[0] in _QUOTES:
        name, closed, text = rest[1:].partition(rest[0])
        if not closed:
            raise Unclear(f'the name begins with {rest[0]} and does not end; write "Ann Lee"')
        if not name.strip():
            raise _incomplete(word)
        return name.strip(), text.strip()
    name, *text_ = rest.split(maxsplit=1)
    return name, text_[0] if text_ else ""


def _wait(rest: str) -> Command:
    try:
        seconds = float(rest)
    except ValueError:
        raise _incomplete("wait") from None
    if not math.isfinite(seconds) or not 0 <= seconds <= WAIT_S_MAX:
        raise Unclear(f"/wait takes 0 to {WAIT_S_MAX} seconds")
    return Wait(seconds)


def _sure(rest: str, word: str) -> bool:
    if rest.lower() not in ("", SURE):
        raise _incomplete(word)
    return bool(rest)


def _incomplete(word: str) -> Unclear:
    arguments = next(arguments for known, arguments, _ in TABLE if known == word)
    return Unclear(f"write /{word} {arguments}")


_ALONE: Final[dict[str, Command]] = {
    "list": ListUsers(),
    "help": Help(),
    "quit": Quit(),
}
_RESTS: Final[dict[str, Callable[[str], Command]]] = {
    "tell": _tell,
    "all": TellAll,
    "reply": _reply,
    "edit": _edit,
    "delete": _delete,
    "react": _react,
    "history": _history,
    "search": _search,
    "verify": lambda rest: Verify(*_name(rest, "verify")),
    "trust": _trust,
    "file": _file,
    "whois": _whois,
    "members": _members,
    "receipts": _receipts,
    "cancel": Cancel,
    "rotate-key": lambda rest: RotateKey(_sure(rest, "rotate-key")),
    "revoke-key": lambda rest: RevokeKey(_sure(rest, "revoke-key")),
    "wait": _wait,
}
assert {f"/{word}" for word in (*_ALONE, *_RESTS)} == set(WORDS), "a command without a parser"
