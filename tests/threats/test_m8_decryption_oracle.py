"""M8: decryption errors as an oracle: nothing goes back to the sender, whatever is wrong, and a
server that keeps mail hears the same as of a message that was shown."""

from __future__ import annotations

import pytest

from socp.crypto import content_sig
from socp.wire import base64url
from socp.wire.envelope import decode
from tests.sim.town import Town, town


def forged(t: Town, what: str) -> dict[str, object]:
    """A delivery from carol to bob with one thing wrong, her own signature good but in one case."""
    ts = t.world.wall
    good = t.bob.key.public.seal(b"hello")
    raw = {
        "not a ciphertext": bytes(512),
        "another's ciphertext": t.alice.key.public.seal(b"hello"),
        "one bit": good[:60] + bytes([good[60] ^ 1]) + good[61:],
        "bad tag": good + bytes(60),
        "bad signature": good,
        "too short": b"x" * 100,
    }[what]
    key = t.alice.key if what == "bad signature" else t.carol.key
    return {
        "ciphertext": base64url.encode(raw),
        "sender_pub": t.carol.key.public.text,
        "content_sig": content_sig.sign_direct(key, raw, t.carol.id, t.bob.id, ts),
    }


WHAT = (
    "not a ciphertext",
    "another's ciphertext",
    "one bit",
    "bad tag",
    "bad signature",
    "too short",
)


@pytest.mark.threat("M8")
def test_the_sender_hears_the_same_whatever_was_wrong_and_the_reader_says_nothing() -> None:
    heard: set[str] = set()
    for what in WHAT:
        t = town()
        assert t.bob.wire is not None
        before = len(t.bob.wire.up_log)
        said = t.carol.forge("MSG_DIRECT", forged(t, what), to=t.bob.id)
        t.run(60)
        assert t.bob.texts == []
        assert len(t.bob.refusals) == 1
        said_up = [decode(data) for data in t.bob.wire.up_log[before:]]
        said_up = [e for e in said_up if e.type != "LIST_REQUEST"]  # by the clock alone
        assert {(e.type, *sorted(e.members)) for e in said_up} <= {("ACK", "bind", "msg_ref")}
        answers = [e for e in t.carol.heard("ACK") + t.carol.heard("ERROR") if e.ts >= said.ts]
        heard.add(str([(e.type, sorted(e.members), e.members.get("code")) for e in answers]))
    assert len(heard) == 1
