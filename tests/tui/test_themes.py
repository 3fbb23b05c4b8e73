"""Every word can be read in every theme (WCAG 2.1: 4.5 to 1, and 7 to 1 where contrast is asked
for), whatever lies behind it."""

from __future__ import annotations

from itertools import chain
from typing import Final

import pytest
from textual.color import Color
from textual.theme import Theme

from socp.tui import themes
from socp.tui.speech import STATE_SIGNS, TRUST_SIGNS

ENOUGH: Final = 4.5
MUCH: Final = 7.0
NAMES: Final = tuple(f"author-{at}" for at in range(6))
WORDS: Final = (
    "foreground", "muted", "faint", "primary", "accent", "success", "warning", "error",
    "text-primary", *NAMES,
)  # fmt: skip
GROUNDS: Final = ("background", "surface", "panel", "chosen", "marked")
# Behind these and no others.
SPECIAL: Final = (
    ("background", "primary"),
    ("background", "error"),
    ("background", "accent"),
    ("background", "foreground"),
)
PAIRS: Final = (*((word, ground) for word in WORDS for ground in GROUNDS), *SPECIAL)


def colours(theme: Theme) -> dict[str, str]:
    """As the stylesheets have them."""
    return {**theme.to_color_system().generate(), **theme.variables}


def contrast(one: str, other: str) -> float:
    """WCAG 2.1's ratio of two colours, 1 to 21."""
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parsed = Color.parse(colour)
    assert parsed.a == 1, f"what lies behind {colour}?"
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parsed.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_contrast_is_measured_as_the_standard_has_it() -> None:
    assert round(contrast("#ffffff", "#000000"), 2) == 21.0
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.parametrize("theme", themes.OURS, ids=lambda theme: theme.name)
def test_every_word_can_be_read_on_every_ground(theme: Theme) -> None:
    known = colours(theme)
    least = MUCH if theme is themes.HIGH_CONTRAST else ENOUGH
    measured = {(word, ground): contrast(known[word], known[ground]) for word, ground in PAIRS}
    pale = {pair: round(ratio, 2) for pair, ratio in measured.items() if ratio < least}
    assert not pale


@pytest.mark.parametrize("theme", themes.OURS, ids=lambda theme: theme.name)
def test_a_theme_has_all_the_colours_that_the_others_have(theme: Theme) -> None:
    assert theme.variables.keys() >= themes.VARIABLES.keys()
    assert len({theme.variables[name] for name in NAMES} | {str(theme.accent)}) == len(NAMES) + 1


def test_nothing_is_said_by_colour_alone() -> None:
    """Two states that are told apart have two signs."""
    signs = [sign.strip() for _, sign in chain(STATE_SIGNS.values(), TRUST_SIGNS.values())]
    assert len(signs) == len(set(signs))
