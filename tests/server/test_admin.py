"""The operator's channel (`socp admin`)."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from socp.node.effects import Answer, Effect
from socp.node.events import (
    Admit,
    Ban,
    Event,
    Forget,
    Invite,
    ListServers,
    ListUsers,
    RevokeUser,
)
from socp.server import admin, places
from socp.server.admin import NotRunning, Reply, Request, ask
from socp.server.resident import resident_bytes
from socp.wire import limits
from tests.server.rig import Brain, running, until

FINGERPRINT = "3f" * 32


def operator(event: Event) -> Sequence[Effect]:
    match event:
        case Admit():
            return [Answer(event.request, True, (f"admitted {event.fingerprint}",))]
        case Ban() | Forget():
            return [Answer(event.request, False, ("no such server",))]
        case ListUsers():
            return [Answer(event.request, True, (f"users like {event.prefix}",))]
        case Invite():
            said = f"{len(set(event.codes))} codes of {len(event.codes[0])} bytes, {event.days} d"
            return [Answer(event.request, True, (said,))]
        case ListServers():
            return [Answer(event.request, True, ("a", "b"))]
        case RevokeUser():
            return [Answer(event.request, False, ("no such user",))]
    return ()


async def asked(folder: Path, request: Request) -> Reply:
    return await asyncio.to_thread(ask, folder, request)


@pytest.mark.threat("S11")
async def test_the_operator_alone_is_told_how_much_memory_is_taken(tmp_path: Path) -> None:
    async with running(tmp_path) as shell:
        await until((tmp_path / places.ADMIN_SOCKET).exists)
        reply = await asked(tmp_path, Request("status"))
        assert reply.ok
        assert "newcomers: welcome" in reply.lines
        async with shell.session.get(shell.url + "/healthz") as answer:
            assert "memory" not in await answer.text()
        if resident_bytes() is not None:
            assert any(re.fullmatch(r"memory: \d+M of 1024M, .*", x) for x in reply.lines)


async def test_commands_reach_the_brain_and_its_answers_come_back(tmp_path: Path) -> None:
    async with running(tmp_path, Brain(operator)) as shell:
        await until((tmp_path / places.ADMIN_SOCKET).exists)
        assert await asked(tmp_path, Request("admit", FINGERPRINT)) == Reply(
            True, (f"admitted {FINGERPRINT}",)
        )
        assert await asked(tmp_path, Request("ban", "x")) == Reply(False, ("no such server",))
        assert await asked(tmp_path, Request("forget", "x")) == Reply(False, ("no such server",))
        assert await asked(tmp_path, Request("revoke", "x")) == Reply(False, ("no such user",))
        assert await asked(tmp_path, Request("servers")) == Reply(True, ("a", "b"))
        assert shell.brain.of(Admit)[0].fingerprint == FINGERPRINT
        assert await asked(tmp_path, Request("users", "an")) == Reply(True, ("users like an",))
        assert await asked(tmp_path, Request("invite", count=3, days=2)) == Reply(
            True, ("3 codes of 16 bytes, 2 d",)
        )
        for count, days in ((0, 1), (limits.INVITATIONS_AT_ONCE + 1, 1), (1, 0), (1, 1000)):
            reply = await asked(tmp_path, Request("invite", count=count, days=days))
            assert (reply.ok, "not a command" in reply.lines[0]) == (False, True)


async def test_what_is_no_command_is_told_so(tmp_path: Path) -> None:
    async with running(tmp_path):
        await until((tmp_path / places.ADMIN_SOCKET).exists)
        reply = await asked(tmp_path, Request("reboot"))
        assert (reply.ok, "no such command" in reply.lines[0]) == (False, True)
        for line in (b"[[[[", b'{"do": "\xff"}', b'{"x": ' + b"[" * 3_000):
            reader, writer = await asyncio.open_unix_connection(tmp_path / places.ADMIN_SOCKET)
            writer.write(line + b"\n")
            assert b"not a command" in await reader.read()
            writer.close()
        reader, writer = await asyncio.open_unix_connection(tmp_path / places.ADMIN_SOCKET)
        writer.write(b"x" * 100_000)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize("do", admin.WITH_WHO)
async def test_a_command_about_nobody_says_what_is_missing(tmp_path: Path, do: str) -> None:
    async with running(tmp_path, Brain(operator)):
        await until((tmp_path / places.ADMIN_SOCKET).exists)
        for who in ("", "  "):
            reply = await asked(tmp_path, Request(do, who))
            assert (reply.ok, reply.lines[0].startswith(f"{do} whom? give a")) == (False, True)


async def test_the_socket_is_for_its_owner_alone_and_goes_with_the_server(tmp_path: Path) -> None:
    file = tmp_path / places.ADMIN_SOCKET
    async with running(tmp_path):
        await until(file.exists)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.exists()


async def test_what_a_killed_server_left_behind_is_cleared_away(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / places.ADMIN_SOCKET))
    async with running(tmp_path, Brain(operator)):
        await until(lambda: answers(tmp_path))


def answers(folder: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(folder / places.ADMIN_SOCKET)) == 0


async def test_a_living_servers_socket_is_not_taken_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, Brain(operator)):
        await until(lambda: answers(tmp_path))
        async with running(tmp_path):
            await until(lambda: "no `socp admin` for this server" in caplog.text)
        assert (await asked(tmp_path, Request("servers"))).ok


async def test_a_long_path_works_too(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    async with running(deep, Brain(operator)):
        await until((deep / places.ADMIN_SOCKET).exists)
        assert (await asked(deep, Request("servers"))).ok


def test_nobody_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="no server runs on"):
        ask(tmp_path, Request("servers"))
    with pytest.raises(NotRunning, match="no server runs on"):
        ask(tmp_path / "absent", Request("servers"))


async def test_a_brain_that_does_not_answer_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "WAIT_S", 0.2)
    async with running(tmp_path):
        await until(lambda: answers(tmp_path))
        with pytest.raises(NotRunning, match="did not answer"):
            await asked(tmp_path, Request("servers"))
