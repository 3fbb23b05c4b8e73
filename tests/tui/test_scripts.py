"""What people of all scripts write and are called: nothing of it moves what stands beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from socp.tui.row_view import RowView
from socp.tui.rows import Said, drawn, said_in, width_of
from socp.tui.speech import Look, line_rows
from socp.wire.text import columns, printable
from tests.talk.notices import NOW
from tests.tui.stage import stage
from tests.tui.test_hostile import Nobody
from tests.tui.test_window import line

STRANGE = (
    "\u2764\ufe0f and \u26a0\ufe0f",  # a sign made an emoji: one column wide, or two
    "\U0001f44d\U0001f3fd and \U0001f3fd",  # a colour of skin, and one of nothing
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 at home",  # a family: one picture, or three
    "1\ufe0f\u20e3 2\ufe0f\u20e3",
    "\U0001f1e9\U0001f1ea \U0001f3f3\ufe0f\u200d\U0001f308",
    "\u0bb5\u0ba3\u0b95\u0bcd\u0b95\u0bae\u0bcd \u0928\u092e\u0938\u094d\u0924\u0947",
    "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
    "e\u0301\u0301\u0301\u0301 a\u200bb \ud55c\uad6d \uff76\uff9e",
)


@pytest.mark.parametrize("text", STRANGE)
def test_no_writing_moves_what_stands_beside_it_and_it_is_copied_as_it_was_said(text: str) -> None:
    look = Look(53, True, False, False, NOW)
    _, row = line_rows(line(2, text=text), Nobody(), "me", look)
    assert width_of(row) == 53
    words = [piece for piece in row if piece.said is Said.BEGINS]
    shown = "".join(drawn(piece.text) for piece in words)
    assert not re.search("[\ufe0f\u200d]|[^ ][\U0001f3fb-\U0001f3ff]", shown)
    assert said_in(tuple(words), 0, len(shown)) == (Said.BEGINS, printable(text))
    assert said_in(tuple(words), len(shown) - 1, len(shown))[1][0] == shown[-1]


async def test_a_row_is_as_wide_as_the_view_whoever_is_called_how(tmp_path: Path) -> None:
    for name in STRANGE[:3]:
        async with stage(tmp_path / str(len(name)), name=name) as it:
            await it.bob_says(name)
            it.session.turn_to(it.bob.id)
            await it.sees(printable(name))
            for view in it.talk.query(RowView):
                for y in range(view.size.height):
                    assert columns(view.render_line(y).text) == view.size.width
