"""A disk that takes no promises, as the shell deals with it (server/walk.py)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.node.mesh import Server

FULL = "socp.db: the disk is full; free some space"


@contextmanager
def full(server: Server) -> Iterator[None]:
    """What is promised while this lasts is neither stored nor said, and the brain is told so."""
    server.disk_fault = FULL
    try:
        yield
    finally:
        server.disk_fault = ""
