"""What most tests of the brain start from."""

from __future__ import annotations

import pytest

from tests.node.mesh import Mesh, Server


@pytest.fixture
def mesh() -> Mesh:
    return Mesh()


@pytest.fixture
def a(mesh: Mesh) -> Server:
    """One server that stands alone."""
    return mesh.server("a")


@pytest.fixture
def three(mesh: Mesh) -> tuple[Server, Server, Server]:
    """The default: three servers on loopback, linked."""
    return mesh.three()
