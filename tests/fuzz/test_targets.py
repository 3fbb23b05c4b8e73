"""Every door, for a moment: its examples, what was found before, and inputs nobody thought of.

`script/fuzz` goes on for hours.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.doors import doors
from tests.fuzz.generated import bent, round_of
from tests.fuzz.targets import CORPUS, TARGETS, corpus

CORPUS_FILES_MAX = 60
CORPUS_BYTES_MAX = 4096


@pytest.mark.threat("M7")
@pytest.mark.threat("S4")
@pytest.mark.parametrize("name", TARGETS)
def test_the_examples_and_the_corpus_are_taken(name: str) -> None:
    target = TARGETS[name]
    seeds = target.seeds()
    assert seeds
    for data in seeds + corpus(name):
        target.take(data)


@pytest.mark.threat("M7")
@pytest.mark.threat("S4")
@pytest.mark.parametrize("name", TARGETS)
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_whatever_comes_is_taken_or_refused(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    target.take(data.draw(bent(target.seeds(), target.max_bytes)))


def test_the_corpora_stay_small_and_belong_to_a_target() -> None:
    for folder in CORPUS.iterdir():
        assert folder.name in doors()
        files = list(folder.iterdir())
        assert len(files) <= CORPUS_FILES_MAX
        assert max(file.stat().st_size for file in files) <= CORPUS_BYTES_MAX


def test_a_door_that_is_open_is_found() -> None:
    """The canary: a decoder that lets another exception through now and then."""

    def take(data: bytes) -> None:
        if b"[[[[" in data:
            raise IndexError(data)

    with pytest.raises(IndexError):
        round_of(take, TARGETS["frames"].seeds(), 4096, dice=1)
