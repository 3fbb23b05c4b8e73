"""What a rule can end in, and how its function says so."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """How much a rule binds: RFC 2119's words, or an extension that both ends announce."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    EXTENSION = "extension"


class Verdict(StrEnum):
    """What was found."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    DIFFERS = "differs"
    """It does it in a way that others do too, and that is safe to accept: a dialect."""
    SKIPPED = "skipped"


class Finding(Exception):
    """A rule's function ends so where it does not pass; the text is for who reads the report."""

    verdict: Verdict


class Breach(Finding):
    """The rule is broken: what came in place of what was due."""

    verdict = Verdict.FAIL


class Dialect(Finding):
    """Another way than the page's, named."""

    verdict = Verdict.DIFFERS


class Unjudged(Finding):
    """It could not be tried; why, and what would make it possible."""

    verdict = Verdict.SKIPPED
