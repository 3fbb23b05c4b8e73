"""Invitations as people write them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socp.wire import invitation

CODE = bytes(range(16))
VECTORS = Path(__file__).resolve().parents[2] / "vectors/wire/invitation.json"


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


@pytest.mark.parametrize("case", json.loads(VECTORS.read_text())["cases"], ids=lambda c: c["why"])
def test_a_code_is_read_as_the_vectors_say(case: dict[str, str | None]) -> None:
    code = invitation.read(str(case["text"]))
    assert (None if code is None else code.hex()) == case["code"]
    if code is not None:
        assert invitation.written(code) == case["written"]
        assert hashlib.sha256(b"socp-invitation/1" + code).hexdigest() == case["kept"]
