"""QR codes drawn with characters, two rows of dots on each line.

Where colours may be used the dots are black on white, as every camera expects. Without colours what
is light is drawn, and what is dark is left out: right on a dark terminal, and on a light one the
code is inverted, which most cameras take too.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

import segno

_BORDER: Final = 2  # dots of quiet around it; four are asked for, cameras need two
_BLACK_ON_WHITE: Final = "\x1b[38;5;16;48;5;231m"
_END: Final = "\x1b[0m"
# (upper dot drawn, lower dot drawn) -> character
_HALVES: Final = {
    (False, False): " ",
    (True, False): "\u2580",
    (False, True): "\u2584",
    (True, True): "\u2588",
}
_ASCII: Final = {False: "  ", True: "##"}


class Ink(Enum):
    """What the output can show."""

    COLOURS = "colours"
    BLOCKS = "blocks"  # NO_COLOR, or a file
    ASCII = "ascii"  # no Unicode


def drawn(text: str, ink: Ink) -> list[str]:
    """The lines of the QR code of `text`."""
    code = segno.make_qr(text, error="l", boost_error=False)
    dark = [[bool(dot) for dot in row] for row in code.matrix_iter(border=_BORDER)]
    if ink is Ink.COLOURS:
        return [f"{_BLACK_ON_WHITE}{line}{_END}" for line in _half_blocks(dark)]
    light = [[not dot for dot in row] for row in dark]
    if ink is Ink.BLOCKS:
        return _half_blocks(light)
    return ["".join(_ASCII[dot] for dot in row).rstrip() for row in light]


def _half_blocks(rows: Sequence[Sequence[bool]]) -> list[str]:
    """Two rows of dots on each line; what lies under an odd last one is as quiet as the border."""
    quiet = [rows[0][0]] * len(rows[0])
    pairs = zip(rows[::2], [*rows[1::2], *([quiet] if len(rows) % 2 else [])], strict=True)
    return ["".join(_HALVES[dots] for dots in zip(*pair, strict=True)) for pair in pairs]
