"""A line to type in, and what it can mean: the first of that is marked, and Enter takes it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar, TypeVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.widget import Widget
from textual.widgets import Input

from socp.tui.dialog import Dialog
from socp.tui.field import Field
from socp.tui.row_view import RowView

R = TypeVar("R")


class PickScreen(Dialog[R]):
    """Its result: what a row means."""

    DOES: ClassVar[str]  # its title
    ASKS: ClassVar[str]  # in the line, until something is typed

    def __init__(self, typed: str = "") -> None:
        """`typed` stands in the line already."""
        super().__init__()
        self._begins_with = typed

    def compose(self) -> ComposeResult:
        """A line to type in, and what can be had."""
        with Vertical(classes="dialog"):
            yield Field(self._begins_with, placeholder=self.ASKS)
            yield RowView()
            yield from self.below()

    def below(self) -> Iterable[Widget]:
        """What stands under the list."""
        return ()

    def on_mount(self) -> None:
        """Begin with what it can be without a word."""
        self.query_one(".dialog").border_title = Text(self.DOES)
        self.query_one(Input).focus()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.show(self.query_one(Input).value)  # something may have been typed already

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self.typed(event.value)

    def on_key(self, event: Key) -> None:
        """The list moves while one types."""
        if event.key in ("down", "up"):
            event.stop()
            view = self.query_one(RowView)
            (view.action_down if event.key == "down" else view.action_up)()

    @on(Input.Submitted)
    def _entered(self) -> None:
        self.enter()

    @on(RowView.Chosen)
    def _chosen(self, event: RowView.Chosen) -> None:
        self.give(self.meant(event.key))

    def typed(self, words: str) -> None:
        """The line is another now."""
        self.show(words)

    def enter(self) -> None:
        """Take the row that is marked."""
        self.query_one(RowView).action_choose()

    @abstractmethod
    def meant(self, key: str) -> R:
        """The result, where the row with this key is chosen."""

    @abstractmethod
    def show(self, typed: str) -> None:
        """Put what these letters can mean into the list."""
