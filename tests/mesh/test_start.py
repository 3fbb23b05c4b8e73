"""The start command: its log lines, its listeners, its mistakes, its end ("Done when" 2)."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from socp.bench.raw_link import shake_hands
from socp.server import places
from tests import logbook
from tests.mesh.default_ports import default_ports
from tests.mesh.health import health
from tests.mesh.launch import PROJECT, RUN_SERVER, running
from tests.mesh.stored import give_key
from tests.server.certificates import certificate

__all__ = ["default_ports"]

UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
ALONE = ("--bootstrap", "none")


def fails(*flags: str) -> str:
    """The one line of a start that could not be."""
    done = subprocess.run([*RUN_SERVER, *flags], capture_output=True, text=True, timeout=100)
    logbook.keep([done.stderr])
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def listening_on(pid: int) -> set[tuple[str, int]]:
    """Where this process listens, by the kernel's own tables."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        name = os.readlink(link)
        if name.startswith("socket:["):
            inodes.add(name[8:-1])
    found = set()
    for table, host in (("tcp", "127.0.0.1"), ("tcp6", "::1")):
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            columns = row.split()
            if columns[3] == "0A" and columns[9] in inodes:
                address, port = columns[1].split(":")
                is_loopback = address in ("0100007F", "0" * 24 + "01000000")
                found.add((host if is_loopback else address, int(port, 16)))
    return found


@pytest.mark.together("default ports")
@pytest.mark.spec("1")
@pytest.mark.spec("5")
def test_the_first_start_says_what_it_does_and_ctrl_c_ends_it(
    tmp_path: Path, default_ports: tuple[int, int, int]
) -> None:
    with running(tmp_path, port=default_ports[0]) as server:
        for port in default_ports[1:]:
            server.wait_for(
                rf"^WARNING:server\.links:.*localhost:{port}.*\[Errno 111\] Connection refused"
            )
        if Path("/proc/self/net/tcp").exists():
            assert listening_on(server.process.pid) == {("127.0.0.1", 8001), ("::1", 8001)}
        began = time.monotonic()
        assert server.stop(signal.SIGINT) == 0
        assert time.monotonic() - began < 5
    assert server.lines[0] == "INFO:server.server:Generated new RSA-4096 keypair"
    assert re.fullmatch(f"INFO:server.server:Server initialized with ID: {UUID4}", server.lines[1])
    assert server.lines[2:5] == [
        "INFO:server.server:SOCP Chat Server v1.3",
        "INFO:server.server:Listening on ws://127.0.0.1:8001",
        "INFO:server.server:Listening on ws://[::1]:8001",
    ]
    assert "Traceback" not in server.log()


def test_later_starts_keep_key_and_id(tmp_path: Path) -> None:
    with running(tmp_path, *ALONE) as first:
        assert first.stop(signal.SIGTERM) == 0
    with running(tmp_path, *ALONE) as second:
        said = second.wait_for(r"^INFO:server\.server:Loaded RSA-4096 keypair ([0-9a-f]{64})$")
        key = (tmp_path / "data" / places.KEY_FILE).read_bytes()
        assert oct((tmp_path / "data" / places.KEY_FILE).stat().st_mode & 0o777) == "0o600"
        assert said[1] not in key.decode()
    assert first.lines[1] == second.lines[1]


def test_an_ephemeral_server_leaves_nothing_and_is_another_each_time(tmp_path: Path) -> None:
    with running(tmp_path, "--ephemeral", *ALONE) as first:
        assert first.stop() == 0
    with running(tmp_path, "--ephemeral", *ALONE) as second:
        assert second.stop() == 0
    assert first.lines[0] == second.lines[0] == "INFO:server.server:Generated new RSA-4096 keypair"
    assert first.lines[1] != second.lines[1]
    assert not list(tmp_path.iterdir())


def test_log_lines_as_json(tmp_path: Path) -> None:
    with running(tmp_path, "--ephemeral", "--log-format", "json", *ALONE) as server:
        assert server.stop() == 0
    lines = [json.loads(line) for line in server.lines]
    assert lines[2]["message"] == "SOCP Chat Server v1.3"
    assert {line["logger"] for line in lines} == {"server.server"}


@pytest.mark.threat("S9")
def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = fails("--port", str(port), "--data-dir", str(tmp_path / "data"))
    assert line == (
        f"socp: port {port} on 127.0.0.1 is in use by another program; "
        "stop it or choose another --port\n"
    )
    assert not (tmp_path / "data").exists()


def test_a_second_server_on_one_data_folder_is_told_who_has_it(tmp_path: Path) -> None:
    with running(tmp_path, *ALONE) as first:
        folder = str(tmp_path / "data")
        for port in ("0", str(first.port)):
            line = fails("--port", port, "--data-dir", folder)
            assert f"{folder} is in use by process {first.process.pid}" in line
            assert "choose another --data-dir" in line
        assert first.stop() == 0


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "data" / places.KEY_FILE
    key.parent.mkdir(mode=0o700)
    key.write_text("x")
    key.chmod(0o644)
    line = fails("--port", "0", "--data-dir", str(key.parent))
    assert f"run chmod 600 {key}" in line


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = fails("--port", "0", "--data-dir", str(tmp_path / "file" / "data"))
    assert "make it writable for this user or choose another --data-dir" in line


def test_a_certificate_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    line = fails("--ephemeral", "--tls-cert", str(tmp_path / "a"), "--tls-key", str(tmp_path / "b"))
    assert "check both files" in line


def test_a_wrong_flag_is_one_line() -> None:
    assert fails("--prot", "1").startswith("socp: No such option")


def test_without_what_it_needs_it_names_the_command_that_installs_it() -> None:
    bare = [sys.executable, "-I", "-S", RUN_SERVER[1]]
    done = subprocess.run(bare, capture_output=True, text=True, timeout=100)
    assert done.returncode == 2
    assert re.fullmatch(
        r"socp: needs \w+; start with script/server, which installs it\n", done.stderr
    )


@pytest.mark.alone
def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(running(tmp_path, "--ephemeral", *ALONE))
        # Somebody who never answers the goodbye keeps the first signal busy.
        with socket.create_connection(("127.0.0.1", server.port)) as silent:
            shake_hands(silent)
            server.process.send_signal(signal.SIGTERM)
            server.wait_for("^INFO:server.server:Stopping")
            began = time.monotonic()
            assert server.stop(signal.SIGTERM) == 128 + signal.SIGTERM
            assert time.monotonic() - began < 1  # its code says that nobody was waited for, too


SIGNALLED = """
import runpy, signal, sys
module, times = sys.argv[1], int(sys.argv[2])
def hook(event, arguments):
    global times
    while times and event == "import" and arguments[0] == module:
        times -= 1
        signal.raise_signal(signal.SIGINT)
sys.addaudithook(hook)
del sys.argv[:3]
if sys.argv[0].endswith(".py"):
    runpy.run_path(sys.argv[0], run_name="__main__")
else:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
SERVE = ("socp.cli.main", "serve")


def interrupted(folder: Path, module: str, times: int, *program: str) -> tuple[int, list[str]]:
    """The end of a start that gets so many SIGINT as it begins to import this module."""
    words = [SIGNALLED, module, str(times), *program, "--port", "0", *ALONE]
    done = subprocess.run(
        [sys.executable, "-c", *words, "--data-dir", str(folder / "data")],
        stderr=subprocess.PIPE,
        text=True,
        timeout=100,
    )
    logbook.keep([done.stderr])
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize("program", [RUN_SERVER[1:], SERVE])
def test_ctrl_c_while_it_is_loaded_ends_it_as_later(
    tmp_path: Path, program: tuple[str, ...]
) -> None:
    give_key(tmp_path, 0)
    # The second start knows who it is, and is in its event loop when it loads the app.
    for module in ("socp.server.flags", "socp.server.app"):
        code, lines = interrupted(tmp_path, module, 1, *program)
        assert code == 0
        assert lines[-2:] == ["INFO:server.server:Stopping", "INFO:server.server:Stopped"]


def test_a_second_ctrl_c_while_it_is_loaded_ends_it_at_once(tmp_path: Path) -> None:
    stopped = interrupted(tmp_path, "socp.server.flags", 2, *RUN_SERVER[1:])
    assert stopped == (128 + signal.SIGINT, [])


def test_ctrl_c_before_the_verb_is_known_shows_no_traceback(tmp_path: Path) -> None:
    assert interrupted(tmp_path, "click", 1, *SERVE) == (128 + signal.SIGINT, [])


HANGS = """
import sys, threading
sys.path.insert(0, sys.argv[1])
from socp.storage.store import Store
def close(store):
    sys.stderr.write("the disk hangs\\n")
    sys.stderr.flush()
    threading.Event().wait(30)
Store.close = close
from socp.server.main import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.threat("S8")
def test_a_second_signal_ends_it_while_the_disk_hangs(tmp_path: Path) -> None:
    command = (sys.executable, "-c", HANGS, str(PROJECT / "src"))
    with running(tmp_path, *ALONE, command=command) as server:
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("^the disk hangs")
        began = time.monotonic()
        assert server.stop(signal.SIGTERM) == 128 + signal.SIGTERM
        assert time.monotonic() - began < 10


def test_a_closed_terminal_ends_it_as_ctrl_c_does(tmp_path: Path) -> None:
    with running(tmp_path, "--ephemeral", *ALONE) as server:
        assert server.stop(signal.SIGHUP) == 0
        server.wait_for("^INFO:server.server:Stopped")


@pytest.mark.needs("nohup")
def test_with_nohup_a_closed_terminal_does_not_end_it(tmp_path: Path) -> None:
    flags = ("--ephemeral", "--log-level", "debug", *ALONE)
    with running(tmp_path, *flags, command=("nohup", *RUN_SERVER)) as server:
        server.process.send_signal(signal.SIGHUP)
        assert health(server)["status"] == "ok"  # it answers after the signal was delivered
        assert server.stop() == 0
    assert server.log().count("Stopping") == 1


@pytest.mark.needs("nohup")
def test_with_nohup_and_tls_sighup_reads_the_certificate_again(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    flags = ("--ephemeral", "--tls-cert", str(chain), "--tls-key", str(key), *ALONE)
    with running(tmp_path, *flags, command=("nohup", *RUN_SERVER)) as server:
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("Read the certificate again")
        assert server.stop() == 0


def test_socp_serve_is_the_same_program(tmp_path: Path) -> None:
    said = [
        subprocess.run(
            [*command, "--version"], capture_output=True, text=True, check=True, timeout=100
        ).stdout
        for command in (RUN_SERVER, [sys.executable, "-m", "socp.cli.main", "serve"])
    ]
    assert said[0] == said[1]
    assert "SOCP v1.3" in said[0]


# --- what it does to the machine --------------------------------------------------------------

STRACE = ["strace", "-f", "-qq", "-s", "300", "-e", "trace=process,connect,%file", "-o"]
MAKES_A_PROCESS = re.compile(r"^\d+ +(execve|execveat|fork|vfork|clone3?)\((.*)")
WRITES = re.compile(
    r'^\d+ +(?:openat|open|creat)\((?:[^"]*)"([^"]+)", [^)]*O_(?:WRONLY|RDWR|CREAT)'
)
CONNECTS = re.compile(r"^\d+ +connect\([^{]*(\{.*?\})")
ABROAD = re.compile(r'inet_addr\("(?!127\.)|inet_pton\(AF_INET6, "(?!::1")')

AUDITED = """
import os, sys
said = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
BAD = ("subprocess.Popen", "os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.system")
def hook(event, arguments):
    if event in BAD:
        os.write(said, f"process {event}\\n".encode())
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        os.write(said, f"connect {arguments[1][0]}\\n".encode())
    elif event == "open" and isinstance(arguments[0], str) and arguments[2] & 3:
        os.write(said, f"write {os.path.abspath(arguments[0])}\\n".encode())
sys.addaudithook(hook)
sys.path.insert(0, sys.argv[2])
from socp.server.main import main
sys.exit(main(sys.argv[3:]))
"""


@dataclass
class Deeds:
    """What one short run of a server did to the machine."""

    processes: list[str]  # made after its own start
    abroad: list[str]  # addresses outside loopback
    files: set[str]  # opened for writing


@contextmanager
def run_until_refused(command: list[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A server that has dialled and said so; the block must end it well."""
    command = [*command, "--port", "0", "--data-dir", str(folder / "data")]
    said: list[str] = []
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            said.append(line)
            if "unreachable" in line:
                break
        yield process
        said.append(process.communicate(timeout=100)[1])
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
        logbook.keep(said)


def seen_by_strace(folder: Path) -> Deeds:
    """The kernel's word."""
    log = folder / "strace"
    with run_until_refused([*STRACE, str(log), *RUN_SERVER], folder) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGINT)
    lines = log.read_text().splitlines()
    made = [found for line in lines if (found := MAKES_A_PROCESS.match(line))]
    connects = [found[1] for line in lines if (found := CONNECTS.match(line))]
    assert connects
    return Deeds(
        processes=[found[0] for found in made[1:] if "CLONE_THREAD" not in found[2]],
        abroad=[to for to in connects if ABROAD.search(to)],
        files={found[1] for line in lines if (found := WRITES.match(line))},
    )


def seen_by_python(folder: Path) -> Deeds:
    """Where strace cannot run this is what is left: it sees Python, not the libraries in C."""
    told = folder / "told"
    command = [sys.executable, "-c", AUDITED, str(told), str(PROJECT / "src")]
    with run_until_refused(command, folder) as process:
        process.send_signal(signal.SIGINT)
    rows = [line.split(" ", 1) for line in told.read_text().splitlines()]
    return Deeds(
        processes=[what for kind, what in rows if kind == "process"],
        abroad=[w for kind, w in rows if kind == "connect" and w not in ("127.0.0.1", "::1")],
        files={what for kind, what in rows if kind == "write"},
    )


def witnesses() -> list[Callable[[Path], Deeds]]:
    """Many containers forbid tracing."""
    if shutil.which("strace") is not None:
        tried = subprocess.run([*STRACE, os.devnull, "true"], capture_output=True)
        if tried.returncode == 0:
            return [seen_by_strace, seen_by_python]
    return [seen_by_python]


@pytest.mark.parametrize("witness", witnesses())
def test_it_makes_no_process_calls_nobody_abroad_and_writes_nothing_outside(
    witness: Callable[[Path], Deeds], tmp_path: Path
) -> None:
    deeds = witness(tmp_path)
    assert not deeds.processes
    assert not deeds.abroad
    # Its own folder, and what Python keeps of code that it compiled.
    allowed = (str(tmp_path), str(PROJECT), sys.prefix, os.devnull)
    assert not {path for path in deeds.files if path[0] == "/" and not path.startswith(allowed)}


def test_its_key_is_nowhere_in_its_log(tmp_path: Path) -> None:
    give_key(tmp_path, 0)
    with running(tmp_path, "--log-level", "trace", *ALONE) as server:
        assert server.stop() == 0
    pem = (tmp_path / "data" / places.KEY_FILE).read_text().splitlines()[1:-1]
    assert not [line for line in pem if line in server.log()]
