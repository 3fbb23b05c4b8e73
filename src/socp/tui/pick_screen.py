"""A line to type in, and what it can mean: the first of that is marked, and Enter takes it."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.widgets import Input

from socp.tui.dialog import Dialog
from socp.tui.field import Field
from socp.tui.row_view import RowView


class PickScreen(Dialog[str]):
    """Its result: what a row means."""

    DOES: ClassVar[str]  # its title
    ASKS: ClassVar[str]  # in the line, until something is typed

    def compose(self) -> ComposeResult:
        """A line to type in, and what can be had."""
        with Vertical(classes="dialog"):
            yield Field(placeholder=self.ASKS)
            yield RowView()

    def on_mount(self) -> None:
        """Begin with what it can be without a word."""
        self.query_one(".dialog").border_title = Text(self.DOES)
        self.query_one(Input).focus()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.show(self.query_one(Input).value)  # something may have been typed already

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self.show(event.value)

    def on_key(self, event: Key) -> None:
        """The list moves while one types."""
        if event.key in ("down", "up"):
            event.stop()
            view = self.query_one(RowView)
            (view.action_down if event.key == "down" else view.action_up)()

    @on(Input.Submitted)
    def _entered(self) -> None:
        self.query_one(RowView).action_choose()

    @on(RowView.Chosen)
    def _chosen(self, event: RowView.Chosen) -> None:
        self.give(self.meant(event.key))

    def meant(self, key: str) -> str:
        """The result, where the row with this key is chosen."""
        return key

    @abstractmethod
    def show(self, typed: str) -> None:
        """Put what these letters can mean into the list."""
