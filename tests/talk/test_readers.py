"""Who may read what is said to everyone, as it is said and chosen."""

from __future__ import annotations

import pytest

from socp.member.records import PublicChoice
from socp.talk.commands import READERS
from socp.talk.readers import choice_text, chosen

FIRST = PublicChoice()


def test_each_word_changes_its_own_half() -> None:
    strict = chosen(chosen(FIRST, "verified"), "leave-out")
    assert strict == PublicChoice(verified_only=True, leave_out=True)
    assert chosen(strict, "all") == PublicChoice(leave_out=True)
    assert chosen(strict, "plain") == PublicChoice(verified_only=True)
    assert chosen(strict, "") == strict


@pytest.mark.parametrize("word", READERS)
def test_every_choice_is_said_in_other_words(word: str) -> None:
    other = PublicChoice(verified_only=word == "all", leave_out=word == "plain")
    assert choice_text(chosen(other, word)) != choice_text(other)
