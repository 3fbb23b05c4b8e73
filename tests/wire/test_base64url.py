"""base64url both ways; vectors/wire/base64url.json has the cases (section 3)."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socp.wire import base64url
from socp.wire.errors import PeerFault

pytestmark = pytest.mark.spec("3")


@given(st.binary())
def test_what_is_encoded_is_decoded_again_padded_or_not(data: bytes) -> None:
    text = base64url.encode(data)
    padded = base64.urlsafe_b64encode(data).decode()
    assert text == padded.rstrip("=")
    assert base64url.decode(text) == base64url.decode(padded) == data


@given(st.text(st.sampled_from("ABab01-_+/=. \n"), max_size=9) | st.text())
def test_what_is_decoded_has_no_other_text(text: str) -> None:
    try:
        data = base64url.decode(text)
    except PeerFault:
        return
    assert base64url.encode(data) == text.rstrip("=")


@pytest.mark.parametrize(
    "text", ["AAA\n", " AAA", "AAA\t", "AB==", "AAB=", "AAA==", "A===", "====", "="]
)
def test_white_space_stray_bits_and_wrong_padding_are_refused(text: str) -> None:
    with pytest.raises(PeerFault):
        base64url.decode(text)
