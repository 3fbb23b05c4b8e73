"""Texts from strangers; vectors/wire/text.json has the cases (threats.md I8)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socp.wire.text import columns, mixed_script, printable

pytestmark = [pytest.mark.spec("10"), pytest.mark.threat("I8")]

any_text = st.text(st.characters()) | st.text(
    st.sampled_from("a\x1b\x00\xa0\n\r\t\u202e\u200d\u0301😀é")
)


@given(any_text)
def test_nothing_is_shown_that_acts_on_a_terminal(text: str) -> None:
    assert printable(text).replace("\u200d", "").isprintable()


@given(any_text)
def test_a_message_keeps_its_lines_and_nothing_else_that_acts(text: str) -> None:
    shown = printable(text, multiline=True)
    assert shown.count("\n") == text.count("\n")
    assert printable(shown, multiline=True) == shown


@given(any_text)
def test_what_is_harmless_already_is_shown_as_it_is(text: str) -> None:
    assert printable(printable(text)) == printable(text)


@given(any_text, st.integers(0, 20))
def test_a_cut_text_is_no_wider_than_asked(text: str, width: int) -> None:
    shown = printable(text, width=width)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in shown)
    thin = sum(unicodedata.category(char) in ("Mn", "Me", "Cf") for char in shown)
    assert len(shown) + wide - thin <= width


@pytest.mark.parametrize(
    "name",
    [
        "\u0410lice",  # Cyrillic A
        "Al\u0456ce",  # Cyrillic i
        "Alice \u0412",  # Cyrillic Ve, as a word of its own
        "\u0391lice",  # Greek Alpha
        "Alic\u0435",  # Cyrillic e
        "\uff21lice",  # full-width A
        "\U0001d400lice",  # mathematical bold A
        "\u13aalice",  # Cherokee Go
    ],
)
def test_letters_of_two_scripts_that_look_alike_are_noticed(name: str) -> None:
    assert mixed_script(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Alice",
        "Zoë",
        "Алиса",
        "Αλίκη",
        "爱丽丝 Alice",
        "アリス Alice",
        "Alice 123 😀",
        "앨리스",
    ],
)
def test_names_in_one_script_are_not_warned_about(name: str) -> None:
    assert not mixed_script(name)


def test_a_text_for_one_column_is_cut_to_an_ellipsis_and_of_none_to_nothing() -> None:
    assert [printable("ab", width=width) for width in (0, 1, 2)] == ["", "…", "ab"]


@pytest.mark.parametrize("mark", ["\u0301", "\u20dd", "\u0e31", "\u1161", "\u11a8"])
@pytest.mark.parametrize("letter", ["", "e"])
def test_four_marks_on_one_character_are_shown_and_the_fifth_is_written_out(
    mark: str, letter: str
) -> None:
    assert printable(letter + mark * 4) == letter + mark * 4
    assert printable(letter + mark * 5) == letter + mark * 4 + f"\\u{ord(mark):04x}"
    assert columns(letter + mark * 4) == len(letter)


@pytest.mark.parametrize(
    ("text", "wide"),
    [
        ("हिन्दी", 5),  # two letters, two marks with a place of their own, two without
        ("நீ", 1),
        ("மொழி", 4),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", 4),  # two Korean syllables, in their letters
        ("\u4dc0", 2),
        ("漢字", 4),
        ("a\u200d", 1),
    ],
)
def test_a_text_is_as_wide_as_terminals_draw_it(text: str, wide: int) -> None:
    assert columns(text) == wide


def test_lines_may_end_as_on_windows() -> None:
    assert printable("a\r\nb\rc", multiline=True) == "a\nb\u240dc"
    assert printable("a\r\nb") == "a\u240d\u240ab"


def test_a_letter_without_a_name_is_of_no_script_that_looks_like_another() -> None:
    assert not mixed_script("\U00017000a")
