"""The referee finds no fault in our own server."""

from __future__ import annotations

import pytest

from socp.conform.rules.table import SERVER_RULES
from socp.conform.verdicts import Level, Verdict
from tests.conform.conftest import Judged
from tests.conform.stage import named, told

pytestmark = pytest.mark.timeout(300)  # the first of them waits for all the runs


def test_every_rule_holds_at_two_of_ours(judged: Judged) -> None:
    for verdict in (Verdict.FAIL, Verdict.DIFFERS):
        assert not named(judged.ours, verdict), told(judged.ours)
    assert named(judged.ours, Verdict.SKIPPED) == ["5.62-known-only"]


def test_a_server_that_takes_only_known_ones_says_whom_it_turned_away(judged: Judged) -> None:
    assert named(judged.reserved, Verdict.PASS) == ["5.62-known-only", "6.1-hello-ack"]


@pytest.mark.parametrize("level", Level)
def test_there_are_rules_of_every_level(level: Level) -> None:
    assert sum(rule.level is level for rule in SERVER_RULES) >= 40


def test_it_takes_minutes_and_no_more(judged: Judged) -> None:
    assert judged.ours_s < 300, "a quiet machine takes one; most of it is waiting"
