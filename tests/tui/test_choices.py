"""Choices in a file, and being told that something came."""

from __future__ import annotations

from pathlib import Path

import pytest

from socp.member.effects import MessageArrived, Trust
from socp.tui import keys
from socp.tui.choices_file import BadChoices, Choices, read
from socp.tui.notifying import QUIET_S, Notifying


def test_nobody_needs_a_file(tmp_path: Path) -> None:
    assert read(tmp_path / "none.toml") == Choices()


def test_theme_notifications_and_keys_are_read(tmp_path: Path) -> None:
    file = tmp_path / "tui.toml"
    file.write_text('theme = "light"\nnotify = "osc9"\n[keys]\njump = "ctrl+o"\n')
    assert read(file) == Choices("light", "osc9", {"jump": "ctrl+o"})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('theme = "pink"', "theme is one of dark, light, high-contrast, not 'pink'"),
        ("notify = 1", "notify is one of bell, osc9, osc777, off, not 1"),
        ("colour = 1", "there is no 'colour'"),
        ("keys = 1", r"keys is a table"),
        ('[keys]\nfly = "f"', "no key is called 'fly'; there are"),
        ("[keys]\njump = 1", "jump wants a key in quotes"),
        ("theme = ", "is no TOML"),
        ("theme = " + "[" * 5_000, "lists in lists without end"),
        ("theme = '" + "x" * 300_000 + "'", "is longer than"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_remedy(
    tmp_path: Path, text: str, why: str
) -> None:
    file = tmp_path / "tui.toml"
    file.write_text(text)
    with pytest.raises(BadChoices, match=why):
        read(file)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadChoices, match="cannot read"):
        read(tmp_path)


def test_keys_are_written_as_people_write_them() -> None:
    named = {key.name: key for where in keys.TABLE.values() for key in where}
    assert keys.shown(named["new-line"], {}) == "Shift-Enter or Alt-Enter or Ctrl-J"
    assert keys.shown(named["react"], {}) == "+ or a"
    assert keys.shown(named["page-up"], {"page-up": "ctrl+y"}) == "Ctrl-Y"


class Bell:
    """A terminal, and a clock."""

    def __init__(self, way: str) -> None:
        self.told: list[str] = []
        self.now = 1_000.0
        self.notifying = Notifying(way, self.told.append, lambda: self.now)
        self.notifying.called = lambda talk: f"name of {talk}"

    def comes(self, author: str) -> None:
        said = MessageArrived(author, "secret words", 1, Trust.PINNED, public=False, msg_ref="r")
        self.notifying.arrived(said)


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("bell", ["\a"]),
        ("osc9", ["\x1b]9;name of bob: a message\x1b\\"]),
        ("osc777", ["\x1b]777;notify;socp;name of bob: a message\x1b\\"]),
        ("off", []),
    ],
)
def test_the_terminal_is_told_and_never_what_was_said(way: str, told: list[str]) -> None:
    bell = Bell(way)
    bell.comes("bob")
    assert bell.told == told


def test_a_heap_is_told_once_for_each_talk() -> None:
    bell = Bell("osc9")
    for _ in range(50):
        bell.comes("bob")
        bell.comes("carol")
        bell.now += QUIET_S / 2
    assert len(bell.told) == 2
    bell.now += QUIET_S
    bell.comes("bob")
    assert len(bell.told) == 3


def test_who_looks_is_not_told() -> None:
    bell = Bell("bell")
    bell.notifying.looking = lambda talk: talk == "bob"
    bell.comes("bob")
    assert bell.told == []
    bell.comes("carol")
    assert bell.told == ["\a"]
