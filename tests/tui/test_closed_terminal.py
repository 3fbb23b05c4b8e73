"""A window that was closed leaves no client behind, and one that hangs holds none up."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from textual.app import App
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread

from socp.tui.terminal import Screen, Terminal
from tests.cli.panes import Pane, tmux
from tests.cli.talkers import PATIENCE_S
from tests.mesh.launch import running

END_FD = 9
PIPE_BYTES = 65_536


@pytest.mark.needs("tmux")
def test_a_closed_window_ends_it_and_lets_go_of_the_profile(tmp_path: Path) -> None:
    words = [
        *(sys.executable, "-m", "socp.cli.main", "tui", "--vault", "plain", "--as", "ann"),
        *("--profile-dir", str(tmp_path / "profile"), "--choices", str(tmp_path / "none.toml")),
    ]
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    with running(tmp_path / "server", "--bootstrap", "none") as server:
        script = f"exec {END_FD}>{alive}; exec {shlex.join([*words, '--server', server.url])}"
        socket = tmp_path / "tmux"
        tmux(socket, "new-session", "-d", "-s", "it", "-x", "90", "-y", "24", "sh", "-c", script)
        watch = subprocess.Popen(["cat", alive], stdout=subprocess.DEVNULL)
        pane = Pane(socket)
        try:
            pane.shows("something answers there|here is a server|ann")
            pane.types("Enter", "Enter")
            pane.shows("everyone here|Everyone here can read it")
        finally:
            tmux(socket, "kill-server")
        assert watch.wait(PATIENCE_S) == 0, "its end of the pipe is open: it lives on"


def test_what_cannot_be_shown_any_more_costs_nothing() -> None:
    ours, theirs = os.pipe()
    with open(theirs, "w", buffering=1) as file:
        screen = Screen(file)
        assert screen.write("seen\n") == len("seen\n")
        assert os.read(ours, 100) == b"seen\n"
        os.close(ours)
        assert screen.write("not seen\n") == len("not seen\n")
        screen.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), theirs)  # what it still holds goes nowhere


@pytest.fixture
def hung() -> Iterator[tuple[int, IO[str]]]:
    """A terminal that nobody reads from, if not by the file's number."""
    ours, theirs = os.pipe()
    with open(theirs, "w", buffering=1) as file:
        yield ours, file
    os.close(ours)


async def test_a_terminal_that_takes_nothing_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, hung: tuple[int, IO[str]]
) -> None:
    """Whoever waited for it would keep no message and answer no server."""
    ours, file = hung
    monkeypatch.setattr(sys, "__stderr__", file)
    driver = Terminal(App())
    assert driver._file is not None
    driver._writer_thread = thread = WriterThread(driver._file)
    thread.start()
    for _ in range(2 * MAX_QUEUED_WRITES):
        driver.write("x" * PIPE_BYTES)  # more than goes in at once; returns all the same
    assert not driver.caught_up()
    while not driver.caught_up():
        assert os.read(ours, PIPE_BYTES)
    driver.write("drawn anew\n")
    said = b""
    while not said.endswith(b"drawn anew\n"):
        said = said[-20:] + os.read(ours, PIPE_BYTES)
    assert not driver.caught_up(), "once is enough"
    driver.close()
