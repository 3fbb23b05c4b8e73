"""Light, dark, high contrast: what the colours are called, and what they are."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

DARK: Final = Theme(
    name="socp-dark",
    primary="#7aa2f7",
    secondary="#bb9af7",
    accent="#7dcfff",
    success="#9ece6a",
    warning="#e0af68",
    error="#f7768e",
    foreground="#c8d0f0",
    background="#16181f",
    surface="#1b1e27",
    panel="#232733",
    dark=True,
    variables={"muted": "#8d95b3", "faint": "#5d647d", "line": "#3a4054", "marked": "#2d3550"},
)
LIGHT: Final = Theme(
    name="socp-light",
    primary="#2257c4",
    secondary="#7b3fbf",
    accent="#00698f",
    success="#2f6f1f",
    warning="#8a5300",
    error="#b3122e",
    foreground="#22252e",
    background="#fafafa",
    surface="#f0f1f4",
    panel="#e2e5ec",
    dark=False,
    variables={"muted": "#5b6170", "faint": "#868c9a", "line": "#b9bdc9", "marked": "#d3dcf2"},
)
HIGH_CONTRAST: Final = Theme(
    name="socp-high-contrast",
    primary="#ffff00",
    secondary="#00ffff",
    accent="#00ffff",
    success="#00ff00",
    warning="#ffcc00",
    error="#ff6666",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    boost="#333333",
    dark=True,
    variables={
        "muted": "#ffffff",
        "faint": "#d0d0d0",
        "line": "#ffffff",
        "marked": "#444400",
        "text-muted": "#ffffff",
        "text-disabled": "#d0d0d0",
    },
)
OURS: Final = (DARK, LIGHT, HIGH_CONTRAST)
VARIABLES: Final = DARK.variables
"""What a theme without its own has."""
NAMES: Final = {"dark": DARK.name, "light": LIGHT.name, "high-contrast": HIGH_CONTRAST.name}
WITHOUT_COLOUR: Final = "ansi-dark"
