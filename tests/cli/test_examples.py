"""The programs in examples/, run as they are, and shown to be short enough to read."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.talkers import (
    ENVIRONMENT,
    PATIENCE_S,
    PROJECT,
    flags,
    give_key,
    listening,
    run,
    talking,
)
from tests.keys import test_key
from tests.mesh.launch import Running, running
from tests.mesh.v13 import attached, now_ms

EXAMPLES = PROJECT / "examples"
LINES_MAX = 40
MALLORY = "66666666-6666-4666-8666-666666666666"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("server"), "--ephemeral", "--bootstrap", "none") as one:
        yield one


def profile(folder: Path, url: str, name: str, key: int) -> Path:
    """Somebody who was at the server once: the folder alone is enough from then on."""
    give_key(folder / name, key)
    done = run(folder, *flags(folder, url, name), said="/list\n")
    assert done.returncode == 0, done.stderr
    return folder / name


def words(example: str, *arguments: str) -> list[str]:
    return [sys.executable, str(EXAMPLES / example), *arguments]


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_is_short_enough_to_read(example: Path) -> None:
    assert len(example.read_text().splitlines()) < LINES_MAX


def test_the_echo_bot_says_back_what_it_is_told(tmp_path: Path, server: Running) -> None:
    echo = profile(tmp_path, server.url, "echo", 1)
    with (
        listening(words("echo_bot.py", str(echo)), ENVIRONMENT) as bot,
        talking(tmp_path, server.url, "alice", key=0) as alice,
    ):
        bot.reads("^echo is ")
        alice.is_told("echo.* here")
        alice.says("/tell echo hello there", "/all and this is for everyone")
        alice.reads(r"\[private, pinned.*\] echo.*: hello there$")
        alice.says("/tell echo again")
        alice.reads(r"\[private, pinned.*\] echo.*: again$")
        assert not any("private" in line and "for everyone" in line for line in alice.out)


@pytest.mark.threat("M4")
async def test_the_echo_bot_repeats_nothing_that_is_not_bound_to_its_author(
    tmp_path: Path, server: Running
) -> None:
    """Words of plain v1.3 may have been sealed for the bot by somebody else."""
    echo = await asyncio.to_thread(profile, tmp_path, server.url, "echo", 3)
    key = test_key(4).to_bytes()
    with listening(words("echo_bot.py", str(echo)), ENVIRONMENT) as bot:
        echo_id = (await asyncio.to_thread(bot.reads, "^echo is (.*)$"))[1]
        async with attached(server.url, MALLORY, key) as mallory:
            hello = {"client": "by hand", "pubkey": mallory.public, "enc_pubkey": mallory.public}
            await mallory.say("USER_HELLO", hello)
            its = await mallory.hears(
                "USER_ADVERTISE", lambda f: f["payload"]["user_id"] == echo_id
            )
            ts, seal = now_ms(), its["payload"]["pubkey"]
            said = mallory.message(b"a stranger's secret", echo_id, seal, ts)
            await mallory.say("MSG_DIRECT", said, to=echo_id, ts=ts)
            answer = await mallory.hears("USER_DELIVER")
            assert (
                mallory.read(answer["payload"]["ciphertext"]) == b"not repeated: author not bound"
            )


def test_the_bridge_joins_a_talk_to_standard_input_and_output(
    tmp_path: Path, server: Running
) -> None:
    bridge = profile(tmp_path, server.url, "bridge", 2)
    with talking(tmp_path, server.url, "alice", key=0) as alice:
        alice.is_told("connected to")
        alice.says("/whois alice")
        alice_id = alice.reads("id  ([0-9a-f-]{36})")[1]
        with listening(words("bridge.py", str(bridge), alice_id), ENVIRONMENT) as program:
            program.says("one", "two")
            alice.reads(r"\[private, pinned\] bridge: two$")
            alice.says("/tell bridge and back \x1b[31m")
            program.reads(r"^\[pinned\] and back ␛\[31m$")
            assert program.leaves() == 0


@pytest.mark.parametrize("example", ["echo_bot.py", "bridge.py"])
def test_what_goes_wrong_is_one_line(tmp_path: Path, example: str) -> None:
    done = subprocess.run(
        words(example, str(tmp_path / "nobody"), "alice"),
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
