"""What a person can ask for while talking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WAIT_S_MAX: Final = 3600  # s
SURE: Final = "yes"
SWITCH: Final = ("on", "off")
READERS: Final = ("all", "verified", "plain", "leave-out")
DECISIONS: Final = ("accept", "keep", "unsure")
HISTORY_LINES: Final = 20
HISTORY_LINES_MAX: Final = 1_000
TAKE_AWAY: Final = "-"


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
class Reply:
    """Answer what was said: the last thing of the other's, or that of this number."""

    number: int  # in the history; 0: the last one
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Change what one said: the last thing, or that of this number."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Take back what one said: the last thing, or that of this number."""

    number: int


@dataclass(frozen=True, slots=True)
class React:
    """Put an emoji beside what was said; without one, one's own is taken away."""

    number: int
    emoji: str


@dataclass(frozen=True, slots=True)
class ShowHistory:
    """What was said with somebody ("" for whom one has turned to), the last `count` lines."""

    who: str
    count: int


@dataclass(frozen=True, slots=True)
class Search:
    words: str


@dataclass(frozen=True, slots=True)
class Verify:
    """Compare safety numbers with somebody; without digits, show them."""

    who: str
    digits: str


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known of somebody's key, or what one decides about it."""

    who: str
    decision: str  # one of DECISIONS, "" to be told


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
class Receipts:
    """Whether others hear that their messages are here and were read; "" only asks."""

    choice: str  # on | off | ""


@dataclass(frozen=True, slots=True)
class Members:
    """Who reads what is said to everyone; "" only asks."""

    choice: str  # one of READERS, or ""


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
    | Reply
    | Edit
    | Delete
    | React
    | ShowHistory
    | Search
    | Verify
    | Trust
    | SendFile
    | Whois
    | ListUsers
    | Members
    | Receipts
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
    ("reply", "[#N] text", "answer the last thing they said, or what has that number"),
    ("edit", "[#N] text", "change the last thing you said"),
    ("delete", "[#N]", "take it back"),
    ("react", "[#N] emoji", "put an emoji beside the last thing they said; - takes it away"),
    ("history", "[NAME|all] [lines]", "what was said, with its numbers"),
    ("search", "words", "find it again"),
    ("verify", "NAME [digits]", "compare safety numbers: be sure who somebody is"),
    ("trust", "NAME [accept|keep|unsure]", "what is known of their key; decide about another"),
    ("file", "NAME|all path", "send a file to one person, or to everyone"),
    ("list", "", "who is registered and who is here"),
    ("members", f"[{'|'.join(READERS)}]", "who can read what is said to everyone; who may"),
    ("whois", "NAME", "somebody's id and key"),
    ("receipts", "[on|off]", "whether others hear that you read what they wrote"),
    ("cancel", "[file name]", "break off a file transfer"),
    ("rotate-key", "yes", "take a new key, signed by the present one"),
    ("revoke-key", "yes", "give up this id for ever: nobody takes it any more"),
    ("wait", "SECONDS", "take the next line after so long (in scripts)"),
    ("help", "", "all commands"),
    ("quit", "", "leave; Ctrl-D does too"),
)
_SHORT: Final = {"t": "tell", "r": "reply", "h": "help"}  # where a letter could be several
WORDS: Final = tuple(f"/{word}" for word, _, _ in TABLE)


def meant(word: str) -> list[str]:
    """The commands that a word, without its slash, can stand for: shortened ones too."""
    word = word.lower()
    known = [each for each, _, _ in TABLE]
    if word in known or word in _SHORT:
        return [_SHORT.get(word, word)]
    return [each for each in known if word and each.startswith(word)]
