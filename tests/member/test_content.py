"""`content/1`: in which form a line goes, and the place it has (section 11)."""

from __future__ import annotations

import pytest

from socp.crypto import hybrid
from socp.member.effects import GapFound
from socp.member.events import Say
from socp.member.records import LineState, Numbered
from socp.member.speech import UNKNOWN
from socp.wire import content
from socp.wire.canonical import canonical
from socp.wire.content import Body, Place, Reaction, Text
from socp.wire.envelope import Envelope
from socp.wire.features import BIND, CONTENT, HYBRID, LINK_AUTH
from tests.member.desk import RUN, WITH_MAILBOX, Desk, Friend
from tests.member.test_outbox import raw
from tests.member.test_public import with_key

HYBRID_ALONE = (LINK_AUTH, BIND, HYBRID)


@pytest.fixture
def desk() -> Desk:
    return Desk(WITH_MAILBOX).attaches()


def read(friend: Friend, frame: Envelope) -> tuple[Body, Place]:
    """A frame of ours, as a friend's client with `content/1` reads it."""
    data = raw(frame)
    text = hybrid.open_(friend.key, data, from_=frame.from_, to=frame.to, ts=frame.ts)
    return content.decode(text)


def bare(friend: Friend, frame: Envelope) -> str:
    """The same as a client without it reads it."""
    data = raw(frame)
    return hybrid.open_(friend.key, data, from_=frame.from_, to=frame.to, ts=frame.ts).decode()


def places(friend: Friend, desk: Desk) -> list[Place]:
    return [read(friend, frame)[1] for frame in desk.sent("MSG_DIRECT") if frame.to == friend.id]


def ref(desk: Desk, index: int = -1) -> str:
    return desk.ref(desk.sent("MSG_DIRECT")[index])


# --- in which form ------------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_our_client_says_that_it_has_content_and_uses_it_with_who_has_it_too(desk: Desk) -> None:
    assert CONTENT in desk.sent("USER_HELLO")[0].members["features"]  # type: ignore[operator]
    alice = desk.friend("alice")
    desk.event(Say(alice.id, "hi", reply_to="r" * 43))
    body, place = read(alice, desk.sent("MSG_DIRECT")[0])
    assert body == Text(body="hi", reply_to="r" * 43)
    assert place == Place(RUN, 1, "")


@pytest.mark.spec("11")
@pytest.mark.threat("M9")
@pytest.mark.parametrize("features", [HYBRID_ALONE, (*HYBRID_ALONE, "content/2")])
def test_to_a_peer_with_hybrid_alone_nothing_is_other_than_before(
    desk: Desk, features: tuple[str, ...]
) -> None:
    alice = desk.friend("alice", *features)
    desk.event(Say(alice.id, "hi", reply_to="r" * 43))
    assert bare(alice, desk.sent("MSG_DIRECT")[0]) == "hi"
    assert desk.kept(Numbered) == []


@pytest.mark.spec("11")
def test_content_without_hybrid_is_no_content(desk: Desk) -> None:
    alice = desk.friend("alice", LINK_AUTH, BIND, CONTENT)
    desk.says(alice, "hi")
    assert alice.key.open(raw(desk.sent("MSG_DIRECT")[0])) == b"hi"


@pytest.mark.threat("M15")
def test_a_servers_word_alone_gives_nobody_content(desk: Desk) -> None:
    alice = Friend(desk, "alice", desk.suite.generate())
    desk.hears("USER_ADVERTISE", desk.advert(alice, attach_ts=0), to="*")
    desk.says(alice, "hi")
    assert alice.key.open(raw(desk.sent("MSG_DIRECT")[0])) == b"hi"


@pytest.mark.spec("11")
def test_a_line_for_a_client_that_lost_content_goes_bare_and_gives_its_number_back(
    desk: Desk,
) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    desk.refuses(desk.sent("MSG_DIRECT")[-1], "TIMEOUT")
    alice.features = HYBRID_ALONE
    desk.comes(alice)
    desk.passes(6)
    assert bare(alice, desk.sent("MSG_DIRECT")[-1]) == "hi"
    assert desk.kept(Numbered)[-1].seq == 0


def posted(desk: Desk) -> bytes:
    key = desk.suite.load_private(with_key(desk).private)
    desk.event(Say("public", "hello"))
    frame = desk.sent("MSG_PUBLIC_CHANNEL")[-1]
    if not hybrid.is_hybrid(raw(frame)):
        return key.open(raw(frame))
    return hybrid.open_(key, raw(frame), from_=desk.id, to="public", ts=frame.ts)


@pytest.mark.spec("7")
def test_a_post_has_a_place_of_its_own_where_every_member_has_content() -> None:
    desk = Desk().attaches()
    alice = desk.friend("alice")
    desk.says(alice, "a direct one does not count there")
    assert content.decode(posted(desk)) == (Text(body="hello"), Place(RUN, 1, ""))


@pytest.mark.spec("7")
@pytest.mark.parametrize("away", [False, True])
def test_a_post_is_bare_where_a_member_without_content_may_read_it(away: bool) -> None:
    desk = Desk().attaches()
    desk.friend("alice")
    bob = desk.friend("bob", *HYBRID_ALONE)
    if away:
        desk.goes(bob)
    assert posted(desk) == b"hello"


@pytest.mark.spec("7")
def test_who_has_been_away_for_longer_than_mail_is_kept_does_not_count() -> None:
    desk = Desk().attaches()
    bob = desk.friend("bob", *HYBRID_ALONE)
    desk.goes(bob)
    desk.wall += 32 * 24 * 3_600_000
    assert content.decode(posted(desk))[0] == Text(body="hello")


# --- numbers ------------------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_messages_are_counted_for_each_reader_and_name_the_one_before(desk: Desk) -> None:
    alice, bob = desk.friend("alice"), desk.friend("bob")
    for friend in (alice, bob):
        for text in ("one", "two"):
            desk.says(friend, text)
            desk.acks(desk.sent("MSG_DIRECT")[-1], "queued")
    assert places(alice, desk) == [Place(RUN, 1, ""), Place(RUN, 2, ref(desk, 0))]
    assert places(bob, desk) == [Place(RUN, 1, ""), Place(RUN, 2, ref(desk, 2))]


@pytest.mark.spec("11")
def test_numbers_go_on_after_a_restart_and_begin_anew_in_another_run(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "one")
    desk.acks(desk.sent("MSG_DIRECT")[-1], "queued")
    first = ref(desk)
    desk.loses_the_link()
    desk.again(desk.store())
    desk.attaches()
    desk.says(alice, "two")
    assert places(alice, desk)[-1] == Place(RUN, 2, first)
    desk.acks(desk.sent("MSG_DIRECT")[-1], "queued")
    desk.run = "f" * 16
    desk.loses_the_link()
    desk.again(desk.store())
    desk.attaches()
    desk.says(alice, "three")
    assert places(alice, desk)[-1] == Place("f" * 16, 1, "")


@pytest.mark.spec("11")
def test_a_line_composed_anew_keeps_its_place(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    desk.loses_the_link()
    desk.wall += 30 * 24 * 3_600_000
    desk.attaches()
    desk.passes(0.2)
    frames = desk.sent("MSG_DIRECT")
    assert raw(frames[0]) != raw(frames[-1])
    assert places(alice, desk) == [Place(RUN, 1, ""), Place(RUN, 1, "", desk.ref(frames[0]))]
    desk.acks(frames[-1], "queued")
    desk.says(alice, "ho")
    assert places(alice, desk)[-1] == Place(RUN, 2, ref(desk, 1))


@pytest.mark.spec("11")
def test_a_line_refused_for_good_leaves_no_hole(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "one")
    desk.acks(desk.sent("MSG_DIRECT")[-1], "queued")
    first = ref(desk)
    desk.says(alice, "two")
    desk.refuses(desk.sent("MSG_DIRECT")[-1], "NOT_ALLOWED")
    assert desk.line().state is LineState.REFUSED
    desk.says(alice, "three")
    assert places(alice, desk)[-1] == Place(RUN, 2, first)


@pytest.mark.spec("11")
def test_a_number_that_may_have_arrived_is_not_used_again(desk: Desk) -> None:
    alice = desk.friend("alice")
    desk.says(alice, "one")
    desk.loses_the_link()
    desk.attaches()
    desk.passes(0.2)
    desk.refuses(desk.sent("MSG_DIRECT")[-1], "NOT_ALLOWED")
    desk.says(alice, "two")
    assert places(alice, desk)[-1].seq == 2


# --- what comes in ------------------------------------------------------------------------------


@pytest.mark.spec("11")
def test_a_text_of_content_is_shown_as_its_words(desk: Desk) -> None:
    alice = desk.friend("alice")
    alice.sends(Text(body="hi"), 1)
    assert desk.texts == ["hi"]


@pytest.mark.spec("11")
@pytest.mark.parametrize(
    "text",
    ["{", "{}", '{"v":1,"kind":"text","body":"x"}', "[1]", '{"v":2,"kind":"text"}', "{" * 5000],
)
def test_bare_text_that_looks_like_content_is_text(desk: Desk, text: str) -> None:
    desk.friend("alice", *HYBRID_ALONE).writes(text)
    assert desk.texts == [text]


@pytest.mark.spec("11")
@pytest.mark.threat("M4")
def test_content_outside_a_seal_that_names_its_author_is_text(desk: Desk) -> None:
    bob = desk.friend("bob", v13=True)
    text = content.encode(Text(body="hi"), Place(RUN, 1, "")).decode()
    bob.writes(text)
    assert desk.texts == [text]


@pytest.mark.spec("11")
def test_what_this_version_cannot_show_is_said_to_be_so(desk: Desk) -> None:
    alice = desk.friend("alice")
    place = {"v": 1, "run": "b" * 16, "seq": 1, "prev": ""}
    alice.writes(canonical({"kind": "poll", "question": "x", **place}).decode())
    assert desk.texts == []
    assert "this version cannot show" in desk.refusals[0].reason


@pytest.mark.spec("11")
def test_what_does_not_fit_its_kind_is_shown_as_such_and_is_no_gap(desk: Desk) -> None:
    alice = desk.friend("alice")
    alice.sends(Text(body="one"), 1)
    alice.sends(Reaction(of="x" * 43, emoji="a" * 65), 2)
    alice.sends(Text(body="three"), 3)
    desk.passes(11)
    assert desk.texts == ["one", "three"]
    assert [refused.reason for refused in desk.refusals] == [UNKNOWN]
    assert desk.told(GapFound) == []
    assert desk.warnings == []
