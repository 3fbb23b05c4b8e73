"""`socp conform`: what it prints, what it writes, and its exit codes."""

from __future__ import annotations

import asyncio
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from aiohttp import web

from socp.cli.conform import dialled, place
from tests.mesh.launch import Running, running


def conform(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "socp.cli.main", "conform", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=100)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("conform"), "--ephemeral", "--bootstrap", "none") as own:
        yield own


@pytest.fixture(scope="module")
def silent_about_itself() -> Iterator[str]:
    """A server whose ACK does not say which server it is."""
    ports: queue.Queue[int] = queue.Queue()
    loop, over = asyncio.new_event_loop(), asyncio.Event()

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            hello = json.loads(message.data)
            head = {"type": "ACK", "from": "x", "to": hello["from"], "ts": hello["ts"], "sig": ""}
            await socket.send_json({**head, "payload": {"msg_ref": "USER_HELLO"}})
        return socket

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/", handle)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.put(runner.addresses[0][1])
        await over.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    yield f"ws://127.0.0.1:{ports.get(timeout=60)}"
    loop.call_soon_threadsafe(over.set)
    thread.join()
    loop.close()


def test_a_server_that_keeps_the_rules_ends_it_with_0(server: Running, tmp_path: Path) -> None:
    done = conform(
        server.url, "--only", "2.1-*", "--only", "6.1-*", "--junit", str(tmp_path / "r.xml")
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, second, *_ = done.stdout.splitlines()
    assert first.startswith("pass     MUST       2.1-members ")
    assert second.startswith("pass     MUST       6.1-hello-ack ")
    assert done.stdout.endswith(f"{server.url}: every MUST holds\n")
    suite = ElementTree.parse(tmp_path / "r.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "0")


def test_a_broken_must_ends_it_with_1_and_is_named(silent_about_itself: str) -> None:
    done = conform(silent_about_itself, "--only", "6.[1-2]-*", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    verdicts = {rule["id"]: rule["verdict"] for rule in report["rules"]}
    assert verdicts == {"6.1-hello-ack": "pass", "6.2-ack-server-id": "fail"}
    assert report["holds"] is False


def test_nobody_there_ends_it_with_2_and_one_line() -> None:
    done = conform("ws://127.0.0.1:9", "--only", "1.1-*")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("socp conform: no WebSocket at ws://127.0.0.1:9")
    assert done.stderr.endswith("nothing listens there; start the server, or give its port\n")
    assert done.stderr.count("\n") == 1


def test_rules_that_cannot_be_tried_there_end_it_with_2_and_say_why(server: Running) -> None:
    done = conform(server.url, "--only", "5.1-*")
    assert done.returncode == 2
    assert "needs a server that lets any other join" in done.stderr


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "say whom to judge"),
        (("nonsense",), "ws://"),
        (("ws://x:1", "--only", "99.*"), "no rule has such an id"),
        (("ws://x:1", "--listen", "9000"), "leave the address out"),
        (("--listen", "door"), "write PORT or HOST:PORT"),
        (("ws://x:1", "--junit", "no/such.xml"), "there is no folder no"),
        (("--listen", "9000", "--wait", "nan"), "nan is no number"),
    ],
)
def test_what_is_typed_wrongly_is_one_line(words: tuple[str, ...], line: str) -> None:
    done = conform(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert line in done.stderr


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("9009", "127.0.0.1:9009"),
        ("0.0.0.0:9009", "127.0.0.1:9009"),
        ("192.0.2.7:9009", "192.0.2.7:9009"),
        ("[::1]:9009", "[::1]:9009"),
        ("[::]:9009", "[::1]:9009"),
        ("box.example:9009", "box.example:9009"),
    ],
)
def test_whoever_is_to_attach_is_told_where_it_listens(said: str, address: str) -> None:
    host, port = place(said)
    assert not set("[]") & set(host)
    assert f"{dialled(host)}:{port}" == address


def test_a_port_that_is_taken_ends_listening_with_2(server: Running) -> None:
    done = conform("--listen", str(server.port))
    assert done.returncode == 2
    assert "take another port" in done.stderr


def test_the_rules_are_shown_without_a_server() -> None:
    done = conform("--rules", "--json")
    rules = json.loads(done.stdout)
    assert done.returncode == 0
    assert len(rules) >= 300
    assert {"id", "section", "level", "title", "remedy", "needs"} <= rules[0].keys()
