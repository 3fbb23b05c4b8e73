"""I8: whatever people and servers write comes out harmless, wherever it comes out.

What is tried is not listed here: every notice, every phrase and every verb there is, so that
whoever adds one has it tried, or is told by a failure that it is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import itertools
import json
import re
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

import pytest

from socp.cli.event_json import Events, line
from socp.cli.verbs import VERBS
from socp.client.notices import Notice
from socp.crypto.keys import RsaSuite
from socp.crypto.symbolic import SymbolicSuite
from socp.member.contacts import Contacts
from socp.member.records import Contact
from socp.talk.entries import Entry, layout, plain
from socp.talk.phrases import Phrases
from tests import logbook
from tests.cli.talkers import give_key
from tests.cli.test_errands import Done, Shell
from tests.client.people import Friend
from tests.client.v13_server import Server, now_ms, serving
from tests.keys import test_key
from tests.mesh.launch import running
from tests.mesh.v13 import attached
from tests.threats.hostile import ACTING, EVERYTHING, POSES, assert_harmless, examples
from tests.threats.test_i8_look_alikes import says_everything

ME = "00000000-0000-4000-8000-000000000000"
MALLORY = "deadbeef-0000-4000-8000-000000000003"
NOW = 1_760_000_000_000
INDENT = "      │ "


def address_book() -> Contacts:
    """Mallory is in it, by a name that acts."""
    suite = SymbolicSuite(1)
    contacts = Contacts(suite, ME, "me")
    key = suite.generate().public.text
    for user_id in (MALLORY, EVERYTHING):
        contacts.put(Contact(user_id, key, EVERYTHING, (), 0, False, True, "", "", NOW, NOW, key))
    return contacts


def notices() -> Iterator[Notice]:
    """Some of every kind there is."""
    for kind in get_args(Notice):
        yield from examples(kind)


def rows_of(entry: Entry) -> list[str]:
    return [plain(row) for width in (None, 40) for row in layout(entry, width)]


def assert_entry(entry: Entry) -> None:
    """What it says in all, and that no row of it poses as a line of its own."""
    _, *others = [plain(row) for row in layout(entry, None)]
    assert all(row.startswith(INDENT) for row in others)
    for row in rows_of(entry):
        assert_harmless(row)


# --- notices: in words, and as JSON --------------------------------------------------------------


@pytest.mark.threat("I8")
def test_every_notice_in_words() -> None:
    phrases = Phrases(address_book().label, ME, "ws://localhost:8001")
    tried = set()
    for notice in notices():
        entry = phrases.entry(notice, NOW)
        if entry is not None:
            assert_entry(entry)
            tried.add(type(notice))
    assert len(tried) > len(get_args(Notice)) / 2


@pytest.mark.threat("I8")
def test_every_phrase_whatever_it_is_made_of() -> None:
    """All public methods of Phrases, called with whatever their annotations allow."""
    phrases = Phrases(address_book().label, ME, "ws://localhost:8001")
    tried = []
    for name, method in inspect.getmembers(phrases, inspect.ismethod):
        if name.startswith("_"):
            continue
        hints = get_type_hints(method)
        given = inspect.signature(method).parameters
        columns = [list(some(hints[parameter])) for parameter in given]
        for arguments in itertools.zip_longest(*columns):
            whole = [
                one if one is not None else column[0]
                for one, column in zip(arguments, columns, strict=True)
            ]
            said = method(*whole)
            if isinstance(said, str):
                assert_harmless(said)
            elif said is not None:
                assert_entry(said)
        tried.append(name)
    assert {"entry", "own", "own_waits", "own_moved", "person", "name"} <= set(tried)


def some(kind: Any) -> Iterator[Any]:
    """`examples`, and collections of texts."""
    if kind == list[str]:
        yield [MALLORY, EVERYTHING]
    elif kind == set[str]:
        yield {EVERYTHING}
    elif kind is int:
        yield NOW
    else:
        yield from examples(kind)


@pytest.mark.threat("I8")
def test_every_notice_as_json_is_one_line_of_plain_ascii_that_reads_back() -> None:
    events = Events(address_book().label)
    for notice in notices():
        text = line(events.event(notice))
        assert text.isascii()
        assert text.isprintable()
        event = json.loads(text)
        assert re.fullmatch("[a-z_]+", event["event"]), event["event"]


@pytest.mark.threat("I8")
def test_every_name_and_completion() -> None:
    contacts = address_book()
    for name in (contacts.label(MALLORY), contacts.label(EVERYTHING), *contacts.names()):
        assert_harmless(name)
        assert len(name) < 100


# --- verbs ---------------------------------------------------------------------------------------

# Verb -> how it is called while a hostile server and a hostile person say all they can.
RUNS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "chat": ((),),
    "send": (
        (MALLORY, "hi", "--wait", "1"),
        (MALLORY, "hi", "--wait", "1", "--json"),
    ),
    "file": ((MALLORY, "FILE", "--wait", "1"),),
    "list": ((), ("--json",)),
    "watch": ((), ("--json",)),
    "verify": ((MALLORY,), (MALLORY, "--json")),
    "members": ((), ("--json",)),
    "history": ((MALLORY,), (MALLORY, "--json")),
    "search": (("after",), ("after", "--json")),
}
# What they show is never another person's words.
OURS: Final = {
    "account": "a server's refusal, which tests/cli/test_account.py has",
    "admin": "an operator's own store; what strangers brought is in the logs below",
    "bench": "figures of our own, and of a server only why it refused, as bytes with escapes",
    "completion": "a script of ours, and names of profiles",
    "conform": "a report, of which tests/conform/test_mad.py tells the same",
    "profile": "the person's own folder",
    "serve": "the logs below",
    "simulate": "a world of our own making",
    "tui": "its screens, which tests/tui/test_hostile.py tells all of the same",
}
TYPED: Final = "--\x1b[2J\u202e" + "e" + "\u0301" * 300 + "\x9b31m\u2028x"
ENDLESS: Final = frozenset({"watch"})


def test_every_verb_is_tried_or_says_why_not() -> None:
    assert VERBS.keys() <= RUNS.keys() | OURS.keys(), "a verb whose output nobody attacks"


@pytest.mark.threat("I8")
@pytest.mark.parametrize("verb", VERBS)
def test_what_is_typed_wrongly_is_said_again_without_acting(verb: str, tmp_path: Path) -> None:
    done = Shell(tmp_path, "ws://127.0.0.1:9")(verb, TYPED)
    assert done.code != 0
    for row in (done.out + done.err).split("\n"):
        assert_harmless(row)


@contextlib.asynccontextmanager
async def hostile_world() -> AsyncIterator[Server]:
    """A server that says everything that acts to whoever attaches, and so does Mallory."""
    async with serving() as server:
        attacking = asyncio.create_task(attack(server))
        try:
            yield server
        finally:
            attacking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await attacking


async def attack(server: Server) -> None:
    """Each link that is made, the first one with everything by itself."""
    async with asyncio.TaskGroup() as group:
        for number in itertools.count():
            while len(server.links) <= number:
                server.news.clear()
                await server.news.wait()
            texts = [*ACTING.values(), f"\n{POSES}"] if number == 0 else [EVERYTHING]
            group.create_task(until_they_leave(attack_one(server, number, texts)))


async def until_they_leave(attacking: Coroutine[Any, Any, None]) -> None:
    """Some are gone before they have said hello, or in the middle of it."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        await attacking


async def attack_one(server: Server, number: int, texts: list[str]) -> None:
    link = await server.link(number)
    suite = RsaSuite()
    mallory = Friend(test_key(3), name=f"mal{EVERYTHING}", id=MALLORY)
    await mallory.comes(link)
    for text in texts:
        await says_everything(link, text)
        await mallory.tells(link, suite, f"before{text[:100]}after")
    bare = {"user_id": MALLORY, "server_id": EVERYTHING, "meta": {"display_name": POSES}}
    await link.say("USER_ADVERTISE", bare, to="*")
    await link.say("ERROR", {"code": "BAD_FRAME", "detail": EVERYTHING})
    await mallory.tells(link, suite, "that was all")


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ann's profile, in which all of it is."""
    folder = tmp_path_factory.mktemp("attacked")
    give_key(folder / "ann", 0)

    async def shown_once() -> None:
        async with hostile_world() as bad:
            done = await watched(Shell(folder, bad.url), "--json")
        assert sum('"event":"message"' in row for row in done.out.splitlines()) > len(ACTING)

    asyncio.run(shown_once())
    return folder


@pytest.mark.threat("I8")
@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb in RUNS])
async def test_every_verb_while_everybody_says_what_acts(
    verb: str, tmp_path: Path, attacked: Path
) -> None:
    shutil.copytree(attacked / "ann", tmp_path / "ann")
    (tmp_path / "FILE").write_bytes(b"x")
    async with hostile_world() as bad:
        shell = Shell(tmp_path, bad.url)
        for words in RUNS[verb]:
            there = [str(tmp_path / word) if word == "FILE" else word for word in words]
            if verb in ENDLESS:
                done = await watched(shell, *there)
            else:
                said = b"/list\n/members\n/wait 2\n/whois mal\n" if verb == "chat" else b""
                done = await asyncio.to_thread(shell, verb, *there, said=said)
            assert done.out or done.err
            rows = [*done.out.split("\n"), *done.err.split("\n")]
            logbook.keep(rows, kind="screen")
            for row in rows:
                assert_harmless(row)
                assert not row.startswith("12:00 [private, verified")
            if "--json" in words:
                assert all(json.loads(row) for row in done.out.splitlines())


async def watched(shell: Shell, *words: str) -> Done:
    with shell.watching(*words, who="ann") as ann:
        await asyncio.to_thread(ann.reads, "that was all")
        return Done(0, "\n".join(ann.out), "\n".join(ann.err))


# --- logs ----------------------------------------------------------------------------------------


@pytest.mark.threat("I8")
@pytest.mark.threat("P5")
async def test_the_log_of_a_server_that_strangers_say_everything_to(tmp_path: Path) -> None:
    flags = ("--ephemeral", "--bootstrap", "none", "--log-level", "trace")
    with running(tmp_path, *flags) as server:
        for text in (*ACTING.values(), EVERYTHING, f"\n{POSES}"):
            await abused(server.url, text)
        server.stop()
    log = server.log()
    assert "USER_HELLO" in log
    for row in log.split("\n"):
        assert_harmless(row)


async def abused(url: str, text: str) -> None:
    """A user whose every text acts, and who says what no server takes."""
    async with attached(url, MALLORY, test_key(3).to_bytes()) as peer:
        hello = {"client": text[:60], "pubkey": peer.public, "enc_pubkey": peer.public}
        await peer.say(
            "USER_HELLO", hello | {"meta": {"display_name": text[:60], "extras": text}}, to="*"
        )
        for kind, payload in (
            (f"T{text}"[:60], {"text": text}),
            ("ERROR", {"code": text[:40], "detail": text}),
            ("ACK", {"msg_ref": text}),
            ("PUBKEY_REQUEST", {"user_id": text}),
            ("MSG_DIRECT", {"ciphertext": text, "sender_pub": text, "content_sig": text}),
            (
                "FILE_START",
                {"file_id": text, "name": text, "size": 1, "sha256": text, "mode": text},
            ),
        ):
            await peer.say(kind, payload, to=text[:30] or "*", ts=now_ms())
        await peer.say("LIST_REQUEST", {}, to="*")


@pytest.mark.last
@pytest.mark.threat("I8")
def test_no_log_and_no_screen_of_the_whole_suite_holds_anything_that_acts() -> None:
    written = [*logbook.written("log"), *logbook.written("screen")]
    assert written
    for text in written:
        for row in text.split("\n"):
            assert_harmless(row)
