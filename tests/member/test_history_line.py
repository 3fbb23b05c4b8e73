"""A line of a conversation as it stands now: which changes count, and which last (section 11)."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from socp.member.draft import Draft, is_empty
from socp.member.history_line import laid_over, newer
from socp.member.records import Amendment, Said

pytestmark = pytest.mark.spec("11")
SAID = Said(7, "bob", "bob", "helo", 1_000, 1_005, "verified", ("old", "ref"), reply_to="before")


def change(kind: str, body: str = "", **more: object) -> Amendment:
    """By Bob, of his line, in his run, unless said otherwise."""
    members: dict[str, object] = {
        "number": 8,
        "talk": "bob",
        "of": "ref",
        "author": "bob",
        "ts": 2_000,
        "msg_ref": f"by {body}",
        "run": "run",
        "seq": 1,
        **more,
    }
    return Amendment(kind=kind, body=body, **members)  # type: ignore[arg-type]


def test_a_line_that_nobody_changed_is_as_it_was_said() -> None:
    line = laid_over(SAID, ())
    assert (line.number, line.talk, line.author, line.text) == (7, "bob", "bob", "helo")
    assert (line.ts, line.at_ms, line.trust, line.msg_ref) == (1_000, 1_005, "verified", "ref")
    assert (line.kind, line.state, line.reason, line.reply_to) == ("text", "", "", "before")
    assert (line.file_id, line.edited_ms, line.deleted, line.reactions) == ("", 0, False, ())


def test_a_line_that_never_went_out_has_no_name() -> None:
    assert laid_over(Said(1, "bob", "me", "hi", 1, 1, "", ()), ()).msg_ref == ""


def test_an_edit_by_its_author_under_any_name_of_the_line_is_its_text() -> None:
    for name in ("old", "ref"):
        line = laid_over(SAID, [change("edit", "hello", of=name)])
        assert (line.text, line.edited_ms, line.deleted) == ("hello", 2_000, False)


@pytest.mark.threat("I10")
@pytest.mark.parametrize(
    ("before", "changed", "now"),
    [
        ("verified", "former key", "former key"),
        ("author not bound", "pinned", "author not bound"),
        ("verified", "", "verified"),  # of before that was noted
        ("", "", ""),
    ],
)
def test_words_that_were_changed_are_as_sure_as_the_less_sure_of_both(
    before: str, changed: str, now: str
) -> None:
    said = replace(SAID, trust=before)
    assert laid_over(said, [change("edit", "hello", trust=changed)]).trust == now
    assert laid_over(said, [change("reaction", "👍", trust=changed)]).trust == before


@pytest.mark.parametrize(
    "more", [{"author": "mallory"}, {"talk": "public"}, {"of": "another line"}], ids=str
)
def test_an_edit_by_another_in_another_talk_or_of_another_line_is_none(
    more: dict[str, object],
) -> None:
    for kind in ("edit", "delete"):
        line = laid_over(SAID, [change(kind, "hello", **more)])
        assert (line.text, line.edited_ms, line.deleted) == ("helo", 0, False)


def test_anybody_in_the_talk_may_react_once_each_and_take_it_back() -> None:
    ours = change("reaction", "👍", author="me", ts=3_000)
    theirs = change("reaction", "🎉", ts=2_000)
    assert laid_over(SAID, [ours, theirs]).reactions == (("bob", "🎉"), ("me", "👍"))
    other = change("reaction", "😀", author="me", ts=4_000, seq=2)
    assert laid_over(SAID, [ours, other]).reactions == (("me", "😀"),)
    gone = change("reaction", "", author="me", ts=5_000, seq=3)
    assert laid_over(SAID, [other, gone, theirs]).reactions == (("bob", "🎉"),)


def test_what_was_taken_back_shows_neither_text_nor_edits_nor_reactions() -> None:
    changes = [change("edit", "hello"), change("reaction", "🎉"), change("delete", ts=9_000)]
    for order in itertools.permutations(changes):
        line = laid_over(SAID, order)
        assert (line.text, line.deleted) == ("", True)
        assert (line.edited_ms, line.reactions) == (0, ())


def test_of_two_edits_the_one_said_last_counts_in_whichever_order_they_came() -> None:
    first, second = change("edit", "one", seq=1, ts=5_000), change("edit", "two", seq=2, ts=4_000)
    for order in ((first, second), (second, first)):
        assert laid_over(SAID, order).text == "two"  # the clock of its author went back


def test_of_two_runs_the_later_time_counts_and_of_one_time_the_name() -> None:
    one = change("edit", "one", run="a", seq=9, ts=4_000)
    two = change("edit", "two", run="b", seq=1, ts=5_000)
    assert newer(two, one)
    assert not newer(one, two)
    same = change("edit", "zzz", run="c", ts=5_000)
    assert newer(same, two)  # "by zzz" stands after "by two"
    assert not newer(two, same)
    bare = change("edit", "bare", run="", seq=0, ts=6_000)
    assert newer(bare, change("edit", "old", run="", seq=5, ts=5_000))


def test_of_two_of_our_own_the_one_that_was_kept_later_counts() -> None:
    early = change("edit", "one", number=8, ts=9_000, msg_ref="", run="", seq=0)
    late = change("edit", "two", number=9, ts=8_000, msg_ref="", run="", seq=0)
    assert newer(late, early)
    assert not newer(early, late)


def test_a_draft_with_a_text_or_something_that_it_is_about_is_gone_on_with() -> None:
    assert is_empty(Draft())
    assert is_empty(Draft(quote="a quote alone"))
    assert not is_empty(Draft(text="half a"))
    assert not is_empty(Draft(about="ref"))
