"""I7: two texts of one key (padding, alphabet, PEM, line ends) taken for two identities."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from socp.crypto import content_sig
from socp.crypto.keys import PublicKey
from socp.member.effects import KeyChanged
from socp.node.events import Ban
from socp.sim.stranger import Stranger
from socp.wire import base64url
from tests.sim.town import Town, town


def padded(key: PublicKey) -> str:
    return base64.urlsafe_b64encode(key.der).decode()


def other_alphabet(key: PublicKey) -> str:
    return base64.b64encode(key.der).decode()


def pem(key: PublicKey, end: str = "\n") -> str:
    text = other_alphabet(key)
    rows = [text[at : at + 64] for at in range(0, len(text), 64)]
    return end.join(["-----BEGIN PUBLIC KEY-----", *rows, "-----END PUBLIC KEY-----", ""])


def pem_with_crlf(key: PublicKey) -> str:
    return pem(key, "\r\n")


def base64url_of_pem(key: PublicKey) -> str:
    return base64url.encode(pem(key).encode())


Form = Callable[[PublicKey], str]
FORMS: list[Form] = [padded, other_alphabet, pem, pem_with_crlf, base64url_of_pem]


def attaches(t: Town, victor: Stranger, text: str) -> None:
    """A plain v1.3 hello at a with this text of the key."""
    victor.dials(t.a)
    t.run(0.1)
    victor.say("USER_HELLO", {"client": "victor", "pubkey": text, "enc_pubkey": text})
    t.run(1)


@pytest.mark.threat("I7")
@pytest.mark.parametrize("form", FORMS)
def test_a_user_who_writes_their_key_in_another_way_is_the_same_user_everywhere(form: Form) -> None:
    t = town()
    victor = t.world.add_stranger("victor")
    attaches(t, victor, victor.key.public.text)
    assert victor.wire is not None
    victor.wire.close(1000, "left")
    t.run(1)
    attaches(t, victor, form(victor.key.public))
    assert victor.said("ERROR") == []
    assert len(victor.said("ACK")) == 2
    for server in (t.a, t.b, t.c):
        (key,) = {r.pubkey for r in server.disk.load().accounts if r.user_id == victor.id}
        assert key == victor.key.public.text
    for user in t.users:
        assert user.told(KeyChanged) == []
        assert user.member.contacts.is_online(victor.id)


@pytest.mark.threat("I7")
@pytest.mark.parametrize("form", FORMS)
def test_a_server_that_writes_a_users_key_in_another_way_alarms_and_moves_nobody(
    form: Form,
) -> None:
    t = town()
    text = form(t.carol.key.public)
    meta = {"display_name": "carol", "pubkey": text}
    said = {"user_id": t.carol.id, "server_id": t.c.id, "meta": meta, "pubkey": text}
    for server in (t.a, t.b):
        t.c.forge(server, "USER_ADVERTISE", said)
    t.run(1)
    assert t.alice.told(KeyChanged) == t.bob.told(KeyChanged) == []
    t.alice.says(t.carol, "still you")
    t.carol.says(t.alice, "still me")
    t.run(1)
    assert (t.carol.texts, t.alice.texts) == (["still you"], ["still me"])


@pytest.mark.threat("I7")
def test_a_message_is_shown_once_however_the_key_beside_it_is_written() -> None:
    t = town()
    victor = t.world.add_stranger("victor")
    attaches(t, victor, victor.key.public.text)
    raw, ts = t.bob.key.public.seal(b"once"), t.world.wall
    said = {
        "ciphertext": base64url.encode(raw),
        "content_sig": content_sig.sign_direct(victor.key, raw, victor.id, t.bob.id, ts),
    }
    for form in FORMS:
        beside = said | {"sender_pub": form(victor.key.public)}
        victor.say("MSG_DIRECT", beside, to=t.bob.id, ts=ts)
        t.run(0.5)
    assert t.bob.texts == ["once"]


@pytest.mark.threat("I7")
@pytest.mark.parametrize("form", FORMS)
def test_a_banned_server_is_banned_however_it_writes_its_key(form: Form) -> None:
    t = town()
    t.c.kill()
    t.a.event(Ban(1, t.c.key.public.fingerprint))
    back = t.world.add_stranger("another name", t.c.key)
    plain: dict[str, object] = {}
    proving: dict[str, object] = {"features": ["link-auth/1", "bind/1"], "auth_nonce": "A" * 43}
    for features in (plain, proving):
        back.dials(t.a)
        t.run(0.1)
        hello = {"host": "localhost", "port": 8003, "pubkey": form(t.c.key.public)}
        back.say("SERVER_HELLO_JOIN", hello | features, to="localhost:8001")
        t.run(0.1)
        if back.said("AUTH_CHALLENGE"):
            back.prove()
        t.run(1)
    assert "NOT_ALLOWED" in {e.members["code"] for e in back.said("ERROR")}
    assert back.said("SERVER_WELCOME") == back.said("USER_ADVERTISE") == []
    assert t.a.linked == {t.b.id}
