"""A server signs the nonces of whoever says hello to it: what it signs for one must not speak for
it to another (section 11; threats I4, M11)."""

from __future__ import annotations

import pytest

from socp.crypto import signing
from socp.node.records import ServerPin
from socp.wire import base64url
from socp.wire.features import BIND, LINK_AUTH
from tests.node.cast import answering, server_socket
from tests.node.mesh import Mesh, Server


@pytest.mark.spec("2")
@pytest.mark.spec("11")
@pytest.mark.threat("I4")
def test_what_a_server_proves_to_a_user_named_as_another_server_is_no_proof_there(
    mesh: Mesh, three: tuple[Server, Server, Server]
) -> None:
    a, b, _ = three
    # The hello of `a`, which it said to everybody, said again by somebody else.
    thief = server_socket(mesh, b, "a", key=a.key, hello="SERVER_HELLO_LINK", port=8001)
    challenge = thief.members("AUTH_CHALLENGE")[0]
    user = mesh.open_socket(a, "b", features=("link-auth/1", "bind/1"))
    assert (user.id, thief.id) == (b.id, a.id)
    hello = {"pubkey": user.key.public.text, "features": list(user.features)}
    user.say("USER_HELLO", {**hello, "auth_nonce": challenge["nonce"]})
    nonce = base64url.decode(str(user.members("AUTH_CHALLENGE")[0]["nonce"]))
    own = signing.sign(user.key, signing.link_auth(user.id, a.id, nonce))
    user.say("AUTH_PROOF", {"proof": own}, bind=False)
    borrowed = user.members("ACK")[0]["proof"]
    thief.say("AUTH_PROOF", {"proof": borrowed}, bind=False, sign_with=user.key)
    assert (thief.errors(), thief.closed) == (["INVALID_SIG"], 1008)
    assert a.id in b.linked()


@pytest.mark.spec("11")
@pytest.mark.threat("M9")
@pytest.mark.parametrize(
    ("challenged", "answered"),
    [((LINK_AUTH,), (LINK_AUTH, BIND)), ((LINK_AUTH, BIND), (LINK_AUTH,))],
)
def test_what_a_server_can_is_what_its_signed_answer_says(
    mesh: Mesh, challenged: tuple[str, ...], answered: tuple[str, ...]
) -> None:
    """Its challenge is signed by nobody: on the way features can be taken out of it, or put in."""
    a = mesh.server("a", peers=(8002,))
    b = answering(mesh, a, 8002)
    nonce = base64url.decode(str(b.members("SERVER_HELLO_JOIN")[0]["auth_nonce"]))
    who: dict[str, object] = {"server_id": b.id, "pubkey": b.key.public.text}
    challenge = {**who, "nonce": base64url.encode(bytes(32)), "features": list(challenged)}
    b.say("AUTH_CHALLENGE", challenge, to=a.id, signed=False)
    proof = signing.sign(b.key, signing.link_auth(b.id, a.id, nonce))
    b.features = answered
    b.say("ACK", {**who, "proof": proof, "features": list(answered)}, to=a.id)
    assert a.linked() == {b.id}
    pinned = [record for record in a.disk if isinstance(record, ServerPin)][-1]
    assert pinned.features == tuple(sorted(answered))
    b.say("HEARTBEAT", {}, to=a.id, bind=False)
    assert b.errors() == (["INVALID_SIG"] if BIND in answered else [])
