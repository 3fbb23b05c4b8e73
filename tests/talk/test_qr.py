"""QR codes in characters: every dot is where it belongs."""

from __future__ import annotations

import re

import pytest
import segno

from socp.crypto.safety_number import qr_text
from socp.talk.qr import Ink, drawn

TEXT = qr_text("12345" * 12)
HALVES = {
    " ": (False, False),
    "\u2580": (True, False),
    "\u2584": (False, True),
    "\u2588": (True, True),
}
COLOURS = "\x1b[38;5;16;48;5;231m"


def dots(lines: list[str], ink: Ink) -> list[list[bool]]:
    """Which dots are dark, as a camera would see them on a dark terminal."""
    if ink is Ink.ASCII:
        width = len(lines[0])
        return [[pair == "  " for pair in re.findall("..", line.ljust(width))] for line in lines]
    rows = []
    for line in lines:
        text = line.removeprefix(COLOURS).removesuffix("\x1b[0m")
        for half in (0, 1):
            drawn_dots = [HALVES[char][half] for char in text]
            rows.append([dot is (ink is Ink.COLOURS) for dot in drawn_dots])
    return rows


@pytest.mark.parametrize("ink", Ink)
def test_each_dot_of_the_code_is_drawn_with_quiet_around_it(ink: Ink) -> None:
    code = segno.make_qr(TEXT, error="l", boost_error=False)
    wanted = [[bool(dot) for dot in row] for row in code.matrix_iter(border=2)]
    seen = dots(drawn(TEXT, ink), ink)
    assert seen[: len(wanted)] == wanted
    assert len(seen) - len(wanted) in (0, 1)


def test_it_fits_a_terminal_of_eighty_columns_and_twenty_four_rows() -> None:
    for ink in (Ink.COLOURS, Ink.BLOCKS):
        lines = drawn(TEXT, ink)
        assert len(lines) < 24
        assert all(len(dots([line], ink)[0]) <= 80 for line in lines)
    assert all(len(line) <= 80 for line in drawn(TEXT, Ink.ASCII))


def test_without_colours_nothing_acts_on_the_terminal() -> None:
    assert all(line.isprintable() for line in drawn(TEXT, Ink.BLOCKS))
    assert all(line.isascii() and line.isprintable() for line in drawn(TEXT, Ink.ASCII))
