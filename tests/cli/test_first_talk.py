"""Two people who never talked before, each at a real terminal and a server of their own: the first
message within a minute, and nothing lost, doubled or out of order when a server is killed."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.panes import Pane, terminal
from tests.mesh.launch import running

pytestmark = pytest.mark.needs("tmux")

FIRST_MESSAGE_S = 60.0
PASSPHRASE = "four quiet words here"
LINES = 6


class Person:
    """At their terminal: no profile, no key, no flags but where things are kept."""

    def __init__(self, stack: ExitStack, folder: Path, name: str, *flags: str) -> None:
        places = ["--profile-dir", str(folder / name), *flags]
        pane = folder / f"pane-{name}-{len(flags)}"
        self.name = name
        self.pane: Pane = stack.enter_context(terminal(pane, *places, SOCP_VAULT=""))

    def answers(self) -> None:
        """What the first start asks for: a name, and a passphrase twice."""
        self.pane.shows(r"^your name, as others will see it")
        self.pane.types(self.name, "Enter")
        for question in ("^a passphrase for this profile", "^once more"):
            self.pane.shows(question)
            self.pane.types(PASSPHRASE, "Enter")

    def types(self, line: str) -> None:
        self.pane.types(line, "Enter")

    def has_read(self, other: str) -> list[str]:
        """The lines of somebody else that stand on the screen, in their order."""
        return re.findall(rf"\[private, \w+\] {other}: (.*)$", self.pane.screen(), re.MULTILINE)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.mark.spec("11")
def test_two_people_talk_within_a_minute_and_a_killed_server_costs_no_line(
    tmp_path: Path, stack: ExitStack, record_property: Callable[[str, object], None]
) -> None:
    flags = ("--federation", "open", "--bootstrap")
    one = stack.enter_context(running(tmp_path / "one", *flags, "none"))
    two = stack.enter_context(running(tmp_path / "two", *flags, one.url))

    began = time.monotonic()
    ann, bob = (
        Person(stack, tmp_path, name, "--server", server.url, "--downloads", str(tmp_path / "in"))
        for name, server in (("ann", one), ("bob", two))
    )
    for person in (ann, bob):
        person.answers()
    ann.pane.shows("bob .*here", seconds=FIRST_MESSAGE_S)
    ann.types("/tell bob hello bob")
    bob.pane.shows(r"\[private, pinned\] ann: hello bob$")
    taken = time.monotonic() - began
    record_property("first start to first message, s", round(taken, 1))
    assert taken < FIRST_MESSAGE_S

    bob.types("/tell ann hello ann")
    ann.pane.shows(r"\[private, pinned\] bob: hello ann$")
    two.stop(signal.SIGKILL)
    for number in range(LINES):
        ann.types(f"ann {number}")
        bob.types(f"bob {number}")
    bob.pane.shows(r"\[private, waiting\] you to ann: bob 5$")
    stack.enter_context(running(tmp_path / "two", *flags, one.url, port=two.port))

    bob.pane.shows(rf"ann: ann {LINES - 1}$", seconds=FIRST_MESSAGE_S)
    ann.pane.shows(rf"bob: bob {LINES - 1}$", seconds=FIRST_MESSAGE_S)
    assert bob.has_read("ann") == ["hello bob", *(f"ann {number}" for number in range(LINES))]
    assert ann.has_read("bob") == ["hello ann", *(f"bob {number}" for number in range(LINES))]
    ann.types("/quit")
    ann.pane.shows("^ended with 0$")

    again = Person(stack, tmp_path, "ann")  # the profile knows the rest
    again.pane.shows("^passphrase:")
    again.types(PASSPHRASE)
    again.pane.shows("^with bob$")
    again.pane.shows(rf"^#\d+ .*\[private, pinned\] bob: bob {LINES - 1}$")
    again.pane.shows("bob .*here")
