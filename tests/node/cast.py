"""Servers played by hand, and what they and users say: the lines of the tests."""

from __future__ import annotations

from socp.crypto import content_sig, signing
from socp.crypto.keys import PrivateKey
from socp.node.events import Admit, LinkOpened
from socp.wire import base64url
from socp.wire.addresses import HostPort
from socp.wire.canonical import to_members
from socp.wire.payloads import Session
from tests.node.mesh import PLAIN_SERVER_FEATURES, Mesh, Peer, Server, an_id

Members = dict[str, object]


def admit(mesh: Mesh, server: Server, key: PrivateKey) -> None:
    """As the operator of `server` does."""
    mesh.event(server, Admit(0, key.public.fingerprint))


def hello_of(peer: Peer, *, host: str = "peer.example", port: int = 9009) -> Members:
    """What JOIN, LINK and ANNOUNCE say; with `link-auth/1` where the peer has it."""
    members: Members = {"host": host, "port": port, "pubkey": peer.key.public.text}
    if peer.features:
        members["features"] = list(peer.features)
    if "link-auth/1" in peer.features:
        members["auth_nonce"] = base64url.encode(bytes(32))
    return members


def prove(peer: Peer, *, as_: str | None = None, stated: Session | None = None) -> None:
    """The right AUTH_PROOF to the last challenge, with a session key where one is `stated`."""
    challenge = peer.members("AUTH_CHALLENGE")[-1]
    nonce = base64url.decode(str(challenge["nonce"]))
    text = signing.link_auth(as_ or peer.id, str(challenge["server_id"]), nonce)
    said: Members = {"proof": signing.sign(peer.key, text)}
    if stated is not None:
        said["session"] = to_members(stated)
    peer.say("AUTH_PROOF", said, from_=as_, bind=False)


def server_socket(
    mesh: Mesh,
    server: Server,
    name: str,
    *,
    features: tuple[str, ...] = PLAIN_SERVER_FEATURES,
    key: PrivateKey | None = None,
    hello: str = "SERVER_HELLO_JOIN",
    host: str = "peer.example",
    port: int = 9009,
    browser: bool = False,
) -> Peer:
    """A server that said its first frame, and no more."""
    peer = mesh.open_socket(server, name, key=key, features=features, browser=browser)
    to = "localhost:8001" if hello == "SERVER_HELLO_JOIN" else "*"
    peer.say(hello, hello_of(peer, host=host, port=port), to=to)
    return peer


def linked_server(
    mesh: Mesh,
    server: Server,
    name: str,
    *,
    features: tuple[str, ...] = PLAIN_SERVER_FEATURES,
    key: PrivateKey | None = None,
    hello: str = "SERVER_HELLO_JOIN",
    port: int = 9009,
    stated: Session | None = None,
) -> Peer:
    """A server admitted by the operator, proven where it can, and linked."""
    key = key or mesh.suite.generate()
    admit(mesh, server, key)
    peer = server_socket(mesh, server, name, features=features, key=key, hello=hello, port=port)
    if "link-auth/1" in features:
        prove(peer, stated=stated)
    return peer


def answering(mesh: Mesh, server: Server, port: int, *, name: str = "b") -> Peer:
    """A hand-played server on `port` that `server`, which has it in its list, has dialled."""
    peer = Peer(mesh, server, 1_000_000 + len(server.wires), an_id(name), mesh.suite.generate())
    server.wires[peer.link] = peer
    opened = LinkOpened(
        peer.link,
        "127.0.0.1",
        True,
        False,
        b"n" * 32,
        an_id("spare"),
        HostPort("localhost", port),
    )
    mesh.event(server, opened)
    return peer


def attach_of(
    key: PrivateKey, user_id: str, server_id: str, ts: int, features: tuple[str, ...] = ()
) -> Members:
    return {"ts": ts, "sig": signing.sign(key, signing.attach(user_id, server_id, ts, features))}


def advert_of(
    user_id: str,
    server_id: str,
    key: PrivateKey | None,
    *,
    name: str = "",
    attach: Members | None = None,
) -> Members:
    members: Members = {"user_id": user_id, "server_id": server_id}
    members["meta"] = {"display_name": name}
    if key is not None:
        members["pubkey"] = key.public.text
    if attach is not None:
        members["attach"] = attach
    return members


def advertise(
    peer: Peer,
    name: str,
    key: PrivateKey | None = None,
    *,
    ts: int | None = None,
    attach_ts: int | None = None,
) -> tuple[str, PrivateKey]:
    """`peer`, a server, says that the user `name` is with it."""
    key = key or peer.mesh.suite.generate()
    user = an_id(name)
    attach = None if attach_ts is None else attach_of(key, user, peer.id, attach_ts)
    peer.say("USER_ADVERTISE", advert_of(user, peer.id, key, attach=attach), ts=ts)
    return user, key


def deliver_of(
    key: PrivateKey, sender: str, to: str, ts: int, *, text: bytes = b"sealed" * 90
) -> Members:
    """The members of a SERVER_DELIVER whose content_sig holds."""
    return {
        "user_id": to,
        "ciphertext": base64url.encode(text),
        "sender": sender,
        "sender_pub": key.public.text,
        "content_sig": content_sig.sign_direct(key, text, sender, to, ts),
        "orig_ts": ts,
    }


def share_of(
    author: Peer, *members: str, version: int = 1, key: PrivateKey | None = None
) -> Members:
    """A PUBLIC_CHANNEL_KEY_SHARE for these members."""
    key = key or author.key
    shares = [
        {"member": m, "wrapped_public_channel_key": base64url.encode(m.encode())} for m in members
    ]
    return {
        "shares": shares,
        "creator_pub": key.public.text,
        "content_sig": content_sig.sign_shares(key, shares),
        "version": version,
    }
