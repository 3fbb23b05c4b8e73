"""Textual measures as terminals draw, and as we do: what stands beside a text is not moved."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from rich.cells import cell_len, split_graphemes

from socp.tui import widths
from socp.wire.text import columns, printable
from tests.tui.stage import stage

TEXTS = (
    "हिन्दी में",
    "நீ மொழி",
    "മലയാളം",
    "বাংলা",
    unicodedata.normalize("NFD", "한국어"),
    "漢字 ok",
    "é",
)


@pytest.mark.parametrize("text", TEXTS)
def test_both_measure_alike(text: str) -> None:
    widths.agree()
    assert cell_len(text) == columns(text)
    assert split_graphemes(text)[1] == columns(text)


def test_of_every_mark_that_is_shown() -> None:
    widths.agree()
    kinds = ("Mc", "Mn", "Me", "Lo")
    shown = (
        chr(each) for each in range(0x300, 0x1_2000) if unicodedata.category(chr(each)) in kinds
    )
    differ = [
        char for char in shown if char in printable(f"a{char}") and cell_len(char) != columns(char)
    ]
    assert differ == []


@pytest.mark.parametrize("text", TEXTS)
async def test_what_one_types_leaves_the_frame_where_it_is(tmp_path: Path, text: str) -> None:
    async with stage(tmp_path) as it:
        it.composer.insert(text)
        await it.pilot.settled()
        x, y, width, _ = it.composer.region
        row = it.talk._compositor.render_strips()[y + 1]
        assert text in row.text
        assert columns(row.text) == it.app.size.width
        typed = row.crop(x, x + width).text
        assert (typed[0], typed[-1]) == ("│", "│")
