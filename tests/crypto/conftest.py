"""Every test that takes `cast` runs twice: with real keys, and with the simulator's."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from socp.crypto.keys import PrivateKey, RsaSuite, Suite
from socp.crypto.symbolic import SymbolicSuite
from tests.keys import test_key


@dataclass(frozen=True)
class Cast:
    """Who plays: the same four in either form."""

    suite: Suite
    alice: PrivateKey
    bob: PrivateKey
    mallory: PrivateKey
    channel: PrivateKey


def _real() -> Cast:
    return Cast(RsaSuite(), *(test_key(n) for n in range(4)))


def _symbolic() -> Cast:
    suite = SymbolicSuite(7)
    return Cast(suite, *(suite.generate() for _ in range(4)))


@pytest.fixture(params=[_real, _symbolic], ids=["rsa", "symbolic"])
def cast(request: pytest.FixtureRequest) -> Cast:
    made = request.param()
    assert isinstance(made, Cast)
    return made
