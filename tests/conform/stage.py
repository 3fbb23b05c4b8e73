"""A run of the referee against a server, with stored keys and little patience."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import count

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from socp.conform.cast import Cast
from socp.conform.keys import PrivateKey
from socp.conform.manners import Manners
from socp.conform.results import Report
from socp.conform.rules.table import SERVER_RULES
from socp.conform.server_run import Order, judge_server
from socp.conform.verdicts import Verdict
from tests.keys import COUNT, test_key

QUICK = Manners(patience_s=4, quiet_s=0.25, rest_s=0.01, hellos_per_s=100, faults_per_s=8)


def stored_keys(first: int = 0) -> Cast:
    """A cast that takes the stored keys one after the other."""
    numbers = count(first)

    def make() -> PrivateKey:
        return private_key(next(numbers) % COUNT)

    return Cast(make)


def private_key(n: int) -> PrivateKey:
    """The n-th stored key in the referee's own form."""
    der = test_key(n).to_bytes()
    key = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey)
    return PrivateKey(key)


async def judge(
    url: str,
    *globs: str,
    quick: bool = True,
    skip: Sequence[str] = (),
    peer_url: str = "",
    first_key: int = 0,
    manners: Manners = QUICK,
) -> Report:
    """The report on the rules that fit one of these, all where there is none."""
    rules = tuple(
        rule
        for rule in SERVER_RULES
        if rule.id not in skip and (not globs or any(fnmatchcase(rule.id, g) for g in globs))
    )
    order = Order(url, rules, peer_url=peer_url, throw_away=True, quick=quick, manners=manners)
    return await judge_server(order, lambda _result: None, stored_keys(first_key))


def named(report: Report, verdict: Verdict) -> list[str]:
    """The ids of the rules that ended so."""
    return [each.rule.id for each in report.results if each.verdict is verdict]


def failed(report: Report) -> list[str]:
    """The ids of the rules that fail."""
    return named(report, Verdict.FAIL)


def told(report: Report) -> str:
    """Why what did not pass did not."""
    return "\n".join(
        f"{each.rule.id} {each.verdict}: {each.why}\n  " + "\n  ".join(each.lines)
        for each in report.results
        if each.verdict not in (Verdict.PASS, Verdict.SKIPPED)
    )
