"""`socp chat` killed with -9 while mail comes in: what it acknowledged is read, now or at the next
start (section 11)."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from socp.crypto.keys import RsaSuite
from tests.cli.talkers import COMMAND, ENVIRONMENT, flags, give_key
from tests.client.mailbox_server import Absent, MailServer, keeping
from tests.client.v13_server import Link, now_ms
from tests.keys import test_key

MESSAGES = 30
PATIENCE_S = 60.0
SAID = re.compile(r"bob: message (\d+)$", re.MULTILINE)


class Chat:
    """One process, and all that it printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        assert process.stdout is not None
        self._reading = asyncio.create_task(process.stdout.read())

    async def killed(self) -> list[int]:
        """What it had printed when it was killed."""
        self._process.kill()
        return await self._printed()

    def says(self, line: str) -> None:
        """Type this."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def leaves(self) -> list[int]:
        """What it had printed when its input ended and it was done."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return await self._printed()

    async def _printed(self) -> list[int]:
        async with asyncio.timeout(PATIENCE_S):
            text = (await self._reading).decode()
            await self._process.wait()
        return [int(number) for number in SAID.findall(text)]


async def chat(folder: Path, server: MailServer) -> Chat:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *flags(folder, server.url, "alice"),
        stdin=pipe,
        stdout=pipe,
        stderr=asyncio.subprocess.DEVNULL,
        env=ENVIRONMENT,
    )
    return Chat(process)


async def acknowledged(server: MailServer, number: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(set(server.acked)) < number:
            server.news.clear()
            await server.news.wait()


async def visits(
    folder: Path, server: MailServer, number: int, comes: Absent | None = None
) -> tuple[Link, list[int]]:
    """Somebody who stays until all is handed out and acknowledged; their link, the `number`-th, and
    what they read. Meanwhile somebody may come and go."""
    alice = await chat(folder, server)
    alice.says("/list")
    link = await server.link(number)
    await link.hears("LIST_REQUEST")
    await acknowledged(server, len(server.mail) + len(set(server.acked) - server.mail.keys()))
    if comes is not None:
        await comes.is_known(link)
    await link.say("USER_LIST", {"users": [link.user_id]})
    return link, await alice.leaves()


@pytest.mark.spec("11")
@pytest.mark.threat("S8")
@pytest.mark.parametrize("killed_at", [1, 7, 20])
async def test_what_a_killed_client_acknowledged_is_never_lost(
    tmp_path: Path, killed_at: int
) -> None:
    give_key(tmp_path / "alice", 0)
    async with keeping(RsaSuite(), test_key(1)) as server:
        bob = Absent(server, test_key(2))
        link, read = await visits(tmp_path, server, 0, bob)
        assert read == []
        now = now_ms() - 1_000_000
        for number in range(MESSAGES):
            bob.wrote(link, f"message {number}", now + number)
        second = await chat(tmp_path, server)
        await acknowledged(server, killed_at)
        read = await second.killed()
        _, read_later = await visits(tmp_path, server, 2)
        assert (await visits(tmp_path, server, 3))[1] == []
    assert read == list(range(len(read)))
    # What is on the screen may come again where that it is there was still on its way to the disk.
    assert read_later == list(range(MESSAGES - len(read_later), MESSAGES))
    assert len(read) + len(read_later) >= MESSAGES
    assert server.mail == {}
