"""`socp chat` as a person meets it: on a real terminal, read off the screen."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.panes import Pane, terminal
from tests.cli.talkers import flags, give_key, talking
from tests.mesh.launch import Running, running

pytestmark = pytest.mark.needs("tmux")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("server"), "--ephemeral", "--bootstrap", "none") as one:
        yield one


@pytest.fixture
def alice(tmp_path: Path, server: Running) -> Iterator[Pane]:
    give_key(tmp_path / "alice", 0)
    with terminal(tmp_path / "pane", *flags(tmp_path, server.url, "alice")) as pane:
        pane.shows("connected to")
        yield pane


def test_an_arriving_line_never_breaks_the_line_being_typed(
    tmp_path: Path, server: Running, alice: Pane
) -> None:
    with talking(tmp_path, server.url, "bob", key=1) as bob:
        alice.shows("bob .*is here")
        alice.types("/tell bob half a sen")
        alice.shows(r"^> /tell bob half a sen$")
        bob.says("/tell alice first of two", "/tell alice last of two")
        alice.shows(r"\[private, pinned\] bob: last of two$")
        alice.shows(r"^> /tell bob half a sen$")
        alice.types("tence", "Enter")
        bob.reads(r"alice: half a sentence$")
        alice.shows(r"\[private\] you to bob: half a sentence$")


def test_tab_completes_commands_and_names(tmp_path: Path, server: Running, alice: Pane) -> None:
    with talking(tmp_path, server.url, "Bonnie Lee", key=1) as bonnie:
        alice.shows("Bonnie Lee .*is here")
        alice.types("/te", "Tab")
        alice.shows(r"^> /tell$")
        alice.types("bo", "Tab")
        alice.shows(r"^> /tell Bonnie_Lee$")
        alice.types("hello", "Enter")
        bonnie.reads("alice: hello$")
        alice.shows("^Bonnie Lee>")


def test_several_lines_pasted_at_once_are_one_message(
    tmp_path: Path, server: Running, alice: Pane
) -> None:
    with talking(tmp_path, server.url, "bob", key=1) as bob:
        alice.shows("bob .*is here")
        alice.types("/tell bob ")
        alice.pastes("one\ntwo\n/all three")
        alice.shows("^/all three$")
        alice.types("Enter")
        bob.reads(r"^\S+ \[private, pinned\] alice: one$")
        bob.reads(r"^      │ two$")
        bob.reads(r"^      │ /all three$")


def test_text_without_a_command_goes_to_whom_the_prompt_names(
    tmp_path: Path, server: Running, alice: Pane
) -> None:
    with talking(tmp_path, server.url, "bob", key=1) as bob:
        alice.shows("bob .*is here")
        alice.types("hello?", "Enter")
        alice.shows(r"^\? to whom\?")
        alice.types("/tell bob", "Enter")
        alice.shows("^bob>")
        alice.types("now you", "Enter")
        bob.reads("alice: now you$")


def test_a_server_that_goes_leaves_the_typed_line_alone_and_lines_wait(tmp_path: Path) -> None:
    give_key(tmp_path / "alice", 0)
    folder = tmp_path / "server"
    with (
        running(folder, "--bootstrap", "none") as server,
        terminal(tmp_path / "pane", *flags(tmp_path, server.url, "alice")) as alice,
        talking(tmp_path, server.url, "bob", key=1) as bob,
    ):
        alice.shows("bob .*is here")
        alice.types("/tell bob are you")
        alice.shows("^> /tell bob are you$")
        port = server.port
        server.stop(signal.SIGKILL)
        alice.shows("! not connected to")
        alice.shows("^> /tell bob are you$")
        alice.types(" there", "Enter")
        alice.shows(r"\[private, waiting\] you to bob: are you there$")
        with running(folder, "--bootstrap", "none", port=port):
            alice.shows("sent to bob: are you there")
            bob.reads("alice: are you there$")
            assert alice.screen().count("! not connected") == 1


def test_ctrl_c_keeps_going_and_ctrl_d_leaves(alice: Pane) -> None:
    alice.types("something")
    alice.shows("^> something$")  # before the prompt is there, Ctrl-C ends the program
    alice.types("C-c")
    alice.shows(r"^\? Ctrl-D or /quit leaves$")
    alice.types("C-d")
    alice.shows("^ended with 0$")


def test_a_file_shows_its_progress_below_the_prompt(
    tmp_path: Path, server: Running, alice: Pane
) -> None:
    (tmp_path / "big.bin").write_bytes(bytes(8 * 2**20))
    with talking(tmp_path, server.url, "bob", key=1) as bob:
        alice.shows("bob .*is here")
        alice.types(f"/file bob {tmp_path}/big.bin", "Enter")
        alice.shows(r"big\.bin to bob: \d+% of 8\.0 MiB")
        alice.types("/quit", "Enter")
        alice.shows(r"^\? big\.bin is on its way, and goes on when you are back if their client")
        alice.types("/cancel", "Enter")
        alice.shows(r"! big\.bin not sent to bob")
        bob.reads(r"alice sends big\.bin")
        assert not bob.downloads.joinpath("big.bin").exists()


@pytest.mark.threat("I9")
def test_what_is_compared_is_all_to_be_seen_in_24_rows(
    tmp_path: Path, server: Running, alice: Pane
) -> None:
    with talking(tmp_path, server.url, "bob", key=1):
        alice.shows("bob .*is here")
        alice.types("/verify bob", "Enter")
        alice.shows(r"safety number of you and bob\n( +│ [0-9]{5}( [0-9]{5}){5}\n){2}")
        seen = alice.screen().splitlines()[-24:]
        assert seen[0].startswith("█")
        assert seen[18].startswith("█")


def test_who_types_before_turning_to_anybody_is_told_whom_they_may_mean(
    tmp_path: Path, server: Running, alice: Pane
) -> None:
    with talking(tmp_path, server.url, "bob", key=1) as bob:
        alice.types("hello?", "Enter")
        alice.shows(r"^\? to whom\? /tell NAME text or /all text; then just type")
        bob.says("/tell alice hello")
        alice.shows("bob: hello")
        alice.types("hi", "Enter")
        alice.shows(r"^\? to whom\? /tell bob text or /all text; then just type")
        alice.types("/reply hi", "Enter")
        alice.shows(r"^\? in which talk\? /tell bob or /all turns to it")


def test_without_a_name_the_one_question_is_asked(tmp_path: Path, server: Running) -> None:
    more = ["--profile-dir", str(tmp_path / "p"), "--downloads", str(tmp_path / "d")]
    with terminal(tmp_path / "pane", "--server", server.url, *more) as pane:
        pane.shows(r"^your name, as others will see it \[.+\]:")
        pane.types("Zoë", "Enter")
        pane.shows("^you are Zoë")


@pytest.mark.threat("I8")
def test_what_others_write_is_shown_and_never_obeyed(
    tmp_path: Path, server: Running, alice: Pane
) -> None:
    with talking(tmp_path, server.url, "mal] [x", key=1) as mallory:
        mallory.is_told("alice .*here")
        mallory.says("/tell alice \x1b[2J\x1b[31m<b>red</b>\x07\u202e")
        found = alice.shows(r'^\S+ \[private, pinned\] "mal\] \[x": (.*)$')
        assert found[1] == "␛[2J␛[31m<b>red</b>␇\\u202e"
        assert "you are alice" in alice.screen()  # nothing was cleared


def colours(shown: str) -> list[str]:
    return re.findall(r"\x1b\[[0-9;]*(?:3[0-8]|4[0-8]|9[0-7])(?:;[0-9;]*)?m", shown)


def test_no_color_is_respected(tmp_path: Path, server: Running, alice: Pane) -> None:
    assert colours(alice.screen(colours=True))
    give_key(tmp_path / "plain", 1)
    where = flags(tmp_path, server.url, "plain")
    with terminal(tmp_path / "other", *where, NO_COLOR="1") as pane:
        pane.shows("connected to")
        assert not colours(pane.screen(colours=True))


PASSPHRASE = "seven green bottles hanging"


@pytest.mark.threat("P4")
def test_who_comes_back_to_the_terminal_types_the_passphrase_and_reads_what_came(
    tmp_path: Path, server: Running
) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE + "\n")
    more = ("--vault", "passphrase", "--passphrase-file", str(secret), "--lock-after", "0.05")
    where = flags(tmp_path, server.url, "alice", *more)
    with (
        terminal(tmp_path / "pane", *where) as alice,
        talking(tmp_path, server.url, "bob", key=1) as bob,
    ):
        alice.shows("bob .*is here")
        alice.types("/tell bob half a sen")
        alice.shows("^passphrase:")
        assert "you are alice" not in alice.screen()
        assert "half a sen" not in alice.screen()
        bob.says("/tell alice are you there")
        bob.reads("you to alice: are you there$")
        alice.types("something else", "Enter")
        alice.shows(r"^\? that is not it; try again$")
        assert "are you there" not in alice.screen()
        alice.types("or this", "Enter")
        alice.shows(r"try again\Z")  # it is not asked for while it waits
        alice.types(PASSPHRASE)
        alice.shows(r"try again\n\? that is not it; try again\npassphrase:\Z")
        assert PASSPHRASE not in alice.screen()
        alice.types(PASSPHRASE, "Enter")
        alice.shows(r"\[private, pinned\] bob: are you there$")
        alice.shows("^> /tell bob half a sen$")
        assert PASSPHRASE not in alice.screen()
