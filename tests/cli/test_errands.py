"""`socp send`, `file`, `list`, `watch`: one thing done, a code, lines for people or programs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.talkers import ENVIRONMENT, PATIENCE_S, Talker, give_key, listening, talking
from tests.mesh.launch import Running, running

SOCP = [sys.executable, "-m", "socp.cli.main"]
NOBODY = "ws://127.0.0.1:9"  # the discard port: nothing listens there
LONG_BYTES = 300 << 20  # not sent before the sender can be stopped


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("server"), "--ephemeral", "--bootstrap", "none") as one:
        yield one


@dataclass
class Done:
    code: int
    out: str
    err: str

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Shell:
    """Where the verbs of one person are typed."""

    folder: Path
    url: str

    def words(self, verb: str, *words: str, who: str = "ann") -> list[str]:
        whose = ["--profile", str(self.folder / who), "--as", who, "--server", self.url]
        return [*SOCP, verb, *words, *whose]

    def __call__(self, verb: str, *words: str, who: str = "ann", said: bytes = b"") -> Done:
        done = subprocess.run(
            self.words(verb, *words, who=who),
            input=said,
            capture_output=True,
            env={**ENVIRONMENT, "HOME": str(self.folder)},
            timeout=PATIENCE_S * 2,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    @contextmanager
    def watching(self, *words: str, who: str = "bob") -> Iterator[Talker]:
        environment = {**ENVIRONMENT, "HOME": str(self.folder)}
        with listening(self.words("watch", *words, who=who), environment) as watcher:
            yield watcher


@pytest.fixture
def socp(tmp_path: Path, server: Running) -> Shell:
    give_key(tmp_path / "ann", 0)
    give_key(tmp_path / "bob", 1)
    return Shell(tmp_path, server.url)


# --- send and watch -----------------------------------------------------------------------------


def test_what_is_sent_is_watched_and_both_end_well(socp: Shell) -> None:
    with socp.watching() as bob:
        bob.is_told("connected to")
        done = socp("send", "bob", "hello bob")
        assert (done.code, done.err) == (0, "")
        assert done.out.endswith("you to bob: hello bob\n")
        assert done.out.count("\n") == 1
        bob.reads(r"\[private, pinned\] ann: hello bob$")


def test_each_event_is_one_line_of_json(socp: Shell) -> None:
    with socp.watching("--json") as bob:
        bob.reads('"event":"online"')
        done = socp("send", "bob", "two\nlines \x1b[31m\u202e", "--json")
        assert done.code == 0, done.err
        (line,) = done.events()
        assert (line["event"], line["to_name"]) == ("line", "bob")
        assert line["state"] in ("done", "delivered")
        found = json.loads(bob.reads('.*"event":"message".*')[0])
        assert found["text"] == "two\nlines \x1b[31m\u202e"
        assert (found["author_name"], found["trust"], found["public"]) == ("ann", "pinned", False)
        assert all(line.isascii() and line.isprintable() for line in bob.out)


@pytest.mark.parametrize("words", [(), ("-",)], ids=str)
def test_standard_input_is_one_message(socp: Shell, words: tuple[str, ...]) -> None:
    with socp.watching("--json") as bob:
        bob.reads('"event":"online"')
        done = socp("send", "bob", *words, said="one\ntwo é\n".encode())
        assert done.code == 0, done.err
        found = json.loads(bob.reads('.*"event":"message".*')[0])
        assert found["text"] == "one\ntwo é"


def test_what_goes_to_everyone_is_sent_when_one_knows_who_reads_it(socp: Shell) -> None:
    with socp.watching() as bob:
        bob.is_told("connected to")
        done = socp("send", "all", "hello all")
        assert done.code == 0, done.err
        assert "what you say to everyone, these can read: bob" in done.err
        bob.reads(r"\[public, pinned\] ann: hello all$")


def test_a_message_that_nobody_read_is_told_by_the_next_watch(socp: Shell) -> None:
    with socp.watching() as bob:
        bob.is_told("connected to")
        assert socp("send", "bob", "are you there").code == 0
        bob.reads("are you there$")
    assert socp("send", "bob", "still there?").code == 0
    assert socp("list", who="bob").code == 0  # which reads nothing
    with socp.watching() as bob:
        bob.reads("still there")
        assert not any(line.endswith("are you there") for line in bob.out)


def test_a_message_without_a_server_is_kept_and_goes_with_the_next(socp: Shell) -> None:
    with socp.watching() as bob:
        bob.is_told("connected to")
        assert socp("send", "bob", "first").code == 0
        away = Shell(socp.folder, NOBODY)
        kept = away("send", "bob", "second", "--wait", "0.2")
        assert (kept.code, kept.out) == (1, "")
        assert "socp: not sent yet, and kept: " in kept.err
        waits = away("send", "bob", "third", "--wait", "0.2", "--json")
        assert waits.code == 1
        assert waits.events()[0]["state"] == "waiting"
        assert socp("send", "bob", "fourth").code == 0
        for text in ("first", "second", "third", "fourth"):
            bob.reads(f"ann: {text}$")


def test_watch_ends_by_a_signal_with_its_code(socp: Shell) -> None:
    with socp.watching() as bob:
        bob.is_told("connected to")
        bob.process.send_signal(signal.SIGTERM)
        assert bob.process.wait(PATIENCE_S) == 143
        assert not any("Traceback" in line for line in bob.err)


def test_watch_ends_when_nobody_reads_its_output(socp: Shell) -> None:
    """At once: nothing more may happen for days, and nothing does here."""
    until_online = ["sh", "-c", '"$@" | grep -m 1 online', "sh", *socp.words("watch", "--json")]
    environment = {**ENVIRONMENT, "HOME": str(socp.folder)}
    done = subprocess.run(
        until_online, capture_output=True, env=environment, text=True, timeout=PATIENCE_S
    )
    assert '"event":"online"' in done.stdout
    assert done.stderr == ""


# --- file ---------------------------------------------------------------------------------------


def test_a_file_arrives_and_the_last_event_says_so(socp: Shell, tmp_path: Path) -> None:
    file = tmp_path / "report [1].pdf"
    file.write_bytes(b"x" * 300_000)
    flags = ("--downloads", str(tmp_path / "in"))
    with talking(tmp_path, socp.url, "bob", *flags) as bob:
        bob.is_told("connected to")
        done = socp("file", "bob", str(file), "--json")
        assert done.code == 0, done.err
        last = done.events()[-1]
        assert (last["event"], last["name"], last["size"]) == ("file_done", file.name, 300_000)
        bob.reads(r'"report \[1\].pdf" .*received from ann, SHA-256 right')
        again = socp("file", "bob", str(file))
        assert again.code == 0, again.err
        assert "sent to bob" in again.out


def test_a_file_that_is_not_there_is_one_line(socp: Shell, tmp_path: Path) -> None:
    """And looked at first: nobody waits for somebody to come, to hear of a typing mistake."""
    done = socp("file", "nobody", str(tmp_path / "nothing"))
    assert (done.code, done.out) == (2, "")
    assert done.err == f"socp file: {tmp_path}/nothing cannot be read: No such file or directory\n"


# --- list ---------------------------------------------------------------------------------------


def test_who_ends_the_program_reads_that_the_file_goes_on(socp: Shell, tmp_path: Path) -> None:
    file = tmp_path / "long.bin"
    with file.open("wb") as long:
        long.truncate(LONG_BYTES)
    with socp.watching() as bob:
        bob.is_told("connected to")
        with subprocess.Popen(
            socp.words("file", "bob", str(file)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**ENVIRONMENT, "HOME": str(socp.folder)},
            text=True,
        ) as sending:
            bob.reads("ann sends long.bin")
            bob.process.send_signal(signal.SIGSTOP)
            sending.send_signal(signal.SIGINT)
            _, told = sending.communicate(timeout=PATIENCE_S)
            bob.process.send_signal(signal.SIGCONT)
        assert sending.returncode == 130
        assert [line for line in told.splitlines() if line][-1] == (
            "socp: not sent yet: this program was ended; it goes on when this profile is used"
            " again, if their client can follow"
        )


def test_list_shows_who_is_here_and_who_one_is_oneself(socp: Shell) -> None:
    with socp.watching() as bob:
        bob.is_told("connected to")
        shown = socp("list")
        assert shown.code == 0, shown.err
        assert any(row.startswith("  bob ") and "here" in row for row in shown.out.splitlines())
        people = {user["user_name"]: user for user in socp("list", "--json").events()}
        assert people["bob"]["online"] is True
        assert people["bob"]["event"] == "user"
        assert people["ann"]["you"] is True


# --- what cannot begin --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (("send", "nobody", "hi"), 1, 'socp send: nobody known is called "nobody"'),
        (("send", "bob", " "), 2, "socp send: there is no text to send"),
        (("send", "bob"), 2, "socp send: there is no text to send"),
        (("send", "bob", "hi", "--server", "http://x"), 2, "is not the address of a server"),
        (("list", "--profile", "./none"), 2, "socp list: nobody has a key in none"),
        (("list", "--profile-dir", "x"), 2, "--profile and --profile-dir say the same"),
        (("watch", "--nonsense"), 2, "socp: No such option"),
    ],
    ids=str,
)
def test_what_went_wrong_is_one_line_and_a_code(
    socp: Shell, words: tuple[str, ...], code: int, line: str
) -> None:
    verb, *rest = words
    own = [] if "--profile" in rest else ["--profile", str(socp.folder / "ann")]
    server = [] if "--server" in rest else ["--server", socp.url]
    done = subprocess.run(
        [*SOCP, verb, *rest, *own, *server],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, "HOME": str(socp.folder)},
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == code
    assert line in done.stderr
    assert (done.stderr.count("\n"), done.stdout) == (1, "")


def test_a_profile_in_use_says_by_whom(socp: Shell) -> None:
    with socp.watching() as bob:
        bob.is_told("connected to")
        done = socp("list", who="bob")
        assert done.code == 2
        assert f"is in use by process {bob.process.pid}" in done.err


def test_text_that_is_no_utf8_is_refused_with_the_way_out(socp: Shell) -> None:
    done = socp("send", "bob", said=b"\xff\xfe")
    assert done.code == 2
    assert done.err == "socp send: the text is not UTF-8; send it as a file\n"
