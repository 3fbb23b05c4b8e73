"""The receiving end: whatever comes is checked before it is written (section 8; threat M5)."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from socp.crypto import content_sig, file_box
from socp.crypto.keys import RsaSuite
from socp.files.pieces import AHEAD_MAX
from socp.files.receiver import Receiver
from socp.files.transfer import Broken, Complete, Write
from socp.wire import base64url, limits
from socp.wire.canonical import to_members
from socp.wire.ids import PUBLIC
from socp.wire.payloads import FileChunk, FileStart
from tests.files.wire import ALICE, BOB, FILE, MALLORY, START, TS, Table, content, written
from tests.keys import test_key as stored_key

pytestmark = pytest.mark.spec("8")


def bare(data: bytes, *, size: int = 400) -> tuple[Table, FileStart, list[FileChunk]]:
    """A plain foreign transfer: no total, no signatures, chunks of `size`."""
    table = Table(data, hybrid=False)
    sha256 = hashlib.sha256(data).hexdigest()
    start = FileStart(file_id=FILE, name="plan.txt", size=len(data), sha256=sha256)
    chunks = [
        FileChunk(
            file_id=FILE,
            index=index,
            ciphertext=base64url.encode(table.bob.public.seal(data[at : at + size])),
        )
        for index, at in enumerate(range(0, len(data), size))
    ]
    return table, start, chunks


@pytest.mark.parametrize("hybrid", [True, False], ids=["hybrid", "v1.3"])
@pytest.mark.parametrize("to", [BOB, PUBLIC])
@pytest.mark.parametrize("size", [0, 1, 399, 400, 401, 262_144, 262_145, 600_000])
def test_a_file_arrives_as_it_was_sent(size: int, to: str, hybrid: bool) -> None:
    table = Table(content(size), hybrid=hybrid, to=to)
    start, chunks = table.sent()
    receiver = table.accepted(start)
    assert table.stored(receiver, chunks) == table.data
    assert receiver.end() == Complete("plan.txt", size, hashlib.sha256(table.data).hexdigest())
    assert (receiver.signed, receiver.bound) == (True, hybrid)
    assert receiver.public == (to == PUBLIC)
    assert receiver.done == size


@pytest.mark.parametrize("hybrid", [True, False], ids=["hybrid", "v1.3"])
def test_it_works_with_real_keys(hybrid: bool) -> None:
    table = Table(content(1_000), hybrid=hybrid, suite=RsaSuiteWithStoredKeys())
    start, chunks = table.sent()
    receiver = table.accepted(start, openers=[stored_key(3), table.bob])
    assert table.stored(receiver, chunks) == table.data
    assert isinstance(receiver.end(), Complete)


class RsaSuiteWithStoredKeys(RsaSuite):
    """Real keys without the wait."""

    def __init__(self) -> None:
        super().__init__()
        self._keys = iter((stored_key(0), stored_key(1)))

    def generate(self):  # type: ignore[no-untyped-def]
        return next(self._keys)


@given(order=st.permutations(range(5)))
@settings(max_examples=30, deadline=None)
def test_hybrid_chunks_may_come_in_any_order(order: list[int]) -> None:
    table = Table(content(4 * limits.FILE_CHUNK_BYTES + 7))
    start, chunks = table.sent()
    receiver = table.accepted(start)
    assert table.stored(receiver, [chunks[index] for index in order]) == table.data
    assert isinstance(receiver.end(), Complete)


@given(order=st.permutations(range(10)), repeats=st.lists(st.integers(0, 9), max_size=5))
@settings(max_examples=50, deadline=None)
def test_v13_chunks_in_disorder_and_twice_are_written_in_order_and_once(
    order: list[int], repeats: list[int]
) -> None:
    table = Table(content(3_901), hybrid=False)
    start, chunks = table.sent()
    receiver = table.accepted(start)
    assert table.stored(receiver, [chunks[index] for index in order + repeats]) == table.data
    assert isinstance(receiver.end(), Complete)


@pytest.mark.parametrize("size", [190, 400, 446])
def test_foreign_chunks_of_any_size_are_taken(size: int) -> None:
    table, start, chunks = bare(content(3_000), size=size)
    receiver = table.accepted(start)
    assert table.stored(receiver, chunks) == table.data
    assert isinstance(receiver.end(), Complete)
    assert (receiver.signed, receiver.bound) == (False, False)


def test_a_foreign_empty_file_may_have_one_empty_chunk() -> None:
    table, start, _ = bare(b"")
    chunk = FileChunk(
        file_id=FILE, index=0, ciphertext=base64url.encode(table.bob.public.seal(b""))
    )
    receiver = table.accepted(replace(start, total=1))
    assert receiver.chunk(chunk, TS, START) == (Write(0, b""),)
    assert isinstance(receiver.end(), Complete)


def test_the_form_of_a_foreign_signature_is_remembered() -> None:
    table, start, chunks = bare(content(800))
    signed = []
    for chunk in chunks:
        preimage = content_sig.chunk_preimage(
            chunk.ciphertext.encode(), ALICE, BOB, TS, FILE, chunk.index, 2
        )
        signature = base64url.encode(table.alice.sign(preimage))
        signed.append(replace(chunk, total=2, content_sig=signature))
    receiver = table.accepted(replace(start, total=2))
    assert table.stored(receiver, signed) == table.data
    assert receiver.form is content_sig.Form.TEXT


def test_for_public_any_of_the_reading_keys_may_open_it() -> None:
    table = Table(content(500), to=PUBLIC)
    start, chunks = table.sent()
    others = [table.suite.generate() for _ in range(3)]
    receiver = table.accepted(start, openers=[*others, table.bob])
    assert table.stored(receiver, chunks) == table.data


# --- manifests that are refused ---


@pytest.mark.threat("M5")
@pytest.mark.parametrize(
    "change",
    [
        {"name": "other.txt"},
        {"size": 599_999},
        {"sha256": "0" * 64},
        {"total": 2},
        {"chunk_bytes": 300_000},
        {"chunk_hashes": "A" * 128},
        {"wrapped_key": "A" * 100},
        {"mode": "public"},
        {"content_sig": ""},
        {"content_sig": "AAAA"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_hybrid_manifest_with_anything_changed_is_refused(change: dict[str, object]) -> None:
    table = Table(content(600_000))
    start, _ = table.sent()
    assert isinstance(table.tried(replace(start, **change)), Broken)


@pytest.mark.threat("M5")
@pytest.mark.parametrize("change", [{"name": "b"}, {"size": 999}, {"sha256": "0" * 64}])
def test_a_signed_v13_manifest_with_anything_changed_is_refused(change: dict[str, object]) -> None:
    table = Table(content(1_000), hybrid=False)
    start, _ = table.sent()
    assert isinstance(table.tried(replace(start, **change)), Broken)


@pytest.mark.threat("M5")
def test_a_member_that_we_do_not_know_is_covered_by_the_signature_too() -> None:
    table = Table(content(10))
    start, _ = table.sent()
    members = {**to_members(start), "comment": "added on the way"}
    assert isinstance(table.tried(start, members=members), Broken)


def test_what_hops_add_to_a_manifest_does_not_break_its_signature() -> None:
    table = Table(content(10))
    start, _ = table.sent()
    members = {**to_members(start), "sender": ALICE, "user_id": BOB, "bind": {"type": "x"}}
    assert isinstance(table.tried(start, members=members), Receiver)


@pytest.mark.threat("I2")
def test_the_pinned_key_counts_not_the_one_in_the_frame() -> None:
    table = Table(content(10))
    start, _ = table.sent()
    assert isinstance(table.tried(start, author_key=table.suite.generate()), Broken)


@pytest.mark.threat("M3")
@pytest.mark.threat("M4")
def test_a_manifest_passed_off_as_another_authors_does_not_open() -> None:
    table = Table(content(10))
    start, _ = table.sent()
    mallory = table.suite.generate()
    members = to_members(replace(start, content_sig=""))
    stolen = replace(
        start, content_sig=content_sig.sign_manifest(mallory, members, MALLORY, BOB, TS)
    )
    assert isinstance(table.tried(stolen, author=MALLORY, author_key=mallory), Broken)


@pytest.mark.threat("M4")
def test_the_digest_of_what_came_first_tells_a_ciphertext_passed_on_by_another() -> None:
    table = Table(content(1_000), hybrid=False)
    start, chunks = table.sent()
    receiver = table.accepted(start)
    assert receiver.digests() == ()
    table.stored(receiver, chunks)
    first = base64url.decode(chunks[0].ciphertext)
    assert receiver.digests() == (hashlib.sha256(first).digest(),)


@pytest.mark.threat("M4")
def test_the_digest_of_a_hybrid_file_is_that_of_its_wrapped_key() -> None:
    table = Table(content(1_000))
    start, _ = table.sent()
    wrapped = base64url.decode(start.wrapped_key)
    assert table.accepted(start).digests() == (hashlib.sha256(wrapped).digest(),)


@pytest.mark.threat("S5")
def test_a_file_that_is_too_large_for_its_form_is_refused() -> None:
    table, start, _ = bare(b"")
    assert isinstance(table.tried(replace(start, size=limits.FILE_BYTES_V13 + 1)), Broken)
    assert isinstance(table.tried(replace(start, size=limits.FILE_BYTES_V13)), Receiver)


@pytest.mark.threat("S5")
def test_a_manifest_that_names_more_chunks_than_bytes_is_refused() -> None:
    table, start, _ = bare(content(10))
    assert isinstance(table.tried(replace(start, total=11)), Broken)


@pytest.mark.threat("M5")
@pytest.mark.parametrize(
    "change",
    [{"chunk_bytes": 0}, {"chunk_bytes": 2**40}, {"total": None}, {"chunk_hashes": ""}],
    ids=str,
)
def test_an_authors_own_nonsense_is_refused_before_a_chunk_comes(change: dict[str, object]) -> None:
    table = Table(content(10))
    start, _ = table.sent()
    odd = replace(start, content_sig="", **change)
    signed = content_sig.sign_manifest(table.alice, to_members(odd), ALICE, BOB, TS)
    assert isinstance(table.tried(replace(odd, content_sig=signed)), Broken)


# --- chunks that are refused ---


@pytest.mark.threat("M5")
@pytest.mark.parametrize("hybrid", [True, False], ids=["hybrid", "v1.3"])
def test_swapped_chunks_are_refused(hybrid: bool) -> None:
    table = Table(content(600_000 if hybrid else 1_000), hybrid=hybrid)
    start, chunks = table.sent()
    receiver = table.accepted(start)
    assert isinstance(receiver.chunk(replace(chunks[1], index=0), TS, START), Broken)


@pytest.mark.threat("M5")
@pytest.mark.parametrize("hybrid", [True, False], ids=["hybrid", "v1.3"])
def test_a_file_that_ends_early_is_not_complete(hybrid: bool) -> None:
    table = Table(content(600_000 if hybrid else 1_000), hybrid=hybrid)
    start, chunks = table.sent()
    receiver = table.accepted(start)
    table.stored(receiver, chunks[:-1])
    assert isinstance(receiver.end(), Broken)


@pytest.mark.threat("M5")
def test_a_file_with_a_gap_is_not_complete() -> None:
    table, start, chunks = bare(content(1_200))
    receiver = table.accepted(start)
    table.stored(receiver, [chunks[0], chunks[2]])
    assert isinstance(receiver.end(), Broken)


@pytest.mark.threat("M5")
@pytest.mark.parametrize("hybrid", [True, False], ids=["hybrid", "v1.3"])
@pytest.mark.parametrize(
    "change",
    [{"total": 4}, {"index": 3}, {"index": 2**40}, {"ciphertext": "AAAA"}, {"ciphertext": "A"}],
    ids=str,
)
def test_a_chunk_with_anything_changed_is_refused(change: dict[str, object], hybrid: bool) -> None:
    table = Table(content(600_000 if hybrid else 1_000), hybrid=hybrid)
    start, chunks = table.sent()
    receiver = table.accepted(start)
    assert isinstance(receiver.chunk(replace(chunks[0], **change), TS, START), Broken)


@pytest.mark.threat("M1")
@pytest.mark.threat("M5")
def test_a_v13_chunk_that_was_timed_anew_is_refused() -> None:
    table = Table(content(1_000), hybrid=False)
    start, chunks = table.sent()
    assert isinstance(table.accepted(start).chunk(chunks[0], TS + 1, START), Broken)


@pytest.mark.threat("M5")
def test_signed_and_unsigned_chunks_do_not_mix() -> None:
    table = Table(content(1_000), hybrid=False)
    start, chunks = table.sent()
    receiver = table.accepted(start)
    table.stored(receiver, chunks[:1])
    assert isinstance(receiver.chunk(replace(chunks[1], content_sig=""), TS, START), Broken)


@pytest.mark.threat("M5")
def test_more_bytes_than_the_manifest_says_are_refused() -> None:
    table, start, chunks = bare(content(1_200))
    receiver = table.accepted(replace(start, size=1_000))
    table.stored(receiver, chunks[:2])
    assert isinstance(receiver.chunk(chunks[2], TS, START), Broken)


@pytest.mark.threat("S5")
def test_empty_chunks_do_not_go_on_for_ever() -> None:
    table, start, _ = bare(content(10))
    empty = FileChunk(
        file_id=FILE, index=0, ciphertext=base64url.encode(table.bob.public.seal(b""))
    )
    assert isinstance(table.accepted(start).chunk(empty, TS, START), Broken)


@pytest.mark.threat("S5")
def test_only_so_many_chunks_wait_for_a_missing_one() -> None:
    table, start, chunks = bare(content(400 * (AHEAD_MAX + 2)))
    receiver = table.accepted(start)
    table.stored(receiver, chunks[1 : AHEAD_MAX + 1])
    assert isinstance(receiver.chunk(chunks[AHEAD_MAX + 1], TS, START), Broken)


@pytest.mark.threat("M5")
@pytest.mark.parametrize("piece", [b"x" * 10, content(9)], ids=["other bytes", "fewer bytes"])
def test_an_author_whose_chunk_is_not_the_one_in_the_manifest_is_refused(piece: bytes) -> None:
    table = Table(content(10))
    start, (chunk,) = table.sent()
    wrapped = base64url.decode(start.wrapped_key)
    key = file_box.unwrap_file_key(table.bob, wrapped, from_=ALICE, to=BOB, ts=TS)
    sealed = file_box.seal_chunk(table.suite, key, piece, FILE, 0, 1)
    other = replace(chunk, ciphertext=base64url.encode(sealed))
    assert isinstance(table.accepted(start).chunk(other, TS, START), Broken)


@pytest.mark.threat("M5")
def test_an_author_whose_hash_is_of_a_shorter_piece_is_refused() -> None:
    table = Table(content(9))
    start, (chunk,) = table.sent()
    longer = replace(start, size=10, content_sig="")
    signed = content_sig.sign_manifest(table.alice, to_members(longer), ALICE, BOB, TS)
    receiver = table.accepted(replace(longer, content_sig=signed))
    assert isinstance(receiver.chunk(chunk, TS, START), Broken)


@pytest.mark.threat("M5")
@pytest.mark.parametrize("change", [{"total": 4}, {"index": 3}, {"index": 3, "total": 4}], ids=str)
def test_an_unsigned_chunk_outside_of_the_manifests_total_is_refused(
    change: dict[str, object],
) -> None:
    table, start, chunks = bare(content(1_200))
    receiver = table.accepted(replace(start, total=3))
    assert isinstance(receiver.chunk(replace(chunks[0], **change), TS, START), Broken)


@pytest.mark.threat("M5")
def test_without_a_total_all_bytes_must_be_there_at_the_end() -> None:
    table, start, chunks = bare(content(1_200))
    receiver = table.accepted(start)
    table.stored(receiver, chunks[:2])
    assert isinstance(receiver.end(), Broken)


@pytest.mark.threat("M5")
def test_all_bytes_without_all_chunks_are_not_complete() -> None:
    table, start, chunks = bare(content(800))
    receiver = table.accepted(replace(start, total=3))
    table.stored(receiver, chunks)
    assert isinstance(receiver.end(), Broken)


@pytest.mark.threat("M5")
def test_a_chunk_left_over_at_the_end_is_not_complete() -> None:
    table, start, chunks = bare(content(800))
    receiver = table.accepted(start)
    table.stored(receiver, [*chunks, replace(chunks[1], index=3)])
    assert isinstance(receiver.end(), Broken)


@pytest.mark.threat("S5")
def test_a_signed_hybrid_file_of_more_than_1_gib_is_refused() -> None:
    table = Table(content(10))
    start, _ = table.sent()
    huge = replace(
        start,
        size=limits.FILE_BYTES + 1,
        total=4097,
        chunk_hashes=base64url.encode(bytes(32 * 4097)),
        content_sig="",
    )
    signed = content_sig.sign_manifest(table.alice, to_members(huge), ALICE, BOB, TS)
    assert isinstance(table.tried(replace(huge, content_sig=signed)), Broken)


@pytest.mark.threat("M5")
@given(flips=st.integers(min_value=0, max_value=511))
@settings(max_examples=25, deadline=None)
def test_a_flipped_bit_anywhere_in_a_chunk_breaks_the_transfer(flips: int) -> None:
    table = Table(content(484))
    start, (chunk,) = table.sent()
    sealed = bytearray(base64url.decode(chunk.ciphertext))
    sealed[flips] ^= 1
    receiver = table.accepted(start)
    changed = replace(chunk, ciphertext=base64url.encode(bytes(sealed)))
    assert isinstance(receiver.chunk(changed, TS, START), Broken)


def test_a_minute_without_a_chunk_breaks_the_transfer() -> None:
    table = Table(content(600_000))
    start, chunks = table.sent()
    table.mono = START
    receiver = table.accepted(start)
    receiver.chunk(chunks[0], TS, START + 59_000)
    assert receiver.overdue(START + 100_000) is None
    assert isinstance(receiver.overdue(START + 119_000), Broken)


@pytest.mark.threat("M5")
def test_a_path_in_the_name_is_gone() -> None:
    table, start, chunks = bare(content(10))
    receiver = table.accepted(replace(start, name="../../.ssh/authorized_keys"))
    sink = bytearray(10)
    writes = receiver.chunk(chunks[0], TS, START)
    assert not isinstance(writes, Broken)
    written(sink, writes)
    assert receiver.name == "authorized_keys"
    complete = receiver.end()
    assert isinstance(complete, Complete)
    assert complete.name == "authorized_keys"


# --- what the person reads ---


@pytest.mark.parametrize(
    ("hybrid", "change", "why"),
    [
        (True, {"content_sig": "AAAA"}, "the signature of its manifest does not hold"),
        (False, {"content_sig": "AAAA"}, "the signature of its manifest does not hold"),
        (True, {"content_sig": ""}, "its manifest is not complete"),
        (False, {"content_sig": "", "total": 1_001}, "names more chunks than bytes"),
        (False, {"content_sig": "", "size": limits.FILE_BYTES_V13 + 1}, "at most 16777216 are"),
    ],
)
def test_who_is_offered_a_file_that_is_refused_reads_its_name_and_why(
    hybrid: bool, change: dict[str, object], why: str
) -> None:
    table = Table(content(1_000), hybrid=hybrid)
    start, _ = table.sent()
    refused = table.tried(replace(start, **change))
    assert isinstance(refused, Broken)
    assert refused.reason.startswith("plan.txt is refused: ")
    assert why in refused.reason


def signed_anew(table: Table, start: FileStart, **change: object) -> FileStart:
    """The author's own doing: whatever is changed, the signature holds."""
    odd = replace(start, content_sig="", **change)
    signed = content_sig.sign_manifest(table.alice, to_members(odd), ALICE, BOB, TS)
    return replace(odd, content_sig=signed)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"wrapped_key": "!"}, "its manifest is damaged"),
        ({"chunk_hashes": "!"}, "its manifest is damaged"),
        ({"wrapped_key": "AAAA"}, "not encrypted for a key that is held here"),
        ({"total": 2}, "its manifest is not complete"),
    ],
)
def test_an_author_who_signed_nonsense_is_told_apart_from_a_server_that_changed_it(
    change: dict[str, object], why: str
) -> None:
    table = Table(content(1_000))
    start, _ = table.sent()
    refused = table.tried(signed_anew(table, start, **change))
    assert isinstance(refused, Broken)
    assert why in refused.reason


def test_chunks_of_512_kib_are_the_largest_that_fit_a_frame() -> None:
    table = Table(content(10))
    start, _ = table.sent()
    largest = 512 * limits.KIB
    assert isinstance(table.tried(signed_anew(table, start, chunk_bytes=largest)), Receiver)
    assert isinstance(table.tried(signed_anew(table, start, chunk_bytes=largest + 1)), Broken)


@pytest.mark.parametrize(
    ("hybrid", "change", "why"),
    [
        (True, {"ciphertext": "AAAA"}, "chunk 1 does not open"),
        (True, {"ciphertext": "!"}, "chunk 1 does not open"),
        (True, {"index": 3}, "chunk 3 stands outside of the 3 in the manifest"),
        (False, {"index": 3}, "chunk 3 stands outside of the 3 chunks"),
        (False, {"total": 4}, "chunk 1 names 4 chunks, not 3"),
        (False, {"content_sig": "AAAA"}, "the signature of chunk 1 does not hold"),
        (False, {"content_sig": ""}, "chunk 1 is not signed as the others are"),
    ],
)
def test_who_reads_a_file_that_breaks_off_reads_its_name_and_why(
    hybrid: bool, change: dict[str, object], why: str
) -> None:
    table = Table(content(600_000 if hybrid else 1_000), hybrid=hybrid)
    start, chunks = table.sent()
    receiver = table.accepted(start)
    table.stored(receiver, chunks[:1])
    broken = receiver.chunk(replace(chunks[1], **change), TS, START)
    assert broken == Broken(f"plan.txt did not arrive whole: {why}; ask for it again")


def test_a_bare_chunk_that_does_not_open_does_not_fit_or_is_missing_is_named() -> None:
    table, start, chunks = bare(content(400 * (AHEAD_MAX + 2)))
    said = []
    for chunk in (
        replace(chunks[0], ciphertext="AAAA"),
        replace(chunks[0], ciphertext=base64url.encode(table.bob.public.seal(b""))),
        chunks[AHEAD_MAX + 1],
    ):
        broken = table.accepted(start).chunk(chunk, TS, START)
        assert isinstance(broken, Broken)
        said.append(broken.reason.partition(": ")[2].partition(";")[0])
    assert said[0] == "chunk 0 does not open"
    assert said[1] == "chunk 0 does not fit the size in the manifest"
    broken = table.accepted(start).chunk(chunks[AHEAD_MAX + 1], TS, START)
    assert isinstance(broken, Broken)
    assert f"chunk 0 is missing; chunk {AHEAD_MAX + 1} came in its place" in broken.reason


def test_a_chunk_that_is_not_the_one_of_the_manifest_is_named() -> None:
    table = Table(content(10))
    start, (chunk,) = table.sent()
    receiver = table.accepted(signed_anew(table, start, chunk_hashes=base64url.encode(bytes(32))))
    broken = receiver.chunk(chunk, TS, START)
    assert isinstance(broken, Broken)
    assert "chunk 0 is not what the manifest says" in broken.reason


@pytest.mark.parametrize("hybrid", [True, False], ids=["hybrid", "v1.3"])
def test_a_file_that_ended_or_went_silent_too_early_says_how_far_it_came(hybrid: bool) -> None:
    size, piece = (600_000, 262_144) if hybrid else (1_000, 400)
    table = Table(content(size), hybrid=hybrid)
    start, chunks = table.sent()
    receiver = table.accepted(start)
    table.stored(receiver, chunks[:1])
    ended, silent = receiver.end(), receiver.overdue(table.mono + 60_000)
    assert isinstance(ended, Broken)
    assert f"it ended after {piece} of {size} bytes" in ended.reason
    assert isinstance(silent, Broken)
    assert "nothing came for 60 s" in silent.reason


def test_what_was_held_or_begun_again_counts_as_a_sign_of_life() -> None:
    table = Table(content(600_000))
    start, _ = table.sent()
    receiver = table.accepted(start)
    receiver.hold(1, table.mono + 50_000)
    assert receiver.overdue(table.mono + 109_999) is None
    receiver.begun_again(table.mono + 100_000)
    assert receiver.overdue(table.mono + 159_999) is None
    assert isinstance(receiver.overdue(table.mono + 160_000), Broken)


def test_no_more_is_held_than_there_are_chunks_and_each_once() -> None:
    table = Table(content(600_000))
    start, chunks = table.sent()
    receiver = table.accepted(start)
    table.stored(receiver, chunks[1:2])
    receiver.hold(2, START)
    assert (receiver.have, receiver.done) == (2, 2 * 262_144)
    receiver.hold(9, START)
    assert (receiver.have, receiver.done, receiver.complete) == (3, 600_000, True)
