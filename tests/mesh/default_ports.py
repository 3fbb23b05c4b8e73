"""The ports on which servers find each other without configuration, for one test at a time."""

from __future__ import annotations

import fcntl
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PORTS = (8001, 8002, 8003)


@pytest.fixture
def default_ports(request: pytest.FixtureRequest) -> Iterator[tuple[int, int, int]]:
    """Ours until the end of the test; skips where another program listens on one of them."""
    together = request.node.get_closest_marker("together")
    assert together, "another process may want them too"
    assert together.args == ("default ports",)
    with (Path(tempfile.gettempdir()) / "socp-tests-default-ports.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for port in PORTS:
            for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                if is_taken(family, host, port):
                    pytest.skip(f"another program listens on port {port}")
        yield PORTS


def is_taken(family: socket.AddressFamily, host: str, port: int) -> bool:
    with socket.socket(family) as probe:
        return probe.connect_ex((host, port)) == 0
