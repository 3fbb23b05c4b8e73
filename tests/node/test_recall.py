"""What waits until the store said whether it came before (section 11; threats S3, S11)."""

from __future__ import annotations

import pytest

from socp.node.emitter import Emitter
from socp.node.queries import FindMail, MailFound
from socp.node.recall import STEP_BYTES, Recall, Step
from socp.wire.envelope import Envelope
from socp.wire.errors import PeerFault
from socp.wire.payloads import Ack

SAYS = 500


def enter(recall: Recall, number: int) -> Envelope:
    """A late message of so many bytes."""
    said = Envelope("MSG_DIRECT", "alice", "bob", number, b'{"x":"%s"}' % (b"x" * (SAYS - 8)))
    step = Step(1, said, Ack(msg_ref="ref"), lambda *_: None, number)
    recall.enter("alice", step, FindMail(number, "bob", "ref"), ask=True)
    return said


@pytest.mark.threat("S3", "S11")
def test_what_waits_for_the_store_is_bounded_in_bytes_with_all_that_was_made_of_it() -> None:
    recall = Recall(Emitter("server"), 3 * (STEP_BYTES + 2 * SAYS))
    for number in range(1, 4):
        enter(recall, number)
    with pytest.raises(PeerFault, match="RATE_LIMITED"):
        enter(recall, 4)
    for number in range(1, 4):
        assert recall.found(FindMail(number, "bob", "ref"), MailFound(None))
    assert not recall.waits("alice", "bob")
    for number in range(5, 8):
        enter(recall, number)


def test_what_was_made_of_a_payload_does_not_wait_with_it() -> None:
    said = Envelope("MSG_DIRECT", "alice", "bob", 1, b'{"x":"y"}')
    assert said.canonical in said.again
    step = Step(1, said, Ack(msg_ref="ref"), lambda *_: None, 1)
    Recall(Emitter("server"), 10_000).enter("alice", step, FindMail(1, "bob", "ref"), ask=True)
    assert not vars(said).keys() & {"members", "canonical", "again"}
    assert said.members == {"x": "y"}
