"""`fast-sig/1`: session keys sign what goes over one link (section 11)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from socp.crypto import fast_sig, signing
from socp.crypto.fast_sig import OwnSession, PeerSession
from socp.crypto.keys import PrivateKey
from socp.crypto.signing import verify_transport
from socp.node.events import SessionMade, Tick
from socp.wire import base64url, limits
from socp.wire.canonical import to_members
from socp.wire.envelope import Envelope, encode
from socp.wire.features import (
    BIND,
    FAST_SIG,
    GOSSIP,
    LINK_AUTH,
    MAILBOX,
    ROTATE,
    SERVER_FEATURES,
)
from socp.wire.payloads import Session
from tests.node.cast import (
    Members,
    admit,
    advertise,
    answering,
    deliver_of,
    linked_server,
    prove,
    server_socket,
    share_of,
)
from tests.node.keychain import Owner
from tests.node.mesh import (
    KEEPER_FEATURES,
    PLAIN_SERVER_FEATURES,
    USER_FEATURES,
    Mesh,
    Peer,
    Server,
    an_id,
    message,
)

FAST_USER = (*KEEPER_FEATURES, FAST_SIG)
FAST_SERVER = (*PLAIN_SERVER_FEATURES, FAST_SIG)
DAY = limits.SESSION_MS
WINDOW = limits.TS_WINDOW_MS

pytestmark = pytest.mark.spec("11")


@pytest.fixture
def mesh() -> Mesh:
    """Its servers have session keys."""
    return Mesh(fast=True)


def made(mesh: Mesh, key: PrivateKey, name: str, *, later_ms: int = 0) -> OwnSession:
    return fast_sig.made(mesh.suite, key, an_id(name), mesh.wall + later_ms)


def fast_user(
    mesh: Mesh, server: Server, name: str, features: tuple[str, ...] = FAST_USER
) -> tuple[Peer, OwnSession]:
    key = mesh.suite.generate()
    own = made(mesh, key, name)
    return mesh.user(server, name, key=key, features=features, stated=own.stated), own


def fast_server(
    mesh: Mesh, server: Server, name: str, *, port: int = 9009, features: tuple[str, ...] = ()
) -> tuple[Peer, OwnSession]:
    key = mesh.suite.generate()
    own = made(mesh, key, name)
    features = (*FAST_SERVER, *features)
    peer = linked_server(
        mesh, server, name, features=features, key=key, port=port, stated=own.stated
    )
    return peer, own


def stated_to(peer: Peer, kind: str = "ACK") -> PeerSession:
    """The session key that the server stated to this peer, believed."""
    stated = msgspec.convert(peer.members(kind)[0]["session"], Session)
    server, mesh = peer.server, peer.mesh
    return fast_sig.believed(mesh.suite, server.key.public, server.id, stated, mesh.wall)


def is_fast(peer: Peer, kind: str) -> list[bool]:
    """Of each frame of this type: whether a session key signed it; the server's own key else."""
    return [envelope.sig.startswith("ed:") for envelope in peer.said(kind)]


# --- how a link agrees ----------------------------------------------------------------------------


def test_a_user_gets_a_session_key_and_then_frames_signed_by_it(mesh: Mesh, a: Server) -> None:
    alice, _ = fast_user(mesh, a, "alice")
    session, ack = stated_to(alice), alice.said("ACK")[0]
    assert FAST_SIG in ack.members["features"]  # type: ignore[operator]
    assert verify_transport(a.key.public, ack), "what brings the key is signed by the server's own"
    alice.say("LIST_REQUEST", {}, to=a.id)
    listed = alice.said("USER_LIST")[0]
    assert session.signed(listed, mesh.wall)
    assert not session.signed(replace_payload(listed), mesh.wall)


def replace_payload(envelope: Envelope) -> Envelope:
    return Envelope(envelope.type, envelope.from_, envelope.to, envelope.ts, b"{}", envelope.sig)


def test_a_message_is_delivered_and_acknowledged_without_rsa(mesh: Mesh, a: Server) -> None:
    alice, _ = fast_user(mesh, a, "alice")
    bob, bobs = fast_user(mesh, a, "bob")
    alice.say("MSG_DIRECT", message(alice, bob.id), to=bob.id)
    assert is_fast(bob, "USER_DELIVER") == [True]
    assert stated_to(bob).signed(bob.said("USER_DELIVER")[0], mesh.wall)
    ref = alice.members("ACK")[-1]["msg_ref"]
    bob.say("ACK", {"msg_ref": ref}, to=a.id, fast=bobs)
    assert [ack["status"] for ack in alice.members("ACK")[1:]] == ["queued", "delivered"]
    assert is_fast(alice, "ACK") == [False, True, True]
    assert not bob.errors()


def test_presence_and_shares_keep_rsa(mesh: Mesh, a: Server) -> None:
    alice, _ = fast_user(mesh, a, "alice")
    bob, bobs = fast_user(mesh, a, "bob")
    assert is_fast(alice, "USER_ADVERTISE") == [False]
    assert verify_transport(a.key.public, alice.said("USER_ADVERTISE")[0])
    bob.say("PUBLIC_CHANNEL_KEY_SHARE", share_of(bob, alice.id), bind=False, fast=bobs)
    assert bob.errors() == ["INVALID_SIG"]
    assert not alice.said("PUBLIC_CHANNEL_KEY_SHARE")
    bob.say("LIST_REQUEST", {}, to=a.id, fast=bobs)
    assert bob.errors() == ["INVALID_SIG"] * 2


@pytest.mark.threat("M9")
@pytest.mark.parametrize(
    "features",
    [
        KEEPER_FEATURES,
        tuple(f for f in FAST_USER if f != BIND),
        tuple(f for f in FAST_USER if f != LINK_AUTH),
    ],
)
def test_without_all_that_it_needs_a_link_stays_with_rsa(
    mesh: Mesh, a: Server, features: tuple[str, ...]
) -> None:
    alice, own = fast_user(mesh, a, "alice", features)
    assert "session" not in alice.members("ACK")[0]
    alice.say("LIST_REQUEST", {}, to=a.id)
    assert is_fast(alice, "USER_LIST") == [False]
    alice.say("SESSION_KEY", {"session": to_members(own.stated)}, to=a.id)
    assert alice.errors() == ["NOT_ALLOWED"]
    alice.say("ACK", {"msg_ref": "m"}, to=a.id, fast=own)
    bound = BIND in features
    assert any("ACK" in note.text and "INVALID_SIG" in note.text for note in a.notes) is bound


@pytest.mark.threat("M9")
def test_who_comes_again_without_it_is_taken_with_rsa_which_is_no_weaker(
    mesh: Mesh, a: Server
) -> None:
    alice, own = fast_user(mesh, a, "alice")
    alice.drop()
    again = mesh.user(a, "alice", key=alice.key, features=KEEPER_FEATURES)
    assert not again.errors()
    again.say("LIST_REQUEST", {}, to=a.id)
    assert is_fast(again, "USER_LIST") == [False]
    again.say("ACK", {"msg_ref": "m"}, to=a.id, fast=own)
    assert "INVALID_SIG" in a.log()


def test_a_server_without_session_keys_announces_none(a: Server) -> None:
    mesh = Mesh(fast=False)
    server = mesh.server("a")
    alice, own = fast_user(mesh, server, "alice")
    ack = alice.members("ACK")[0]
    assert ack["features"] == list(SERVER_FEATURES)
    assert "session" not in ack
    alice.say("LIST_REQUEST", {}, to=server.id)
    assert is_fast(alice, "USER_LIST") == [False]
    alice.say("SESSION_KEY", {"session": to_members(own.stated)}, to=server.id)
    assert alice.errors() == ["NOT_ALLOWED"]


# --- sessions that are refused --------------------------------------------------------------------


def bad_session(mesh: Mesh, key: PrivateKey, what: str) -> Session:
    good = made(mesh, key, "alice").stated
    match what:
        case "expired":
            return made(mesh, key, "alice", later_ms=-DAY - WINDOW - 1).stated
        case "not valid yet":
            return made(mesh, key, "alice", later_ms=WINDOW + 1).stated
        case "another's id":
            return made(mesh, key, "bob").stated
        case "another's key":
            return made(mesh, mesh.suite.generate(), "alice").stated
        case "longer than it was signed for":
            return msgspec.structs.replace(good, from_ts=good.from_ts - 1)
        case "no signature":
            return msgspec.structs.replace(good, sig="")
    raise AssertionError(what)


@pytest.mark.parametrize(
    "what",
    [
        "expired",
        "not valid yet",
        "another's id",
        "another's key",
        "longer than it was signed for",
        "no signature",
    ],
)
def test_a_bad_session_ends_the_hello(mesh: Mesh, a: Server, what: str) -> None:
    key = mesh.suite.generate()
    stated = bad_session(mesh, key, what)
    alice = mesh.user(a, "alice", key=key, features=FAST_USER, stated=stated)
    assert alice.errors() == ["INVALID_SIG"]
    assert alice.closed == 1008
    server_key = mesh.suite.generate()
    admit(mesh, a, server_key)
    peer = server_socket(mesh, a, "alice", features=FAST_SERVER, key=server_key)
    prove(peer, stated=bad_session(mesh, server_key, what))
    assert (peer.errors(), peer.closed) == (["INVALID_SIG"], 1008)
    assert not a.linked()


def test_clocks_may_differ_by_five_minutes(mesh: Mesh, a: Server) -> None:
    for name, later_ms in (("alice", WINDOW), ("bob", -DAY - WINDOW)):
        key = mesh.suite.generate()
        stated = made(mesh, key, name, later_ms=later_ms).stated
        assert not mesh.user(a, name, key=key, features=FAST_USER, stated=stated).errors()


@pytest.mark.threat("M2")
def test_a_session_put_into_somebodys_proof_is_refused(mesh: Mesh, a: Server) -> None:
    """An older one of the same user, whose key an attacker may have: good, but not of this link."""
    key = mesh.suite.generate()
    old = made(mesh, key, "alice", later_ms=-DAY // 2)
    alice = mesh.open_socket(a, "alice", key=key, features=FAST_USER)
    hello: Members = {
        "pubkey": key.public.text,
        "features": list(FAST_USER),
        "auth_nonce": "A" * 43,
    }
    alice.say("USER_HELLO", hello)
    nonce = base64url.decode(str(alice.members("AUTH_CHALLENGE")[0]["nonce"]))
    proof = signing.sign(key, signing.link_auth(alice.id, a.id, nonce))
    members: Members = {"proof": proof, "session": to_members(old.stated)}
    alice.say("AUTH_PROOF", members, bind=False, sign_with=mesh.suite.generate())
    assert (alice.errors(), alice.closed) == (["INVALID_SIG"], 1008)


# --- renewal --------------------------------------------------------------------------------------


def test_a_user_renews_their_session_and_the_one_before_counts_on(mesh: Mesh, a: Server) -> None:
    alice, first = fast_user(mesh, a, "alice")
    second = made(mesh, alice.key, "alice", later_ms=1)
    alice.say("SESSION_KEY", {"session": to_members(second.stated)}, to=a.id, fast=first)
    assert alice.members("ACK")[-1]["msg_ref"] == "SESSION_KEY"
    before = len(a.notes)
    for own in (first, second):
        alice.say("ACK", {"msg_ref": "m"}, to=a.id, fast=own)
    assert (alice.errors(), len(a.notes)) == ([], before)


@pytest.mark.threat("M2")
def test_no_older_foreign_or_late_session_replaces_one(mesh: Mesh, a: Server) -> None:
    alice, own = fast_user(mesh, a, "alice")
    older = made(mesh, alice.key, "alice", later_ms=-1).stated
    foreign = made(mesh, mesh.suite.generate(), "alice", later_ms=1).stated
    early = made(mesh, alice.key, "alice", later_ms=WINDOW + 1).stated
    for stated in (older, own.stated, foreign, early):
        alice.say("SESSION_KEY", {"session": to_members(stated)}, to=a.id, fast=own)
    assert alice.errors() == ["INVALID_SIG"] * 4
    newer = made(mesh, alice.key, "alice", later_ms=1).stated
    alice.say(
        "SESSION_KEY", {"session": to_members(newer)}, to=a.id, fast=own, ts=mesh.wall - WINDOW - 1
    )
    assert alice.errors()[4:] == ["BAD_FRAME"]
    alice.say("ACK", {"msg_ref": "m"}, to=a.id, fast=own)
    assert alice.closed is None


def test_a_session_that_is_over_signs_nothing(mesh: Mesh, a: Server) -> None:
    bob, own = fast_user(mesh, a, "bob")
    alice, _ = fast_user(mesh, a, "alice")
    alice.say("MSG_DIRECT", message(alice, bob.id), to=bob.id)
    ref = alice.members("ACK")[-1]["msg_ref"]
    mesh.wall += DAY + WINDOW + 1
    bob.say("ACK", {"msg_ref": ref}, to=a.id, fast=own)
    assert [ack["status"] for ack in alice.members("ACK")[1:]] == ["queued"]
    assert f"Refused ACK of user {bob.id}: INVALID_SIG" in a.log()


def test_a_server_renews_its_own_on_every_link_that_agreed(mesh: Mesh, a: Server) -> None:
    alice, _ = fast_user(mesh, a, "alice")
    plain = mesh.user(a, "plain", features=KEEPER_FEATURES)
    peer, _ = fast_server(mesh, a, "peer")
    first = stated_to(alice)
    assert first.key.raw == stated_to(peer, "SERVER_WELCOME").key.raw
    mesh.wall += DAY // 2 + 1
    mesh.event(a, Tick())
    told = alice.said("SESSION_KEY") + peer.said("SESSION_KEY")
    assert [first.signed(envelope, mesh.wall) for envelope in told] == [True, True]
    assert not plain.said("SESSION_KEY")
    stated = msgspec.convert(told[0].members["session"], Session)
    second = fast_sig.believed(mesh.suite, a.key.public, a.id, stated, mesh.wall)
    alice.say("LIST_REQUEST", {}, to=a.id)
    assert first.signed(alice.said("USER_LIST")[-1], mesh.wall), "until it is acknowledged"
    alice.say("ACK", {"msg_ref": "SESSION_KEY"}, to=a.id)
    alice.say("LIST_REQUEST", {}, to=a.id)
    assert second.signed(alice.said("USER_LIST")[-1], mesh.wall)
    mesh.run(120)
    assert len(alice.said("SESSION_KEY")) == 1


def test_a_server_whose_clock_goes_back_can_still_make_links(mesh: Mesh, a: Server) -> None:
    """What it made by the wrong time nobody would believe."""
    alice, _ = fast_user(mesh, a, "alice")
    first = stated_to(alice)
    mesh.wall -= 3_600_000
    mesh.event(a, Tick())
    bob, _ = fast_user(mesh, a, "bob")
    assert stated_to(bob).key.raw != first.key.raw
    alice.say("LIST_REQUEST", {}, to=a.id)
    assert first.signed(alice.said("USER_LIST")[-1], mesh.wall)


def test_a_server_that_gets_no_new_one_goes_on_with_rsa(mesh: Mesh, a: Server) -> None:
    alice, _ = fast_user(mesh, a, "alice")
    asked: list[Server] = []
    mesh.renew = asked.append  # type: ignore[assignment,method-assign]
    mesh.wall += DAY
    mesh.mono += 60_000
    mesh.event(a, Tick())
    assert asked == [a]
    alice.say("LIST_REQUEST", {}, to=a.id)
    assert is_fast(alice, "USER_LIST") == [False]
    bob = mesh.user(a, "bob", features=FAST_USER)
    assert bob.members("ACK")[0]["features"] == list(SERVER_FEATURES)
    mesh.event(a, SessionMade(fast_sig.made(mesh.suite, a.key, a.id, mesh.wall)))
    assert verify_transport(a.key.public, alice.said("SESSION_KEY")[0])
    assert not bob.said("SESSION_KEY")
    alice.say("ACK", {"msg_ref": "SESSION_KEY"}, to=a.id)
    alice.say("LIST_REQUEST", {}, to=a.id)
    assert is_fast(alice, "USER_LIST") == [False, True]


@pytest.mark.threat("I10")
def test_a_session_key_ends_with_the_key_that_certified_it(mesh: Mesh, a: Server) -> None:
    owner = Owner(mesh, "alice")
    former, features = owner.key, (*FAST_USER, ROTATE)
    own = made(mesh, former, "alice")
    alice = owner.arrives(a, features=features, stated=own.stated)
    owner.rotates(alice)
    assert alice.lost
    later = made(mesh, former, "alice", later_ms=2)
    again = owner.arrives(a, features=features, stated=later.stated)
    assert (again.errors(), again.closed) == (["INVALID_SIG"], 1008)
    present = made(mesh, owner.key, "alice", later_ms=1)
    again = owner.arrives(a, features=features, stated=present.stated)
    again.say("ACK", {"msg_ref": "m"}, to=a.id, fast=own)
    assert f"Refused ACK of user {owner.id}: INVALID_SIG" in a.log()
    again.say("SESSION_KEY", {"session": to_members(later.stated)}, to=a.id, fast=present)
    assert again.errors() == ["INVALID_SIG"]


@pytest.mark.threat("S3")
def test_a_flood_of_session_keys_counts_as_any_frames(mesh: Mesh, a: Server) -> None:
    alice, _ = fast_user(mesh, a, "alice")
    for later_ms in range(1, 900):
        later = made(mesh, alice.key, "alice", later_ms=later_ms)
        alice.say("SESSION_KEY", {"session": to_members(later.stated)}, to=a.id)
    assert (set(alice.errors()), alice.closed) == ({"RATE_LIMITED"}, 1008)


# --- between servers ------------------------------------------------------------------------------


def test_three_servers_sign_their_hops_by_session_keys(mesh: Mesh) -> None:
    a, b, _ = mesh.three()
    alice, _ = fast_user(mesh, a, "alice")
    bob, _ = fast_user(mesh, b, "bob", (*USER_FEATURES, FAST_SIG))
    alice.say("MSG_DIRECT", message(alice, bob.id), to=bob.id)
    assert is_fast(bob, "USER_DELIVER") == [True]
    mesh.run(60)
    assert all(len(server.linked()) == 2 for server in mesh.servers.values())
    assert "INVALID_SIG" not in "".join(server.log() for server in mesh.servers.values())


def test_a_heartbeat_of_gossip_1_is_signed_by_the_session_key(mesh: Mesh, a: Server) -> None:
    peer, _ = fast_server(mesh, a, "peer", features=(GOSSIP,))
    peer.clear()
    mesh.run(1)
    (beat,) = peer.said("HEARTBEAT")
    assert "users" in beat.members
    assert beat.sig.startswith("ed:")


def test_a_server_is_told_by_the_session_key_what_goes_no_further(mesh: Mesh, a: Server) -> None:
    peer, own = fast_server(mesh, a, "peer", features=(MAILBOX,))
    session = stated_to(peer, "SERVER_WELCOME")
    carol, _ = advertise(peer, "carol")
    alice, _ = fast_user(mesh, a, "alice")
    alice.say("MSG_DIRECT", message(alice, carol), to=carol)
    assert is_fast(peer, "USER_ADVERTISE") == [False]
    assert session.signed(peer.said("SERVER_DELIVER")[0], mesh.wall)
    ref = alice.members("ACK")[-1]["msg_ref"]
    peer.say("ACK", {"msg_ref": ref, "status": "delivered"}, to=a.id, fast=own)
    assert alice.members("ACK")[-1]["status"] == "delivered"


def test_a_post_is_signed_once_for_each_kind_of_link(mesh: Mesh, a: Server) -> None:
    peer, _ = fast_server(mesh, a, "peer")
    plain = mesh.user(a, "plain", features=USER_FEATURES)
    bob, _ = fast_user(mesh, a, "bob")
    alice, _ = fast_user(mesh, a, "alice")
    alice.say("MSG_PUBLIC_CHANNEL", message(alice, "public"), to="public", bind=False)
    assert is_fast(plain, "MSG_PUBLIC_CHANNEL") == [False]
    assert verify_transport(a.key.public, plain.said("MSG_PUBLIC_CHANNEL")[0])
    heard = (bob.said("MSG_PUBLIC_CHANNEL")[0], peer.said("MSG_PUBLIC_CHANNEL")[0])
    assert [stated_to(bob).signed(post, mesh.wall) for post in heard] == [True, True]


def test_posts_and_files_of_a_server_may_be_signed_by_its_session_key(
    mesh: Mesh, a: Server
) -> None:
    peer, own = fast_server(mesh, a, "peer")
    stranger, _ = fast_server(mesh, a, "stranger", port=9010)
    bob, _ = fast_user(mesh, a, "bob")
    carol, key = advertise(peer, "carol")
    author = Peer(mesh, a, 0, carol, key)
    post = message(author, "public")
    stranger.say("MSG_PUBLIC_CHANNEL", post, to="public", from_=carol, bind=False, fast=own)
    assert stranger.errors() == ["INVALID_SIG"]
    peer.say("MSG_PUBLIC_CHANNEL", post, to="public", from_=carol, bind=False, fast=own)
    assert [envelope.from_ for envelope in bob.said("MSG_PUBLIC_CHANNEL")] == [carol]
    file: Members = {"file_id": an_id("file"), "sender": carol, "user_id": bob.id}
    peer.say("FILE_END", file, to=a.id, fast=own)
    assert not peer.errors()
    assert is_fast(bob, "FILE_END") == [True]


@pytest.mark.threat("M1")
def test_what_travels_on_is_never_signed_by_a_session_key(mesh: Mesh, a: Server) -> None:
    peer, own = fast_server(mesh, a, "peer")
    bob, _ = fast_user(mesh, a, "bob")
    carol = mesh.suite.generate()
    user: Members = {"user_id": an_id("carol"), "server_id": peer.id, "pubkey": carol.public.text}
    peer.say("USER_ADVERTISE", user, fast=own)
    author = Peer(mesh, a, 0, an_id("carol"), carol)
    share = share_of(author, bob.id)
    peer.say("PUBLIC_CHANNEL_KEY_SHARE", share, from_=author.id, bind=False, fast=own)
    assert peer.errors() == ["INVALID_SIG"] * 2
    assert an_id("carol") not in a.node.whereabouts()
    assert not bob.said("PUBLIC_CHANNEL_KEY_SHARE")


@pytest.mark.threat("M1")
def test_a_hop_signature_is_good_on_its_own_link_alone(mesh: Mesh, a: Server) -> None:
    """One session key serves all links of a server: `bind` says for which one it signed."""
    peer, own = fast_server(mesh, a, "peer")
    bob, _ = fast_user(mesh, a, "bob")
    carol, key = advertise(peer, "carol")
    deliver = deliver_of(key, carol, bob.id, mesh.wall)
    for to in (an_id("another server"), "*"):
        peer.say("SERVER_DELIVER", deliver, to=to, fast=own)
    assert peer.errors() == ["INVALID_SIG"] * 2
    elsewhere = peer.say("SERVER_DELIVER", deliver, to=an_id("another server"), fast=own)
    peer.raw(encode("SERVER_DELIVER", peer.id, a.id, mesh.wall, elsewhere.payload, elsewhere.sig))
    peer.say("SERVER_DELIVER", deliver, to=a.id, bind=False, fast=own)
    assert peer.errors() == ["INVALID_SIG"] * 5
    assert not bob.said("USER_DELIVER")
    peer.say("SERVER_DELIVER", deliver, to=a.id, fast=own)
    assert len(bob.said("USER_DELIVER")) == 1


@pytest.mark.threat("M3")
def test_a_session_key_speaks_for_its_own_server_alone(mesh: Mesh, a: Server) -> None:
    peer, own = fast_server(mesh, a, "peer")
    other, others = fast_server(mesh, a, "other", port=9010)
    bob, _ = fast_user(mesh, a, "bob")
    carol, key = advertise(other, "carol")
    deliver = deliver_of(key, carol, bob.id, mesh.wall)
    for fast in (own, others):
        peer.say("SERVER_DELIVER", deliver, to=a.id, from_=other.id, fast=fast)
    assert peer.errors() == ["INVALID_SIG"] * 2
    assert not bob.said("USER_DELIVER")


@pytest.mark.spec("5")
def test_what_a_session_key_signed_is_not_passed_on_but_sent_back_with_the_place(
    mesh: Mesh, a: Server
) -> None:
    peer, own = fast_server(mesh, a, "peer")
    other, _ = fast_server(mesh, a, "other", port=9010)
    carol, key = advertise(peer, "carol")
    dave, _ = advertise(other, "dave")
    deliver = deliver_of(key, carol, dave, mesh.wall)
    peer.say("SERVER_DELIVER", deliver, to=a.id, fast=own)
    error = peer.members("ERROR")[0]
    assert (error["code"], error["moved_to"]) == ("USER_NOT_FOUND", other.id)
    file: Members = {"file_id": an_id("file"), "sender": carol, "user_id": dave}
    peer.say("FILE_END", file, to=a.id, fast=own)
    assert peer.members("ERROR")[1]["moved_to"] == other.id
    assert not other.said("SERVER_DELIVER") + other.said("FILE_END")
    mesh.wall += 1
    peer.say("SERVER_DELIVER", {**deliver_of(key, carol, dave, mesh.wall)}, to=a.id)
    assert len(other.said("SERVER_DELIVER")) == 1, "under its own key it travels"


# --- AUTH_CHALLENGE is signed by nobody: what the answer says is agreed ---------------------------


def dialled(
    mesh: Mesh,
    *,
    challenge: tuple[str, ...],
    answer: tuple[str, ...],
    between: Callable[[Server], object] = id,
) -> tuple[Server, Peer, OwnSession]:
    """A server that dialled one played by hand, which announces `challenge` in AUTH_CHALLENGE and
    `answer` in its ACK, with a session key beside `fast-sig/1`; `between`: after the hello."""
    a = mesh.server("a", peers=(8002,))
    peer = answering(mesh, a, 8002)
    peer.features = PLAIN_SERVER_FEATURES
    own = made(mesh, peer.key, "b")
    hello = peer.members("SERVER_HELLO_JOIN")[0]
    between(a)
    who: Members = {"server_id": peer.id, "pubkey": peer.key.public.text}
    said = {**who, "nonce": base64url.encode(bytes(32)), "features": list(challenge)}
    peer.say("AUTH_CHALLENGE", said, to=a.id, bind=False, signed=False)
    nonce = base64url.decode(str(hello["auth_nonce"]))
    proof = signing.sign(peer.key, signing.link_auth(peer.id, a.id, nonce))
    ack: Members = {**who, "msg_ref": "SERVER_HELLO_JOIN", "proof": proof}
    ack["features"] = list(answer)
    if FAST_SIG in answer:
        ack["session"] = to_members(own.stated)
    peer.say("ACK", ack, to=a.id)
    assert a.linked() == {peer.id}
    return a, peer, own


def test_a_server_that_got_its_session_key_after_its_challenge_is_believed(mesh: Mesh) -> None:
    a, peer, own = dialled(mesh, challenge=PLAIN_SERVER_FEATURES, answer=FAST_SERVER)
    carol, key = advertise(peer, "carol")
    bob, _ = fast_user(mesh, a, "bob")
    peer.say("SERVER_DELIVER", deliver_of(key, carol, bob.id, mesh.wall), to=a.id, fast=own)
    assert len(bob.said("USER_DELIVER")) == 1
    assert verify_transport(a.key.public, peer.said("SESSION_KEY")[0])
    peer.say("ACK", {"msg_ref": "SESSION_KEY"}, to=a.id, fast=own)
    alice, _ = fast_user(mesh, a, "alice")
    alice.say("MSG_DIRECT", message(alice, carol), to=carol)
    assert is_fast(peer, "SERVER_DELIVER") == [True]


@pytest.mark.threat("M9")
def test_a_server_whose_answer_announces_no_session_keys_is_told_by_rsa(mesh: Mesh) -> None:
    """Somebody on the way put it into its AUTH_CHALLENGE, or it lost its own since."""
    a, peer, own = dialled(mesh, challenge=FAST_SERVER, answer=PLAIN_SERVER_FEATURES)
    carol, key = advertise(peer, "carol")
    alice, _ = fast_user(mesh, a, "alice")
    alice.say("MSG_DIRECT", message(alice, carol), to=carol)
    assert is_fast(peer, "SERVER_DELIVER") == [False]
    peer.say("SERVER_DELIVER", deliver_of(key, carol, alice.id, mesh.wall), to=a.id, fast=own)
    assert peer.errors() == ["INVALID_SIG"]
    mesh.wall += DAY // 2 + 1
    mesh.event(a, Tick())
    assert not peer.said("SESSION_KEY")


def test_a_server_that_got_its_own_after_its_hello_does_not_use_it_on_that_link(mesh: Mesh) -> None:
    """Who answers goes by the hello, whatever they can themselves."""
    mesh.fast = False
    a, peer, own = dialled(mesh, challenge=FAST_SERVER, answer=FAST_SERVER, between=mesh.renew)
    assert "session" not in peer.members("AUTH_PROOF")[0]
    carol, key = advertise(peer, "carol")
    alice, _ = fast_user(mesh, a, "alice")
    alice.say("MSG_DIRECT", message(alice, carol), to=carol)
    assert is_fast(peer, "SERVER_DELIVER") == [False]
    peer.say("SERVER_DELIVER", deliver_of(key, carol, alice.id, mesh.wall), to=a.id)
    assert is_fast(alice, "USER_DELIVER") == [True]
    peer.say("SERVER_DELIVER", deliver_of(key, carol, alice.id, mesh.wall), to=a.id, fast=own)
    assert peer.errors() == ["INVALID_SIG"]
