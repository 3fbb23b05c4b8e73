"""`socp verify` and `socp members`: keys compared and decided about, without a screen too."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.talkers import give_key
from tests.cli.test_errands import NOBODY, Done, Shell
from tests.client.v13_server import SERVER_ID, Link, now_ms, serving
from tests.keys import test_key
from tests.mesh.launch import Running, running

BOB = "b0b00000-0000-4000-8000-000000000002"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("server"), "--ephemeral", "--bootstrap", "none") as one:
        yield one


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory, server: Running) -> Path:
    """Ann's and Bob's; each has the other's key."""
    folder = tmp_path_factory.mktemp("profiles")
    give_key(folder / "ann", 0)
    give_key(folder / "bob", 1)
    shell = Shell(folder, server.url)
    with shell.watching() as bob:
        bob.is_told("connected to")
        assert shell("send", "bob", "hello").code == 0
        bob.reads("hello$")
    return folder


@pytest.fixture
def socp(tmp_path: Path, profiles: Path, server: Running) -> Shell:
    for who in ("ann", "bob"):
        shutil.copytree(profiles / who, tmp_path / who)
    return Shell(tmp_path, server.url)


def digits(done: Done) -> list[str]:
    """The safety numbers in what was shown."""
    groups = re.findall(r"\b[0-9]{5}\b", done.out)
    return ["".join(groups[at : at + 12]) for at in range(0, len(groups), 12)]


@pytest.mark.threat("I9")
def test_both_see_the_same_digits_and_who_types_them_has_verified_the_other(socp: Shell) -> None:
    shown = socp("verify", "bob")
    assert shown.code == 0, shown.err
    assert "bob is unverified; the safety number of you two:\n" in shown.out
    (number,) = digits(shown)
    assert digits(socp("verify", "ann", who="bob")) == [number]
    assert socp("verify", "bob", *re.findall(".....", number)).out == "bob is verified\n"
    assert "bob is verified" in socp("verify", "bob").out
    with socp.watching("--json", who="ann") as ann:
        ann.reads('"event":"online"')
        assert socp("send", "ann", "it is me", who="bob").code == 0
        ann.reads('"text":"it is me","trust":"verified"')
    undone = socp("verify", "bob", "--undo", "--json")
    assert undone.events() == [
        {
            "event": "trust",
            "state": "unverified",
            "user": undone.events()[0]["user"],
            "user_name": "bob",
        }
    ]


@pytest.mark.threat("I9")
def test_the_text_of_the_qr_code_does_as_well_and_no_link_is_needed(socp: Shell) -> None:
    away = Shell(socp.folder, NOBODY)
    (said,) = away("verify", "bob", "--json").events()
    assert said["event"] == "safety_number"
    assert said["state"] == "unverified"
    assert said["qr"] == "socp:verify:1:" + said["number"]
    done = away("verify", "bob", "-", "--json", said=f"{said['qr']}\n".encode())
    assert (done.code, done.events()[0]["state"]) == (0, "verified")


@pytest.mark.threat("I9")
@pytest.mark.parametrize(
    ("words", "said", "why"),
    [
        (("0" * 60,), b"", "these are not the numbers of you and bob"),
        (("12345",), b"", "60 digits, and these are 5"),
        (("-",), b"", "60 digits"),
        (("-",), b"\x1b[2J\xff", "60 digits"),
        (("--keep",), b"", "no other key is claimed for bob"),
        (("--accept",), b"", "no other key is claimed for bob"),
    ],
)
def test_what_does_not_hold_verifies_nobody_and_says_why(
    socp: Shell, words: tuple[str, ...], said: bytes, why: str
) -> None:
    done = Shell(socp.folder, NOBODY)("verify", "bob", *words, said=said)
    assert (done.code, done.out) == (1, "")
    assert why in done.err
    assert done.err.count("\n") == 1


def test_digits_make_no_sense_with_keep_and_undo(socp: Shell) -> None:
    done = socp("verify", "bob", "12345", "--keep")
    assert done.code == 2
    assert "takes no digits" in done.err


def test_nobody_is_called_that(socp: Shell) -> None:
    done = socp("verify", "carol")
    assert done.code == 1
    assert 'nobody known is called "carol"' in done.err


async def claims(link: Link, key: int) -> None:
    """The server says that this is Bob's key."""
    advert = {
        "user_id": BOB,
        "server_id": SERVER_ID,
        "meta": {"display_name": "bob"},
        "pubkey": test_key(key).public.text,
    }
    await link.say("USER_ADVERTISE", advert, to="*", ts=now_ms())


@pytest.mark.threat("I9")
@pytest.mark.parametrize("way", ["accept", "accept compared", "keep", "compare"])
async def test_a_changed_key_is_shown_and_decided_about(tmp_path: Path, way: str) -> None:
    give_key(tmp_path / "ann", 0)
    async with serving() as bad:
        shell = Shell(tmp_path, bad.url)

        async def typed(*words: str) -> Done:
            return await asyncio.to_thread(shell, *words)

        with shell.watching("--json", who="ann") as ann:
            link = await bad.link()
            await asyncio.to_thread(ann.reads, '"event":"online"')
            await claims(link, 1)
            await asyncio.to_thread(ann.reads, '"event":"presence"')
            await claims(link, 2)
            await asyncio.to_thread(ann.reads, '"event":"key_changed"')
        shell = Shell(tmp_path, NOBODY)
        shown = await typed("verify", "bob")
        assert shown.code == 3
        assert shown.out.startswith("KEY CHANGED: somebody claims another key for bob")
        known, claimed = digits(shown)
        (said,) = (await typed("verify", "bob", "--json")).events()
        assert (said["number"], said["claimed_number"]) == (known, claimed)
        assert said["state"] == "CHANGED"
        waits = (await typed("send", "bob", "again", "--wait", "0", "--json")).events()[0]
        assert waits["state"] == "waiting"
        assert "key changed" in waits["reason"]
        mixed = await typed("verify", "bob", claimed)
        assert (mixed.code, mixed.out) == (1, "")
        assert "are the numbers of the key that is claimed" in mixed.err
        words, state = {
            "accept": (("--accept",), "unverified"),
            "accept compared": ((claimed, "--accept"), "verified"),
            "keep": (("--keep",), "unverified"),
            "compare": ((known,), "verified"),
        }[way]
        assert (await typed("verify", "bob", *words)).out == f"bob is {state}\n"
        after = await typed("verify", "bob")
        assert after.code == 0
        assert digits(after) == [claimed if way.startswith("accept") else known]


@pytest.mark.spec("7")
def test_members_are_shown_with_how_sure_and_the_choice_is_kept(socp: Shell) -> None:
    away = Shell(socp.folder, NOBODY)
    shown = away("members")
    assert shown.code == 0
    assert shown.out.startswith("what you say to everyone is for all who are there; where")
    assert re.search(r"^  bob  [0-9a-f-]{36}  first seen \d\d:\d\d$", shown.out, re.MULTILINE)
    assert socp("members", "--readers", "verified", "--unbound", "leave-out").code == 0
    choice, member = away("members", "--json").events()
    assert "online" not in member
    assert choice == {"event": "readers", "leave_out": True, "verified_only": True}
    assert (member["user_name"], member["state"], member["bound"]) == ("bob", "unverified", True)
    waits = json.loads(away("send", "all", "hi", "--wait", "0.2", "--json").out)
    assert waits["state"] == "waiting"
    assert away("members", "--readers", "nobody").code == 2


def test_members_says_who_is_here_as_the_server_has_it(socp: Shell) -> None:
    with socp.watching(who="bob") as bob:
        bob.is_told("connected to")
        shown = socp("members").out
        assert re.search(r"^  bob  [0-9a-f-]{36}  here, first seen", shown, re.MULTILINE), shown
