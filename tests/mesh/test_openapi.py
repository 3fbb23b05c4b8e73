"""A running server does what its OpenAPI document says: schemathesis judges it from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mesh.launch import running
from tests.mesh.stored import give_key

EXAMPLES = 30


@pytest.mark.spec("10")
@pytest.mark.parametrize("flags", [("--list-users",), ("--registration", "invite")])
def test_every_check_of_schemathesis_passes(tmp_path: Path, flags: tuple[str, ...]) -> None:
    give_key(tmp_path, 2)
    with running(tmp_path, "--bootstrap", "none", *flags) as server:
        document = f"http://127.0.0.1:{server.port}/api/openapi.json"
        command = [sys.executable, "-m", "schemathesis.cli", "run", document]
        command += ["--checks", "all", "--seed", "1", "--max-examples", str(EXAMPLES)]
        command += ["--generation-database", "none"]
        environment = {**os.environ, "NO_COLOR": "1"}
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, timeout=100, env=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "10 selected / 10 total" in done.stdout
        assert "failed for a fault of this server" not in server.log()
        assert "Traceback" not in server.log()
