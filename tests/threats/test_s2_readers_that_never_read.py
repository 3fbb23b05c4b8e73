"""S2: readers that never read: a hundred of a thousand users ("Done when" 6; section 12)."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from socp.wire import limits
from tests.mesh.crowd import Crowd, User
from tests.mesh.health import health, memory_bytes
from tests.mesh.launch import running

READERS = 900
SILENT = 100
POST_BYTES = 192 * limits.KIB  # 256 KiB on the wire
POSTS = 32  # 8 MiB for each
AUTHORS = 4
AT_ONCE = 4  # posts under way: 1 MiB a reader


@pytest.mark.spec("12")
@pytest.mark.threat("S2")
@pytest.mark.alone  # a thousand links take a core for themselves
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no way to see memory here")
def test_a_hundred_who_never_read_are_cut_and_nine_hundred_get_everything(tmp_path: Path) -> None:
    flags = ("--ephemeral", "--bootstrap", "none")
    crowd = Crowd()
    with ExitStack() as links, running(tmp_path, *flags) as server:
        links.callback(crowd.close)
        for n in range(READERS):
            crowd.add(User.attach(server.port, n))
            if n % 20 == 0:
                crowd.read_until(lambda: crowd.got(b"ACK") == 1, 10)
        for n in range(SILENT):
            links.callback(User.attach(server.port, n).socket.close)
        crowd.read_until(lambda: health(server)["users"] == READERS + SILENT, 20)
        before = memory_bytes(server)

        for batch in range(POSTS // AT_ONCE):
            for n in range(AT_ONCE):
                crowd.users[n % AUTHORS].post(POST_BYTES)
            done = (batch + 1) * AT_ONCE
            # An author does not get their own post back.
            others = Crowd()
            others.users = crowd.users[AUTHORS:]
            crowd.read_until(lambda: others.got(b"MSG_PUBLIC_CHANNEL") == done, 30)  # noqa: B023

        crowd.read_until(lambda: health(server)["users"] == READERS, 10)
        grown = memory_bytes(server, "VmHWM") - before
        assert grown < SILENT * limits.OUTBOX_BYTES // 4, "posts are shared, not kept for each"
        links.close()
        assert server.stop() == 0
