"""A process killed while it writes has stored all it was told is stored, and halves of nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from socp.storage.whose import Identity
from tests.site import Site

# Each write is an account and its home; a line is printed when the write is said to be stored.
WRITE_FOR_EVER = """
import os, sys
from dataclasses import replace
from pathlib import Path
from socp.storage.address import PostgresAddress
from socp.storage.node_store import NodeStore
from tests.storage.examples import ACCOUNT, HOME

address = os.environ.get("ADDRESS")
store = NodeStore.open(Path(sys.argv[1]), PostgresAddress.parse(address) if address else None)
number = 0
while True:
    futures = []
    for number in range(number + 1, number + 21):
        name = f"{number:036d}"
        records = [replace(ACCOUNT, user_id=name), replace(HOME, user_id=name)]
        futures.append((name, store.write(records)))
    for name, future in futures:
        future.result()
        print(name, flush=True)
"""
ROOT = Path(__file__).parents[2]


def told_until_killed(site: Site, environment: dict[str, str], lines: int) -> set[str]:
    """Kill a writer after so many lines; what it said is stored."""
    address = {"ADDRESS": site.address.dsn} if site.address else {}
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE_FOR_EVER, str(site.folder)],
        env={**environment, **address, "PYTHONPATH": f"{environment['PYTHONPATH']}:{ROOT}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    told = {process.stdout.readline().strip() for _ in range(lines)}
    process.kill()
    rest, _ = process.communicate()
    return told | set(rest.split("\n")[:-1])  # the last line may have been cut


@pytest.mark.threat("S8")
@pytest.mark.parametrize("lines", [1, 30, 500])
def test_what_was_said_to_be_stored_survives_kill_9(
    site: Site, python_path: dict[str, str], lines: int
) -> None:
    told = told_until_killed(site, python_path, lines)
    with site.open() as store:
        remembered = store.load()
    accounts = {account.user_id for account in remembered.accounts}
    assert told <= accounts
    assert accounts == {home.user_id for home in remembered.homes}


@pytest.mark.threat("S8")
def test_a_killed_writer_leaves_a_folder_that_opens_and_takes_writes(
    site: Site, python_path: dict[str, str]
) -> None:
    told_until_killed(site, python_path, 1)
    with site.open() as store:
        store.set_identity(Identity("again", None))
        assert store.identity() == Identity("again", None)
