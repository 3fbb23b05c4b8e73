"""Clients, and servers that dial, that do one thing of an extension wrong: the referee names it."""

from __future__ import annotations

import asyncio

import pytest

from socp.conform.results import Report
from socp.conform.verdicts import Verdict
from tests.conform.doubles import Gossiper, Speaker
from tests.conform.stage import failed, named, told
from tests.conform.visitors import Guest, judge_visit

pytestmark = pytest.mark.timeout(300)  # the first of them waits for all the runs

CLIENTS = {
    "no watch": ("11.140-watches", "11.14[0-2]*"),
    "watches nobody": ("11.141-watches-ids", "11.14[0-2]*"),
    "watches once": ("11.142-watches-again", "11.14[0-2]*"),
    "huge page": ("11.143-pages", "11.14[013]*"),
    "one block": ("11.150-hybrid", "11.15[0-4]*"),
    "another ts": ("11.150-hybrid", "11.15[0-4]*"),
    "signs a block": ("11.151-hybrid-content-sig", "11.15[0-4]*"),
    "bare words": ("11.152-content", "11.15[0-4]*"),
    "from two": ("11.153-content-first", "11.15[0-4]*"),
    "no prev": ("11.154-content-next", "11.15[0-4]*"),
    "says it anew": ("11.155-resend", "11.15[025]*"),
    "asks not": ("11.156-gap-asked", "11.15[67]*"),
    "dies of kinds": ("11.157-unknown-kind", "11.15[057]*"),
    "tells of the odd": ("11.158-odd-content", "11.15[589]*"),
    "tells of the altered": ("11.159-altered-hybrid", "11.15[589]*"),
    "another total": ("11.160-manifest", "11.16[01]*"),
    "does not wait": ("11.161-waits-for-wanted", "11.16*"),
    "no window": ("11.162-window", "11.16[0-3]*"),
    "another chunk": ("11.163-chunks", "11.16[0-3]*"),
    "begins again": ("11.164-goes-on", "11.16[1-4]*"),
    "goes on": ("11.165-refused-ends", "11.16[125]*"),
}
SERVERS = {
    "no users": ("11.170-beat", "11.17[0-2]*"),
    "another digest": ("11.171-digest", "11.17[0-2]*"),
    "no bind": ("11.172-beat-bound", "11.17[0-2]*"),
    "answers not": ("11.173-sync-answered", "11.17*"),
    "asks always": ("11.174-does-not-ask", "11.17*"),
    "asks not, of a server": ("11.175-asks", "11.17*"),
}
RULES = {**CLIENTS, **SERVERS}
SILENT = ("no watch", "asks not", "dies of kinds")  # what they should do is waited for in vain
AT_ONCE = 8


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    def guest(fault: str, number: int) -> Guest:
        fault = fault.partition(",")[0]
        return Speaker(fault, number % 32) if number < len(CLIENTS) else Gossiper(fault, 7)

    turns = asyncio.Semaphore(AT_ONCE)

    async def one(fault: str, number: int, *globs: str) -> Report:
        wait_s = 2 if fault in SILENT else 60
        async with turns:
            return await judge_visit(guest(fault, number), *globs, wait_s=wait_s, back_s=wait_s)

    async def everybody() -> dict[str, Report]:
        wanted = [one(name, n, globs) for n, (name, (_, globs)) in enumerate(RULES.items())]
        right = [one("", 0, "11.1[456]*"), one("", len(CLIENTS), "11.17*")]
        found = await asyncio.gather(*wanted, *right)
        return dict(zip((*RULES, "client", "server"), found, strict=True))

    return asyncio.run(everybody())


@pytest.mark.parametrize("fault", RULES)
def test_a_guest_that_breaks_one_rule_fails_that_rule(
    reports: dict[str, Report], fault: str
) -> None:
    assert failed(reports[fault]) == [RULES[fault][0]], told(reports[fault])


@pytest.mark.parametrize("who", ["client", "server"])
def test_the_same_guest_without_a_fault_keeps_all_of_them(
    reports: dict[str, Report], who: str
) -> None:
    report = reports[who]
    assert len(named(report, Verdict.PASS)) == len(report.results) > 5, told(report)
