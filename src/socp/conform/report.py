"""A report in three forms: for a person, for a program (JSON), for a build server (JUnit)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final
from xml.etree import ElementTree

from socp.conform.results import Report, Result
from socp.conform.rule import Rule
from socp.conform.transcript import shortened
from socp.conform.verdicts import Level, Verdict

FORMAT: Final = 1  # of the JSON; moves when a member changes its meaning
_SHOWN_LINES: Final = 8
_XML_FORBIDDEN: Final = {n: "?" for n in range(32) if n not in (9, 10, 13)}


def told(result: Result, *, verbose: bool = False) -> Iterator[str]:
    """The lines of one rule: one where there is nothing to do about it."""
    rule = result.rule
    yield f"{result.verdict:<7}  {rule.level:<9}  {rule.id:<30}  {rule.title}"
    if result.verdict is Verdict.PASS or (result.verdict is Verdict.SKIPPED and not verbose):
        return
    yield f"         {shortened(result.why)}"
    if result.verdict is Verdict.FAIL:
        if len(result.lines) > _SHOWN_LINES:
            yield "         (--json has what was before)"
        for line in result.lines[-_SHOWN_LINES:]:
            yield f"         {line}"
        yield f"         to mend: {rule.remedy} (section {rule.section})"


def summary(report: Report) -> Iterator[str]:
    """What it comes to."""
    for level in Level:
        counts = ", ".join(f"{report.count(v, level)} {v}" for v in Verdict)
        yield f"{level:<9}  {counts}"
    for why, count in report.skipped_because():
        yield f"{count} skipped: {shortened(why)}"
    yield f"{shortened(report.subject)}: {_word(report)}"


def _word(report: Report) -> str:
    if not report.holds:
        return "a MUST is broken"
    untried = report.count(Verdict.SKIPPED, Level.MUST)
    return f"every MUST that was tried holds; {untried} were not" if untried else "every MUST holds"


def as_members(report: Report) -> dict[str, Any]:
    """The whole of it for a program."""
    return {
        "format": FORMAT,
        "subject": report.subject,
        "holds": report.holds,
        "counts": {level: {v: report.count(v, level) for v in Verdict} for level in Level},
        "rules": [_result_members(each) for each in report.results],
    }


def _result_members(result: Result) -> dict[str, Any]:
    return {
        **rule_members(result.rule),
        "verdict": result.verdict,
        "why": result.why,
        "transcript": list(result.lines),
        "seconds": round(result.seconds, 3),
    }


def rule_members(rule: Rule[Any]) -> dict[str, Any]:
    """A rule for a program."""
    return {
        "id": rule.id,
        "section": rule.section,
        "level": rule.level,
        "title": rule.title,
        "remedy": rule.remedy,
        "needs": list(rule.needs),
        "feature": rule.feature,
        "waits_s": rule.waits_s,
        "rests_on": rule.rests_on,
    }


def rules_as_json(rules: Sequence[Rule[Any]]) -> str:
    """One JSON list."""
    return json.dumps([rule_members(rule) for rule in rules], indent=1)


def as_json(report: Report) -> str:
    """One JSON object."""
    return json.dumps(as_members(report), indent=1)


def as_junit(report: Report) -> bytes:
    """XML as build servers read it: a MUST that fails is a failure, all else that is not a pass is
    said and fails nothing."""
    failures = report.count(Verdict.FAIL, Level.MUST)
    suite = ElementTree.Element(
        "testsuite",
        name="socp conform",
        tests=str(len(report.results)),
        failures=str(failures),
        skipped=str(report.count(Verdict.SKIPPED)),
        hostname=_text(report.subject),
    )
    for result in report.results:
        _case(suite, result)
    written: bytes = ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)
    return written


def _case(suite: ElementTree.Element, result: Result) -> None:
    rule = result.rule
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=f"socp.section{rule.section}",
        name=f"{rule.id} ({rule.level}) {rule.title}",
        time=f"{result.seconds:.3f}",
    )
    said = _text("\n".join((result.why, *result.lines, f"to mend: {rule.remedy}")))
    if result.verdict is Verdict.FAIL and rule.level is Level.MUST:
        ElementTree.SubElement(case, "failure", message=_text(result.why)).text = said
    elif result.verdict is Verdict.SKIPPED:
        ElementTree.SubElement(case, "skipped", message=_text(result.why))
    elif result.verdict is not Verdict.PASS:
        ElementTree.SubElement(case, "system-out").text = f"{result.verdict}: {said}"


def _text(text: str) -> str:
    """What XML can hold."""
    return text.translate(_XML_FORBIDDEN).encode("utf-8", "replace").decode()


def as_page(servers: Sequence[Rule[Any]], guests: Sequence[Rule[Any]]) -> Iterator[str]:
    """The rules themselves, as a page in Markdown."""
    yield from (
        "# The rules of `socp conform`",
        "",
        "Made by `script/rules` from the table itself; [conformance.md](conformance.md) says how to"
        " read it.",
        "",
        f"## For servers ({len(servers)})",
        "",
        *as_table(servers),
        "",
        f"## For clients and servers that dial: `--listen` ({len(guests)})",
        "",
        *as_table(guests),
    )


def as_table(rules: Sequence[Rule[Any]]) -> Iterator[str]:
    """The rules themselves, as a table in Markdown."""
    yield "| rule | level | what is so | where it is not | needs |"
    yield "|---|---|---|---|---|"
    for rule in rules:
        wanted = [need.name.lower().replace("_", "-") for need in rule.needs]
        wanted += [f"`{rule.feature}`"] if rule.feature else []
        wanted += [f"{rule.waits_s} s"] if rule.waits_s else []
        wanted += [f"`{rule.rests_on}`"] if rule.rests_on else []
        cells = (f"`{rule.id}`", rule.level, rule.title, rule.remedy, ", ".join(wanted))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
