"""Section 13: a client and a server of each dialect, with ours, in both directions."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from socp.channel import shares
from socp.channel.keyring import HeldKey
from socp.crypto import channel_box, content_sig, signing
from socp.member.effects import ListAnswered
from socp.member.events import RequestList, Say
from socp.node.settings import Federation
from socp.sim.ids import an_id
from socp.sim.server import Server
from socp.sim.user import User
from socp.sim.world import World
from socp.wire import base64url
from socp.wire.canonical import to_members
from socp.wire.features import LINK_AUTH
from tests.keys import StoredKeys, test_key
from tests.sim.dialects import DIALECTS, Dialect, Foreign, key_in

pytestmark = pytest.mark.spec("13")

FILE = "f11e0000-0000-4000-8000-00000000000f"
CONTENT = bytes(range(256)) * 4
FORMS = ("keys", "canonical JSON", "PSS", "content_sig, direct", "dedup key")


def of(*points: str) -> list[Any]:
    """The dialects that differ in one of these points, and the plain peer once."""
    found = [each for each in DIALECTS if each.point in points]
    plain = next(each for each in found if each.is_plain)
    kept = [each for each in found if each is plain or not each.is_plain]
    return [pytest.param(each, id=str(each)) for each in kept]


def alone(dialect: Dialect) -> tuple[World, Server, User]:
    """One server of ours, open to all, and Alice there."""
    world = World(suite=StoredKeys())
    server = world.add_server("a", 8001, bootstrap=(), federation=Federation.OPEN)
    alice = world.add_user("alice", server)
    world.run(1)
    assert alice.member.attached
    return world, server, alice


def foreign(world: World, name: str, dialect: Dialect) -> Foreign:
    return Foreign(name, test_key(20), world.network, dialect)


DIALS_BACK = [pytest.param(each, id=str(each)) for each in DIALECTS if each.dials_back]


# --- their clients at our server ----------------------------------------------------------------


def client_of(world: World, server: Server, dialect: Dialect) -> Foreign:
    """Attached, with a display name that is not ASCII."""
    peer = foreign(world, "victor", dialect)
    peer.dials(server)
    world.run(0.1)
    hello = {"client": "v13", "pubkey": peer.key_text, "enc_pubkey": peer.key_text}
    peer.says_as_user("USER_HELLO", {**hello, "meta": {"display_name": "Víctor"}}, to=server.id)
    world.run(1)
    (ack,) = peer.said("ACK")
    assert ack.members["msg_ref"] == "USER_HELLO"
    return peer


@pytest.mark.parametrize("dialect", of(*FORMS, "user frames' sig"))
def test_a_client_of_each_dialect_and_ours_write_to_each_other(dialect: Dialect) -> None:
    world, server, alice = alone(dialect)
    peer = client_of(world, server, dialect)
    ts = world.wall
    said = peer.message("¿qué tal?", alice.key, alice.id, ts)
    peer.says_as_user("MSG_DIRECT", said, to=alice.id, ts=ts)
    world.run(1)
    assert alice.texts == ["¿qué tal?"]
    peer.says_as_user("MSG_DIRECT", said, to=alice.id, ts=ts)
    world.run(1)
    assert alice.texts == ["¿qué tal?"], "said again it is dropped, whatever its id"
    alice.event(Say(peer.id, "bien"))
    world.run(3)
    assert [peer.opens(each) for each in peer.said("USER_DELIVER")] == ["bien"]


@pytest.mark.parametrize("dialect", of("list request"))
def test_a_client_of_each_dialect_is_told_who_is_there(dialect: Dialect) -> None:
    world, server, alice = alone(dialect)
    peer = client_of(world, server, dialect)
    peer.says_as_user(dialect.list_request, {}, to=server.id)
    world.run(1)
    (listed,) = peer.said("USER_LIST")
    assert listed.members["users"] == sorted([alice.id, peer.id])


@pytest.mark.parametrize("dialect", of("key look-up"))
def test_a_client_of_each_dialect_gets_a_key(dialect: Dialect) -> None:
    world, server, alice = alone(dialect)
    peer = client_of(world, server, dialect)
    peer.says_as_user(dialect.key_request, {"user_id": alice.id}, to=server.id)
    world.run(1)
    (answer,) = peer.said("PUBKEY_RESPONSE")
    assert answer.members["pubkey"] == alice.key.public.text
    (advert,) = [e for e in peer.said("USER_ADVERTISE") if e.members["user_id"] == alice.id]
    meta = advert.members["meta"]
    assert isinstance(meta, dict)
    assert meta["pubkey"] == advert.members["pubkey"] == alice.key.public.text


@pytest.mark.parametrize("dialect", of("files"))
def test_a_client_of_each_dialect_sends_us_a_file(dialect: Dialect) -> None:
    world, server, alice = alone(dialect)
    peer = client_of(world, server, dialect)
    prefix, step, whole = dialect.file_prefix, dialect.chunk_bytes, hashlib.sha256(CONTENT)
    start = {"file_id": FILE, "name": "a.bin", "size": len(CONTENT), "sha256": whole.hexdigest()}
    peer.says_as_user(f"{prefix}FILE_START", {**start, "mode": "dm"}, to=alice.id)
    world.run(1)
    for index, at in enumerate(range(0, len(CONTENT), step)):
        sealed = base64url.encode(alice.key.public.seal(CONTENT[at : at + step]))
        chunk = {"file_id": FILE, "index": index, "ciphertext": sealed}
        peer.says_as_user(f"{prefix}FILE_CHUNK", chunk, to=alice.id)
        world.run(0.2)
    peer.says_as_user(f"{prefix}FILE_END", {"file_id": FILE}, to=alice.id)
    world.run(1)
    assert alice.received_files == {"a.bin": CONTENT}


# --- their servers, with our client -------------------------------------------------------------


class AtTheirs:
    """Our Alice at a server of a dialect, where their Bob is too."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.world = World(suite=StoredKeys())
        self.server = foreign(self.world, "their server", dialect)
        address = self.server.listens(9001)
        key = self.world.suite.generate()
        self.alice = User("alice", self.world.suite, key, self.world.network, address)
        self.bob = Foreign("bob", test_key(21), self.world.network, dialect)
        self.alice.start()
        self.world.run(0.5)
        self._greet()
        self.world.run(6)
        assert self.alice.member.attached

    def _greet(self) -> None:
        say, to = self.server.says, self.alice.id
        match self.dialect.hello_reply:
            case "ack" | "flood":
                say("ACK", {"msg_ref": "USER_HELLO"}, to=to)
            case "user_welcome":
                say("USER_WELCOME", {}, to=to)
            case "server_pub":
                say("ACK", {"msg_ref": "USER_HELLO_OK", "server_pub": self.server.key_text}, to=to)
            case "challenge":
                nonce = base64url.encode(bytes(32))
                own: dict[str, object] = {"server_id": self.server.id, "features": [LINK_AUTH]}
                own["pubkey"] = self.server.key_text
                say("AUTH_CHALLENGE", {"nonce": nonce, **own}, to=to, sig="")
                self.world.run(0.5)
                assert self.server.said("AUTH_PROOF")
                (hello,) = self.server.said("USER_HELLO")
                theirs = base64url.decode(str(hello.members["auth_nonce"]))
                proof = self.server.sign(signing.link_auth(self.server.id, to, theirs))
                say("ACK", {"msg_ref": "USER_HELLO", **own, "proof": proof}, to=to)
        self.advertise()

    def advertise(self) -> None:
        members: dict[str, object] = {"user_id": self.bob.id, "server_id": self.server.id}
        place, text = self.dialect.key_place, key_in(self.dialect.key, self.bob.key)
        meta = {"display_name": "Bób"} | ({"pubkey": text} if place == "meta" else {})
        if place == "payload":
            members["pubkey"] = text
        self.server.says("USER_ADVERTISE", {**members, "meta": meta})
        self.world.run(1)
        if place == "none" or self.dialect.key_request != "PUBKEY_REQUEST":
            self._answers_for_the_key(text)

    def _answers_for_the_key(self, text: str) -> None:
        for asked in self.server.said("PUBKEY_REQUEST"):
            found = {"user_id": asked.members["user_id"], "pubkey": text}
            self.server.says("PUBKEY_RESPONSE", found, to=self.alice.id)

    def deliver(self, text: str) -> None:
        ts = self.world.wall
        members = self.bob.message(text, self.alice.key, self.alice.id, ts)
        members["sender"] = self.bob.id
        if self.dialect.orig_ts != "envelope":
            members[self.dialect.orig_ts] = ts
            ts += 1_234  # the envelope's is the server's own
        self.server.says("USER_DELIVER", members, to=self.alice.id, ts=ts)
        self.world.run(1)


@pytest.mark.parametrize("dialect", of(*FORMS, "key look-up", "reply to USER_HELLO", "original ts"))
def test_our_client_talks_over_a_server_of_each_dialect(dialect: Dialect) -> None:
    t = AtTheirs(dialect)
    t.deliver("¿qué tal?")
    assert t.alice.texts == ["¿qué tal?"]
    t.alice.event(Say(t.bob.id, "bien"))
    t.world.run(6)
    (said,) = t.server.said("MSG_DIRECT")
    assert t.bob.opens(said) == "bien"
    assert re.fullmatch(r"[A-Za-z0-9_-]{683}", said.sig), "some want a real one"


@pytest.mark.parametrize("dialect", of("list request"))
def test_our_client_reads_the_list_of_a_server_of_each_dialect(dialect: Dialect) -> None:
    t = AtTheirs(dialect)
    t.alice.event(RequestList())
    t.world.run(1)
    assert t.server.said("LIST_REQUEST")
    t.server.says(dialect.list_reply, {dialect.list_member: [t.bob.id]}, to=t.alice.id)
    t.world.run(1)
    (answer,) = t.alice.told(ListAnswered)
    assert list(answer.users) == [t.bob.id]


@pytest.mark.parametrize("dialect", of("key share"))
def test_our_client_reads_posts_under_a_key_that_a_client_of_each_dialect_shared(
    dialect: Dialect,
) -> None:
    t = AtTheirs(dialect)
    channel, group_key = test_key(22), bytes(range(32))
    box = channel_box.seal_private(t.world.suite, group_key, channel, 1)
    key = HeldKey(1, channel.public, channel, group_key, box, t.bob.id)
    made = shares.make(t.bob.key, t.alice.id, t.alice.key.public, key)
    members = to_members(made)
    (share,) = made.shares
    sent = [{"member": share.member, dialect.share: share.wrapped_public_channel_key}]
    members |= {"shares": sent, "content_sig": content_sig.sign_shares(t.bob.key, sent)}
    t.server.says("PUBLIC_CHANNEL_KEY_SHARE", members, from_=t.bob.id)
    t.world.run(1)
    ts, sealed = t.world.wall, channel.public.seal(b"a todos")
    post = {"ciphertext": base64url.encode(sealed), "sender_pub": t.bob.key_text}
    post["content_sig"] = content_sig.sign_public(t.bob.key, sealed, t.bob.id, ts)
    t.server.says("MSG_PUBLIC_CHANNEL", post, from_=t.bob.id, to="public", ts=ts)
    t.world.run(1)
    assert t.alice.texts == ["a todos"]


# --- their servers, linked with ours ------------------------------------------------------------


def linked(dialect: Dialect) -> tuple[World, Server, User, Foreign]:
    """Their server dialled ours and is linked, with Bob there."""
    world, server, alice = alone(dialect)
    theirs = foreign(world, "their server", dialect)
    theirs.listens(9001)
    theirs.dials(server)
    world.run(0.1)
    hello = {"host": "localhost", "port": 9001, "pubkey": theirs.key_text}
    to = "localhost:8001" if dialect.first == "SERVER_HELLO_JOIN" else "*"
    theirs.says(dialect.first, hello, to=to)
    world.run(1)
    assert theirs.said("SERVER_WELCOME" if dialect.first == "SERVER_HELLO_JOIN" else "ACK")
    assert theirs.id in server.linked
    return world, server, alice, theirs


@pytest.mark.parametrize("dialect", of(*FORMS, "key look-up", "link hello", "original ts"))
def test_a_server_of_each_dialect_and_ours_pass_on_what_their_users_say(dialect: Dialect) -> None:
    world, server, alice, theirs = linked(dialect)
    bob = Foreign("bob", test_key(21), world.network, dialect)
    members: dict[str, object] = {"user_id": bob.id, "server_id": theirs.id}
    text = key_in(dialect.key, bob.key)
    meta = {"display_name": "Bób"} | ({"pubkey": text} if dialect.key_place == "meta" else {})
    beside = {"pubkey": text} if dialect.key_place == "payload" else {}
    theirs.says("USER_ADVERTISE", {**members, **beside, "meta": meta})
    world.run(2.5)  # our client looked around
    for asked in theirs.said("PUBKEY_REQUEST"):
        found = {"user_id": asked.members["user_id"], "pubkey": text}
        theirs.says("PUBKEY_RESPONSE", found, to=server.id)
    world.run(1)
    ts = world.wall
    said = bob.message("¿qué tal?", alice.key, alice.id, ts)
    said |= {"user_id": alice.id, "sender": bob.id}
    if dialect.orig_ts != "envelope":
        said[dialect.orig_ts] = ts
        ts += 1_234
    theirs.says("SERVER_DELIVER", said, to=server.id, ts=ts)
    world.run(1)
    assert alice.texts == ["¿qué tal?"]
    alice.event(Say(bob.id, "bien"))
    world.run(3)
    assert [bob.opens(each) for each in theirs.said("SERVER_DELIVER")] == ["bien"]


@pytest.mark.parametrize("dialect", [*of("WELCOME"), *DIALS_BACK])
def test_our_server_is_let_in_by_a_server_of_each_dialect(dialect: Dialect) -> None:
    world = World(suite=StoredKeys())
    theirs = foreign(world, "their server", dialect)
    theirs.listens(8002)
    server = world.add_server("a", 8001, bootstrap=(8002,))
    alice = world.add_user("alice", server)
    world.run(3)
    assert theirs.said("SERVER_HELLO_JOIN")
    bob = an_id("bob")
    own = {"server_id": theirs.id, "host": "localhost", "port": 8002, "pubkey": theirs.key_text}
    users: dict[str, object] = {
        "user_id": bob,
        "server_id": theirs.id,
        "pubkey": test_key(21).public.text,
    }
    users |= {"host": "localhost", "port": 8002}
    welcome: dict[str, object] = {"assigned_id": server.id}
    match dialect.welcome:
        case "servers":
            welcome |= {"clients": [users], "servers": [own], **own}
        case "clients":
            welcome |= {"clients": [users, own], "server_pub": theirs.key_text}
        case "snapshot":
            welcome |= {"snapshot": {"user_locations": {bob: theirs.id}}, **own}
    theirs.says("SERVER_WELCOME", welcome, to=server.id)
    world.run(1)
    assert theirs.id in server.linked
    if dialect.dials_back:
        assert theirs.wire is not None
        theirs.wire.close(1000, "we dial you")
        world.run(0.1)
        theirs.dials(server)
        world.run(0.1)
        members = {"host": "localhost", "port": 8002, "pubkey": theirs.key_text}
        theirs.says("SERVER_HELLO_LINK", members)
        world.run(1)
        assert theirs.id in server.linked
    assert alice.member.attached


@pytest.mark.parametrize("dialect", of("heartbeat"))
def test_a_server_that_answers_pings_stays_linked_with_heartbeats_or_without(
    dialect: Dialect,
) -> None:
    world, server, _, theirs = linked(dialect)
    for _ in range(8):
        if dialect.heartbeats:
            theirs.says("HEARTBEAT", {}, to=server.id)
        world.run(15)
    assert theirs.id in server.linked


# --- the table ----------------------------------------------------------------------------------


def test_every_row_of_the_table_has_its_dialects() -> None:
    page = (Path(__file__).parents[2] / "docs/implementers.md").read_text(encoding="utf-8")
    table = page.partition("## What we send, and what we take\n")[2].partition("\n\n")[0]
    points = [line.split("|")[1].strip() for line in table.splitlines()[2:]]
    assert points
    assert set(points) == {dialect.point for dialect in DIALECTS}


def test_every_dialect_has_a_name_of_its_own() -> None:
    assert len({str(dialect) for dialect in DIALECTS}) == len(DIALECTS)
