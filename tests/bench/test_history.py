"""The benchmark of the history runs, and prints what it is asked for."""

from __future__ import annotations

import sys

import pytest

from socp.bench import history
from socp.bench.corpus import Corpus


def test_it_prints_every_figure_with_its_goal_and_its_references(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["history", "1200"])
    history.main()
    printed = capsys.readouterr().out
    for word in (
        "cores",
        "1200 lines",
        "goal under 100 ms",
        "goal under 0.5 s",
        "LIKE",
        "AES-256-GCM",
    ):
        assert word in printed


def test_the_made_up_talk_is_the_same_each_time() -> None:
    one, other = Corpus(20), Corpus(20)
    assert one.texts == other.texts
    assert list(one.rows()) == list(other.rows())
    assert one.asked(5) == other.asked(5)
