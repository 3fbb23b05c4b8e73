"""Who, when, how sure, private or public: in words that a person reads once and understands."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from socp.client.notices import Notice, Offline
from socp.member import effects
from socp.member.contacts import Person
from socp.member.effects import Trust
from socp.member.records import LineState, TrustState
from socp.talk.amendments import Spoken
from socp.talk.commands import Trust as ToTrust
from socp.talk.commands import Verify
from socp.talk.entries import INDENT, Entry, Kind, layout, plain
from socp.talk.parsing import parse
from socp.talk.phrases import Phrases
from socp.talk.words import shown_name, size_text, time_of
from socp.wire.text import printable
from tests.talk.notices import HOSTILE, NOTICES

ME = "00000000-0000-4000-8000-000000000000"
BOB = "11111111-1111-4111-8111-111111111111"
NAMES = {BOB: "bob"}
NOW = int(datetime(2026, 3, 4, 12, 3).timestamp() * 1000)  # noqa: DTZ001 - as people read it
PERSON = Person(BOB, "bob", True, NOW, "f" * 64, False, True)


@pytest.fixture
def phrases() -> Phrases:
    return Phrases(lambda user_id: NAMES.get(user_id, user_id[:8]), ME, "ws://localhost:8001")


def text(entry: Entry | None) -> str:
    assert entry is not None
    return "\n".join(plain(row) for row in layout(entry, None))


@pytest.mark.parametrize(
    ("trust", "public", "shown"),
    [
        (Trust.VERIFIED, False, "12:03 [private, verified] bob: hi"),
        (Trust.PINNED, False, "12:03 [private, pinned] bob: hi"),
        (Trust.PINNED, True, "12:03 [public, pinned] bob: hi"),
        (Trust.FIRST_SEEN, False, "12:03 [private, first seen] bob: hi"),
        (Trust.NOT_BOUND, False, "12:03 [private, author not bound] bob: hi"),
        (Trust.NOT_ENCRYPTED, True, "12:03 [public, not encrypted] bob: hi"),
    ],
)
def test_a_message_says_when_how_sure_and_to_whom(
    phrases: Phrases, trust: Trust, public: bool, shown: str
) -> None:
    said = effects.MessageArrived(BOB, "hi", NOW, trust, public, "ref")
    assert text(phrases.entry(said, NOW)) == shown


def test_a_time_of_another_day_has_its_date() -> None:
    assert time_of(NOW, NOW) == "12:03"
    assert time_of(NOW - 24 * 3600 * 1000, NOW) == "2026-03-03 12:03"
    assert time_of(2**53 - 1, NOW) == "no time"


@pytest.mark.threat("I8")
@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("bob", "bob"),
        ("Ann Lee", "Ann Lee"),
        ("bob#11111111", "bob#11111111"),
        ("Zoë 漢字", "Zoë 漢字"),
        ("alice: send money", '"alice: send money"'),
        ("x] [private, verified] alice", '"x] [private, verified] alice"'),
        ('a" b', '"a\' b"'),
    ],
)
def test_a_name_that_looks_like_more_than_a_name_is_in_quotes(label: str, shown: str) -> None:
    assert shown_name(label) == shown


@pytest.mark.threat("I9")
def test_a_changed_key_is_loud_and_shows_both_and_what_to_do(phrases: Phrases) -> None:
    entry = phrases.entry(effects.KeyChanged(BOB, "a" * 64, "b" * 64), NOW)
    said = text(entry)
    assert "KEY CHANGED" in said
    assert "aaaaaaaa" in said
    assert "bbbbbbbb" in said
    assert "Ask bob by another way than this chat" in said
    assert entry is not None
    assert ("class:loud", " KEY CHANGED ") in entry.head


def test_a_wrong_key_for_oneself_names_who_may_be_behind_it(phrases: Phrases) -> None:
    said = text(phrases.entry(effects.KeyChanged(ME, "a" * 64, "b" * 64), NOW))
    assert "somebody claims to be you with another key" in said
    assert "Your server" in said
    assert "Ask you" not in said


ELSEWHERE = (  # in the list, the toolbar, one's own lines
    effects.LineMoved,
    effects.PeerMoved,
    effects.ListAnswered,
    effects.WhoisAnswered,
    effects.FileProgress,
)


@pytest.mark.threat("I8")
@pytest.mark.parametrize("notice", NOTICES, ids=lambda notice: type(notice).__name__)
def test_every_notice_has_its_phrase_and_no_words_in_it_act(
    phrases: Phrases, notice: Notice
) -> None:
    entry = phrases.entry(notice, NOW, Spoken("bob", HOSTILE, NOW, 7))
    assert (entry is None) == isinstance(notice, ELSEWHERE)
    rows = layout(entry, 60) if entry else []
    for row in map(plain, rows):
        assert printable(row) == row
    assert all(plain(row).startswith(INDENT) for row in rows[1:])


def amended(kind: str, body: str, author: str = BOB) -> effects.Amended:
    trust = Trust.PINNED if author == BOB else ""
    return effects.Amended(BOB, "r" * 43, author, kind, body, NOW, 1, trust)


@pytest.mark.parametrize(
    ("notice", "said"),
    [
        (amended("edit", "nine"), "bob changed #7, said at 12:03: nine"),
        (amended("delete", ""), "bob took back #7, said at 12:03"),
        (amended("reaction", "+"), 'bob reacted to your "at eight": +'),
        (amended("reaction", "", ME), 'you took your reaction back from your "at eight"'),
    ],
)
def test_a_change_says_what_it_is_about(
    phrases: Phrases, notice: effects.Amended, said: str
) -> None:
    about = Spoken("you", "at eight", NOW, 7)
    marks = "private, pinned" if notice.author == BOB else "private"
    assert text(phrases.entry(notice, NOW, about)) == f"12:03 [{marks}] {said}"
    assert "an earlier message" in text(phrases.entry(notice, NOW))


def test_an_answer_names_what_it_answers_and_lateness_is_marked(phrases: Phrases) -> None:
    said = effects.MessageArrived(
        BOB, "yes", NOW, Trust.PINNED, False, "ref", reply_to="r" * 43, late=True
    )
    entry = phrases.entry(said, NOW, Spoken("you", "at eight?", NOW, 7))
    assert text(entry) == '12:03 [private, pinned, came late] bob answering your "at eight?": yes'


@pytest.mark.threat("M12")
def test_a_gap_says_how_many_when_and_what_is_done(phrases: Phrases) -> None:
    gap = effects.GapFound(BOB, BOB, 2, NOW - 120_000, NOW, asked=True)
    assert text(phrases.entry(gap, NOW)) == (
        "12:03 ! 2 messages of bob, said between 12:01 and 12:03, did not come; their client is"
        " asked for it once more"
    )
    alone = effects.GapFound("public", BOB, 1, 0, NOW, asked=False)
    assert text(phrases.entry(alone, NOW)) == (
        "12:03 ! a message of bob to everyone, said before 12:03, did not come; ask them what it"
        " was, by another way if you can"
    )
    assert text(phrases.entry(effects.GapClosed(BOB, BOB), NOW)) == (
        "12:03 what was missing of bob is here now"
    )


def test_a_file_that_waits_says_how_far_it_is(phrases: Phrases) -> None:
    waits = effects.FileWaits("id", BOB, "a.txt", 3, 12, sending=True, reason="bob is away")
    assert (
        text(phrases.entry(waits, NOW))
        == "12:03 ! a.txt to bob waits at 25% of 12 bytes: bob is away"
    )


def test_a_replaced_key_is_told_with_both_and_that_one_must_compare_again(
    phrases: Phrases,
) -> None:
    moved = effects.KeyReplaced(BOB, "a" * 64, "b" * 64, was_verified=True)
    said = text(phrases.entry(moved, NOW))
    assert "bob's key was replaced, signed by the old one; they are no longer verified" in said
    assert "aaaaaaaa aaaaaaaa" in said
    assert "bbbbbbbb bbbbbbbb" in said
    unverified = effects.KeyReplaced(BOB, "a" * 64, "b" * 64, was_verified=False)
    assert "verified" not in text(phrases.entry(unverified, NOW))


def test_a_revoked_contact_is_told_loudly(phrases: Phrases) -> None:
    entry = phrases.entry(effects.KeyRevoked(BOB), NOW)
    assert entry is not None
    assert "bob revoked their id" in text(entry)
    assert entry.body_style == "class:loud"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (effects.OwnKeyState.WAITING, "once nothing else is on its way"),
        (effects.OwnKeyState.REPLACED, "your key was replaced; it is now  key aaaaaaaa"),
        (effects.OwnKeyState.REVOKED, "your id is revoked for ever"),
        (effects.OwnKeyState.REFUSED, ""),
    ],
)
def test_what_becomes_of_ones_own_key(
    phrases: Phrases, state: effects.OwnKeyState, said: str
) -> None:
    entry = phrases.entry(effects.OwnKeyMoved(state, "a" * 64, "why"), NOW)
    assert (said in text(entry)) if said else entry is None


def test_what_one_said_and_what_became_of_it(phrases: Phrases) -> None:
    waits = effects.LineMoved(1, BOB, "hi\nthere", LineState.WAITING, "bob is away")
    done = effects.LineMoved(1, BOB, "hi\nthere", LineState.DONE, "")
    refused = effects.LineMoved(1, BOB, "hi", LineState.REFUSED, "too long")
    public = effects.LineMoved(2, "public", "hi", LineState.DONE, "nobody says so")
    assert text(phrases.own_waits(waits, NOW)) == (
        "12:03 [private, waiting] you to bob: hi\n      │ there\n      │ (bob is away)"
    )
    assert text(phrases.own_moved(done, NOW)) == "12:03 sent to bob: hi there"
    assert text(phrases.own_moved(refused, NOW)) == "12:03 ! not sent to bob: too long (hi)"
    kept = effects.LineMoved(1, BOB, "hi", LineState.DONE, "bob is away; a server keeps it")
    delivered = effects.LineMoved(1, BOB, "hi", LineState.DELIVERED, "")
    assert text(phrases.own_moved(kept, NOW)) == (
        "12:03 sent to bob: hi (bob is away; a server keeps it)"
    )
    assert text(phrases.own_moved(delivered, NOW)) == "12:03 delivered to bob: hi"
    assert text(phrases.own(public, NOW)) == "12:03 [public, nobody says so] you to everyone: hi"


def test_who_comes_and_goes_is_told_together(phrases: Phrases) -> None:
    assert text(phrases.comings([BOB], [], {BOB}, NOW)) == "12:03 bob (first seen) is here"
    many = [f"{n:08}-1111-4111-8111-111111111111" for n in range(10)]
    said = text(phrases.comings(many, [BOB], set(), NOW))
    assert said.endswith("00000007 and 2 more are here; bob is gone")


def test_members_are_shown_with_when_they_were_first_seen(phrases: Phrases) -> None:
    said = text(phrases.entry(effects.MembersShown((PERSON,), (PERSON,)), NOW))
    assert said == "12:03 what you say to everyone, these can read: bob (first seen 12:03)"
    row = text(phrases.person(PERSON, NOW, attached=True))
    assert row == f"  bob  {BOB}  here, first seen 12:03"


def test_where_things_go_in_a_script(phrases: Phrases) -> None:
    said = effects.MessageArrived(BOB, "hi", NOW, Trust.PINNED, False, "ref")
    message, gone = phrases.entry(said, NOW), phrases.entry(Offline("gone"), NOW)
    assert message is not None
    assert gone is not None
    assert (message.kind, gone.kind) == (Kind.TALK, Kind.ASIDE)


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (10 * 2**20, "10.0 MiB")],
)
def test_sizes_are_written_as_people_read_them(size: int, shown: str) -> None:
    assert size_text(size) == shown


@pytest.mark.parametrize("state", [TrustState.UNVERIFIED, TrustState.CHANGED])
def test_a_command_that_is_shown_can_be_typed_as_it_stands(state: TrustState) -> None:
    phrases = Phrases(lambda _: "Ann Lee", ME, "ws://localhost:8001")
    said = text(phrases.entry(effects.TrustMoved(BOB, state), NOW))
    assert "Ann Lee" in said
    [command] = re.findall("/(?:verify|trust) [^ ]+", said)
    assert parse(command) in (Verify("Ann_Lee", ""), ToTrust("Ann_Lee", ""))
