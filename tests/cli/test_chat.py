"""`socp chat` in a script: a process, pipes, and a real server."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from socp.cli.main import main
from socp.files.transfer import SENDING_MAX
from socp.keystore import pem
from tests.cli.talkers import COMMAND, ENVIRONMENT, flags, give_key, run, talking
from tests.client.v13_server import serving
from tests.keys import test_key
from tests.mesh.launch import Running, running
from tests.server.certificates import certificate

NOBODY = "ws://127.0.0.1:9"  # the discard port: nothing listens there


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("server"), "--ephemeral", "--bootstrap", "none") as one:
        yield one


# --- before it begins ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--server", "http://x", "--as", "a"], "is not the address of a server"),
        (["--as", "\x1b[31m"], "a name has letters"),
        (["--as", ""], "a name needs at least one letter"),
        (["--wait", "long"], "--wait"),
        (["--wait", "nan"], "--wait"),
        (["--no-such-flag"], "--no-such-flag"),
        (["--profile-dir", "/dev/null", "--as", "a"], "/dev/null"),
    ],
)
def test_a_wrong_flag_is_one_line_and_exit_code_2(
    tmp_path: Path, arguments: list[str], why: str
) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == 2
    assert why in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_without_a_standard_input_it_ends_as_with_an_empty_one(tmp_path: Path) -> None:
    give_key(tmp_path / "alice", 0)
    words = [*COMMAND, *flags(tmp_path, NOBODY, "alice", "--wait", "0")]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *words],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=100,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 0


def test_an_output_that_is_full_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    give_key(tmp_path / "alice", 0)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, *flags(tmp_path, NOBODY, "alice", "--wait", "0")],
            input="/members\n",
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
            timeout=100,
            check=False,
        )
    assert done.returncode == 1
    assert "socp: nothing more fits on standard output: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_chat_on_one_profile_says_so_and_ends_with_2(
    tmp_path: Path, server: Running
) -> None:
    with talking(tmp_path, server.url, "alice", key=0) as alice:
        alice.is_told("connected to")
        done = run(tmp_path, *flags(tmp_path, server.url, "alice"))
        assert done.returncode == 2
        assert f"is in use by process {alice.process.pid}" in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_first_run_makes_a_key_and_says_so(tmp_path: Path, server: Running) -> None:
    done = run(tmp_path, *flags(tmp_path, server.url, "alice"), said="/list\n")
    assert done.returncode == 0
    assert "making your key (RSA-4096)" in done.stderr
    key = tmp_path / "alice" / "key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    again = run(tmp_path, *flags(tmp_path, server.url, "alice"), said="/list\n")
    assert "making your key" not in again.stderr


def test_help_lists_every_option(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["socp", "chat", "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(flag in said for flag in ("--server", "--as", "--profile-dir", "--downloads"))


# --- talking ------------------------------------------------------------------------------------


def test_two_people_talk_and_a_script_ends_with_0(tmp_path: Path, server: Running) -> None:
    with talking(tmp_path, server.url, "bob", key=1) as bob:
        bob.is_told("connected to")
        give_key(tmp_path / "alice", 0)
        said = "/tell bob hello bob\nand this goes to bob too\n/all hello all\n/quit\n"
        done = run(tmp_path, *flags(tmp_path, server.url, "alice"), said=said)
        assert done.returncode == 0, done.stderr
        bob.reads(r"\[private, pinned\] alice: hello bob$")
        bob.reads(r"\[private, pinned\] alice: and this goes to bob too$")
        bob.reads(r"\[public, pinned\] alice: hello all$")
        assert "you to bob: hello bob" in done.stdout
        assert "hello all" in done.stdout
        bob.says("/tell alice are you still there")
        kept = r"\[private, alice is away; a server keeps it until they are back\]"
        bob.reads(rf"{kept} you to alice: are you still there$")


def test_a_path_that_nobody_could_open_is_one_line_and_the_talk_goes_on(
    tmp_path: Path, server: Running
) -> None:
    give_key(tmp_path / "alice", 0)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    paths = ["~nosuchuser/x", "x" * 300, str(closed / "x"), "~nosuchuser\\ y", "a\0b"]
    said = "".join(f"/file all {path}\n" for path in paths)
    done = run(tmp_path, *flags(tmp_path, server.url, "alice"), said=f"{said}/whois alice\n")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    complaints = [line for line in done.stderr.splitlines() if line.startswith("socp: line")]
    assert len(complaints) == len(paths), done.stderr
    assert complaints[0] == (
        "socp: line 1: ~nosuchuser/x cannot be read: No such file or directory"
    )
    assert "File name too long" in complaints[1]
    assert "cannot be read" in complaints[2]
    assert "key " in done.stdout


@pytest.mark.spec("8")
def test_a_script_may_send_more_files_than_go_at_a_time_and_all_arrive(
    tmp_path: Path, server: Running
) -> None:
    (tmp_path / "a.txt").write_text("a")
    number = 3 * SENDING_MAX
    with talking(tmp_path, server.url, "bob", key=1) as bob:
        bob.is_told("connected to")
        give_key(tmp_path / "alice", 0)
        said = f"/file bob {tmp_path / 'a.txt'}\n" * number
        done = run(tmp_path, *flags(tmp_path, server.url, "alice"), said=said)
        assert done.returncode == 0
        assert done.stdout.count("sent to bob") == number
        bob.reads("received from alice, SHA-256 right", times=number)


def test_what_is_said_to_somebody_away_is_kept_and_goes_when_they_are_back(
    tmp_path: Path, server: Running
) -> None:
    for number, name in enumerate(("ann", "ben")):
        give_key(tmp_path / name, number)
    with talking(tmp_path, server.url, "ben") as ben, talking(tmp_path, server.url, "ann") as ann:
        ann.is_told("ben .* here")
        ben.is_told("ann .* here")
    left = run(
        tmp_path, *flags(tmp_path, server.url, "ann", "--wait", "0.5"), said="/tell ben kept\n"
    )
    assert left.returncode == 1
    assert "not sent yet: to ben: kept" in left.stderr
    assert "go out when this profile is used again" in left.stderr
    with talking(tmp_path, server.url, "ben") as ben, talking(tmp_path, server.url, "ann") as ann:
        ben.reads(r"ann: kept$")
        ann.reads("sent to ben: kept")


def test_a_server_that_goes_is_said_once_and_what_was_typed_goes_out_when_it_is_back(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "server"
    with running(folder, "--bootstrap", "none") as server:
        port = server.port
        with (
            talking(tmp_path, server.url, "bob", key=1) as bob,
            talking(tmp_path, server.url, "alice", key=0) as alice,
        ):
            alice.is_told("bob .* here")
            bob.is_told("alice .* here")
            server.stop(signal.SIGKILL)
            alice.is_told("not connected to")
            alice.says("/tell bob while it was gone")
            alice.is_told("while it was gone")
            with running(folder, "--bootstrap", "none", port=port):
                bob.reads(r"alice: while it was gone$")
                assert len([line for line in alice.err if "! not connected" in line]) == 1
                assert alice.leaves() == 0


def test_two_people_of_one_name_are_told_apart(tmp_path: Path, server: Running) -> None:
    with (
        talking(tmp_path / "1", server.url, "sam", key=0),
        talking(tmp_path / "2", server.url, "sam", key=1) as second,
        talking(tmp_path, server.url, "carol", key=2) as carol,
    ):
        carol.is_told(r"sam#(\w{8}).*sam#(\w{8})")
        carol.says("/tell sam which one")
        told = carol.is_told(r'"sam" can be any of (sam#\w{8}), (sam#\w{8}); say which')
        for label in told.groups():
            carol.says(f"/tell {label} you, {label}")
        second.reads(r"carol: you, sam#")
        assert carol.leaves() == 1  # one line was not understood


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"/tell nobody hi\n", "nobody known is called"),
        (b"hi\n", "to whom?"),
        (b"/jump\n", "there is no /jump"),
        (b"/all \xff\xfe\n", "the line is not UTF-8"),
        (b"/file all /no/such/file\n", "No such file"),
    ],
)
def test_a_line_that_cannot_be_carried_out_is_named_and_the_script_fails(
    tmp_path: Path, server: Running, said: bytes, why: str
) -> None:
    give_key(tmp_path / "alice", 0)
    done = run(tmp_path, *flags(tmp_path, server.url, "alice"), said=said + b"/list\n")
    assert done.returncode == 1
    assert "socp: line 1: " in done.stderr
    assert why in done.stderr
    assert "on the server's list" in done.stdout  # and it went on
    assert "Traceback" not in done.stderr


def test_members_are_counted_on_one_row_and_the_choice_is_another(
    tmp_path: Path, server: Running
) -> None:
    give_key(tmp_path / "alice", 0)
    done = run(tmp_path, *flags(tmp_path, server.url, "alice"), said="/members\n")
    head, choice = done.stdout.splitlines()[:2]
    assert head.endswith(" can read what is said with /all")
    assert choice.startswith("      │ what you say to everyone is ")


def test_without_a_server_a_script_ends_with_1_and_says_what_is_left(tmp_path: Path) -> None:
    give_key(tmp_path / "alice", 0)
    done = run(tmp_path, *flags(tmp_path, NOBODY, "alice", "--wait", "0"), said="/all hello\n")
    assert done.returncode == 1
    assert f"not connected to {NOBODY}: nothing listens there; start a server: " in done.stderr
    assert "not sent yet: to everyone: hello" in done.stderr


def test_a_script_that_says_nothing_ends_with_0(tmp_path: Path) -> None:
    give_key(tmp_path / "alice", 0)
    assert run(tmp_path, *flags(tmp_path, NOBODY, "alice")).returncode == 0


def test_commands_may_come_from_a_file(tmp_path: Path, server: Running) -> None:
    give_key(tmp_path / "alice", 0)
    script = tmp_path / "script"
    script.write_text("/wait 0.1\n/list\n")
    with script.open() as file, talking(tmp_path, server.url, "bob", key=1):
        done = subprocess.run(
            [*COMMAND, *flags(tmp_path, server.url, "alice")],
            stdin=file,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
            timeout=100,
            check=False,
        )
    assert done.returncode == 0
    assert "alice  you" in done.stdout


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_with_a_goodbye(
    tmp_path: Path, server: Running, how: signal.Signals
) -> None:
    with talking(tmp_path, server.url, "alice", key=0) as alice:
        alice.is_told("connected to")
        alice.process.send_signal(how)
        assert alice.process.wait(60) == (130 if how is signal.SIGINT else 143)
        assert not any("Traceback" in line for line in alice.err)
    assert "(goodbye)" in server.log()


def test_who_reads_no_further_does_not_make_it_crash(tmp_path: Path, server: Running) -> None:
    give_key(tmp_path / "alice", 0)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            [*COMMAND, *flags(tmp_path, server.url, "alice")],
            input="/help\n",
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
            timeout=100,
            check=False,
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.spec("1")
async def test_a_certificate_that_the_system_does_not_trust_is_refused(tmp_path: Path) -> None:
    give_key(tmp_path / "alice", 0)
    chain, secret = certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(chain, secret)
    async with serving(tls) as server:
        asked = flags(tmp_path, f"wss://localhost:{server.port}", "alice", "--wait", "0")
        refused = await asyncio.to_thread(run, tmp_path, *asked, said="/all hello\n/wait 1\n")
        trusted = {"SSL_CERT_FILE": str(chain)}
        taken = await asyncio.to_thread(run, tmp_path, *asked, said="/list\n", **trusted)
    assert refused.returncode == 1
    assert "its certificate is not trusted" in refused.stderr
    assert taken.returncode == 0, taken.stderr
    assert "alice  you" in taken.stdout


# --- threats ------------------------------------------------------------------------------------


@pytest.mark.threat("I8")
def test_nothing_from_others_reaches_the_terminal_as_a_control_character(
    tmp_path: Path, server: Running
) -> None:
    evil = "\x1b[2J\x1b]0;pwned\x07\u202e\u2066\x9b31m\x7f"
    sent = tmp_path / "\x1b[31mplan\u202e.txt"
    sent.write_text("content")
    with (
        talking(tmp_path, server.url, "bob", key=1) as bob,
        talking(tmp_path, server.url, "mal] you", key=0) as mallory,
    ):
        mallory.is_told("bob .* here")
        mallory.says(f"/tell bob {evil}", f"/all {evil}", f"/file bob {sent}")
        bob.reads(r"\[private, pinned\] \"mal\] you\": ␛\[2J")
        bob.reads(r"\[public, pinned\] \"mal\] you\": ␛\[2J")
        bob.reads("SHA-256 right")
        assert all(line.isprintable() for line in bob.out + bob.err)
        assert all(path.name.isprintable() for path in bob.downloads.iterdir())


@pytest.mark.threat("P5")
def test_no_log_line_of_the_client_holds_a_text_or_a_key(tmp_path: Path, server: Running) -> None:
    with (
        talking(tmp_path, server.url, "bob", key=1) as bob,
        talking(tmp_path, server.url, "alice", key=0) as alice,
    ):
        alice.is_told("bob .* here")
        alice.says("/tell bob correct horse battery staple")
        bob.reads("correct horse battery staple")
        # What was said is talk, on standard output; diagnostics name nobody's words.
        assert "correct horse" not in "\n".join(bob.err)
        key = pem.armour(test_key(0).to_bytes()).splitlines()[5].decode()
        everything = "\n".join([*alice.out, *alice.err, *bob.out, *bob.err, server.log()])
        assert key not in everything
        assert "correct horse" not in server.log()


@pytest.mark.spec("11")
def test_what_was_read_is_not_told_again_at_the_next_start(tmp_path: Path, server: Running) -> None:
    with talking(tmp_path, server.url, "bob", key=1) as bob:
        bob.is_told("connected to")
        give_key(tmp_path / "alice", 0)
        done = run(tmp_path, *flags(tmp_path, server.url, "alice"), said="/tell bob hello\n")
        assert done.returncode == 0, done.stderr
        bob.reads("alice: hello$")
        assert bob.leaves() == 0
    again = run(tmp_path, *flags(tmp_path, server.url, "bob"), said="/list\n")
    assert again.returncode == 0
    assert "hello" not in again.stdout
