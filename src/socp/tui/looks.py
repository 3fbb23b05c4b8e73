"""What the pieces of rows look like, in the colours of a theme. They are no component classes:
Textual matches those against all its rules, for each list, whenever that is styled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from rich.style import Style
from textual.color import Color


class _Look(NamedTuple):
    """`colour`, `ground`: a variable of the theme, or "#rrggbb"; "" for what is there already."""

    colour: str = ""
    ground: str = ""
    bold: bool | None = None
    italic: bool | None = None
    underline: bool | None = None
    reverse: bool | None = None


STYLES: Final = {
    "plain": _Look(),
    "mark": _Look("muted"),
    "name": _Look(bold=True),
    "own": _Look("accent", bold=True),
    "good": _Look("success"),
    "warn": _Look("warning"),
    "loud": _Look("error", bold=True, reverse=True),
    "time": _Look("muted"),
    "rule": _Look("line"),
    "new": _Look("accent", bold=True),
    "link": _Look("text-primary", underline=True),
    "quote": _Look("muted", italic=True),
    "code": _Look("#ffffff", "#000000"),
    "badge": _Look("accent", bold=True, reverse=True),
    "here": _Look("success"),
    "away": _Look("faint"),
    "gone": _Look("muted", italic=True),
    "bar": _Look("line"),
    "found": _Look("warning", bold=True),
    "head": _Look("muted", "panel"),
    **{f"author-{at}": _Look(f"author-{at}", bold=True) for at in range(6)},
}


def style(name: str, variables: Mapping[str, str]) -> Style:
    """The style of that name in a theme with these variables."""
    look = STYLES[name]
    colour, ground = (
        Color.parse(variables.get(each, each)).rich_color if each else None
        for each in (look.colour, look.ground)
    )
    return Style(
        color=colour,
        bgcolor=ground,
        bold=look.bold,
        italic=look.italic,
        underline=look.underline,
        reverse=look.reverse,
    )
