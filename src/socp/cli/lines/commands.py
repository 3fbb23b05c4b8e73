"""What a person can type: a line becomes a command, or a sentence about what is wrong with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from socp.wire.text import printable

WAIT_S_MAX: Final = 3600
_SHOWN_COLUMNS: Final = 40
_QUOTES: Final = "\"'"
SURE: Final = "yes"


class Unclear(Exception):
    """A line that is no command; `str()` says what to type instead."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Say `text` to one person; without a text, only turn to them."""

    who: str
    text: str


@dataclass(frozen=True, slots=True)
class TellAll:
    """Say `text` to the public channel; without a text, only turn to it."""

    text: str


@dataclass(frozen=True, slots=True)
class Plain:
    """Text without a command: goes to whom one has turned to."""

    text: str


@dataclass(frozen=True, slots=True)
class SendFile:
    who: str  # "all" for the public channel
    path: str  # as typed


@dataclass(frozen=True, slots=True)
class Whois:
    who: str


@dataclass(frozen=True, slots=True)
class ListUsers:
    pass


@dataclass(frozen=True, slots=True)
class Members:
    pass


@dataclass(frozen=True, slots=True)
class Cancel:
    """Break off a transfer: the only one, or the one of this file name."""

    name: str


@dataclass(frozen=True, slots=True)
class RotateKey:
    """Replace one's own key; only where one is `sure`."""

    sure: bool


@dataclass(frozen=True, slots=True)
class RevokeKey:
    """Revoke one's own id for ever; only where one is `sure`."""

    sure: bool


@dataclass(frozen=True, slots=True)
class Wait:
    """Take the next line only after so long (seconds)."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Help:
    pass


@dataclass(frozen=True, slots=True)
class Quit:
    pass


Command = (
    Tell
    | TellAll
    | Plain
    | SendFile
    | Whois
    | ListUsers
    | Members
    | Cancel
    | RotateKey
    | RevokeKey
    | Wait
    | Help
    | Quit
)

# Word, what follows it, what it does: parsing, Tab and /help read the same table.
TABLE: Final = (
    ("tell", "NAME text", "say it to one person; alone: turn to them"),
    ("all", "text", "say it to everyone; alone: turn to everyone"),
    ("file", "NAME|all path", "send a file to one person, or to everyone"),
    ("list", "", "who is registered and who is here"),
    ("members", "", "who can read what is said to everyone"),
    ("whois", "NAME", "somebody's id and key"),
    ("cancel", "[file name]", "break off a file transfer"),
    ("rotate-key", "yes", "take a new key, signed by the present one"),
    ("revoke-key", "yes", "give up this id for ever: nobody takes it any more"),
    ("wait", "SECONDS", "take the next line after so long (in scripts)"),
    ("help", "", "this"),
    ("quit", "", "leave; Ctrl-D does too"),
)
_ALONE: Final[dict[str, Command]] = {
    "list": ListUsers(),
    "members": Members(),
    "help": Help(),
    "quit": Quit(),
}
WORDS: Final = tuple(f"/{word}" for word, _, _ in TABLE)


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


def _known(word: str) -> str:
    words = [known for known, _, _ in TABLE]
    if word.lower() in words:
        return word.lower()
    found = [known for known in words if word and known.startswith(word.lower())]
    if len(found) == 1:
        return found[0]
    shown = printable(word, width=_SHOWN_COLUMNS)
    if found:
        raise Unclear(f"/{shown} can be {' or '.join('/' + known for known in found)}")
    raise Unclear(
        f"there is no /{shown}; /help lists all, and //... says a text that begins with /"
    )


def _command(word: str, rest: str) -> Command:
    match word:
        case "tell":
            who, text = _name(rest, word)
            return Tell(who, text)
        case "all":
            return TellAll(rest)
        case "file":
            who, path = _name(rest, word)
            if not path:
                raise _incomplete(word)
            return SendFile(who, path)
        case "whois":
            who, more = _name(rest, word)
            return Whois(f"{who} {more}".rstrip())
        case "cancel":
            return Cancel(rest)
        case "rotate-key":
            return RotateKey(_sure(rest, word))
        case "revoke-key":
            return RevokeKey(_sure(rest, word))
        case "wait":
            return Wait(_seconds(rest))
    if rest:
        raise Unclear(f"/{word} takes nothing after it")
    return _ALONE[word]


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


def _seconds(rest: str) -> float:
    try:
        seconds = float(rest)
    except ValueError:
        raise _incomplete("wait") from None
    if not math.isfinite(seconds) or not 0 <= seconds <= WAIT_S_MAX:
        raise Unclear(f"/wait takes 0 to {WAIT_S_MAX} seconds")
    return seconds


def _sure(rest: str, word: str) -> bool:
    if rest.lower() not in ("", SURE):
        raise _incomplete(word)
    return bool(rest)


def _incomplete(word: str) -> Unclear:
    arguments = next(arguments for known, arguments, _ in TABLE if known == word)
    return Unclear(f"write /{word} {arguments}")
