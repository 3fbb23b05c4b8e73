"""Bytes for targets, made by hypothesis: examples with pieces changed, and any bytes at all."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

ROUND = 2_000  # examples
PIECES = (
    b"",
    b"\x00",
    b"\xff",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"-",
    b"0",
    b"9" * 20,
)
WORDS = (b"null", b"true", b"1e5", b"\\ud800", b'"a":1,', b"\r\n", b"=", b"[" * 40, b"\xed\xa0\x80")


def bent(examples: list[bytes], max_bytes: int) -> st.SearchStrategy[bytes]:
    """An example with some pieces cut out, put in, doubled or taken from another."""
    short = [each for each in examples if len(each) <= max_bytes] or [b""]
    piece = st.sampled_from(PIECES + WORDS) | st.binary(max_size=8)

    @st.composite
    def changed(draw: st.DrawFn) -> bytes:
        data = bytearray(draw(st.sampled_from(short)))
        for _ in range(draw(st.integers(1, 5))):
            at = draw(st.integers(0, len(data)))
            end = min(len(data), at + draw(st.integers(0, 20)))
            other = draw(st.sampled_from(short))
            start = draw(st.integers(0, len(other)))
            data[at:end] = draw(
                piece | st.just(bytes(data[at:end]) * 2) | st.just(other[start : start + 40])
            )
        return bytes(data[:max_bytes])

    return changed() | st.binary(max_size=min(max_bytes, 300))


def round_of(
    take: Callable[[bytes], object], examples: list[bytes], max_bytes: int, dice: int
) -> None:
    """So many inputs; what breaks a law is raised, as small as it was found to be."""

    @seed(dice)
    @settings(
        max_examples=ROUND,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(bent(examples, max_bytes))
    def all_are_taken(data: bytes) -> None:
        take(data)

    all_are_taken()
