"""Servers and users gone bad take part in the mesh, and the laws hold for the others (rows of
threats.md as behaviours; what each law can promise against whom is in docs/simulator.md)."""

from __future__ import annotations

import pytest

from socp.member.effects import MessageArrived, Tell, Trust
from socp.sim import report
from socp.sim.bad_server import BadServer
from socp.sim.laws import Broken, Law, Laws
from socp.sim.play import Play
from socp.sim.schedule import drawn
from socp.sim.story import SERVER_LIES, USER_LIES, Happening, Kind, Story
from socp.sim.world import World
from tests.sim.wrongs import a_reader_takes_every_signature_for_good

THREATS = {
    Kind.CLAIM: "I3",
    Kind.DISMISS: "I3",
    Kind.POSE: "I4",
    Kind.RETYPE: "M1",
    Kind.REPLAY: "M2",
    Kind.GHOSTS: "S6",
    Kind.ECHO: "S6",
    Kind.GARBLE: "M5",
    Kind.SWALLOW: "M12",
    Kind.FORGE: "I2",
    Kind.FALSE_ACK: "M14",
    Kind.USER_FORGE: "I2",
    Kind.USER_REPLAY: "M4",
    Kind.STEAL_ID: "I1",
    Kind.SHARE_LIE: "M10",
    Kind.FLOOD: "S3",
    Kind.USER_GARBLE: "M8",
    Kind.USER_ACK: "M14",
    Kind.HOSTILE_FILE: "M5",
}
SERVERS, USERS, TOLD = 4, 8, 8
LIAR = 1  # the number of the server, and of the user, that lies


def lying(kind: Kind) -> Story:
    """Half a minute of work in which one server or user tells this lie again and again."""
    work = drawn(5, SERVERS, USERS, 0.5, faults=False, every_s=10).happenings
    lies = tuple(
        Happening(3_000 * at + 1_000, kind, LIAR, other=at, for_ms=2_000, much=77 * at)
        for at in range(TOLD)
    )
    both = sorted(work + lies, key=lambda each: each.at_ms)
    return Story(5, SERVERS, USERS, 0.5, tuple(both))


def test_every_lie_is_the_behaviour_of_a_row() -> None:
    assert set(THREATS) == {*SERVER_LIES, *USER_LIES}


@pytest.mark.threat("I1")
@pytest.mark.threat("I2")
@pytest.mark.threat("I3")
@pytest.mark.threat("I4")
@pytest.mark.threat("M1")
@pytest.mark.threat("M2")
@pytest.mark.threat("M4")
@pytest.mark.threat("M5")
@pytest.mark.threat("M10")
@pytest.mark.threat("M12")
@pytest.mark.threat("M14")
@pytest.mark.threat("S3")
@pytest.mark.threat("S6")
@pytest.mark.parametrize("kind", THREATS)
def test_against_one_who_lies_every_law_holds_for_the_others(kind: Kind) -> None:
    told = lying(kind)
    outcome = Play(told).run()
    assert outcome.broken is None, "\n".join(report.lines(outcome))
    assert outcome.shown
    assert f"gone bad: {'u' if kind in USER_LIES else 's'}{LIAR}" in report.lines(outcome)
    honest = Play(without_lies(told)).run()
    assert outcome.digest != honest.digest  # something was said that is not true


def without_lies(told: Story) -> Story:
    """The same without a lie."""
    honest = tuple(each for each in told.happenings if each.kind not in THREATS)
    return Story(told.seed, told.servers, told.users, told.minutes, honest)


def test_who_lies_at_any_time_is_bad_from_the_beginning() -> None:
    story = lying(Kind.CLAIM)
    assert story.bad_servers == {LIAR}
    assert not story.bad_users
    play = Play(story)
    assert [isinstance(server, BadServer) for server in play.servers] == [False, True, False, False]
    assert lying(Kind.FLOOD).bad_users == {LIAR}


def test_the_drawn_stories_have_every_lie_and_some_have_none() -> None:
    stories = [drawn(seed, 5, 20, 2) for seed in range(30)]
    told = {each.kind for story in stories for each in story.happenings}
    assert told >= set(THREATS)
    assert any(not story.bad_servers and not story.bad_users for story in stories)
    assert any(story.bad_servers and story.bad_users for story in stories)
    assert all(len(story.bad_servers) <= 1 for story in stories)


# --- which law holds for whom -------------------------------------------------------------------


def judged(*, bad_servers: set[int], bad_users: set[int]) -> Laws:
    """Four servers with a user each."""
    world = World()
    servers = [world.add_server(f"s{at}", 8001 + at) for at in range(SERVERS)]
    users = [world.add_user(f"u{at}", server) for at, server in enumerate(servers)]
    return Laws(servers, users, bad_servers, bad_users)


def show(laws: Laws, reader: int, text: str, author: int) -> None:
    whose = laws.users[author].id
    said = MessageArrived(whose, text, 0, Trust.PINNED, public=False, msg_ref="")
    laws.user_did(laws.users[reader], [Tell(said)], 0)


def breaks(law: Law, laws: Laws, reader: int, text: str, author: int) -> None:
    with pytest.raises(Broken) as broken:
        show(laws, reader, text, author)
    assert broken.value.law is law


def test_what_a_bad_server_can_withhold_is_owed_to_users_of_others_alone() -> None:
    laws = judged(bad_servers={LIAR}, bad_users=set())
    theirs, one, other = laws.users[LIAR], laws.users[2], laws.users[3]
    assert laws.safe == {user.id for user in laws.users} - {theirs.id}
    laws.says(one, theirs, 0)
    laws.says(theirs, one, 0)
    assert laws.undelivered() == ""
    laws.says(one, other, 0)
    assert "was not acknowledged" in laws.undelivered()


def test_a_reader_with_a_bad_server_is_shown_nothing_that_is_not_true_either() -> None:
    laws = judged(bad_servers={LIAR}, bad_users=set())
    said = laws.says(laws.users[2], laws.users[LIAR], 0)
    breaks(Law.SIGNED, laws, LIAR, "forged", 2)
    show(laws, LIAR, said.text, 2)
    breaks(Law.ONCE, laws, LIAR, said.text, 2)


def test_a_liar_may_say_what_they_like_in_their_own_name_and_nothing_in_anothers() -> None:
    laws = judged(bad_servers=set(), bad_users={LIAR})
    said = laws.says(laws.users[2], laws.users[3], 0)
    show(laws, 3, "whatever", LIAR)
    show(laws, 3, "whatever", LIAR)
    breaks(Law.SIGNED, laws, 3, said.text, LIAR)
    breaks(Law.SIGNED, laws, 3, "whatever", 2)


def test_a_forgery_is_shown_where_readers_do_not_look_at_signatures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a_reader_takes_every_signature_for_good(monkeypatch)
    broken = Play(lying(Kind.FORGE)).run().broken
    assert broken is not None
    assert broken.law is Law.SIGNED
