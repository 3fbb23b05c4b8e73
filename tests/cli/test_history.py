"""`socp history` and `socp search`: the past, for people and for programs (threats I8, P4)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from socp.cli import history, search
from socp.cli.moments import moment
from socp.client.resealing import reseal
from socp.client.unlocking import Passphrase, Plain, unlock
from socp.keystore import keep
from socp.member.history_line import HistoryLine, laid_over
from socp.member.records import Amendment, Arrived, Contact, Said, SaidMoved, Settings
from socp.storage import history_queries
from socp.storage.profile_store import ProfileStore
from socp.talk.entries import INDENT, layout, plain
from socp.talk.past import Past
from socp.talk.phrases import Phrases
from socp.wire.ids import PUBLIC
from tests.cli.talkers import ENVIRONMENT, PATIENCE_S, give_key
from tests.keys import test_key
from tests.talk.notices import HOSTILE

ANN = "a0000000-0000-4000-8000-000000000000"
BOB = "b0000000-0000-4000-8000-000000000000"
EVE = "e0000000-0000-4000-8000-000000000000"
DAY_MS = 24 * 3_600_000
PASSPHRASE = "correct horse battery staple"
NOW = datetime.fromisoformat("2026-03-05T14:30")
NOW_MS = int(NOW.timestamp() * 1000)

CONTACT = Contact(BOB, "MIIbob", "bob", (), 0, False, True, "raw", "", 1)


def ref(number: int) -> str:
    return f"{number:043d}"


def said(number: int, text: str, *, talk: str = BOB, author: str = BOB, **more: Any) -> Said:
    at = NOW_MS - 10 * DAY_MS + number * DAY_MS
    ours = {"state": "waiting", "trust": ""} if author == ANN else {"trust": "pinned"}
    return Said(number, talk, author, text, at, at, msg_refs=(ref(number),), **(ours | more))


ROWS = (
    said(1, "shall we meet at the Harbour?"),
    said(2, "yes, at six", author=ANN, reply_to=ref(1)),
    SaidMoved(2, "read", "", ()),
    Amendment(3, BOB, ref(2), ANN, "edit", "yes, at seven", NOW_MS, ref(3)),
    Amendment(4, BOB, ref(2), BOB, "reaction", "👍", NOW_MS, ref(4)),
    said(5, "hello all", talk=PUBLIC),
    said(6, "plan.pdf", kind="file", file_id=EVE),
    said(7, "oh no"),
    Amendment(8, BOB, ref(7), BOB, "delete", "", NOW_MS, ref(8)),
    said(9, "it is not encrypted for you", kind="refused", trust=""),
    Arrived(1, ref(7), BOB, "oh no", 1, "pinned", False, False, 7),
)


@dataclass
class Typed:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


Type = Callable[..., Typed]


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    give_key(tmp_path / "ann", 0)
    folder = tmp_path / "ann"
    with ProfileStore.open(folder, lambda: unlock(folder, Plain())) as store:
        store.set_settings(Settings(ANN, "ann"))
        store.write([CONTACT, *ROWS]).result()
    return folder


@pytest.fixture
def types(profile: Path, capsys: pytest.CaptureFixture[str]) -> Type:
    """A verb and its words, as if they were typed."""

    def run(verb: click.Command, *words: str) -> Typed:
        code = verb.main([*words, "--profile-dir", str(profile)], "socp", standalone_mode=False)
        told = capsys.readouterr()
        return Typed(code, told.out, told.err)

    return run


def test_a_conversation_is_shown_as_it_stands_now_the_newest_last(types: Type) -> None:
    typed = types(history.command, "bob")
    assert (typed.code, typed.err) == (0, "")
    shown = [re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d ", "", line) for line in typed.lines]
    assert shown == [
        "#1 [private, pinned] bob: shall we meet at the Harbour?",
        '#2 [private, read, changed, bob 👍] you answering bob\'s "shall we meet at the Harbour?":'
        " yes, at seven",
        "#6 [private, pinned] bob: sends plan.pdf",
        "#7 [private, pinned] bob: (taken back)",
        "#9 ! something from bob is not shown: it is not encrypted for you",
    ]


def test_what_is_said_to_everyone_is_a_conversation_of_its_own(types: Type) -> None:
    typed = types(history.command, "all")
    assert typed.out.endswith("[public, pinned] bob: hello all\n")
    assert len(typed.lines) == 1


def test_a_limit_and_a_moment_leave_older_lines_out(types: Type) -> None:
    typed = types(history.command, "bob", "--limit", "2")
    assert len(typed.lines) == 2
    assert "the newest 2 are shown; --limit or --since for more" in typed.err
    since = (NOW - timedelta(days=4)).isoformat()
    assert len(types(history.command, "bob", "--since", since).lines) == 3
    assert "nothing since then" in types(history.command, "bob", "--since", "1m").err


def test_of_long_lines_none_is_left_out(types: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_queries, "ANSWER_CHARS_MAX", 20)  # so many come at once
    numbers = [event["number"] for event in types(history.command, "bob", "--json").events()]
    assert numbers == [1, 2, 6, 7, 9]
    since = (NOW - timedelta(days=8, hours=1)).isoformat()
    assert len(types(history.command, "bob", "--since", since).lines) == 4
    assert len(types(history.command, "bob", "--limit", "3").lines) == 3


def test_without_a_name_it_shows_with_whom_there_are_conversations(types: Type) -> None:
    typed = types(history.command)
    assert re.search(r'everyone  bob: "hello all"$', typed.lines[0])
    assert re.search(r' bob \[1 unread\]  bob: "it is not encrypted for you"$', typed.lines[1])
    last = types(history.command, "--json").events()[-1]
    assert (last["event"], last["talk_name"], last["unread"]) == ("conversation", "bob", 1)
    assert last["last"]["number"] == 9


def test_every_line_is_an_object_for_programs(types: Type) -> None:
    typed = types(history.command, "bob", "--json")
    assert typed.err == ""
    events = typed.events()
    assert [event["number"] for event in events] == [1, 2, 6, 7, 9]
    assert {event["event"] for event in events} == {"said"}
    changed = events[1]
    assert (changed["text"], changed["state"], changed["author"]) == ("yes, at seven", "read", ANN)
    assert changed["reply_to"] == ref(1)
    assert changed["edited"] == NOW_MS
    assert changed["reactions"] == [{"author": BOB, "author_name": "bob", "text": "👍"}]
    assert (events[3]["deleted"], events[3]["text"]) == (True, "")
    assert (events[2]["kind"], events[2]["file"]) == ("file", EVE)


def test_the_docs_tell_every_member_of_these_objects(types: Type) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "write-a-bot.md").read_text()
    rows = dict(re.findall(r"^\| `(said|conversation)` \| (.*?) \|", page, re.MULTILINE))
    for event in (types(history.command, "bob", "--json"), types(history.command, "--json")):
        members = event.events()[0]
        named = {name.removesuffix("_name") for name in members} - {"event"}
        assert set(re.findall(r"`(\w+)`", rows[members["event"]])) == named


def test_words_are_found_wherever_they_were_said(types: Type) -> None:
    typed = types(search.command, "HARB", "meet")
    assert typed.code == 0
    assert [line.partition("] ")[2] for line in typed.lines] == [
        "bob: shall we meet at the Harbour?"
    ]
    assert [one["number"] for one in types(search.command, "e", "--json").events()] == [1, 2, 5]
    assert [
        one["number"] for one in types(search.command, "e", "--with", "all", "--json").events()
    ] == [5]
    assert "the newest 1 are shown" in types(search.command, "e", "--limit", "1").err


@pytest.mark.parametrize("words", [("six",), ("oh", "no"), ("encrypted",), (" ",)])
def test_what_was_changed_or_taken_back_is_not_found(types: Type, words: tuple[str, ...]) -> None:
    typed = types(search.command, *words)
    assert (typed.code, typed.out, typed.err) == (1, "", "nothing is found\n")


def test_a_stranger_s_name_ends_with_1_and_says_so(types: Type) -> None:
    typed = types(history.command, "carol")
    assert (typed.code, typed.out) == (1, "")
    assert typed.err.startswith('socp history: nobody known is called "carol"')
    assert types(search.command, "x", "--with", "carol").code == 1


def test_a_time_that_is_none_ends_with_2_and_an_example(types: Type) -> None:
    typed = types(history.command, "bob", "--since", "soon")
    assert typed.code == 2
    assert "write --since 2026-11-20" in typed.err


def test_a_profile_that_is_not_there_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["bob", "--profile-dir", str(tmp_path / "nobody")]
    assert history.command.main(words, "socp", standalone_mode=False) == 2
    assert "socp chat" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_profile_in_use_can_be_searched_from_a_shell(profile: Path) -> None:
    with ProfileStore.open(profile, lambda: unlock(profile, None)):
        done = subprocess.run(
            [sys.executable, "-m", "socp.cli.main", "search", "harbour", "--profile", profile],
            capture_output=True,
            env={**ENVIRONMENT, "HOME": str(profile.parent)},
            timeout=PATIENCE_S,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"bob: shall we meet at the Harbour?\n")


class Quotes:
    """Knows one line, whatever is asked for."""

    user_id = ANN

    def __init__(self, line: HistoryLine | None = None) -> None:
        self._line = line

    async def line_of(self, msg_ref: str) -> HistoryLine | None:
        return self._line


async def rows(line: HistoryLine, answered: HistoryLine | None = None) -> list[str]:
    past = Past(Quotes(answered), Phrases(lambda user_id: user_id[:4], ANN, "ws://localhost:8001"))
    return [plain(row) for row in layout(await past.row(line, NOW_MS, named=True), 60)]


@pytest.mark.threat("P4")
def test_a_sealed_profile_wants_its_passphrase_and_takes_it_from_a_file(
    tmp_path: Path, profile: Path, types: Type
) -> None:
    reseal(profile, None, Passphrase(lambda: PASSPHRASE))
    typed = types(search.command, "harbour")
    assert (typed.code, typed.out) == (2, "")
    assert "--passphrase-file FILE" in typed.err
    for text, code in ((PASSPHRASE, 0), ("not that one at all", 2)):
        (tmp_path / "secret").write_text(f"{text}\n")
        typed = types(search.command, "harbour", "--passphrase-file", str(tmp_path / "secret"))
        assert typed.code == code
        assert PASSPHRASE not in typed.out + typed.err


def test_a_profile_of_an_older_version_says_how_it_is_upgraded(profile: Path, types: Type) -> None:
    (profile / "vault.key").unlink()
    (profile / "key.pem").unlink()
    keep(profile / "key.pem", test_key(0))  # in clear
    typed = types(history.command, "bob")
    assert typed.code == 2
    assert "socp chat" in typed.err
    assert not (profile / "vault.key").exists()


@pytest.mark.threat("I8")
@pytest.mark.parametrize("kind", ["text", "file", "refused", "note"])
async def test_hostile_words_come_out_harmless(kind: str) -> None:
    evil = replace(said(1, HOSTILE), kind=kind, reply_to=ref(2), reason=HOSTILE)
    emoji = Amendment(2, BOB, ref(1), EVE, "reaction", "\u202e\x1b[2J", 1, ref(2))
    line = laid_over(evil, [emoji])
    ours = laid_over(said(3, HOSTILE, author=ANN, reason=HOSTILE), [])
    answered = laid_over(said(2, HOSTILE), [])
    for text in [*await rows(line, answered), *await rows(ours)]:
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202e]", text)
        assert "\u0301" * 5 not in text


@pytest.mark.parametrize(
    ("state", "reason", "shown"),
    [
        ("waiting", "bob is away", "private, waiting: bob is away"),
        ("sent", "", "private, on its way"),
        ("done", "", "private, at a server"),
        ("delivered", "", "private, delivered"),
        ("refused", "too long", "private, refused: too long"),
    ],
)
async def test_a_line_of_ours_says_how_far_it_came(state: str, reason: str, shown: str) -> None:
    line = laid_over(said(1, "hi", author=ANN, state=state, reason=reason), [])
    assert f"[{shown}] you to b000: " in "".join(await rows(line)).replace(INDENT, "")


async def test_a_crowd_of_reactions_is_counted() -> None:
    crowd = [f"c{number:07d}-0000-4000-8000-000000000000" for number in range(11)]
    changes = [Amendment(9, BOB, ref(1), who, "reaction", "👍", 1, ref(9)) for who in crowd]
    assert ", 6 more] b000: " in "".join(await rows(laid_over(said(1, "hi"), changes)))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90m", "2026-03-05T13:00"),
        ("2h", "2026-03-05T12:30"),
        ("3 d", "2026-03-02T14:30"),
        ("1w", "2026-02-26T14:30"),
        ("today", "2026-03-05T00:00"),
        ("Yesterday", "2026-03-04T00:00"),
        ("2026-03-01", "2026-03-01T00:00"),
        ("2026-03-01 08:15", "2026-03-01T08:15"),
    ],
)
def test_moments_are_written_as_people_write_them(text: str, meant: str) -> None:
    assert moment(text, NOW) == int(datetime.fromisoformat(meant).timestamp() * 1000)


def test_a_zone_counts_where_it_is_written() -> None:
    assert moment("1970-01-02T00:00:00+00:00", NOW) == DAY_MS


@pytest.mark.parametrize(
    "text", ["", "soon", "13h later", "9" * 400 + "d", "999999w", "2026-13-01"]
)
def test_what_is_no_moment_is_none(text: str) -> None:
    assert moment(text, NOW) is None
