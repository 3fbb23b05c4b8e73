"""M3: A's words, re-encrypted or re-addressed by B, so that C believes A wrote to C."""

from __future__ import annotations

import pytest

from socp.crypto import hybrid
from socp.crypto.keys import PublicKey
from socp.wire import base64url
from socp.wire.envelope import Envelope
from tests.sim.town import Town, town


def what_bob_got(t: Town) -> Envelope:
    t.alice.says(t.bob, "i love you")
    t.run(1)
    (said,) = t.bob.heard("USER_DELIVER")
    return said


def sealed_again(t: Town, reader: PublicKey, ts: int) -> str:
    raw = hybrid.seal(t.world.suite, reader, b"i love you", from_=t.alice.id, to=t.carol.id, ts=ts)
    return base64url.encode(raw)


@pytest.mark.threat("M3")
@pytest.mark.parametrize("how", ["re-addressed", "re-encrypted"])
def test_carol_is_not_shown_what_alice_wrote_to_bob(how: str) -> None:
    t = town()
    said = what_bob_got(t)
    members = {k: v for k, v in said.members.items() if k != "bind"}
    if how == "re-encrypted":
        members["ciphertext"] = sealed_again(t, t.carol.key.public, said.ts)
    t.c.forge(t.carol, "USER_DELIVER", members, to=t.carol.id, ts=said.ts)
    t.run(1)
    assert t.carol.texts == []
    assert "not signed with the key that is known" in t.carol.refusals[0].reason


@pytest.mark.threat("M3")
def test_bob_himself_cannot_send_it_on_as_alices() -> None:
    t = town()
    said = what_bob_got(t)
    forged = {
        "ciphertext": sealed_again(t, t.carol.key.public, said.ts),
        "sender": t.alice.id,
        "sender_pub": t.alice.key.public.text,
        "content_sig": said.members["content_sig"],
    }
    t.bob.forge("MSG_DIRECT", forged, to=t.carol.id, ts=said.ts)
    t.run(1)
    assert t.carol.notices == []
