"""The referee finds no fault in our own server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from socp.conform.verdicts import Verdict
from tests.conform.stage import judge, told
from tests.mesh.launch import Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    flags = ("--ephemeral", "--federation", "open", "--bootstrap", "none")
    with running(tmp_path_factory.mktemp("conform"), *flags) as started:
        yield started


async def test_every_rule_that_needs_no_second_server_holds(server: Running) -> None:
    report = await judge(server.url, quick=False)
    odd = {each.verdict for each in report.results} - {Verdict.PASS, Verdict.SKIPPED}
    assert not odd, told(report)
    assert report.count(Verdict.PASS) > 50
