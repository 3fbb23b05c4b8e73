"""What `content/1` seals: read in one way or not at all (section 11)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from socp.wire import base64url, content, limits
from socp.wire.canonical import canonical, to_members
from socp.wire.content import (
    KINDS,
    REFS_MAX,
    Body,
    Delete,
    Edit,
    File,
    FileState,
    Place,
    Reaction,
    Receipt,
    Resend,
    Text,
    Unknown,
)
from socp.wire.errors import Code, Misuse, PeerFault
from tests.wire.jsontext import doubtful_texts
from tests.wire.test_vectors import Case, read

pytestmark = pytest.mark.spec("11")

RUN = "00c0ffee00c0ffee"
REF = "A" * 43
FILE_ID = "f11e0000-0000-4000-8000-00000000000f"
PLACE = Place(RUN, 2, REF)
EXAMPLES: list[Body] = [
    Text(body="hi", reply_to=REF),
    Edit(of=REF, body="ho"),
    Delete(of=REF),
    Reaction(of=REF, emoji="👍"),
    Receipt(of=(REF, REF), state="read"),
    File(file_id=FILE_ID, name="x", size=1, body="y"),
    FileState(file_id=FILE_ID, have=3, state="wanted"),
    Resend(of_run=RUN, from_seq=1, to_seq=2),
]

refs = st.text("abcXYZ019-_", min_size=43, max_size=43)
words = st.text(max_size=40)
seqs = st.integers(1, limits.INTEGER_MAX)
runs = st.text("0123456789abcdef", min_size=16, max_size=16)
counts = st.integers(0, limits.INTEGER_MAX)
bodies: st.SearchStrategy[Body] = st.one_of(
    st.builds(Text, body=words, reply_to=refs | st.just("")),
    st.builds(Edit, of=refs, body=words),
    st.builds(Delete, of=refs),
    st.builds(Reaction, of=refs, emoji=st.text(max_size=64)),
    st.builds(
        Receipt,
        of=st.lists(refs, min_size=1, max_size=20).map(tuple),
        state=st.sampled_from(("delivered", "read")),
    ),
    st.builds(File, file_id=st.just(FILE_ID), name=words, size=counts, body=words),
    st.builds(
        FileState,
        file_id=st.just(FILE_ID),
        have=counts,
        state=st.sampled_from(("wanted", "paused", "done", "refused")),
    ),
    st.builds(Resend, of_run=runs, from_seq=seqs, to_seq=seqs),
)
places = st.builds(Place, run=runs, seq=seqs, prev=refs | st.just(""), first=refs | st.just(""))


# --- vectors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", read("wire/content.json"))
def test_a_plaintext_is_content_or_bare_text(case: Case) -> None:
    plaintext = case["text"].encode()
    if case["kind"] is None:
        with pytest.raises(PeerFault):
            content.decode(plaintext)
        return
    body, place = content.decode(plaintext)
    assert (body.KIND or "unknown") == case["kind"]
    assert to_members(body) == case["members"]
    assert place == Place(case["run"], case["seq"], case["prev"], case.get("first", ""))
    assert base64url.encode(content.digest(plaintext)) == case["digest"]
    if case.get("written"):
        assert content.encode(body, place) == plaintext


def test_every_kind_has_its_vector() -> None:
    cases: list[Any] = [param.values[0] for param in read("wire/content.json")]
    assert {case["kind"] for case in cases} == {*KINDS, "unknown", None}


# --- there and back -----------------------------------------------------------------------------


@given(bodies, places)
def test_what_is_written_is_read_as_it_was_meant(body: Body, place: Place) -> None:
    plaintext = content.encode(body, place)
    assert plaintext.startswith(b"{")
    assert content.decode(plaintext) == (body, place)
    assert content.unpack(content.pack(body)) == body
    assert content.flaw(body) == ""


@given(bodies, places, places)
def test_the_digest_is_of_what_is_said_wherever_it_stands(
    body: Body, here: Place, there: Place
) -> None:
    assert content.digest(content.encode(body, here)) == content.digest(content.encode(body, there))


@given(bodies, bodies)
def test_what_says_something_else_has_another_digest(one: Body, other: Body) -> None:
    same = content.digest(content.encode(one, PLACE)) == content.digest(
        content.encode(other, PLACE)
    )
    assert same == (one == other)


@pytest.mark.parametrize("body", EXAMPLES)
def test_every_kind_says_what_it_is(body: Body) -> None:
    assert content.decode(content.encode(body, PLACE)) == (body, PLACE)
    assert json.loads(content.pack(body))["kind"] == body.KIND


def test_every_kind_is_in_the_table() -> None:
    assert {type(body) for body in EXAMPLES} == set(KINDS.values())


def test_what_has_no_kind_is_never_sent() -> None:
    for write in (content.pack, lambda body: content.encode(body, PLACE)):
        with pytest.raises(Misuse, match="content of no kind"):
            write(Unknown())


@pytest.mark.parametrize(
    "body",
    [
        Edit(of="", body="x"),
        Delete(of="x" * 44),
        Reaction(of=REF, emoji="!" * 65),
        Receipt(of=(), state="read"),
        Receipt(of=(REF,) * (REFS_MAX + 1), state="read"),
        Resend(of_run="x", from_seq=0, to_seq=0),
    ],
)
def test_what_no_reader_would_take_has_a_flaw(body: Body) -> None:
    assert content.flaw(body).startswith("content: ")


# --- a narrow door ------------------------------------------------------------------------------


def lives_through(data: bytes) -> None:
    """All that is done with a plaintext; no other exception than PeerFault leaves it."""
    for take in (content.decode, content.unpack, content.digest):
        fault = _fault(take, data)
        if fault is not None:
            assert fault.code is Code.BAD_FRAME
            assert fault.detail.replace("\u200d", "").isprintable()
            assert len(fault.detail) <= limits.ERROR_DETAIL_CHARS


def _fault(take: Callable[[bytes], object], data: bytes) -> PeerFault | None:
    try:
        take(data)
    except PeerFault as fault:
        return fault
    return None


@pytest.mark.threat("M7")
@pytest.mark.threat("S4")
@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
@example(b"[" * 100_000)
@example(b'{"a":' * 50_000)
@example(b"1" * 100_000)
@example(b"{" + b'"a":1,' * 60_000 + b'"b":1}')
@example(b'{"kind":"\xff"}')
@example(b"")
def test_arbitrary_bytes(data: bytes) -> None:
    lives_through(data)


@pytest.mark.threat("M7")
@settings(max_examples=300, deadline=None)
@given(doubtful_texts)
def test_doubtful_json(text: str) -> None:
    lives_through(text.encode(errors="replace"))


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | words | refs | runs,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.threat("M7")
@settings(max_examples=400, deadline=None)
@given(st.data())
def test_members_of_every_sort_in_every_place(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from(EXAMPLES))
    members: dict[str, Any] = json.loads(content.encode(body, PLACE))
    for name in data.draw(st.lists(st.sampled_from([*members, "x"]), min_size=1, max_size=3)):
        members[name] = data.draw(values)
    try:
        plaintext = json.dumps(members).encode()
    except ValueError:
        return
    lives_through(plaintext)


@pytest.mark.threat("M7")
@settings(max_examples=300, deadline=None)
@given(bodies, st.integers(0, 10_000), st.binary(min_size=1, max_size=2))
def test_a_plaintext_with_a_few_bytes_changed(body: Body, at: int, instead: bytes) -> None:
    plaintext = content.encode(body, PLACE)
    at %= len(plaintext)
    lives_through(plaintext[:at] + instead + plaintext[at + len(instead) :])


@given(bodies, places)
def test_what_we_write_is_canonical(body: Body, place: Place) -> None:
    plaintext = content.encode(body, place)
    assert canonical(json.loads(plaintext)) == plaintext


def test_a_refusal_says_that_it_is_about_content() -> None:
    for take in (content.decode, content.unpack, content.digest):
        for text in (b"[", b'{"a":1,"a":2}'):
            with pytest.raises(PeerFault, match="BAD_FRAME: content: "):
                take(text)


def test_what_was_packed_by_a_newer_version_is_of_no_kind_that_we_know() -> None:
    assert content.unpack(b'{"kind":"hologram","light":1}') == Unknown()
