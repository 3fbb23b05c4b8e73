"""Whom most tests of the client need: keys that cost nothing, and a server played by the test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from socp.crypto.symbolic import SymbolicSuite
from tests.client.v13_server import Server, serving


@pytest.fixture
def suite() -> SymbolicSuite:
    return SymbolicSuite(7)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as started:
        yield started
