"""The sending end: what it asks for, at what pace, and what it says (section 8)."""

from __future__ import annotations

import hashlib

import pytest

from socp.crypto import content_sig, file_box
from socp.files import sender as sending
from socp.files.transfer import Broken, Sent, Want
from socp.wire import base64url, limits
from socp.wire.canonical import to_members
from socp.wire.errors import Misuse
from socp.wire.ids import PUBLIC
from socp.wire.payloads import FileChunk, FileEnd, FileStart
from tests.files.wire import ALICE, BOB, FILE, START, TS, Table, content

pytestmark = pytest.mark.spec("8")


def begun(table: Table) -> sending.Sender:
    sender = table.sender()
    sender.start(TS, START)
    sender.acked(FileStart.TYPE, START)
    return sender


def test_a_hybrid_manifest_says_everything_and_is_signed() -> None:
    table = Table(content(600_000))
    start = table.sender().start(TS, START)
    assert (start.total, start.chunk_bytes, start.size) == (3, 262_144, 600_000)
    assert len(base64url.decode(start.chunk_hashes)) == 96
    assert start.mode == "dm"
    assert content_sig.verify_manifest(
        table.alice.public, to_members(start), ALICE, BOB, TS, start.content_sig
    )
    wrapped = base64url.decode(start.wrapped_key)
    assert len(file_box.unwrap_file_key(table.bob, wrapped, from_=ALICE, to=BOB, ts=TS)) == 32


def test_a_file_for_all_says_public() -> None:
    assert Table(b"hello", to=PUBLIC).sender().start(TS, START).mode == "public"


def test_a_v13_manifest_has_none_of_the_hybrid_members() -> None:
    start = Table(content(1_000), hybrid=False).sender().start(TS, START)
    assert (start.total, start.wrapped_key, start.chunk_bytes, start.chunk_hashes) == (3, "", 0, "")
    assert start.content_sig


def test_v13_chunks_have_400_bytes_and_each_is_signed_in_its_place() -> None:
    table = Table(content(1_000), hybrid=False)
    _, chunks = table.sent()
    assert [len(table.bob.open(base64url.decode(chunk.ciphertext))) for chunk in chunks] == [
        400,
        400,
        200,
    ]
    for index, chunk in enumerate(chunks):
        assert (chunk.index, chunk.total) == (index, 3)
        assert content_sig.verify_chunk(
            table.alice.public, chunk.ciphertext, ALICE, BOB, TS, FILE, index, 3, chunk.content_sig
        )


def test_a_hybrid_chunk_frame_fits_the_frame_limit() -> None:
    _, (chunk, *_) = Table(content(300_000)).sent()
    assert len(str(to_members(chunk))) < limits.FRAME_BYTES / 2


def test_an_empty_file_has_a_manifest_and_an_end() -> None:
    start, chunks = Table(b"").sent()
    assert (start.total, chunks) == (0, [])


def test_chunks_wait_for_the_answer_to_the_manifest() -> None:
    sender = Table(content(10)).sender()
    assert sender.wants(START) is None
    sender.start(TS, START)
    assert sender.wants(START + 1_900) is None
    sender.acked(FileStart.TYPE, START + 1_900)
    assert sender.wants(START + 1_900) == Want(0, 0, 10)


def test_a_v13_server_that_answers_nothing_is_waited_for_2_s() -> None:
    sender = Table(content(10)).sender()
    sender.start(TS, START)
    assert sender.wants(START + 2_000) == Want(0, 0, 10)


def test_one_piece_is_read_at_a_time() -> None:
    sender = begun(Table(content(600_000)))
    assert sender.wants(START) == Want(0, 0, 262_144)
    assert sender.wants(START) is None


def test_a_piece_that_nobody_asked_for_is_our_own_bug() -> None:
    sender = begun(Table(content(10)))
    with pytest.raises(Misuse, match="piece 0 was not asked for"):
        sender.chunk(0, content(10), TS)


@pytest.mark.threat("M5")
@pytest.mark.parametrize("data", [b"", content(9), b"x" * 10])
def test_a_file_that_changed_while_it_was_read_is_not_sent_on(data: bytes) -> None:
    sender = begun(Table(content(10)))
    sender.wants(START)
    assert isinstance(sender.chunk(0, data, TS), Broken)


@pytest.mark.threat("M5")
def test_a_v13_file_that_changed_gets_no_end() -> None:
    sender = begun(Table(content(10), hybrid=False))
    sender.wants(START)
    assert isinstance(sender.chunk(0, b"x" * 10, TS), FileChunk)
    assert isinstance(sender.end(START), Broken)


@pytest.mark.parametrize(
    ("table", "per_s"),
    [
        (Table(content(6 * limits.MIB)), limits.MIB),
        (Table(content(6 * limits.MIB), to=PUBLIC), limits.MIB),
        (Table(content(500_000), hybrid=False), 133_333),
    ],
    ids=["direct", "public", "v1.3"],
)
def test_the_pace_is_kept(table: Table, per_s: int) -> None:
    table.sent()
    took_ms = table.mono - START
    size = len(table.data)
    burst = limits.MIB if table.hybrid else sending.BURST_BYTES_V13
    assert (size - burst) * 1000 / per_s - 100 <= took_ms
    assert took_ms <= size * 1000 / per_s + 300


@pytest.mark.threat("S2")
def test_after_a_long_pause_no_more_than_a_burst_goes_at_once() -> None:
    table = Table(content(8 * limits.MIB))
    sender = begun(table)
    asked = 0
    while (want := sender.wants(START + 600_000)) is not None:
        sender.chunk(want.index, table.data[want.offset : want.offset + want.size], TS)
        asked += want.size
    assert asked <= limits.MIB


def test_the_estimate_is_what_the_person_is_told() -> None:
    assert sending.estimate_s(16 * limits.MIB, hybrid=False) == 126
    assert sending.estimate_s(10 * limits.MIB, hybrid=True) == 10
    assert sending.estimate_s(0, hybrid=True) == 0


def test_what_is_too_large_is_refused_with_the_reason() -> None:
    assert sending.refusal(16 * limits.MIB, hybrid=False) is None
    assert "hybrid/1" in str(sending.refusal(16 * limits.MIB + 1, hybrid=False))
    assert sending.refusal(limits.FILE_BYTES, hybrid=True) is None
    assert sending.refusal(limits.FILE_BYTES + 1, hybrid=True)


def test_an_offer_with_the_wrong_number_of_hashes_is_our_own_bug() -> None:
    table = Table(content(10))
    offer = sending.Offer(FILE, BOB, "a", 10, hashlib.sha256(table.data).hexdigest(), b"")
    with pytest.raises(Misuse):
        sending.Sender(table.suite, table.alice, ALICE, offer, table.bob.public, hybrid=True)


def test_the_end_is_said_once_and_sent_means_acknowledged() -> None:
    table = Table(content(10))
    sender = table.sender()
    table.sent(sender)
    assert sender.end(table.mono) is None
    assert sender.settled(table.mono) is None
    sender.acked(FileStart.TYPE, table.mono)  # late, and not for the end
    assert sender.settled(table.mono) is None
    sender.acked(FileEnd.TYPE, table.mono)
    assert sender.settled(table.mono) == Sent(acked=True)
    assert sender.done == 10


def test_an_end_that_nobody_answers_is_taken_as_sent_after_5_s() -> None:
    table = Table(content(10))
    sender = table.sender()
    table.sent(sender)
    assert sender.settled(table.mono + 4_900) is None
    assert sender.settled(table.mono + 5_000) == Sent(acked=False)


@pytest.mark.parametrize("hybrid", [True, False], ids=["hybrid", "v1.3"])
def test_each_frame_names_its_file_and_its_place_and_v13_ones_their_author(hybrid: bool) -> None:
    table = Table(content(600_000 if hybrid else 1_000), hybrid=hybrid)
    start, chunks = table.sent()
    me = table.alice.public.text
    assert (start.file_id, start.name, start.sender_pub) == (FILE, "plan.txt", me)
    assert [(chunk.file_id, chunk.index, chunk.total) for chunk in chunks] == [
        (FILE, index, 3) for index in range(3)
    ]
    assert {chunk.sender_pub for chunk in chunks} == ({""} if hybrid else {me})


def test_what_the_person_reads_of_a_file_that_changed_names_it() -> None:
    sender = begun(Table(content(10)))
    sender.wants(START)
    assert sender.chunk(0, b"x" * 10, TS) == Broken(
        "plan.txt changed while it was being sent; send it again"
    )
