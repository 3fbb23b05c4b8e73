"""A machine that slept was left alone (threat P4)."""

from __future__ import annotations

import time

import pytest

from socp.talk import idle


def test_sleep_counts_where_the_system_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "CLOCK_BOOTTIME", 7, raising=False)
    monkeypatch.setattr(time, "clock_gettime", {7: 3600.0}.get)
    assert idle.clock_s() == 3600.0


def test_where_it_does_not_the_rest_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)
    assert idle.clock_s() == 5.0
