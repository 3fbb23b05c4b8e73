"""Whatever a server sends, the client neither crashes nor answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socp.member.effects import Transmit
from socp.member.events import FrameReceived, FrameRefused
from socp.wire.envelope import decode
from socp.wire.errors import PeerFault
from socp.wire.payloads import KINDS
from tests.member.desk import WITH_MAILBOX, WITHOUT_MAILBOX, Desk, an_id
from tests.member.test_outbox import opened

NAMES = sorted({name for kind in KINDS for name in kind.__struct_fields__ if name != "bind"})
SMALL: dict[str, st.SearchStrategy[Any]] = {
    "user_id": st.sampled_from([an_id("me"), an_id("alice"), an_id("ghost"), "x"]),
    "sender": st.sampled_from([an_id("me"), an_id("alice"), an_id("ghost")]),
    "server_id": st.sampled_from([an_id("the server"), an_id("other"), ""]),
    "ciphertext": st.sampled_from(["A" * 683, "A" * 900, "AA", "", "!"]),
    "content_sig": st.sampled_from(["A" * 683, "A", ""]),
    "version": st.integers(0, 2**53 - 1),
    "if_version": st.integers(0, 2**53 - 1),
    "add": st.lists(st.sampled_from([an_id("me"), an_id("alice"), an_id("ghost")]), max_size=3),
    "file_id": st.sampled_from([an_id("file"), "x"]),
    "size": st.integers(0, 2**40),
    "msg_ref": st.sampled_from(["USER_HELLO", "", an_id("file"), "A" * 43]),
    "code": st.sampled_from(["BAD_FRAME", "USER_NOT_FOUND", "RATE_LIMITED", "UNKNOWN_TYPE", ""]),
    "detail": st.sampled_from(["", "your clock is 12345.678 s ahead", "x" * 600]),
    "sha256": st.just("0" * 64),
}
LEAF = st.none() | st.booleans() | st.integers(-5, 2**53 - 1) | st.text(max_size=8)
VALUE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)
MEMBERS = st.fixed_dictionaries({}, optional={name: SMALL.get(name, VALUE) for name in NAMES})
FRAME = st.fixed_dictionaries(
    {
        "type": st.sampled_from([kind.TYPE for kind in KINDS]),
        "from": st.sampled_from([an_id("the server"), an_id("alice"), an_id("other"), "me"]),
        "to": st.sampled_from([an_id("me"), "*", "public", an_id("alice")]),
        "ts": st.sampled_from([0, 1_760_000_000_000, 1_760_000_100_000, 2**53 - 1]),
        "payload": MEMBERS,
        "sig": st.just(""),
    }
)


@pytest.mark.spec("2")
@pytest.mark.parametrize("features", [(), WITHOUT_MAILBOX, WITH_MAILBOX])
@given(frames=st.lists(FRAME, max_size=12))
@settings(max_examples=50, deadline=None)
def test_any_frames_at_all_leave_the_client_working(
    features: tuple[str, ...], frames: list[dict[str, object]]
) -> None:
    desk = Desk(server_features=features)
    alice = None
    for index, frame in enumerate(frames):
        if index == 4 and not desk.member.attached:
            desk.again(desk.store())
            desk.loses_the_link()
            desk.attaches()
            alice = desk.friend("alice") if desk.member.attached else None
        try:
            desk.event(FrameReceived(decode(json.dumps(frame))))
        except PeerFault as fault:
            desk.event(FrameRefused(fault))
        desk.passes(0.3)
    if alice is not None and alice.id in [p.user_id for p in desk.member.contacts.members()]:
        assert desk.member.contacts.label(alice.id)


@pytest.mark.threat("M8")
@given(frames=st.lists(FRAME, max_size=8))
@settings(max_examples=50, deadline=None)
def test_unsigned_frames_on_a_bound_link_get_no_answer_and_change_no_line(
    frames: list[dict[str, object]],
) -> None:
    desk = Desk(WITH_MAILBOX).attaches()
    alice = desk.friend("alice")
    desk.says(alice, "hi")
    before = len(desk.did(Transmit))
    for frame in frames:
        try:
            desk.event(FrameReceived(decode(json.dumps(frame | {"from": desk.server_id}))))
        except PeerFault as fault:
            desk.event(FrameRefused(fault))
    assert desk.line().state == "sent"
    assert desk.texts == []
    asked = [e for e in desk.transmitted[before:] if e.type != "PUBKEY_REQUEST"]
    assert asked == []
    assert opened(alice, desk.sent("MSG_DIRECT")[0]) == "hi"
