"""The report in its three forms, and how a verdict is found."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from socp.conform.judging import judged, skipped
from socp.conform.listen.run import GUEST_RULES
from socp.conform.report import as_json, as_junit, as_page, as_table, rules_as_json, summary, told
from socp.conform.results import Report, Result
from socp.conform.rule import Need, Rule
from socp.conform.rules.table import SERVER_RULES
from socp.conform.transcript import Transcript, shortened
from socp.conform.verdicts import Breach, Dialect, Level, Unjudged, Verdict

ROOT = Path(__file__).resolve().parents[2]
EVERY: tuple[Rule[Any], ...] = (*SERVER_RULES, *GUEST_RULES)


@asynccontextmanager
async def staged(transcript: Transcript) -> AsyncIterator[Transcript]:
    yield transcript


def rule(end: Exception | None = None, level: Level = Level.MUST) -> Rule[Transcript]:
    async def check(transcript: Transcript) -> None:
        transcript.sent("alice", "a frame")
        if end is not None:
            raise end

    return Rule("9.1-tried", level, "it is so", "make it so", check, (Need.USERS,))


async def report() -> Report:
    tried = [
        await judged(rule(), staged),
        await judged(rule(Breach("it was not")), staged),
        await judged(rule(Breach("it was not"), Level.SHOULD), staged),
        await judged(rule(Dialect("in another way")), staged),
        await judged(rule(Unjudged("nobody came")), staged),
        skipped(rule(), "not asked for"),
    ]
    return Report("ws://x", tuple(tried))


async def test_a_rule_ends_in_one_of_four_verdicts() -> None:
    assert [each.verdict for each in (await report()).results] == [
        Verdict.PASS,
        Verdict.FAIL,
        Verdict.FAIL,
        Verdict.DIFFERS,
        Verdict.SKIPPED,
        Verdict.SKIPPED,
    ]


async def test_a_fault_of_the_referee_is_no_verdict() -> None:
    with pytest.raises(KeyError):
        await judged(rule(KeyError("ours")), staged)


async def test_what_failed_is_told_with_what_was_sent_and_what_to_change() -> None:
    lines = list(told((await report()).results[1]))
    assert lines[0].startswith("fail     MUST       9.1-tried ")
    assert [line.strip() for line in lines[1:]] == [
        "it was not",
        "> alice: a frame",
        "to mend: make it so (section 9)",
    ]


async def test_the_summary_counts_by_level_and_says_why_rules_were_skipped() -> None:
    lines = list(summary(await report()))
    assert lines[0].split() == ["MUST", "1", "pass,", "1", "fail,", "1", "differs,", "2", "skipped"]
    assert "1 skipped: not asked for" in lines
    assert lines[-1] == "ws://x: a MUST is broken"


async def test_json_has_every_rule_with_all_that_a_person_is_told() -> None:
    members = json.loads(as_json(await report()))
    assert members["holds"] is False
    assert members["counts"]["SHOULD"] == {"pass": 0, "fail": 1, "differs": 0, "skipped": 0}
    failed = members["rules"][1]
    assert failed["transcript"] == ["> alice: a frame"]
    assert (failed["id"], failed["section"], failed["why"]) == ("9.1-tried", "9", "it was not")


async def test_junit_counts_broken_musts_as_failures_and_nothing_else() -> None:
    suite = ElementTree.fromstring(as_junit(await report()))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("6", "1", "2")
    assert len(suite.findall("testcase/failure")) == 1
    assert len(suite.findall("testcase/system-out")) == 2


def test_nothing_that_a_stranger_wrote_moves_a_cursor_or_breaks_xml() -> None:
    hostile = "\x1b[2J\x00\u202e\x7f" + "A" * 100_000
    assert shortened(hostile).isprintable()
    assert len(shortened(hostile)) < 400
    result = Result(rule(), Verdict.FAIL, hostile, (hostile,))
    ElementTree.fromstring(as_junit(Report(hostile, (result,))))
    assert all(line.isprintable() for line in told(result) if hostile not in line)
    json_text = as_json(Report(hostile, (result,)))
    assert json_text.replace("\n", "").isprintable()
    assert json.loads(json_text)["subject"] == hostile


def test_every_rule_has_an_id_of_its_own() -> None:
    assert len({each.id for each in EVERY}) == len(EVERY)
    assert len(SERVER_RULES) >= 120


@pytest.mark.parametrize("each", EVERY, ids=[each.id for each in EVERY])
def test_a_rule_says_where_it_stands_and_what_to_change(each: Rule[Any]) -> None:
    assert 1 <= int(each.section) <= 13
    assert each.title
    assert each.remedy
    assert not each.title.endswith(".")
    assert not each.remedy.endswith(".")
    assert (each.level is Level.EXTENSION) or not each.feature or each.section == "12"


def test_the_page_of_the_rules_is_current() -> None:
    page = "\n".join(as_page(SERVER_RULES, GUEST_RULES)) + "\n"
    assert (ROOT / "docs/rules.md").read_text() == page, "script/rules makes it anew"


def test_the_rules_are_shown_as_a_table_and_as_json() -> None:
    assert len(list(as_table(SERVER_RULES))) == len(SERVER_RULES) + 2
    assert len(json.loads(rules_as_json(EVERY))) == len(EVERY)
