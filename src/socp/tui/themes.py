"""Light, dark, high contrast: what the colours are called, and what they are."""

from __future__ import annotations

from typing import Final

from textual.theme import BUILTIN_THEMES, Theme


def _called(*colours: str) -> dict[str, str]:
    """What people's names are written in."""
    return {f"author-{at}": colour for at, colour in enumerate(colours)}


DARK: Final = Theme(
    name="socp-dark",
    primary="#7aa2f7",
    secondary="#bb9af7",
    accent="#7dcfff",
    success="#9ece6a",
    warning="#e0af68",
    error="#f9839a",
    foreground="#c8d0f0",
    background="#16181f",
    surface="#1b1e27",
    panel="#25282f",
    dark=True,
    variables={
        "muted": "#a8b0cd",
        "faint": "#a0a8c4",
        "line": "#3a4054",
        "chosen": "#2f333d",
        "marked": "#2e3858",
        **_called("#c3a6ff", "#f4a3d0", "#6fd3c0", "#d8c08a", "#8fb0ff", "#f2a48c"),
    },
)
LIGHT: Final = Theme(
    name="socp-light",
    primary="#1f51b8",
    secondary="#7b3fbf",
    accent="#005f82",
    success="#28611a",
    warning="#7a4900",
    error="#a81029",
    foreground="#22252e",
    background="#fafafa",
    surface="#f0f1f4",
    panel="#e2e5ec",
    dark=False,
    variables={
        "muted": "#525866",
        "faint": "#525866",
        "line": "#b9bdc9",
        "chosen": "#dde4f3",
        "marked": "#d0dbf5",
        **_called("#6d35b0", "#a3276e", "#0a6258", "#6f4b00", "#2f4fb8", "#8f3614"),
    },
)
HIGH_CONTRAST: Final = Theme(
    name="socp-high-contrast",
    primary="#ffff00",
    secondary="#00ffff",
    accent="#00ffff",
    success="#00ff00",
    warning="#ffcc00",
    error="#ffb0b0",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1f1f1f",
    boost="#333333",
    dark=True,
    variables={
        "muted": "#ffffff",
        "faint": "#e0e0e0",
        "line": "#ffffff",
        "chosen": "#333300",
        "marked": "#00334d",
        "text-muted": "#ffffff",
        "text-disabled": "#d0d0d0",
        **_called("#ff9cff", "#ffc4e8", "#7dffdf", "#ffe08a", "#b8c4ff", "#ffc08a"),
    },
)
OURS: Final = (DARK, LIGHT, HIGH_CONTRAST)
VARIABLES: Final = DARK.variables
"""What a theme without its own has."""
NAMES: Final = {"dark": DARK.name, "light": LIGHT.name, "high-contrast": HIGH_CONTRAST.name}
OF_THE_TERMINAL: Final = Theme(
    name="socp-terminal",
    ansi=True,
    primary="ansi_cyan",
    secondary="ansi_magenta",
    accent="ansi_cyan",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    variables={
        **(BUILTIN_THEMES["ansi-dark"].variables),
        **dict.fromkeys(("muted", "faint", "chosen", "marked"), "ansi_default"),
        "line": "ansi_bright_black",
        **_called(
            "ansi_magenta", "ansi_yellow", "ansi_green", "ansi_blue", "ansi_bright_magenta",
            "ansi_red",
        ),
    },
)  # fmt: skip
"""The terminal's own 16 colours, or none: what has only those, and who sets NO_COLOR."""
