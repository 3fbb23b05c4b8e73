"""What became of a message is told to who is there, and remembered no longer than there is room."""

from __future__ import annotations

import pytest

from socp.node.effects import Send
from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.notices import Notices
from socp.wire.payloads import Ack
from tests.node.test_owed import house


@pytest.mark.threat("S5")
def test_where_there_is_no_room_for_more_the_oldest_is_not_told() -> None:
    emit, links = house(2)
    alice, b = links.all[1], links.all[2]
    alice.peer, b.peer = "alice", "b"
    links.users["alice"] = alice
    notices = Notices(emit, links, 2)
    for ref in ("one", "two", "three"):
        notices.later(ref, "alice", "", by="b")
    for ref in ("one", "two", "three", "three"):
        notices.heard(b, Ack(msg_ref=ref, status="delivered"), Now(0, 0))
    assert told(emit) == [b'"two"', b'"three"']


def told(emit: Emitter) -> list[bytes]:
    payloads = (effect.frame.payload for effect in emit.take() if isinstance(effect, Send))
    return [payload.partition(b'"msg_ref":')[2].partition(b",")[0] for payload in payloads]
