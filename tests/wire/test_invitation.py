"""Invitations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socp.wire import invitation

CODE = bytes(range(16))


@given(st.binary(min_size=16, max_size=16))
def test_a_code_is_read_as_it_was_written(code: bytes) -> None:
    text = invitation.written(code)
    assert invitation.read(text) == code
    assert len(text) == 32


@pytest.mark.parametrize("bend", [str.upper, lambda t: t.replace("-", " "), lambda t: f"  {t}\n"])
def test_case_spaces_and_hyphens_do_not_matter(bend) -> None:  # type: ignore[no-untyped-def]
    assert invitation.read(bend(invitation.written(CODE))) == CODE


GOOD = invitation.written(CODE)


@pytest.mark.parametrize(
    "text", ["", "hello", GOOD[:-1], GOOD + "a", "1" * 26, "é" * 26, "-" * 1000, GOOD[:-1] + "7"]
)
def test_what_is_no_code_is_none(text: str) -> None:
    assert invitation.read(text) is None


@given(st.text(max_size=80))
def test_any_text_is_a_code_or_none(text: str) -> None:
    code = invitation.read(text)
    assert code is None or invitation.read(invitation.written(code)) == code
