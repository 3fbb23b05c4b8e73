"""Notices as JSON: all of them, under names that stay, harmless and complete."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from socp.cli.event_json import Event, Events, line
from socp.client.notices import Notice
from socp.member import effects
from tests.talk.notices import BOB, HOSTILE, NOTICES, label

DOCS = Path(__file__).resolve().parents[2] / "docs" / "write-a-bot.md"
# What programs need not know: how we number what waits to be read, and a name given by a label.
LEFT_OUT = {"number", "display_name"}


def event(notice: Notice) -> Event:
    return Events(label).event(notice)


def documented() -> dict[str, set[str]]:
    """Event -> members, as the table in the docs has them."""
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", DOCS.read_text(), re.MULTILINE)
    return {kind: set(re.findall(r"`(\w+)`", members)) for kind, members in rows}


def kind_of(notice: Notice) -> str:
    return type(notice).__name__


@pytest.mark.parametrize("notice", NOTICES, ids=kind_of)
def test_every_event_is_in_the_docs_with_all_its_members(notice: Notice) -> None:
    said = event(notice)
    named = {name.removesuffix("_name") for name in said} - {"event"} | (said.keys() & {"name"})
    assert documented()[str(said["event"])] == named - {""}


@pytest.mark.parametrize("notice", NOTICES, ids=kind_of)
def test_nothing_that_a_notice_says_is_lost(notice: Notice) -> None:
    told = json.dumps(event(notice))
    for member in dataclasses.fields(notice):
        value: Any = getattr(notice, member.name)
        if member.name in LEFT_OUT or isinstance(value, tuple):
            continue
        if member.name == "path":
            value = value.encode(errors="backslashreplace").decode()
        assert json.dumps(value) in told, f"{member.name} is not told"


@pytest.mark.threat("I8")
@pytest.mark.parametrize("notice", NOTICES, ids=kind_of)
def test_hostile_words_are_one_line_of_plain_ascii_and_come_back_whole(notice: Notice) -> None:
    written = line(event(notice))
    assert re.fullmatch(r"[ -~]+", written)
    assert json.loads(written) == event(notice)


def test_an_id_has_its_label_beside_it() -> None:
    said = event(effects.KeyRevoked(BOB))
    assert (said["user"], said["user_name"]) == (BOB, "bob")
    assert event(effects.GapClosed("public", BOB))["talk_name"] == "everyone"


def test_a_message_comes_as_it_was_written() -> None:
    notice = next(n for n in NOTICES if isinstance(n, effects.MessageArrived))
    assert json.loads(line(event(notice)))["text"] == HOSTILE
