"""S11: pre-auth memory: large frames before a hello, times connections."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import pytest

from socp.bench.raw_link import HANDSHAKE
from socp.wire import limits
from tests.mesh.health import health, memory_bytes
from tests.mesh.launch import running

STRANGERS = 200
OF_A_MIB = struct.pack("!BBQ", 0x81, 0x80 | 127, limits.FRAME_BYTES) + bytes(4)
OF_64_KIB = struct.pack("!BBQ", 0x81, 0x80 | 127, limits.FRAME_BYTES_UNIDENTIFIED) + bytes(4)
A_CONNECTION = 64 * limits.KIB  # what each may take beside its frame: sockets, tasks, parsers


def stranger(port: int) -> socket.socket:
    found = socket.create_connection(("127.0.0.1", port))
    found.sendall(HANDSHAKE)
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += found.recv(1)
    return found


@pytest.mark.threat("S11")
def test_strangers_who_begin_the_largest_frame_allowed_take_64_kib_each(tmp_path: Path) -> None:
    with running(tmp_path, "--ephemeral", "--bootstrap", "none") as server:
        before = memory_bytes(server)
        crowd = [stranger(server.port) for _ in range(STRANGERS)]
        for one in crowd:
            one.sendall(OF_64_KIB + b"{" * (limits.FRAME_BYTES_UNIDENTIFIED - 1))
        assert health(server)["links"] == STRANGERS
        grown = memory_bytes(server, "VmHWM") - before
        assert grown < STRANGERS * (limits.FRAME_BYTES_UNIDENTIFIED + A_CONNECTION)
        for one in crowd:
            one.close()


@pytest.mark.threat("S11")
def test_a_stranger_who_announces_more_is_closed_before_sending_it(tmp_path: Path) -> None:
    with running(tmp_path, "--ephemeral", "--bootstrap", "none") as server:
        one = stranger(server.port)
        one.settimeout(60)
        one.sendall(OF_A_MIB)
        answer = b""
        while chunk := one.recv(1000):
            answer += chunk
        assert b"\x03\xf1at most 64 KiB a message here" in answer  # 1009
        one.close()
