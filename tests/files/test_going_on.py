"""A transfer whose reader says where it stands: windows, and going on after a break (section 8)."""

from __future__ import annotations

import pytest

from socp.files.receiver import Receiver
from socp.files.sender import FIRST_WORD_MS, Sender, shared_pace
from socp.files.transfer import (
    BYTES_PER_S_LIVE,
    REPORT_BYTES,
    REPORTING_AUTHORS_MAX,
    SILENCE_MS,
    WINDOW_BYTES,
    WINDOW_LIVE_BYTES,
    Broken,
    Complete,
    Sent,
    Stuck,
    Want,
)
from socp.wire import limits
from socp.wire.payloads import FileChunk, FileEnd, FileStart
from tests.files.wire import ALICE, START, TS, Table, content, written

pytestmark = pytest.mark.spec("8")
PIECE = limits.FILE_CHUNK_BYTES
PIECES = 20
DATA = content(PIECES * PIECE - 100)


def begun(table: Table, *, file_key: bytes = b"", have: int = 0, kept: bool = False) -> Sender:
    """A sender whose manifest was answered."""
    sender = Sender(
        table.suite,
        table.alice,
        ALICE,
        table.offer(),
        table.bob.public,
        hybrid=True,
        file_key=file_key,
        reports=True,
        have=have,
    )
    sender.start(TS, table.mono)
    if kept:
        sender.keeps(table.mono)
    sender.acked(FileStart.TYPE, table.mono)
    return sender


def goes(table: Table, sender: Sender) -> list[FileChunk]:
    """All that may go now, given enough time."""
    chunks = []
    for _ in range(50):
        table.mono += 500
        while (want := sender.wants(table.mono)) is not None:
            piece = table.data[want.offset : want.offset + want.size]
            chunk = sender.chunk(want.index, piece, TS)
            assert isinstance(chunk, FileChunk)
            chunks.append(chunk)
    return chunks


def test_nothing_goes_before_the_reader_says_where_it_stands() -> None:
    table = Table(DATA)
    sender = begun(table)
    assert goes(table, sender) == []
    sender.heard(0, table.mono)
    assert sender.wants(table.mono) == Want(0, 0, PIECE)


def test_no_more_than_the_window_is_on_its_way_and_each_word_moves_it() -> None:
    table = Table(DATA)
    sender = begun(table)
    sender.heard(0, table.mono)
    assert len(goes(table, sender)) * PIECE == WINDOW_LIVE_BYTES == sender.on_its_way
    sender.heard(3, table.mono)
    assert [chunk.index for chunk in goes(table, sender)] == [5, 6, 7]
    sender.heard(2, table.mono)  # a word that was overtaken
    assert goes(table, sender) == []
    assert sender.done == 3 * PIECE


def test_two_windows_in_base64_fit_what_a_server_queues_for_a_link() -> None:
    assert REPORTING_AUTHORS_MAX * WINDOW_LIVE_BYTES * 4 // 3 < limits.OUTBOX_BYTES * 9 // 10
    assert REPORT_BYTES < WINDOW_LIVE_BYTES
    assert BYTES_PER_S_LIVE * 4 // 3 < limits.USER_BYTES_PER_S * 9 // 10


def test_another_attempt_with_the_same_key_goes_on_where_the_reader_stands() -> None:
    table = Table(DATA)
    first = begun(table)
    start = first.start(TS, table.mono)
    receiver = table.accepted(start)
    first.heard(0, table.mono)
    sink = bytearray(len(DATA))
    lost = goes(table, first)
    for chunk in lost[:4]:
        writes = receiver.chunk(chunk, TS, table.mono)
        assert not isinstance(writes, Broken)
        written(sink, writes)

    second = begun(table, file_key=first.file_key)
    again = table.accepted(second.start(TS, table.mono))
    assert again.same == receiver.same != b""
    again.hold(receiver.have, table.mono)
    assert (again.have, again.done) == (4, 4 * PIECE)
    second.heard(again.have, table.mono)
    sent = []
    while not again.complete:
        for chunk in goes(table, second):
            writes = again.chunk(chunk, TS, table.mono)
            assert not isinstance(writes, Broken)
            written(sink, writes)
            sent.append(chunk.index)
        second.heard(again.have, table.mono)
    assert sent == list(range(4, PIECES))
    assert bytes(sink) == DATA
    assert isinstance(second.end(table.mono), FileEnd)
    assert isinstance(again.end(), Complete)


def test_a_chunk_of_the_first_attempt_fits_the_second() -> None:
    """What was on its way when the link broke may arrive all the same."""
    table = Table(DATA)
    first = begun(table)
    first.heard(0, table.mono)
    chunk, *_ = goes(table, first)
    second = begun(table, file_key=first.file_key)
    receiver = table.accepted(second.start(TS, table.mono))
    assert receiver.chunk(chunk, TS, table.mono)
    assert receiver.have == 1


def test_a_file_with_another_key_is_another_file() -> None:
    table = Table(DATA)
    receivers = [table.accepted(begun(table).start(TS, table.mono)) for _ in range(2)]
    assert receivers[0].same != receivers[1].same


def test_only_the_readers_word_says_that_it_is_there() -> None:
    table = Table(content(10))
    sender = begun(table)
    sender.heard(0, table.mono)
    assert len(goes(table, sender)) == 1
    assert isinstance(sender.end(table.mono), FileEnd)
    sender.acked(FileEnd.TYPE, table.mono)
    assert sender.settled(table.mono + 10_000) is None


def test_a_reader_that_says_nothing_is_waited_for_and_then_stuck() -> None:
    table = Table(DATA)
    sender = begun(table)
    assert sender.stuck(table.mono + FIRST_WORD_MS - 1) is None
    assert isinstance(sender.stuck(table.mono + FIRST_WORD_MS), Stuck)
    sender.heard(0, table.mono)
    goes(table, sender)
    sender.heard(1, table.mono)
    assert sender.stuck(table.mono + SILENCE_MS - 1) is None
    assert isinstance(sender.stuck(table.mono + SILENCE_MS), Stuck)


def test_a_reader_that_says_the_same_again_and_again_is_not_waited_for_for_ever() -> None:
    table = Table(DATA)
    sender = begun(table)
    assert sender.heard(0, table.mono)
    goes(table, sender)
    assert sender.heard(1, table.mono)
    for seconds in (20, 40, 60):
        assert not sender.heard(1, table.mono + seconds * 1000)
    assert isinstance(sender.stuck(table.mono + SILENCE_MS), Stuck)


def test_a_sender_that_waits_for_its_own_disk_is_not_stuck() -> None:
    table = Table(DATA)
    sender = begun(table)
    sender.heard(0, table.mono)
    assert sender.stuck(table.mono + 10 * SILENCE_MS) is None
    assert sender.wants(table.mono + 10 * SILENCE_MS) is not None
    assert sender.stuck(table.mono + 10 * SILENCE_MS) is None


def test_a_piece_of_an_earlier_attempt_is_not_awaited() -> None:
    table = Table(DATA)
    sender = begun(table)
    sender.heard(2, table.mono)
    assert not sender.awaits(2)
    sender.wants(table.mono)
    assert [sender.awaits(index) for index in (1, 2, 3)] == [False, True, False]


def test_what_a_mailbox_takes_begins_after_what_the_reader_has() -> None:
    table = Table(DATA)
    sender = begun(table, have=2, kept=True)
    sent = goes(table, sender)
    assert [chunk.index for chunk in sent] == list(range(2, 2 + WINDOW_BYTES // PIECE))
    for _ in range(PIECES):
        sender.acked(FileChunk.TYPE, table.mono)
        goes(table, sender)
    assert isinstance(sender.end(table.mono), FileEnd)
    assert sender.settled(table.mono) is None
    sender.acked(FileEnd.TYPE, table.mono)
    assert sender.settled(table.mono) == Sent(acked=True)


def test_files_that_share_a_pace_are_no_faster_together() -> None:
    pace, table = shared_pace(), Table(DATA)
    asked = 0
    for _ in range(4):
        sender = Sender(
            table.suite, table.alice, ALICE, table.offer(), table.bob.public, hybrid=True, pace=pace
        )
        sender.start(TS, START)
        sender.acked(FileStart.TYPE, START)
        while (want := sender.wants(START)) is not None:
            sender.chunk(want.index, DATA[want.offset : want.offset + want.size], TS)
            asked += want.size
    assert asked <= limits.MIB


@pytest.mark.threat("M5")
def test_a_bare_file_never_goes_on() -> None:
    table = Table(content(1_000), hybrid=False)
    start, _ = table.sent()
    receiver = table.accepted(start)
    assert isinstance(receiver, Receiver)
    assert (receiver.have, receiver.same, receiver.layout) == (0, b"", (0, b""))


def test_each_chunk_that_a_mailbox_takes_lets_one_more_go() -> None:
    table = Table(DATA)
    sender = begun(table, kept=True)
    goes(table, sender)
    assert sender.on_its_way == 0  # what a server keeps does not count as on its way to the reader
    sender.acked(FileChunk.TYPE, table.mono)
    assert len(goes(table, sender)) == 1
    for _ in range(2 * PIECES):  # more than were sent
        sender.acked(FileChunk.TYPE, table.mono)
    assert len(goes(table, sender)) == PIECES - WINDOW_BYTES // PIECE - 1


def test_a_mailbox_that_acknowledges_nothing_for_a_minute_is_stuck() -> None:
    table = Table(DATA)
    sender = begun(table, kept=True)
    assert sender.stuck(table.mono + SILENCE_MS) is None  # nothing went yet
    begun_ms = table.mono
    goes(table, sender)
    assert sender.stuck(begun_ms + SILENCE_MS - 1) is None
    assert sender.stuck(begun_ms + SILENCE_MS) == Stuck("your server takes no more of it")
    sender.acked(FileChunk.TYPE, begun_ms + SILENCE_MS)
    assert sender.stuck(begun_ms + 2 * SILENCE_MS - 1) is None


def test_a_mailbox_that_took_all_chunks_and_not_the_end_is_stuck() -> None:
    table = Table(content(10))
    sender = begun(table, kept=True)
    assert len(goes(table, sender)) == 1
    sender.acked(FileChunk.TYPE, table.mono)
    assert sender.stuck(table.mono + SILENCE_MS) is None
    assert isinstance(sender.end(table.mono), FileEnd)
    assert isinstance(sender.stuck(table.mono + SILENCE_MS), Stuck)


def test_it_has_started_once_a_chunk_was_asked_for() -> None:
    table = Table(content(2 * PIECE))
    sender = begun(table)
    sender.heard(0, table.mono)
    assert not sender.started
    want = sender.wants(table.mono)
    assert want is not None
    assert sender.started
    sender.chunk(want.index, table.data[:PIECE], TS)
    assert sender.started
    again = begun(table, have=1, kept=True)
    assert not again.started


def test_a_reader_is_waited_for_from_the_chunk_on_that_it_has_to_answer() -> None:
    """It had all that went, and the file's owner was slow: its minute begins with the next one."""
    table = Table(DATA)
    sender = begun(table)
    sender.heard(0, table.mono)
    for have in range(1, 3):
        want = sender.wants(table.mono)
        assert want is not None
        sender.chunk(want.index, DATA[want.offset : want.offset + want.size], TS)
        sender.heard(have, table.mono)
        table.mono += SILENCE_MS
    want = sender.wants(table.mono)
    assert want is not None
    sender.chunk(want.index, DATA[want.offset : want.offset + want.size], TS)
    assert sender.stuck(table.mono + SILENCE_MS - 1) is None
    assert isinstance(sender.stuck(table.mono + SILENCE_MS), Stuck)


def test_a_word_that_comes_while_a_piece_is_read_does_not_pass_over_that_piece() -> None:
    table = Table(DATA)
    sender = begun(table)
    sender.heard(0, table.mono)
    want = sender.wants(table.mono)
    assert want == Want(0, 0, PIECE)
    sender.heard(3, table.mono)
    assert sender.awaits(0)
    assert isinstance(sender.chunk(0, DATA[:PIECE], TS), FileChunk)


def test_a_later_word_that_is_further_on_passes_over_what_is_there() -> None:
    """Its first one was from before a break."""
    table = Table(DATA)
    sender = begun(table)
    sender.heard(1, table.mono)
    sender.heard(4, table.mono)
    assert sender.have == 4
    assert goes(table, sender)[0].index == 4
