"""What was typed and not said: how much of it there can be, and what is still to be kept."""

from __future__ import annotations

from socp.member.draft import Draft
from socp.tui.drafts import DRAFTS_MAX, HISTORY_MAX, Drafts


def test_what_changed_is_asked_for_once() -> None:
    drafts = Drafts()
    drafts.keep("bob", Draft("half"))
    drafts.keep("bob", Draft("half a"))
    drafts.keep("carol", Draft())
    assert drafts.unkept() == {"bob": Draft("half a")}
    drafts.keep("bob", Draft("half a"))
    assert drafts.unkept() == {}
    drafts.keep("bob", Draft())
    assert drafts.unkept() == {"bob": Draft()}
    assert drafts.talks() == []


def test_what_was_loaded_is_on_the_disk_already() -> None:
    drafts = Drafts()
    drafts.load({"bob": Draft("half")})
    assert drafts.unkept() == {}
    assert drafts.of("bob") == Draft("half")


def test_the_oldest_gives_way_on_the_disk_too() -> None:
    drafts = Drafts()
    drafts.load({f"user {number}": Draft("x") for number in range(DRAFTS_MAX + 1)})
    assert drafts.unkept() == {"user 0": Draft()}
    drafts.keep("user 1", Draft("y"))  # it is the newest now
    drafts.keep("bob", Draft("half"))
    assert drafts.of("user 2") == Draft()
    assert drafts.unkept().keys() == {"user 1", "user 2", "bob"}
    assert len(drafts.talks()) == DRAFTS_MAX


def test_what_was_said_earlier_stands_before_what_was_said_now() -> None:
    drafts = Drafts()
    drafts.said("now")
    drafts.said_earlier(f"then {number}" for number in range(HISTORY_MAX))
    assert drafts.before(1) == "now"
    assert drafts.before(2) == f"then {HISTORY_MAX - 1}"
    assert drafts.before(HISTORY_MAX) == "then 1"
    assert drafts.before(HISTORY_MAX + 1) == ""
