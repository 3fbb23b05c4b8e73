"""A screen as SVG, drawn as good terminals draw it: lines and blocks fill their cells, so that
frames are closed and a QR code can be read off the picture, and wide characters keep to theirs."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby
from typing import Final

from rich.cells import cell_len
from rich.color import Color, blend_rgb
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME
from textual.app import App

CELL: Final = (10, 21)  # units wide and high
MARGIN: Final = 12
BASELINE: Final = 15.5  # of a text, from the top of its row
FONT: Final = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
DIM: Final = 0.5
Box = tuple[float, float, float, float]
# What is full in a cell, as left, top, width and height of it.
BLOCKS: Final[dict[str, Box]] = {
    "█": (0, 0, 1, 1),
    "▀": (0, 0, 1, 1 / 2),
    "▄": (0, 1 / 2, 1, 1 / 2),
    "▌": (0, 0, 1 / 2, 1),
    "▎": (0, 0, 1 / 4, 1),
    "▊": (0, 0, 3 / 4, 1),
    **{char: (0, 1 - part / 8, 1, part / 8) for part, char in enumerate("▁▂▃▄▅▆▇", 1)},
}
# Lines through the middle of a cell, in units of half a cell from it; and how thick.
LINES: Final = {
    "─": ("M-1 0H1", 1.5),
    "━": ("M-1 0H1", 3.0),
    "│": ("M0-1V1", 1.5),
    "┃": ("M0-1V1", 3.0),
    "╭": ("M0 1V.5Q0 0 1 0", 1.5),
    "╮": ("M-1 0Q0 0 0 .5V1", 1.5),
    "╰": ("M0-1V-.5Q0 0 1 0", 1.5),
    "╯": ("M0-1V-.5Q0 0-1 0", 1.5),
    "┏": ("M0 1V0H1", 3.0),
    "┓": ("M-1 0H0V1", 3.0),
    "┗": ("M0-1V0H1", 3.0),
    "┛": ("M0-1V0H-1", 3.0),
}
Run = tuple[int, str, Style]


def svg(app: App[int]) -> str:
    """The picture, which asks no other machine for a font."""
    columns, rows = app.size
    drawing = _Drawing(_page(app))
    for y, row in enumerate(_rows(app)):
        drawing.row(y, row)
    width, height = columns * CELL[0] + 2 * MARGIN, rows * CELL[1] + 2 * MARGIN
    frame = f'<rect width="{width}" height="{height}" rx="10" fill="{drawing.page}"/>'
    looks = "".join(f".{name}{{{look}}}" for look, name in drawing.looks.items())
    text = f"text{{font:16px {FONT};white-space:pre;fill:currentColor}}"
    style = f"{text}path{{fill:none;stroke:currentColor}}{looks}"
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
            f"<style>{style}</style>{frame}",
            f'<g transform="translate({MARGIN} {MARGIN})" shape-rendering="geometricPrecision">',
            *drawing.parts,
            "</g></svg>\n",
        )
    )


def _rows(app: App[int]) -> Iterator[list[Segment]]:
    behind = app._background_screens
    update = app.screen._compositor.render_update(full=True, screen_stack=behind, simplify=True)
    for strips in update.strips:  # type: ignore[union-attr]
        yield [segment for strip in strips for segment in strip if not segment.control]


def _page(app: App[int]) -> str:
    known = app.current_theme.background or ""
    return known if known.startswith("#") else _hex(None, ground=True)


def _hex(color: Color | None, *, ground: bool = False) -> str:
    triplet = (color or Color.default()).get_truecolor(SVG_EXPORT_THEME, foreground=not ground)
    return triplet.hex


class _Drawing:
    """Grounds, lines and texts, with the looks they have."""

    def __init__(self, page: str) -> None:
        self.page = page
        self.looks: dict[str, str] = {}
        self.parts: list[str] = []

    def row(self, y: int, row: list[Segment]) -> None:
        x, runs = 0, []
        for text, style, _ in row:
            runs.append((x, text, style or Style()))
            x += cell_len(text)
        for at, text, style in runs:
            self._ground(at, y, text, style)
        for run in runs:
            for at, text, style in _pieces(run):
                self._drawn(at, y, text, style)

    def _ground(self, x: int, y: int, text: str, style: Style) -> None:
        ground = _grounds(style)[1]
        if ground != self.page:
            left, top, wide = x * CELL[0], y * CELL[1], cell_len(text) * CELL[0]
            self.parts.append(_rect(left, top, wide, CELL[1], ground))

    def _drawn(self, x: int, y: int, text: str, style: Style) -> None:
        look = self._look(style)
        left, top = x * CELL[0], y * CELL[1]
        if text[0] in BLOCKS:
            for at, char in enumerate(text):
                part_x, part_y, width, height = BLOCKS[char]
                box = (left + (at + part_x) * CELL[0], top + part_y * CELL[1])
                self.parts.append(
                    _rect(*box, width * CELL[0], height * CELL[1], _grounds(style)[0])
                )
        elif text[0] in LINES:
            path, thick = LINES[text[0]]
            middle = f"translate({left + CELL[0] / 2:g} {top + CELL[1] / 2:g})"
            if len(text) > 1:
                path = f"M-1 0H{2 * len(text) - 1}"
            scale = f"scale({CELL[0] / 2:g} {CELL[1] / 2:g})"
            self.parts.append(
                f'<path class="{look}" transform="{middle}{scale}" d="{path}"'
                f' stroke-width="{thick}" vector-effect="non-scaling-stroke"/>'
            )
        else:
            wide = cell_len(text) * CELL[0]
            self.parts.append(
                f'<text class="{look}" x="{left}" y="{top + BASELINE:g}"'
                f' textLength="{wide}">{escape(text, quote=False)}</text>'
            )

    def _look(self, style: Style) -> str:
        ink = _grounds(style)[0]
        look = [f"color:{ink}"]
        look += ["font-weight:bold"] if style.bold else []
        look += ["font-style:italic"] if style.italic else []
        look += ["text-decoration:underline"] if style.underline else []
        return self.looks.setdefault(";".join(look), f"l{len(self.looks)}")


def _grounds(style: Style) -> tuple[str, str]:
    """The colours of ink and ground."""
    ink, ground = _hex(style.color), _hex(style.bgcolor, ground=True)
    if style.reverse:
        ink, ground = ground, ink
    if style.dim:
        below, above = (Color.parse(each).get_truecolor() for each in (ground, ink))
        ink = blend_rgb(below, above, DIM).hex
    return ink, ground


def _pieces(run: Run) -> Iterator[Run]:
    """Of one kind each: blocks, one kind of line, wide characters one by one, words with the
    single spaces between them."""
    x, text, style = run
    at = 0
    for (kind, _), chars in groupby(enumerate(_clusters(text)), key=_kind):
        taken = [char for _, char in chars]
        piece = "".join(taken)
        if kind != "space" or style.underline:
            yield x + at, piece, style
        at += cell_len(piece)


def _kind(numbered: tuple[int, str]) -> tuple[str, int | str]:
    number, char = numbered
    if char in BLOCKS:
        return "block", 0
    if char in LINES:
        return "line", char if char in "─━" else number
    if char == " ":
        return "space", 0
    return ("wide", number) if cell_len(char) != 1 else ("text", 0)


def _clusters(text: str) -> Iterator[str]:
    """Characters, each with the marks that belong to it."""
    cluster = ""
    for char in text:
        if cluster and cell_len(char) > 0 and not cluster.endswith("\u200d"):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster


def _rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    box = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
    return f'<rect {box} fill="{fill}" shape-rendering="crispEdges"/>'
