"""Servers are killed at random moments while people talk, and nothing that was acknowledged is lost
(section 11, `mailbox/1`; threat S8).

`script/test --long` kills 200 times; `--seed N` plays the schedule of a failure again.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.mesh.launch import Running
from tests.mesh.storm import Step, Storm, full_disk, schedule
from tests.postgres import Postgres

KILLS, KILLS_LONG = 10, 200


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    given: int | None = request.config.getoption("--seed")
    return random.SystemRandom().randrange(1_000_000) if given is None else given


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    return KILLS_LONG if request.config.getoption("--long") else KILLS


async def play(storm: Storm, seed: int) -> None:
    try:
        await storm.begin()
        await storm.play()
        await storm.heal()
    finally:
        await storm.end()
    faults = "\n".join(storm.faults())
    print(f"seed {seed}: {storm.kills} kills, {len(storm.said)} messages")  # noqa: T201
    assert not faults, f"repeat with --seed {seed}:\n{faults}"
    traces = [n for n, line in enumerate(storm.log) if "Traceback" in line]
    assert not traces, "\n".join(storm.log[traces[0] - 2 : traces[0] + 60])


@pytest.mark.timeout(1200)
@pytest.mark.spec("11")
@pytest.mark.threat("S8")
async def test_nothing_acknowledged_is_lost_when_servers_are_killed(
    tmp_path: Path, seed: int, kills: int
) -> None:
    await play(Storm(tmp_path, schedule(seed, kills)), seed)


@pytest.mark.timeout(1200)
@pytest.mark.spec("11")
@pytest.mark.threat("S8")
async def test_nothing_acknowledged_is_lost_when_disks_are_full_in_between(
    tmp_path: Path, seed: int, kills: int
) -> None:
    storm = Storm(tmp_path, schedule(seed, kills // 2, troubles=True))
    storm.trouble = full_disk
    await play(storm, seed)


@pytest.mark.timeout(1200)
@pytest.mark.spec("11")
@pytest.mark.threat("S8")
@pytest.mark.needs("postgresql")
async def test_nothing_acknowledged_is_lost_when_postgresql_stops_in_between(
    tmp_path: Path, seed: int, kills: int, cluster: Postgres
) -> None:
    databases = [cluster.make() for _ in range(3)]
    storm = Storm(
        tmp_path,
        schedule(seed, kills // 2, troubles=True),
        databases=[address.dsn for address in databases],
    )
    storm.trouble = stopping(cluster)
    try:
        await play(storm, seed)
    finally:
        storm.trouble(None, False)


def stopping(cluster: Postgres) -> Callable[[Running | None, bool], None]:
    """The database of all of them stops, or is started again."""
    stopped = False

    def trouble(_server: Running | None, begins: bool) -> None:
        nonlocal stopped
        if begins and not stopped:
            cluster.stop()
        elif not begins and stopped:
            cluster.start()
        stopped = begins

    return trouble


def test_one_seed_is_one_schedule() -> None:
    assert schedule(7, 5, troubles=True) == schedule(7, 5, troubles=True)
    assert schedule(7, 5) != schedule(8, 5)
    assert sum(step.what == "kill" for step in schedule(7, 200)) == 200
    assert all(isinstance(step, Step) for step in schedule(7, 5))
