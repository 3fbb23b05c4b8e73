"""Files on their way, as they are told of."""

from __future__ import annotations

import pytest

from socp.member.effects import (
    FileDone,
    FileFailed,
    FileOffered,
    FileProgress,
    FileWaits,
    Trust,
)
from socp.talk.entries import Entry
from socp.talk.phrases import Phrases
from socp.talk.transfers import ROWS_MAX, Transfers


@pytest.mark.threat("I8")
def test_however_many_files_somebody_sends_there_is_room_to_type() -> None:
    shown: list[Entry] = []
    phrases = Phrases(lambda user_id: user_id, "me", "ws://localhost:8001")
    transfers = Transfers(phrases, shown.append, has_toolbar=True)
    for number in range(ROWS_MAX + 3):
        transfers.moved(FileProgress(f"{number}", "mallory", "x", 1, 10, sending=False))
    rows = transfers.running()
    assert len(rows) == ROWS_MAX + 1
    assert rows[-1] == "and 3 more"
    assert shown == []


@pytest.fixture
def transfers() -> Transfers:
    return Transfers(Phrases(lambda _: "bob", "me", "ws://x:1"), lambda _: None, has_toolbar=True)


def moves(file_id: str, *, sending: bool) -> FileProgress:
    return FileProgress(file_id, "b", "a.txt", 3, 12, sending=sending, bytes_per_s=3, remaining_s=3)


def waits(file_id: str, *, sending: bool) -> FileWaits:
    return FileWaits(file_id, "b", "a.txt", 3, 12, sending=sending, reason="bob is away")


def test_a_file_shows_how_far_how_fast_and_how_long_and_that_it_waits(
    transfers: Transfers,
) -> None:
    transfers.moved(moves("1", sending=True))
    assert transfers.running() == ["a.txt to bob: 25% of 12 bytes, 3 bytes/s, 0:03 left"]
    transfers.moved(waits("1", sending=True))
    assert transfers.running() == ["a.txt to bob waits at 25% of 12 bytes"]
    transfers.moved(FileDone("1", "b", "a.txt", 12, sending=True, path=""))
    assert transfers.running() == []


def test_nobody_waits_for_what_comes_later_by_itself(transfers: Transfers) -> None:
    transfers.moved(waits("theirs", sending=False))
    transfers.moved(waits("of an earlier run", sending=True))
    assert transfers.outstanding() == []
    transfers.offered("mine", "a.txt")
    transfers.moved(waits("mine", sending=True))
    assert transfers.outstanding() == ["a.txt"]
    transfers.moved(moves("theirs", sending=False))
    assert len(transfers.outstanding()) == 2
    transfers.moved(FileFailed("mine", "b", "a.txt", sending=True, reason="refused"))
    assert transfers.failed


@pytest.mark.threat("I8")
def test_a_file_that_is_sent_is_said_to_be_with_its_reader_whoever_offers_one_of_its_id(
    transfers: Transfers,
) -> None:
    transfers.received(FileOffered("f", "mallory", "x", 12, public=True, trust=Trust.PINNED))
    sent = FileDone("f", "public", "a.txt", 12, sending=True, path="")
    assert transfers.by_author(sent).peer == "public"
    came = FileDone("f", "public", "x", 12, sending=False, path="/x")
    assert transfers.by_author(came).peer == "mallory"
