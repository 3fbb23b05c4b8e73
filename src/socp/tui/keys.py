"""Which key does what: bindings, the help screen and the file of one's own keys read this table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from textual.binding import Binding, BindingType

Keymap = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Key:
    """`name` is what the file calls it; `keys` are Textual's names, with commas between."""

    name: str
    keys: str
    action: str
    purpose: str
    short: str = ""  # in the last row of the screen; "" where it is not named there
    opens: bool = False  # a screen, to which all goes that is typed after it


# Where they work -> what there is.
TABLE: Final[Mapping[str, tuple[Key, ...]]] = {
    "everywhere": (
        Key("help", "f1", "help", "help", short="help", opens=True),
        Key("next-unread", "f5", "next_unread", "the next unread talk", short="unread"),
        Key("jump", "ctrl+k", "jump", "jump to a talk", short="jump", opens=True),
        Key("search", "ctrl+f", "search", "search", short="find", opens=True),
        Key("palette", "ctrl+p", "command_palette", "commands", short="commands", opens=True),
        Key("next-talk", "alt+down,ctrl+n", "next_talk", "the next talk"),
        Key("previous-talk", "alt+up,ctrl+b", "previous_talk", "the talk above"),
        Key("people", "f2", "people", "show or hide the people"),
        Key("verify", "f3", "verify", "compare keys with somebody", opens=True),
        Key("file", "f4", "file", "send a file here"),
        Key("theme", "f8", "next_theme", "the next theme"),
        Key("quit", "ctrl+q", "quit", "quit", short="quit"),
    ),
    "composer": (
        Key("send", "enter", "send", "say it"),
        Key("new-line", "shift+enter,alt+enter,ctrl+j", "new_line", "a new line"),
        Key("complete", "tab", "complete", "complete a command, a name, a path or an emoji"),
        Key("edit-last", "up", "up", "in an empty line: change what you said last"),
        Key("said-before", "ctrl+up", "said_before", "what you said before"),
        Key("said-after", "ctrl+down", "said_after", "what you said after that"),
        Key("page-up", "pageup", "page_up", "scroll the talk up"),
        Key("page-down", "pagedown", "page_down", "scroll the talk down"),
        Key(
            "leave",
            "escape",
            "leave",
            "stop answering or changing; else go to the messages",
            short="messages",
        ),
    ),
    "messages": (
        Key("reply", "r", "reply", "answer it", short="answer"),
        Key("edit", "e", "edit", "change it, if it is yours", short="change"),
        Key("delete", "d,delete", "take_back", "take it back, if it is yours", short="take back"),
        Key("react", "plus,a", "react", "put an emoji beside it", short="react"),
        Key("copy", "c,y", "copy", "copy it", short="copy"),
        Key("copy-link", "l", "copy_link", "copy its link"),
        Key("open", "o", "open", "open its link, or the folder of its file", short="open"),
        Key("cancel", "x", "cancel", "break off its file", short="break off"),
        Key("write", "i,escape", "write", "go back to writing", short="write"),
        Key("newest", "end,G", "newest", "the newest message"),
    ),
    "list": (
        Key("down", "down,j", "down", "down"),
        Key("up", "up,k", "up", "up"),
        Key("first", "home,g", "first", "the first one"),
        Key("choose", "enter", "choose", "choose it; a long message: unfold it"),
    ),
}
NAMES: Final = frozenset(key.name for keys in TABLE.values() for key in keys)
assert len(NAMES) == sum(map(len, TABLE.values())), "two keys of one name"


def bindings(where: str) -> list[BindingType]:
    """As Textual wants them. What opens a screen is done at once: what is typed after it goes
    there. All else is done in the order in which it was pressed."""
    return [
        Binding(
            key.keys,
            key.action,
            key.purpose,
            show=bool(key.short),
            priority=key.opens,
            id=key.name,
        )
        for key in TABLE[where]
    ]


def binding(name: str, action: str) -> Binding:
    """The same keys for the same thing elsewhere."""
    key = named(name)
    return Binding(key.keys, action, key.purpose, show=False, id=name)


def named(name: str) -> Key:
    """The one that the file calls so."""
    return next(key for where in TABLE.values() for key in where if key.name == name)


def composer_actions(mine: Keymap) -> dict[str, str]:
    """What each key does while one types. `mine`: the keys of one's own."""
    everywhere = [(key, f"screen.{key.action}") for key in TABLE["everywhere"] if not key.opens]
    own = [(key, key.action) for key in TABLE["composer"]]
    return {name: action for key, action in (*everywhere, *own) for name in names_of(key, mine)}


def names_of(key: Key, mine: Keymap) -> list[str]:
    """Of the keys that do it, as Textual calls them."""
    return [name.strip() for name in mine.get(key.name, key.keys).split(",")]


def shown(key: Key, mine: Keymap) -> str:
    """What to press, as people write it. `mine`: the keys of one's own."""
    return " or ".join(map(_shown, names_of(key, mine)))


def _shown(name: str) -> str:
    *modifiers, last = name.split("+")
    written = {"pageup": "PgUp", "pagedown": "PgDn", "escape": "Esc", "plus": "+"}
    key = written.get(last, last.capitalize() if modifiers or len(last) > 1 else last)
    return "-".join([*(each.capitalize() for each in modifiers), key])
