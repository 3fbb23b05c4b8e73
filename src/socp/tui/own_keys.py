"""Keys that somebody wishes for: whether they can be pressed, and each does one thing only."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from textual.keys import KEY_NAME_REPLACEMENTS, KEY_TO_UNICODE_NAME, REPLACED_KEYS, Keys

from socp.tui import keys
from socp.tui.keys import Key, Keymap

# What works at the same time.
TOGETHER: Final = (("everywhere", "composer"), ("everywhere", "messages", "list"))
_TYPED_IN: Final = frozenset({"everywhere", "composer"})
_MODIFIERS: Final = frozenset({"ctrl", "alt", "shift", "super", "meta", "hyper"})
_NAMED: Final = frozenset(key.value for key in Keys if "+" not in key.value and key.value[0] != "<")
_SAME: Final = {
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "return": "enter",
}  # no terminal tells them apart


class BadKeys(ValueError):
    """They cannot be used; `str()` says which, and what to write instead."""


def checked(mine: Keymap) -> dict[str, str]:
    """The same as Textual writes them. BadKeys."""
    known = {key.name: (where, key) for where, all_ in keys.TABLE.items() for key in all_}
    named = {name: ",".join(_names(name, wished)) for name, wished in mine.items()}
    for name, wished in named.items():
        where, _ = known[name]
        if where in _TYPED_IN and (plain := next(filter(_is_typed, wished.split(",")), "")):
            raise BadKeys(
                f"{name} cannot be {plain}: nobody could type it any more; put ctrl+ or alt+ before"
                " it, or take one of f1 to f12"
            )
    for first, second, key in clashes(named):
        raise BadKeys(f"{first} and {second} are both {key}; give one of them another key")
    return named


def clashes(mine: Keymap) -> Iterator[tuple[str, str, str]]:
    """Two names, and the key that would do both."""
    for places in TOGETHER:
        taken: dict[str, Key] = {}
        for key in (key for where in places for key in keys.TABLE[where]):
            for name in keys.names_of(key, mine):
                if name in taken and taken[name] is not key:
                    yield taken[name].name, key.name, name
                taken[name] = key


def _names(of: str, wished: str) -> Iterator[str]:
    for key in wished.split(","):
        *modifiers, last = ["+"] if key.strip() == "+" else key.strip().split("+")
        last = _character(last) if len(last) == 1 else last.lower()
        if not _MODIFIERS.issuperset(modifiers) or not (last in _NAMED or _is_typed(last)):
            raise BadKeys(
                f"{of} wants a key, and {key.strip()!r} is none; keys are such as ctrl+o, alt+up,"
                " f6, pagedown, x; several with a comma between"
            )
        name = "+".join([*modifiers, last])
        yield _SAME.get(name, name)


def _character(typed: str) -> str:
    """The name of a sign, as Textual has it; letters and digits are their own."""
    if typed.isalnum():
        return typed
    name = unicodedata.name(typed, "").lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


def _is_typed(name: str) -> bool:
    """Whether the key writes something."""
    if len(name) == 1 or name == "space":
        return True
    if name in _NAMED:
        return False
    name = REPLACED_KEYS.get(name, name)
    try:
        unicodedata.lookup(KEY_TO_UNICODE_NAME.get(name, name.replace("_", " ")))
    except KeyError:
        return False
    return True
