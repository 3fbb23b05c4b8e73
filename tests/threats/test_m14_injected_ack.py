"""M14: an ACK injected on a plain ws:// link."""

from __future__ import annotations

import pytest

from socp.member.records import LineState
from socp.sim.frames import frame
from socp.wire import base64url
from socp.wire.envelope import decode, reencode
from socp.wire.msg_ref import msg_ref
from tests.sim.town import town


@pytest.mark.threat("M14")
@pytest.mark.parametrize("kind", ["ACK", "ERROR"])
@pytest.mark.parametrize("signed", ["not at all", "by somebody else"])
def test_an_answer_that_the_server_did_not_sign_changes_nothing(kind: str, signed: str) -> None:
    t = town()
    assert t.alice.wire is not None
    t.alice.wire.up_tap = lambda data: ()  # the message never gets there
    t.alice.says(t.bob, "important")
    t.run(0.1)
    assert t.alice.line("important").state is LineState.SENT
    (record,) = t.alice.disk.load().outbox
    sent = decode(record.frames[0])
    raw = base64url.decode(str(sent.members["ciphertext"]))
    members: dict[str, object] = {"msg_ref": msg_ref(raw, t.alice.id, t.bob.id, sent.ts)}
    if kind == "ERROR":
        members |= {"code": "TOO_LARGE", "detail": "no"}
    key = None if signed == "not at all" else t.carol.key
    forged = frame(kind, members, from_=t.a.id, to=t.alice.id, ts=t.world.wall, key=key, bind=True)
    t.alice.wire.inject(forged, up=False)
    t.run(1)
    assert t.alice.line("important").state is LineState.SENT
    t.alice.wire.cut()
    t.run(5)
    assert t.bob.texts == ["important"]


@pytest.mark.threat("M14")
def test_an_ack_of_another_message_moved_here_changes_nothing() -> None:
    t = town()
    t.alice.says(t.bob, "first")
    t.run(1)
    ack = t.alice.heard("ACK")[-1]
    assert t.alice.wire is not None
    t.alice.wire.up_tap = lambda data: ()
    t.alice.says(t.bob, "second")
    t.run(0.1)
    t.alice.replay(ack)
    t.alice.replay(ack, ts=t.world.wall)
    t.run(1)
    assert t.alice.line("second").state is LineState.SENT


@pytest.mark.threat("M14")
@pytest.mark.parametrize("signed", ["not at all", "by somebody else"])
def test_an_ack_that_the_reader_did_not_sign_deletes_no_mail(signed: str) -> None:
    t = town()
    t.bob.up_tap = lambda data: () if b'"type":"ACK"' in data else (data,)
    assert t.bob.wire is not None
    t.bob.wire.up_tap = t.bob.up_tap
    t.alice.says(t.bob, "kept for bob")
    t.run(1)
    assert t.b.node.status().mail == 1
    (deliver,) = t.bob.heard("USER_DELIVER")
    raw = base64url.decode(str(deliver.members["ciphertext"]))
    members: dict[str, object] = {"msg_ref": msg_ref(raw, t.alice.id, t.bob.id, deliver.ts)}
    key = None if signed == "not at all" else t.carol.key
    for bind in (True, False):
        forged = frame(
            "ACK", members, from_=t.bob.id, to=t.b.id, ts=t.world.wall, key=key, bind=bind
        )
        t.bob.wire.inject(forged, up=True)
    t.run(1)
    assert t.b.node.status().mail == 1


@pytest.mark.threat("M14")
def test_an_ack_of_other_mail_moved_here_deletes_nothing() -> None:
    t = town()
    t.alice.says(t.bob, "first")
    t.run(1)
    ack = t.bob.sent("ACK")[-1]
    assert t.bob.wire is not None
    t.bob.wire.up_tap = lambda data: () if b'"type":"ACK"' in data else (data,)
    t.alice.says(t.bob, "second")
    t.run(1)
    assert t.b.node.status().mail == 1
    t.bob.wire.inject(reencode(ack), up=True)
    t.run(1)
    assert t.b.node.status().mail == 1
