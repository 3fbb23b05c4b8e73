"""The screen: what counts as seen (section 11, exactly once to the reader)."""

from __future__ import annotations

from prompt_toolkit import PromptSession
from prompt_toolkit.input import DummyInput
from prompt_toolkit.output import DummyOutput

from socp.cli.lines.prompt import Screen
from socp.talk.entries import Entry


class Paper(DummyOutput):
    """Keeps what is written on it."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, data: str) -> None:
        self.text += data


async def test_a_message_counts_as_seen_when_it_is_printed_and_not_before() -> None:
    paper = Paper()
    screen = Screen(PromptSession(input=DummyInput(), output=paper))
    seen: list[str] = []
    screen.show(Entry((("", "bob: hello"),)))
    screen.once_shown(lambda: seen.append(paper.text))
    assert seen == []
    screen.flush()
    assert len(seen) == 1
    assert "bob: hello" in seen[0]
    screen.flush()
    assert len(seen) == 1


async def test_where_nothing_waits_to_be_printed_all_was_seen() -> None:
    screen = Screen(PromptSession(input=DummyInput(), output=Paper()))
    seen: list[bool] = []
    screen.once_shown(lambda: seen.append(True))
    assert seen == [True]
