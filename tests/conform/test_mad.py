"""Nothing that a server or a guest says ends the referee: every rule gets its verdict."""

from __future__ import annotations

import itertools

import pytest

from socp.conform import report as reports
from socp.conform.listen.guests import GUESTS
from socp.conform.listen.run import FOR_CLIENTS
from socp.conform.rules.table import SERVER_RULES
from tests.conform.conftest import Judged

pytestmark = pytest.mark.timeout(300)  # the first of them waits for all the runs


def test_every_rule_gets_a_verdict_at_a_server_that_says_anything(judged: Judged) -> None:
    assert judged.mad_servers
    for report in judged.mad_servers:
        assert [each.rule for each in report.results] == list(SERVER_RULES)


def test_every_rule_gets_a_verdict_about_a_guest_who_says_anything(judged: Judged) -> None:
    assert judged.mad_guests
    wanted = sum(len(section.rules) for section in (GUESTS, *FOR_CLIENTS))
    for report in judged.mad_guests:
        assert len(report.results) == wanted


@pytest.mark.threat("I8")
def test_a_report_of_who_says_anything_moves_no_cursor(judged: Judged) -> None:
    for report in itertools.chain(judged.mad_servers, judged.mad_guests):
        lines = [line for each in report.results for line in reports.told(each, verbose=True)]
        for line in (*lines, *reports.summary(report)):
            assert line.isprintable(), line
        json = reports.as_json(report)
        assert json.isascii()
        assert json.replace("\n", "").isprintable()
