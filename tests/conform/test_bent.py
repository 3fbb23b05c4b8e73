"""Servers that break one rule each: the referee fails that rule, names it, and fails no other."""

from __future__ import annotations

import pytest

from socp.conform.verdicts import Level, Verdict
from tests.conform.bent import Case
from tests.conform.cases import CASES
from tests.conform.conftest import Judged
from tests.conform.stage import failed, named, told

pytestmark = pytest.mark.timeout(300)  # the first of them waits for all the runs


@pytest.mark.parametrize("case", CASES, ids=[case.bent.name for case in CASES])
def test_a_server_that_breaks_one_rule_fails_that_rule(judged: Judged, case: Case) -> None:
    report = judged.bent[case.bent.name]
    assert named(report, case.verdict) == [case.breaks], told(report)
    others = {Verdict.FAIL, Verdict.DIFFERS} - {case.verdict}
    assert not [rule for each in others for rule in named(report, each)], told(report)


def test_the_report_says_what_came_and_what_to_change(judged: Judged) -> None:
    report = judged.bent["any from"]
    [result] = [each for each in report.results if each.verdict is Verdict.FAIL]
    assert result.why.startswith("it was delivered")
    assert result.rule.remedy == "from must be the user of the link"
    assert any(line.startswith("> alice:") and "MSG_DIRECT" in line for line in result.lines)
    assert any(line.startswith("< bob:") and "USER_DELIVER" in line for line in result.lines)


def test_only_a_broken_must_breaks_the_whole(judged: Judged) -> None:
    for case in CASES:
        report = judged.bent[case.bent.name]
        musts = [r for r in report.results if r.rule.level is Level.MUST]
        broken = any(result.verdict is Verdict.FAIL for result in musts)
        assert report.holds is not broken
    assert judged.bent["unsorted"].holds
    assert not judged.bent["stale"].holds
    assert failed(judged.bent["stale"]) == ["2.40-stale-ts"]
