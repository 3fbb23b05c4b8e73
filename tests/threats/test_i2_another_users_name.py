"""I2: `from` of another user, `sender_pub` of another key."""

from __future__ import annotations

import pytest

from socp.crypto import content_sig
from socp.sim.user import User
from socp.wire import base64url
from tests.sim.town import town


def message(writer: User, author: User, reader: User, ts: int, text: str) -> dict[str, object]:
    """MSG_DIRECT as `writer` can make it in the name of `author`: signed with their own key."""
    raw = reader.key.public.seal(text.encode())
    return {
        "ciphertext": base64url.encode(raw),
        "sender": author.id,
        "sender_pub": writer.key.public.text,
        "content_sig": content_sig.sign_direct(writer.key, raw, author.id, reader.id, ts),
    }


@pytest.mark.threat("I2")
def test_a_user_cannot_send_under_anothers_id() -> None:
    t = town()
    forged = message(t.carol, t.alice, t.bob, t.world.wall, "send money")
    t.carol.forge("MSG_DIRECT", forged, to=t.bob.id, from_=t.alice.id)
    t.run(1)
    assert t.bob.notices == []
    assert t.carol.heard("ERROR")[-1].members["code"] == "NOT_ALLOWED"


@pytest.mark.threat("I2")
@pytest.mark.parametrize("pub", ["own", "theirs"])
def test_a_user_cannot_say_that_somebody_else_wrote_it(pub: str) -> None:
    t = town()
    forged = message(t.carol, t.alice, t.bob, t.world.wall, "send money")
    if pub == "theirs":
        forged["sender_pub"] = t.alice.key.public.text
    t.carol.forge("MSG_DIRECT", forged, to=t.bob.id)
    t.run(1)
    assert t.bob.notices == []


@pytest.mark.threat("I2")
def test_a_post_with_another_key_than_the_authors_reaches_nobody() -> None:
    t = town()
    raw = t.alice.key.public.seal(b"post")
    forged = {
        "ciphertext": base64url.encode(raw),
        "sender_pub": t.alice.key.public.text,
        "content_sig": content_sig.sign_public(t.carol.key, raw, t.carol.id, t.world.wall),
    }
    t.carol.forge("MSG_PUBLIC_CHANNEL", forged, to="public")
    t.run(1)
    assert t.alice.notices == t.bob.notices == []


@pytest.mark.threat("I2")
def test_another_server_cannot_deliver_in_the_name_of_a_user_it_does_not_host() -> None:
    t = town()
    forged = message(t.carol, t.alice, t.bob, t.world.wall, "send money")
    t.c.forge(t.b, "SERVER_DELIVER", forged | {"user_id": t.bob.id}, to=t.b.id)
    t.run(1)
    assert t.bob.notices == []


@pytest.mark.threat("I2")
def test_not_even_ones_own_server_can_make_a_message_by_a_pinned_friend() -> None:
    t = town()
    forged = message(t.carol, t.alice, t.bob, t.world.wall, "send money")
    t.b.forge(t.bob, "USER_DELIVER", forged, to=t.bob.id)
    t.run(1)
    assert t.bob.texts == []
    assert "not signed with the key that is known" in t.bob.refusals[0].reason
