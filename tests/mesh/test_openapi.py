"""A running server does what its OpenAPI document says: schemathesis judges it from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mesh.launch import Running, running
from tests.mesh.stored import give_key

EXAMPLES = 30
FLAGS = (("--list-users",), ("--registration", "invite"))


@dataclass
class Judged:
    """A server, and the schemathesis that is at it."""

    server: Running
    judge: subprocess.Popen[str]


@contextmanager
def judged(folder: Path, *flags: str) -> Iterator[Judged]:
    give_key(folder, 2)
    with running(folder, "--bootstrap", "none", *flags) as server:
        document = f"http://127.0.0.1:{server.port}/api/openapi.json"
        command = [sys.executable, "-m", "schemathesis.cli", "run", document]
        command += ["--checks", "all", "--seed", "1", "--max-examples", str(EXAMPLES)]
        command += ["--generation-database", "none"]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={**os.environ, "NO_COLOR": "1"},
        ) as judge:
            try:
                yield Judged(server, judge)
            finally:
                judge.kill()


@pytest.fixture(scope="module")
def all_judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Judged]]:
    """One for each of FLAGS, all at once: a judge keeps one core busy."""
    with ExitStack() as stack:
        folders = [(tmp_path_factory.mktemp("judged"), flags) for flags in FLAGS]
        yield [stack.enter_context(judged(folder, *flags)) for folder, flags in folders]


@pytest.mark.spec("10")
@pytest.mark.parametrize("number", range(len(FLAGS)), ids=[" ".join(flags) for flags in FLAGS])
def test_every_check_of_schemathesis_passes(all_judged: list[Judged], number: int) -> None:
    server, judge = all_judged[number].server, all_judged[number].judge
    said, _ = judge.communicate(timeout=100)
    assert judge.returncode == 0, said
    assert "10 selected / 10 total" in said
    assert "failed for a fault of this server" not in server.log()
    assert "Traceback" not in server.log()
