"""P5: what a server says of itself to strangers: no paths, no hosts, no versions of its parts."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from socp.node.trouble import kind_of
from socp.storage import postgresql, sqlite
from socp.storage.errors import StorageError
from tests.server.rig import Brain, Disk, Status, running, until
from tests.server.test_http_api import PATH, asked, brain, proof

PLACE = "/srv/chat/data/socp.db"
LINES = (
    *(f"{PLACE}: {said}" for said in sqlite.FAULTS.values()),
    *(f"postgresql://10.1.2.3:5432/socp: {said}" for said in postgresql.FAULTS.values()),
    *(f"postgresql://10.1.2.3:5432/socp {said}" for said in postgresql.AWAY.values()),
    f"{PLACE}: the disk does not keep up, 9 records wait; try again later",
    f"{PLACE} is closed; nothing more is stored",
)


@pytest.mark.threat("P5")
@pytest.mark.parametrize("line", LINES)
def test_the_kind_of_trouble_names_no_place(line: str) -> None:
    said = kind_of(line)
    assert "/" not in said
    assert "10.1.2.3" not in said
    assert "the operator's log has the reason" in said


@pytest.mark.threat("P5")
def test_the_kinds_people_can_do_something_about_are_told() -> None:
    full = sqlite.FAULTS[sqlite3.SQLITE_FULL]
    assert kind_of(f"{PLACE}: {full}").startswith("the disk is full")
    assert kind_of(postgresql.AWAY["57P01"]).startswith("the database is away")


@pytest.mark.threat("P5")
async def test_an_answer_over_http_names_no_path(tmp_path: Path) -> None:
    disk = Disk(at_once=False)
    async with running(tmp_path, Brain(brain), disk=disk) as shell:
        asking = asyncio.create_task(asked(shell, PATH + "/login", "DELETE", headers=proof()))
        await until(lambda: disk.waiting)
        disk.waiting.pop().set_exception(StorageError(f"{PLACE}: the disk is full; free some"))
        status, fault, _ = await asking
        assert (status, "the disk is full" in fault["detail"]) == (503, True)
        assert "/" not in fault["detail"]
        async with shell.session.get(shell.url + "/healthz") as health:
            assert "/srv" not in await health.text()


@pytest.mark.threat("P5")
@pytest.mark.parametrize(
    "request_",
    [b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET /healthz HTTP/1.1\r\n\r\n"],
)
async def test_no_answer_names_the_library_that_made_it(tmp_path: Path, request_: bytes) -> None:
    async with running(tmp_path) as shell:
        reader, writer = await asyncio.open_connection("127.0.0.1", shell.port)
        shell.writers.append(writer)
        writer.write(request_)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        assert b"\r\nServer: socp\r\n" in head
        assert b"aiohttp" not in head


@pytest.mark.threat("P5")
async def test_a_fault_of_ours_names_nothing_either(tmp_path: Path) -> None:
    class Broken(Brain):
        def status(self) -> Status:
            raise RuntimeError("a bug")

    async with (
        running(tmp_path, Broken()) as shell,
        shell.session.get(shell.url + "/healthz") as response,
    ):
        assert (response.status, response.headers["Server"]) == (500, "socp")
