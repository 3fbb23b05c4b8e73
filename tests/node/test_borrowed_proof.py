"""A server signs the nonces of whoever says hello to it: what it signs for one must not speak for
it to another (section 11; threats I4, M11)."""

from __future__ import annotations

import pytest

from socp.crypto import signing
from socp.wire import base64url
from tests.node.cast import server_socket
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
