"""A scrolling list of rows of which only what can be seen is drawn, however many there are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from socp.tui import keys, looks
from socp.tui.rows import Block, Row, Said, drawn, said_in, text_in, width_of
from socp.tui.scroll_bar import ScrollBar
from socp.wire.text import columns

_DRAWN_MAX: Final = 300  # rows, more than a terminal has
_NO_GUTTER: Final = (0, 0, 0, 0)
_ALL: Final = 1_000_000  # characters: more than a row has


class RowView(ScrollView, can_focus=True):
    """`Chosen` is posted when a block is picked by Enter or by a click."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"row--at"}
    DEFAULT_CSS = """
    RowView {
        background: transparent;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        scrollbar-color: $line;
        scrollbar-color-hover: $primary;
        scrollbar-color-active: $primary;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
        & > .row--at { background: $chosen; }
    }
    RowView:focus > .row--at { background: $marked; }
    RowView:ansi > .row--at { text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("list")

    class Chosen(Message):
        """The person picked this one."""

        def __init__(self, view: RowView, key: str) -> None:
            super().__init__()
            self.view = view
            self.key = key

        @property
        def control(self) -> RowView:
            return self.view

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as Textual calls it
        super().__init__(id=id)
        self._blocks: Sequence[Block] = ()
        self._starts: list[int] = [0]  # the first row of each block, and one after the last
        self._rows: list[Row] = []
        self._styles: dict[str, Style] = {}
        self._drawn: dict[int, tuple[object, Strip]] = {}  # of what, and what
        self._base = Style()
        self._at = ""

    # --- what is shown --------------------------------------------------------------------------

    @property
    def at(self) -> str:
        """The key of the block that is marked, "" for none."""
        return self._at

    @property
    def room(self) -> int:
        """Columns for a row."""
        return max(self.scrollable_content_region.width, 1)

    def put(self, blocks: Sequence[Block]) -> None:
        """Show these. Only the rows that are not as they were are drawn."""
        before = self._rows
        self._blocks = blocks
        self._starts = [0, *accumulate(len(block.rows) for block in blocks)]
        self._rows = [row for block in blocks for row in block.rows]
        if self._at and self._index(self._at) is None:
            self._at = ""
        size = Size(self.room, len(self._rows))
        if size != self.virtual_size:
            self._sized(size)
        top, bottom = self.sight
        for row in range(top, bottom):
            if before[row : row + 1] != self._rows[row : row + 1]:
                self.refresh_line(row)

    def _sized(self, size: Size) -> None:
        """Rows that come to those one scrolls through leave all on the screen where it is: it is
        not laid out anew for each of them, as it is where Textual is told."""
        was = self.virtual_size
        if size.width != was.width or not self.container_size.height < was.height < size.height:
            self.virtual_size = size
            return
        self.set_reactive(RowView.virtual_size, size)
        self.vertical_scrollbar.window_virtual_size = size.height

    def mark(self, key: str, *, reveal: bool = True) -> None:
        """Put the mark on a block; on none where there is no such one."""
        was, self._at = self._at, key if self._index(key) is not None else ""
        for each in {was, self._at} if was != self._at else ():
            self._refresh_block(each)
        if self._at and reveal:
            self._reveal(self._at)
        self.marked()

    def marked(self) -> None:
        """The mark moved."""

    def keys(self) -> list[str]:
        """Of the blocks that can be chosen, from above."""
        return [block.key for block in self._blocks if block.key]

    def text(self) -> str:
        """All of it, as it would be copied."""
        return "\n".join("".join(piece.text for piece in row).rstrip() for row in self._rows)

    # --- moving ---------------------------------------------------------------------------------

    def action_down(self) -> None:
        """The next block."""
        self._step(1)

    def action_up(self) -> None:
        """The one before."""
        self._step(-1)

    def action_first(self) -> None:
        """The first one."""
        if found := self.keys():
            self.mark(found[0])

    def action_last(self) -> None:
        """The last one."""
        if found := self.keys():
            self.mark(found[-1])

    def action_choose(self) -> None:
        """This is the one."""
        if self._at:
            self.post_message(self.Chosen(self, self._at))

    def _step(self, by: int) -> None:
        found = self.keys()
        if not found:
            return
        if self._at in found:
            to = min(max(found.index(self._at) + by, 0), len(found) - 1)
        else:
            to = len(found) - 1 if by < 0 else 0
        self.mark(found[to])

    def _index(self, key: str) -> int | None:
        return next((i for i, block in enumerate(self._blocks) if key and block.key == key), None)

    def _reveal(self, key: str) -> None:
        index = self._index(key)
        if index is not None:
            height = len(self._blocks[index].rows)
            region = Region(0, self._starts[index], 1, min(height, max(self.size.height, 1)))
            self.scroll_to_region(region, animate=False, force=True, immediate=True)

    @property
    def sight(self) -> tuple[int, int]:
        """The first row that can be seen, and the one after the last."""
        top = self.scroll_offset.y
        return top, top + self.size.height

    def _refresh_block(self, key: str) -> None:
        index = self._index(key)
        if index is not None:
            top, bottom = self.sight
            first, end = self._starts[index], self._starts[index + 1]
            for row in range(max(first, top), min(end, bottom)):
                self.refresh_line(row)

    def block_at(self, row: int) -> Block | None:
        """The block that a row belongs to."""
        if not 0 <= row < len(self._rows):
            return None
        return self._blocks[bisect_right(self._starts, row) - 1]

    def row_of(self, key: str) -> int | None:
        """The first row of a block."""
        index = self._index(key)
        return None if index is None else self._starts[index]

    # --- drawing --------------------------------------------------------------------------------

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """One of our own, made when somebody asks for it."""
        bar = self._vertical_scrollbar
        if bar is None:
            self._vertical_scrollbar = bar = ScrollBar(name="vertical")
            bar.display = False
            self.app._start_widget(self, bar)
        assert isinstance(bar, ScrollBar)
        return bar

    def notify_style_update(self) -> None:
        """The theme changed: colours are looked up again."""
        super().notify_style_update()
        self._styles.clear()
        self._drawn.clear()

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002
        """What is selected with the mouse is drawn so."""
        self.refresh()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What would be copied: the words that were said, without what stands around them; where
        nothing of it was said by anybody, the rows as they are."""
        words = whole = ""
        for index, row in enumerate(self._rows):
            span = selection.get_span(index)
            if span is None:
                continue
            start, end = span[0], _ALL if span[1] == -1 else span[1]
            whole += f"{text_in(row, start, end).strip()}\n"
            begins, said = said_in(row, start, end)
            if begins is not Said.NOTHING:
                words += f"\n{said}" if begins is Said.BEGINS else said
        return words.strip("\n") or whole.strip("\n"), "\n"

    def render_lines(self, crop: Region) -> list[Strip]:
        """Rows of the screen. Where nothing stands around them Textual is not asked, which would
        look up all that may, for each row; the style under them is looked up once."""
        self._base = self.rich_style
        if self.styles.gutter != _NO_GUTTER:
            return super().render_lines(crop)
        width, background = self.size.width, self.background_colors[1]
        strips = [self.render_line(y) for y in crop.line_range]
        for each in self.get_line_filters():
            strips = [strip.apply_filter(each, background) for strip in strips]
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """One row of the screen, made anew where it is not as it was."""
        index = self.scroll_offset.y + y
        if index >= len(self._rows):
            return Strip.blank(self.size.width, self._base)
        row, block, selection = self._rows[index], self.block_at(index), self.text_selection
        marked = bool(self._at) and block is not None and block.key == self._at
        span = None if selection is None else selection.get_span(index)
        made_of = (row, marked, span, self.size.width, self._base)
        kept = self._drawn.get(index)
        if kept is not None and kept[0] == made_of:
            return kept[1]
        if len(self._drawn) >= _DRAWN_MAX:
            self._drawn.clear()
        strip = self._selected(self._strip(row, marked=marked), span).apply_offsets(0, index)
        self._drawn[index] = made_of, strip
        return strip

    def _strip(self, row: Row, *, marked: bool) -> Strip:
        base = self._base + self._style("at") if marked else self._base
        segments = [
            Segment(
                drawn(piece.text),
                base + self._style(piece.style) + Style(link=piece.link)
                if piece.link
                else base + self._style(piece.style),
            )
            for piece in row
        ]
        free = self.size.width - width_of(row)
        if free > 0:
            segments.append(Segment(" " * free, base))
        if free >= 0:  # as wide as we measured it: of some scripts others think otherwise
            return Strip(segments, self.size.width)
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _selected(self, strip: Strip, span: tuple[int, int] | None) -> Strip:
        if span is None:
            return strip
        text = strip.text
        start, end = (columns(text[:at]) for at in (span[0], span[1] if span[1] >= 0 else None))
        style = self.screen.get_component_rich_style("screen--selection")
        parts = [strip.crop(0, start), strip.crop(start, end), strip.crop(end)]
        shown = Strip(Segment.apply_style(parts[1], post_style=style))
        return Strip.join([parts[0], shown, parts[2]])

    def _style(self, name: str) -> Style:
        found = self._styles.get(name)
        if found is None:
            if name == "at":
                found = self.get_component_rich_style("row--at", partial=True)
            else:
                found = looks.style(name, self.app.theme_variables)
            self._styles[name] = found
        return found

    # --- the mouse ------------------------------------------------------------------------------

    def on_click(self, event: Click) -> None:
        """A block is marked, and chosen. Who selected a text did not mean to choose."""
        if self.text_selection is not None:
            return
        row = self.scroll_offset.y + event.y
        if event.ctrl and (address := self.link_at(event.x, row)):
            event.stop()
            self.linked(address)
            return
        block = self.block_at(row)
        if block is not None and block.key:
            event.stop()
            self.mark(block.key, reveal=False)
            self.clicked(event.chain)

    def link_at(self, x: int, row: int) -> str:
        """Where the piece in that column of a row leads, "" for nowhere."""
        for piece in self._rows[row] if 0 <= row < len(self._rows) else ():
            x -= width_of((piece,))
            if x < 0:
                return piece.link
        return ""

    def linked(self, address: str) -> None:
        """Somebody wants to go there."""

    def clicked(self, times: int) -> None:  # noqa: ARG002 - those that ask for two look at it
        """The marked block was clicked so often in a row."""
        self.action_choose()

    def on_resize(self, _: Resize) -> None:
        """Rows are as wide as the view: whoever made them makes them anew."""
        self.remade()

    def remade(self) -> None:
        """Make the rows for the present width."""
