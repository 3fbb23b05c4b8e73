"""How a server stops: told to everybody, within 2 s (section 1)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from socp.node.effects import Dial, Effect, Send
from socp.node.events import Event, LinkOpened, Stopping
from socp.server import places
from socp.wire.addresses import HostPort
from tests.server.rig import Brain, Disk, ended, frame, running, said, until


def leaving(event: Event) -> Sequence[Effect]:
    if isinstance(event, Stopping):
        return [Send((1,), frame("USER_REMOVE")), Dial(HostPort("localhost", 1), tls=False)]
    return ()


@pytest.mark.spec("1")
async def test_everybody_is_told_and_closed_with_1001(tmp_path: Path) -> None:
    async with running(tmp_path, Brain(leaving)) as shell:
        first, second = await shell.connect(), await shell.connect()
        shell.stop.set()
        assert (await said(first))["type"] == "USER_REMOVE"
        assert await said(first) == {"type": "CTRL_CLOSE"}
        assert await said(second) == {"type": "CTRL_CLOSE"}
        assert [await ended(ws) for ws in (first, second)] == [1001, 1001]
        await until(lambda: shell.brain.lost() == ["the server stops"] * 2)


async def test_who_does_not_listen_is_not_waited_for(tmp_path: Path) -> None:
    async with running(tmp_path) as shell:  # which sees to the 2 s itself
        await shell.handshake()
        _, idle = await asyncio.open_connection("127.0.0.1", shell.port)
        shell.writers.append(idle)
        shell.stop.set()
        await until(lambda: shell.brain.lost() == ["the server stops"])


async def test_an_operator_who_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    async with running(tmp_path) as shell:  # which sees to the 2 s itself
        await until((tmp_path / places.ADMIN_SOCKET).exists)
        _, silent = await asyncio.open_unix_connection(tmp_path / places.ADMIN_SOCKET)
        shell.writers.append(silent)
        shell.stop.set()


async def test_a_disk_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    from socp.node.effects import Persist
    from socp.node.records import ChannelVersion

    def storing(event: Event) -> Sequence[Effect]:
        return [Persist(ChannelVersion(1))] if isinstance(event, LinkOpened) else ()

    async with running(tmp_path, Brain(storing), disk=Disk(at_once=False)) as shell:
        ws = await shell.connect()
        shell.stop.set()
        assert await asyncio.wait_for(ended(ws), 60) == 1001
