"""The referee as a server: our client and our dialling server keep every rule, and a client written
in a hurry does not."""

from __future__ import annotations

import pytest

from socp.conform.verdicts import Verdict
from tests.conform.conftest import Judged
from tests.conform.stage import failed, named, told

pytestmark = pytest.mark.timeout(300)  # the first of them waits for all the runs


def test_our_client_keeps_every_rule(judged: Judged) -> None:
    passed = named(judged.client, Verdict.PASS)
    assert len(passed) == len(judged.client.results) > 30, told(judged.client)


def test_our_server_that_dials_keeps_every_rule(judged: Judged) -> None:
    for verdict in (Verdict.FAIL, Verdict.DIFFERS):
        assert not named(judged.dialler, verdict), told(judged.dialler)
    skipped = named(judged.dialler, Verdict.SKIPPED)
    assert skipped == ["11.72-attach"], "servers have none"
    assert len(judged.dialler.results) > 30


def test_a_client_that_answers_an_error_with_an_error_is_told_so(judged: Judged) -> None:
    assert "2.65-error-unanswered" in failed(judged.clumsy), told(judged.clumsy)


def test_a_client_whose_clock_counts_seconds_is_told_so(judged: Judged) -> None:
    assert "2.61-unix-ms" in failed(judged.clumsy)


def test_a_client_that_dies_of_bad_json_is_told_so(judged: Judged) -> None:
    assert "2.70-no-json" in failed(judged.clumsy)


def test_what_others_do_too_is_named_and_fails_nothing(judged: Judged) -> None:
    assert named(judged.clumsy, Verdict.DIFFERS) == ["3.51-key-text", "3.52-sig"]


def test_what_it_never_did_is_skipped_with_what_to_do(judged: Judged) -> None:
    [why] = [e.why for e in judged.clumsy.results if e.rule.id == "6.83-message-opens"]
    assert "have it send a message to ffffffff" in why
