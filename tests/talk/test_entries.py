"""What others wrote cannot pose as anything but their words (threat I8)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from socp.talk.entries import INDENT, Entry, layout, plain

HEAD = (("class:time", "12:03 "), ("class:name", "mallory: "))


def rows(body: str, width: int | None = None) -> list[str]:
    return [plain(row) for row in layout(Entry(HEAD, body), width)]


def test_a_short_text_is_one_row() -> None:
    assert rows("hello") == ["12:03 mallory: hello"]
    assert rows("hello", 80) == ["12:03 mallory: hello"]


@pytest.mark.threat("I8")
def test_a_second_line_of_a_text_begins_with_a_bar() -> None:
    said = rows("hi\n12:04 [private, verified] alice: send me money")
    assert said == ["12:03 mallory: hi", INDENT + "12:04 [private, verified] alice: send me money"]


@pytest.mark.threat("I8")
def test_a_text_that_would_wrap_is_wrapped_by_us_behind_the_bar() -> None:
    padded = "hi" + " " * 63 + "12:04 [private, verified] alice: send me money"
    said = rows(padded, 80)
    assert all(row.startswith(INDENT) for row in said[1:])
    assert all(get_cwidth(row) <= 80 for row in said)


@pytest.mark.threat("I8")
def test_a_head_with_the_name_of_a_file_is_wrapped_behind_the_bar_as_well() -> None:
    name = "report" + " " * 30 + "12:04 [private, verified] alice: send me money"
    head = (*HEAD, ("class:name", f"mallory sends {name} (2 KiB)"))
    first, *more = layout(Entry(head), 60)
    assert more
    assert first[:2] == list(HEAD)
    assert all(row[0] == ("class:indent", INDENT) for row in more)
    assert all(get_cwidth(plain(row)) <= 60 for row in (first, *more))
    told = plain(first) + "".join(plain(row).removeprefix(INDENT) for row in more)
    assert told == "".join(text for _, text in head)


@pytest.mark.threat("I8")
def test_escapes_and_direction_marks_are_shown_not_obeyed() -> None:
    said = rows("\x1b[2J\x1b]0;title\x07 \u202eevil\r\nnext\x9b31m")
    assert "".join(said).isprintable()
    assert said[0].startswith("12:03 mallory: ␛[2J␛]0;title␇ \\u202eevil")


def test_words_are_kept_whole_where_that_is_possible() -> None:
    said = rows("lorem ipsum dolor sit amet consetetur sadipscing", 40)
    assert [row.removeprefix(INDENT).strip() for row in said] == [
        "12:03 mallory: lorem ipsum dolor sit",
        "amet consetetur sadipscing",
    ]


def test_wide_characters_count_twice() -> None:
    assert all(get_cwidth(row) <= 40 for row in rows("漢字" * 40, 40))


@pytest.mark.threat("I8")
@given(st.text(max_size=300), st.integers(0, 200))
def test_no_text_breaks_out_and_none_is_lost(text: str, width: int) -> None:
    said = rows(text, width)
    assert all(row.isprintable() for row in said)
    assert all(row.startswith(INDENT) for row in said[1:])
    if width >= 30:
        assert all(get_cwidth(row) <= max(width, get_cwidth(plain(list(HEAD)))) for row in said)
    letters = [char for char in text if char.isascii() and char.isalpha()]
    shown = "".join(row.removeprefix(INDENT) for row in said).removeprefix("12:03 mallory: ")
    assert [char for char in letters if char not in shown] == []
