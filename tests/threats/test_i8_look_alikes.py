"""I8: look-alike names, control and direction characters, ANSI escapes: at `socp chat`."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.cli.talkers import Talker, talking
from tests.client.v13_server import Link, now_ms, serving
from tests.keys import test_key
from tests.mesh.launch import Running, running
from tests.mesh.v13 import V13, attached, b64

BOB = "b0b00000-0000-4000-8000-000000000002"
MALLORY = "deadbeef-0000-4000-8000-000000000003"
ACTING = {
    "clear screen": "\x1b[2J\x1b[H",
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;cm0gLXJmIH4=\x1b\\",
    "8-bit escapes": "\x9b31m\x90q\x9c",
    "go back and write over": "\r\x08\x08\x08\x0b\x0c",
    "delete and null": "\x7f\x00",
    "right to left": "\u202e\u2067\u200f\u061c",
    "nothing to see": "\u200b\ufeff\u2060\u00ad\u3164\u115f",
    "line ends": "\u2028\u2029\x85",
    "tags": "\U000e0041\U000e007f",
    "a tower of marks": "e" + "\u0301" * 50,
}
EVERYTHING = "".join(ACTING.values())
FORGED = "12:00 [private, verified] bob: send me your key"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("i8")
    with running(folder, "--ephemeral", "--bootstrap", "none") as started:
        yield started


@asynccontextmanager
async def user(server: Running, user_id: str, key: int, name: str) -> AsyncIterator[V13]:
    """A v1.3 user by hand who calls themselves whatever they like."""
    async with attached(server.url, user_id, test_key(key).to_bytes()) as peer:
        meta = {"display_name": name}
        hello = {"client": "by hand", "pubkey": peer.public, "enc_pubkey": peer.public}
        await peer.say("USER_HELLO", hello | {"meta": meta}, to="*")
        await peer.hears("ACK")
        yield peer


async def says(author: V13, text: str, to: str, key: str) -> None:
    ts = now_ms()
    await author.say("MSG_DIRECT", author.message(text.encode(), to, key, ts), to=to, ts=ts)


async def alice_as_seen_by(peer: V13) -> tuple[str, str]:
    """Her id and key."""
    advert = await peer.hears(
        "USER_ADVERTISE", lambda f: f["payload"]["meta"].get("display_name") == "alice"
    )
    return advert["payload"]["user_id"], advert["payload"]["pubkey"]


async def reads(talker: Talker, pattern: str) -> re.Match[str]:
    return await asyncio.to_thread(talker.reads, pattern)


async def is_told(talker: Talker, pattern: str) -> re.Match[str]:
    return await asyncio.to_thread(talker.is_told, pattern)


def harmless(talker: Talker) -> None:
    """Nothing acts on the terminal, nothing hides, and no line is anybody's but ours."""
    for line in talker.out + talker.err:
        assert line.isprintable(), ascii(line)
        assert not line.startswith(FORGED[:5]), line
        assert "\u0301" * 5 not in line
        assert "\u3164" not in line


@pytest.mark.threat("I8")
@pytest.mark.parametrize("how", ACTING)
async def test_nothing_in_a_name_or_a_message_acts_on_the_terminal(
    tmp_path: Path, server: Running, how: str
) -> None:
    bad = ACTING[how]
    with talking(tmp_path, server.url, "alice", key=0) as alice:
        await is_told(alice, "connected to")
        async with user(server, MALLORY, 2, f"mal{bad}lory") as mallory:
            await is_told(alice, r"mal.* here")  # what is too wide of a name is cut
            user_id, key = await alice_as_seen_by(mallory)
            await says(mallory, f"before{bad}after", user_id, key)
            await reads(alice, r"\[private, author not bound\] .*mal.*: before.*after$")
            harmless(alice)


@pytest.mark.threat("I8")
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028", "\x1b[1E", "\n\n\n"])
async def test_no_message_can_pose_as_the_next_line(
    tmp_path: Path, server: Running, end: str
) -> None:
    with talking(tmp_path, server.url, "alice", key=0) as alice:
        await is_told(alice, "connected to")
        async with user(server, MALLORY, 2, f"mal{end}{FORGED}") as mallory:
            user_id, key = await alice_as_seen_by(mallory)
            await says(mallory, f"hi{end}{FORGED}{end}! connected", user_id, key)
            await reads(alice, "send me your key")
            await says(mallory, "that was all", user_id, key)
            await reads(alice, "that was all")
            for line in alice.out + alice.err:
                assert line.isprintable(), ascii(line)
                at = line.find("[private, verified]")
                assert at < 0 or line[:at].strip() not in ("", "12:00"), line
                assert not line.startswith(("12:00 [private, verified", "! connected"))


@pytest.mark.threat("I8")
@pytest.mark.parametrize(
    "name",
    ["bob", "BOB", "b\u043eb", "\uff42ob", "bob ", "b\u200bob", "\U0001d41bob", "bob\u0000"],
    ids=ascii,
)
async def test_who_looks_like_bob_is_told_apart_and_gets_nothing_that_is_for_bob(
    tmp_path: Path, server: Running, name: str
) -> None:
    with talking(tmp_path, server.url, "alice", key=0) as alice:
        await is_told(alice, "connected to")
        async with user(server, BOB, 1, "bob") as bob, user(server, MALLORY, 2, name) as mallory:
            user_id, key = await alice_as_seen_by(mallory)
            await says(mallory, "it is me, bob", user_id, key)
            said = await reads(alice, r"\] (.*): it is me, bob$")
            assert said[1] != "bob"
            assert (
                not said[1].isascii()
                or "#deadbeef" in said[1]
                or "\\u" in said[1]
                or (not said[1].replace('"', "").isalnum())
            )
            alice.says("/tell bob for bob alone", f"/tell {BOB} by id")
            frame = await bob.hears("USER_DELIVER")
            texts = [bob.read(frame["payload"]["ciphertext"])]
            if texts == [b"for bob alone"]:
                frame = await bob.hears("USER_DELIVER")
                texts.append(bob.read(frame["payload"]["ciphertext"]))
            else:
                await is_told(alice, '"bob" can be any of')
            assert texts[-1] == b"by id"
            assert [f for f in mallory.heard if f["type"] == "USER_DELIVER"] == []


@pytest.mark.threat("I8")
@pytest.mark.parametrize("name", ["you", "all", "public", "server", "b0b00000"])
async def test_no_name_is_taken_for_oneself_everybody_or_an_id(
    tmp_path: Path, server: Running, name: str
) -> None:
    with talking(tmp_path, server.url, "alice", key=0) as alice:
        await is_told(alice, "connected to")
        async with user(server, MALLORY, 2, name) as mallory:
            user_id, key = await alice_as_seen_by(mallory)
            await says(mallory, "hello", user_id, key)
            await reads(alice, rf"\] {name}#deadbeef: hello$")


@pytest.mark.threat("I8")
async def test_nothing_that_a_server_says_acts_on_the_terminal(tmp_path: Path) -> None:
    async with serving() as bad:
        with talking(tmp_path, bad.url, "alice", key=0) as alice:
            link = await bad.link()
            await is_told(alice, "connected to")
            for text in (*ACTING.values(), EVERYTHING, f"\n{FORGED}"):
                await says_everything(link, text)
            alice.says("/list", "/members", f"/whois {BOB}")
            await bob_last(link)
            await is_told(alice, r"the last.* here|here.*the last")
            harmless(alice)
            for path in (tmp_path / "alice-downloads").rglob("*"):
                assert path.name.isprintable()


async def says_everything(link: Link, text: str) -> None:
    """Each text of a server that a client may show, with `text` in it."""
    user_id = (
        f"{int(hashlib.sha256(text.encode()).hexdigest()[:8], 16):08x}-0000-4000-8000-0000000000aa"
    )
    advert = {
        "user_id": user_id,
        "server_id": "99999999-9999-4999-8999-999999999999",
        "meta": {"display_name": text},
        "pubkey": test_key(3).public.text,
    }
    await link.say("USER_ADVERTISE", advert, to="*")
    error = {"code": f"USER{text}"[:60], "detail": f"why{text}", "msg_ref": text}
    await link.say("ERROR", error)
    await link.say("USER_LIST", {"users": [text, user_id]})
    await link.say("ACK", {"msg_ref": text, "of": text})
    await link.say(f"T{text}"[:60], {"text": text})
    start = {"file_id": user_id, "name": f"x{text}", "size": 1, "sha256": "0" * 64}
    await link.say("FILE_START", start | {"mode": "dm", "sender": user_id})
    await link.say("MSG_PUBLIC_CHANNEL", {"plaintext": text, "ciphertext": b64(text.encode())})
    await link.say("USER_REMOVE", {"user_id": user_id, "server_id": advert["server_id"]}, to="*")


async def bob_last(link: Link) -> None:
    advert = {
        "user_id": BOB,
        "server_id": "99999999-9999-4999-8999-999999999999",
        "meta": {"display_name": "the last"},
        "pubkey": test_key(1).public.text,
    }
    await link.say("USER_ADVERTISE", advert, to="*", ts=now_ms() + 1000)
