"""Pick an emoji: one of the usual ones, or by its name."""

from __future__ import annotations

from typing import Final

from socp.talk.commands import TAKE_AWAY
from socp.tui.emoji import EMOJI, QUICK
from socp.tui.pick_screen import PickScreen
from socp.tui.row_view import RowView
from socp.tui.rows import Block, Piece

SHOWN_MAX: Final = 40
_NO_EMOJI: Final = (
    (Piece("warn", " words are no emoji: Esc, and i to"),),
    (Piece("warn", " write a message"),),
)


class EmojiScreen(PickScreen[str]):
    """Its result: the emoji, "" to take one's own away."""

    DOES = "react"
    ASKS = "a name, or an emoji"

    DEFAULT_CSS = """
    EmojiScreen { & > .dialog { max-width: 40; } & RowView { height: auto; max-height: 12; } }
    """

    def meant(self, key: str) -> str:
        """The emoji of this row."""
        return "" if key == TAKE_AWAY else key

    def show(self, typed: str) -> None:
        """The usual ones, those that are called so, or what was typed itself."""
        wanted = typed.strip().strip(":").casefold()
        by_sign: dict[str, str] = {}
        for name, sign in EMOJI.items():
            if wanted in name if wanted else sign in QUICK:
                by_sign.setdefault(sign, name)
        if len(wanted.split()) == 1 and not by_sign:
            by_sign[typed.strip()] = "as typed"
        rows = list(by_sign.items())[:SHOWN_MAX]
        if not wanted:
            rows.append((TAKE_AWAY, "take mine away"))
        view = self.query_one(RowView)
        view.put([Block(s, ((Piece("plain", f" {s} "), Piece("mark", n)),)) for s, n in rows])
        if rows:
            view.mark(rows[0][0])
        else:  # who types a sentence meant to write one
            view.put((Block("", _NO_EMOJI),))
