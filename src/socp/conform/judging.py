"""Tries one rule and says what came of it: a broken rule of theirs never ends the run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, TypeVar

from socp.conform.results import Result
from socp.conform.rule import Rule
from socp.conform.transcript import Transcript
from socp.conform.verdicts import Finding, Verdict

P = TypeVar("P")
Staged = Callable[[Transcript], AbstractAsyncContextManager[P]]
"""What a rule works with, and its end."""

_RULE_S: Final = 60.0  # beside what it waits for by its nature


async def judged(rule: Rule[P], staged: Staged[P]) -> Result:
    """The verdict on one rule."""
    transcript, began = Transcript(), time.monotonic()
    verdict, why = Verdict.PASS, ""
    try:
        async with asyncio.timeout(_RULE_S + rule.waits_s), staged(transcript) as subject:
            await rule.check(subject)
    except Finding as finding:
        verdict, why = finding.verdict, str(finding)
    except TimeoutError:
        verdict, why = Verdict.FAIL, f"it came to no end in {_RULE_S + rule.waits_s:g} s"
    taken_s = time.monotonic() - began
    return Result(rule, verdict, why, tuple(transcript.lines), taken_s)


def skipped(rule: Rule[Any], why: str) -> Result:
    """A rule that is not tried."""
    return Result(rule, Verdict.SKIPPED, why)


def rests_on_a_fault(rule: Rule[Any], results: Sequence[Result]) -> bool:
    """Whether the rule that this one needs is broken, or rests on such a one itself."""
    for result in results:
        if result.rule.id == rule.rests_on:
            skipped_too = result.verdict is Verdict.SKIPPED
            return result.fails or (skipped_too and rests_on_a_fault(result.rule, results))
    return False
