"""`fast-sig/1` over real sockets: session keys sign what goes over one link (section 11)."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.mesh.default_ports import default_ports
from tests.mesh.folk import folk, see_each_other, send_files, talk
from tests.mesh.launch import Running, running
from tests.mesh.stored import give_key
from tests.mesh.test_three_servers import BACK_S, linked, within

__all__ = ["default_ports"]

FRAME = re.compile(r'> link \d+ \{"type":"(\w+)".*"sig":"(ed:)?')
FAST = {
    "SERVER_DELIVER",
    "USER_DELIVER",
    "MSG_PUBLIC_CHANNEL",
    "FILE_START",
    "FILE_CHUNK",
    "FILE_END",
    "HEARTBEAT",
}
SLOW = {"USER_ADVERTISE", "PUBLIC_CHANNEL_KEY_SHARE"}
FILE_BYTES = 600_000


def signed(servers: list[Running]) -> dict[str, set[bool]]:
    """Of each frame type that they sent: whether session keys signed it."""
    found: dict[str, set[bool]] = {}
    for server in servers:
        for kind, fast in FRAME.findall(server.log()):
            found.setdefault(kind, set()).add(bool(fast))
    return found


@pytest.mark.together("default ports")
@pytest.mark.spec("11")
@pytest.mark.timeout(120)
async def test_messages_and_files_of_three_servers_cost_no_rsa_on_their_way(
    default_ports: tuple[int, int, int], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        servers = []
        for n, port in enumerate(default_ports):
            give_key(tmp_path / str(n), n + 3)
            run = running(tmp_path / str(n), "--log-level", "trace", port=port)
            servers.append(stack.enter_context(run))
        within(BACK_S, lambda: linked(*servers))
        async with folk(tmp_path, servers) as people:
            await see_each_other(people)
            await talk(people)
            files = [tmp_path / "to one.bin", tmp_path / "to all.bin"]
            for file in files:
                file.write_bytes(os.urandom(FILE_BYTES))
            await send_files(people, *files)
        ways = signed(servers)
        assert {kind for kind, way in ways.items() if way == {True}} >= FAST
        assert ways["ACK"] == {True, False}, "that of a hello is signed by the own key"
        assert {kind for kind, way in ways.items() if way == {False}} >= SLOW & ways.keys()
        assert not [server for server in servers if "INVALID_SIG" in server.log()]
