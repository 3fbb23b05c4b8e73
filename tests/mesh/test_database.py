"""The start command with its state in PostgreSQL: same server, same lines, no password anywhere."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from socp.storage.address import PostgresAddress
from tests.mesh.launch import RUN_SERVER, running
from tests.mesh.test_start import ALONE
from tests.postgres import PASSWORD, QUOTED, Postgres

pytestmark = pytest.mark.needs("postgresql")
ID = r"Server initialized with ID: (\S+)"


@pytest.fixture
def address(cluster: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresAddress]:
    """A database that servers find in their environment."""
    with cluster.database() as address:
        monkeypatch.setenv("SOCP_DATABASE", address.dsn)
        yield address


def refusal(folder: Path, *flags: str) -> str:
    """The one line of a start that could not be."""
    command = [*RUN_SERVER, "--port", "0", "--data-dir", str(folder), *ALONE, *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert PASSWORD not in done.stderr
    assert QUOTED not in done.stderr
    return done.stderr.removeprefix("socp: ").strip()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_server_is_the_same_after_a_restart(
    tmp_path: Path, address: PostgresAddress, how: signal.Signals
) -> None:
    with running(tmp_path, *ALONE, "--log-level", "trace") as server:
        first = server.wait_for(ID)[1]
        server.stop(how)
        assert PASSWORD not in server.log()
        assert QUOTED not in server.log()
    assert not (tmp_path / "data" / "socp.db").exists()
    with running(tmp_path, *ALONE) as server:  # at once, whether or not PostgreSQL has noticed
        assert server.wait_for(ID)[1] == first


@pytest.mark.threat("S8")
def test_a_second_server_on_one_database_is_refused(
    tmp_path: Path, address: PostgresAddress
) -> None:
    with running(tmp_path, *ALONE):
        line = refusal(tmp_path / "other")
    assert line.startswith(f"{address}: another server works with this database (")
    assert line.endswith("; stop it, or choose another --database")


@pytest.mark.threat("S8")
def test_a_server_without_the_database_its_folder_had_is_refused(
    tmp_path: Path, address: PostgresAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, *ALONE) as server:
        server.stop()
    monkeypatch.delenv("SOCP_DATABASE")
    line = refusal(tmp_path / "data")
    assert line.startswith(f"{tmp_path / 'data'} belongs to the database at {address}: give its")


@pytest.mark.threat("P5")
def test_a_wrong_password_is_one_line(
    tmp_path: Path, cluster: Postgres, address: PostgresAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCP_DATABASE", cluster.dsn(password="hunter2"))
    line = refusal(tmp_path / "data")
    assert line.endswith("refuses this user or password; look at --database and pg_hba.conf")
    assert "hunter2" not in line
