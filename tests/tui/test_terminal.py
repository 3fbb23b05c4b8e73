"""Two people on two servers, each at the full screen of a real terminal, read off that screen."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.cli.panes import Pane, tmux
from tests.cli.talkers import PATIENCE_S
from tests.mesh.launch import Running, running

pytestmark = [pytest.mark.needs("tmux"), pytest.mark.timeout(240)]

COMMAND = [sys.executable, "-m", "socp.cli.main", "tui", "--vault", "plain"]


@contextmanager
def screen(folder: Path, url: str, name: str) -> Iterator[Pane]:
    """`socp tui` of somebody new, 90 columns by 24 rows."""
    folder.mkdir()
    words = [
        *COMMAND,
        *("--as", name, "--server", url),
        *("--profile-dir", str(folder / "profile"), "--downloads", str(folder / "downloads")),
        *("--choices", str(folder / "none.toml")),
    ]
    after = f"echo ended with $?; stty -a; exec sleep {PATIENCE_S * 8:.0f}"
    script = f"{shlex.join(words)}; {after}"
    socket = folder / "tmux"
    tmux(socket, "new-session", "-d", "-s", "it", "-x", "90", "-y", "24", "sh", "-c", script)
    try:
        yield Pane(socket)
    finally:
        tmux(socket, "kill-server")


@contextmanager
def mesh(folder: Path) -> Iterator[tuple[Running, Running]]:
    """Two servers that know each other."""
    with (
        running(folder / "a", "--bootstrap", "none", "--federation", "open") as first,
        running(folder / "b", "--federation", "open", "--bootstrap", first.url) as second,
    ):
        yield first, second


def begins(pane: Pane) -> None:
    """The first start, as its name and server already stand there."""
    pane.shows("a server is there")
    pane.types("Enter", "Enter")
    pane.shows("everyone here|Everyone here can read it")


def meet(ann: Pane, bob: Pane) -> None:
    """Each finds the other."""
    ann.types("C-k", "bo")
    ann.shows("● bob")
    ann.types("Enter")
    ann.shows(r"bob  here  F3 compares keys")
    ann.types("hello from the other server", "Enter")
    ann.shows("hello from the other server +.*(✓✓|read)")
    bob.shows("● ann")
    bob.types("F5")
    bob.shows("new since you left")
    bob.shows("▎ hello from the other server")


def answer(ann: Pane, bob: Pane) -> None:
    """He answers, and changes what he said."""
    bob.types("Escape")
    bob.shows("r answer  e change")
    bob.types("r")
    bob.shows('answering ann "hello from')
    bob.types("hi ann", "Enter")
    ann.shows(r'↪ your "hello from the oth')
    ann.shows("▎ hi ann")
    bob.types("Up")
    bob.shows('changing "hi ann"')
    bob.types("!", "Enter")
    ann.shows("▎ hi ann!")
    ann.shows("changed at")


def react(ann: Pane, bob: Pane) -> None:
    """She reacts."""
    ann.types("Escape")
    ann.shows("r answer  e change")
    ann.types("End", "+")
    ann.shows("─ react ─")
    ann.types("tada", "Enter")
    bob.shows("🎉 ann")
    ann.shows("r answer  e change")
    ann.types("i")
    ann.shows("F1 help")


def send_file(ann: Pane, bob: Pane, folder: Path) -> None:
    """She sends a file, which comes as it was."""
    (folder / "plan.txt").write_text("nine o'clock\n" * 1_000)
    ann.types("F4")
    ann.shows("/file bob")
    ann.types(f"{folder}/pl", "Tab", "Enter")
    ann.shows("plan.txt.*sent to bob")
    bob.shows("plan.txt")
    bob.shows("SHA-256 right")
    received = folder / "bob" / "downloads" / "plan.txt"
    assert received.read_bytes() == (folder / "plan.txt").read_bytes()


def search(ann: Pane) -> None:
    """She finds what was said."""
    ann.types("C-f")
    ann.types("other server")
    ann.shows("1 found")
    ann.types("Enter")
    ann.shows("r answer  e change")
    ann.shows("▎ hello from the other server")


def verify(ann: Pane, bob: Pane) -> None:
    """Both see one number."""
    bob.types("F3")
    ann.types("F3")
    numbers = [
        " ".join(pane.shows(r"(\d{5}( \d{5}){5}).*\n.*?(\d{5}( \d{5}){5})").group(1, 3))
        for pane in (ann, bob)
    ]
    assert numbers[0] == numbers[1]
    ann.types(numbers[1], "Enter")
    ann.shows("bob is verified")
    ann.types("Escape")
    ann.shows("bob  here  ✔ verified")


def test_two_people_on_two_servers(tmp_path: Path) -> None:
    with ExitStack() as stack:
        first, second = stack.enter_context(mesh(tmp_path))
        ann = stack.enter_context(screen(tmp_path / "ann", first.url, "ann"))
        bob = stack.enter_context(screen(tmp_path / "bob", second.url, "bob"))
        begins(ann)
        begins(bob)
        meet(ann, bob)
        answer(ann, bob)
        react(ann, bob)
        send_file(ann, bob, tmp_path)
        search(ann)
        verify(ann, bob)


def test_a_server_killed_and_back(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(running(tmp_path / "a", "--bootstrap", "none"))
        ann = stack.enter_context(screen(tmp_path / "ann", server.url, "ann"))
        begins(ann)
        ann.types("half a sen")
        port = server.port
        server.stop(signal.SIGKILL)
        ann.shows(r"not connected since \d\d:\d\d; type on, what you say waits")
        ann.shows("○ ann  not connected")
        ann.types("tence", "Enter")
        ann.shows("▎ half a sentence")
        ann.shows("waiting")
        stack.enter_context(running(tmp_path / "a", "--bootstrap", "none", port=port))
        ann.shows(r"half a sentence +\d\d:\d\d ✓")
        assert "not connected" not in ann.screen()
        ann.shows("● ann")
        ann.types("C-q")
        is_as_before(ann)


def test_a_signal_leaves_the_terminal_as_before(tmp_path: Path) -> None:
    """Ctrl-C only says how one leaves."""
    with ExitStack() as stack:
        server = stack.enter_context(running(tmp_path / "a", "--bootstrap", "none"))
        ann = stack.enter_context(screen(tmp_path / "ann", server.url, "ann"))
        begins(ann)
        cursor = ann.state("#{cursor_y}")
        assert ann.screen().splitlines()[int(cursor)].count("│") >= 2, "the composer's row"
        ann.types("C-c")
        ann.shows("Ctrl-Q leaves")
        os.kill(child_of(int(ann.state("#{pane_pid}"))), signal.SIGTERM)
        is_as_before(ann)


def is_as_before(pane: Pane) -> None:
    """Its own screen, cursor and mouse are there, and what one types is shown."""
    pane.shows("ended with 0")
    pane.shows("isig icanon iexten echo ")
    assert pane.state("#{alternate_on}#{mouse_any_flag}#{cursor_flag}") == "001"


def child_of(pid: int) -> int:
    """The one process that a shell waits for."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
