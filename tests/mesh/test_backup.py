"""A backup taken while people talk, and restored: what was acknowledged before it is there."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from socp.member.records import LineState
from tests.cli.talkers import ENVIRONMENT, give_key
from tests.mesh.launch import running
from tests.mesh.storm import Person
from tests.mesh.test_talk import free_ports

ENOUGH = 40
PATIENCE_S = 60.0


def admin(folder: Path, *words: str) -> str:
    """What the operator's command says; it must succeed."""
    command = [sys.executable, "-m", "socp.cli.main", "admin", "--data-dir", str(folder)]
    done = subprocess.run(
        [*command, *words],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def taken(alice: Person) -> set[str]:
    done = (LineState.DONE, LineState.DELIVERED, LineState.READ)
    return {text for text, moved in alice.states.items() if moved.state in done}


async def until(alice: Person, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(taken(alice)) < count:  # noqa: ASYNC110 - the client tells nobody but its reader
            await asyncio.sleep(0.01)


async def talk(alice: Person, to: str) -> None:
    """One line after the other, until cancelled."""
    number = 0
    while True:
        await alice.say(to, f"line number {number}")
        number += 1
        await asyncio.sleep(0.01)


@pytest.mark.spec("11")
@pytest.mark.threat("S8")
async def test_what_was_acknowledged_before_a_backup_is_delivered_by_the_restored_server(
    tmp_path: Path,
) -> None:
    (port,) = free_ports(1)
    url = f"ws://127.0.0.1:{port}"
    alice, bob = (Person(name, url, tmp_path) for name in ("alice", "bob"))
    for number, person in enumerate((alice, bob)):
        give_key(tmp_path / person.name, number)
    flags = ("--bootstrap", "none")
    with running(tmp_path / "old", *flags, port=port):
        await alice.come()
        await bob.come()
        async with asyncio.timeout(PATIENCE_S):
            while alice.me is None or not alice.me.reaches(bob.id):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        await bob.leave()
        talking = asyncio.create_task(talk(alice, bob.id))
        await until(alice, ENOUGH)
        before = taken(alice)
        await asyncio.to_thread(admin, tmp_path / "old" / "data", "backup", str(tmp_path / "kept"))
        await until(alice, len(before) + ENOUGH)
        talking.cancel()
        await alice.leave()
    restored = tmp_path / "new" / "data"
    await asyncio.to_thread(admin, restored, "restore", str(tmp_path / "kept"))
    await asyncio.to_thread(admin, restored, "check")
    with running(tmp_path / "new", *flags, port=port):
        await bob.come()
        async with asyncio.timeout(PATIENCE_S):
            while not before <= set(bob.texts):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)
        await bob.leave()
    assert len(bob.texts) == len(set(bob.texts))
    assert bob.texts == sorted(bob.texts, key=lambda text: int(text.split()[-1]))
