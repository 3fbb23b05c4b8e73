"""A v1.3 server without any extension is linked with ours:
plain JOIN, ADVERTISE, DELIVER (section 5)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.keys import test_key
from tests.mesh.launch import Running, running
from tests.mesh.test_v13_client import ALICE, BOB, hello
from tests.mesh.v13 import V13, attached, b64, canonical, now_ms, unb64

FOREIGN = "99999999-9999-4999-8999-999999999999"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(
        tmp_path_factory.mktemp("v13"), "--ephemeral", "--federation", "open", "--bootstrap", "none"
    ) as started:
        yield started


@asynccontextmanager
async def joined(server: Running) -> AsyncIterator[tuple[V13, str]]:
    """A foreign server that was welcomed, and our server's id."""
    async with attached(server.url, FOREIGN, test_key(2).to_bytes()) as peer:
        payload = {"host": "127.0.0.1", "port": 9, "pubkey": peer.public}
        await peer.say_signed("SERVER_HELLO_JOIN", payload, to=f"localhost:{server.port}")
        welcome = (await peer.hears("SERVER_WELCOME"))["payload"]
        assert welcome["assigned_id"] == FOREIGN
        yield peer, welcome["server_id"]


def public_text(n: int) -> str:
    return test_key(n).public.text


async def advertise(peer: V13, user_id: str = ALICE, key: int = 0) -> None:
    """USER_ADVERTISE as the standard has it: the key in meta alone."""
    payload = {"user_id": user_id, "server_id": FOREIGN, "meta": {"pubkey": public_text(key)}}
    await peer.say_signed("USER_ADVERTISE", payload)


@pytest.mark.spec("5")
async def test_a_plain_join_is_welcomed_on_the_same_socket(server: Running) -> None:
    async with joined(server) as (peer, server_id):
        await peer.say_signed("PUBKEY_REQUEST", {"user_id": BOB}, to=server_id)
        answer = await peer.hears("ERROR")
        assert (answer["from"], answer["to"]) == (server_id, FOREIGN)


@pytest.mark.spec("5")
async def test_every_frame_of_ours_verifies_under_the_key_of_the_welcome(server: Running) -> None:
    async with joined(server) as (peer, server_id):
        welcome = next(f for f in peer.heard if f["type"] == "SERVER_WELCOME")
        await peer.say_signed("SING_A_SONG", {}, to=server_id)
        await peer.hears("ERROR")
        for frame in peer.heard:
            if frame["from"] == server_id:
                peer.verify(welcome["payload"]["pubkey"], frame["sig"], canonical(frame["payload"]))


@pytest.mark.spec("5")
async def test_its_users_are_seen_by_ours_and_leave_again(server: Running) -> None:
    async with AsyncExitStack() as stack:
        bob = await hello(stack, server, BOB, 1)
        peer, _ = await stack.enter_async_context(joined(server))
        await advertise(peer)
        advert = await bob.hears("USER_ADVERTISE", lambda f: f["payload"]["user_id"] == ALICE)
        assert advert["from"] == FOREIGN
        bob.verify(peer.public, advert["sig"], canonical(advert["payload"]))
        await peer.say_signed("USER_REMOVE", {"user_id": ALICE, "server_id": FOREIGN})
        await bob.hears("USER_REMOVE", lambda f: f["payload"]["user_id"] == ALICE)


@pytest.mark.spec("5")
async def test_messages_cross_in_both_directions(server: Running) -> None:
    async with AsyncExitStack() as stack:
        bob = await hello(stack, server, BOB, 1)
        peer, server_id = await stack.enter_async_context(joined(server))
        alice = V13(ALICE, (await stack.enter_async_context(_author(server, 0))).key, peer.socket)
        await advertise(peer)
        await bob.hears("USER_ADVERTISE", lambda f: f["payload"]["user_id"] == ALICE)

        ts = now_ms()
        said = alice.message(b"from afar", BOB, bob.public, ts)
        deliver = {"user_id": BOB, "sender": ALICE, **said}
        await peer.say_signed("SERVER_DELIVER", deliver, to=server_id, ts=ts)
        got = await bob.hears("USER_DELIVER")
        assert bob.read(got["payload"]["ciphertext"]) == b"from afar"
        assert got["ts"] == ts

        ts = now_ms()
        await bob.say(
            "MSG_DIRECT", bob.message(b"and back", ALICE, alice.public, ts), to=ALICE, ts=ts
        )
        out = await peer.hears("SERVER_DELIVER")
        assert (out["from"], out["to"], out["ts"]) == (server_id, FOREIGN, ts)
        assert out["payload"]["user_id"] == ALICE
        assert alice.read(out["payload"]["ciphertext"]) == b"and back"
        raw = unb64(out["payload"]["ciphertext"])
        alice.verify(
            bob.public, out["payload"]["content_sig"], raw + (BOB + ALICE + str(ts)).encode()
        )


@pytest.mark.spec("5")
async def test_a_delivery_for_nobody_is_answered_upstream(server: Running) -> None:
    async with AsyncExitStack() as stack:
        peer, server_id = await stack.enter_async_context(joined(server))
        alice = V13(ALICE, (await stack.enter_async_context(_author(server, 0))).key, peer.socket)
        await advertise(peer)
        ts = now_ms()
        nobody = "55555555-5555-4555-8555-555555555555"
        said = alice.message(b"?", nobody, alice.public, ts)
        deliver = {"user_id": nobody, "sender": ALICE, **said}
        await peer.say_signed("SERVER_DELIVER", deliver, to=server_id, ts=ts)
        error = await peer.hears("ERROR")
        assert error["payload"]["code"] == "USER_NOT_FOUND"


@pytest.mark.spec("7")
async def test_its_posts_reach_our_members_and_ours_reach_it(server: Running) -> None:
    async with AsyncExitStack() as stack:
        bob = await hello(stack, server, BOB, 1)
        peer, _ = await stack.enter_async_context(joined(server))
        alice = V13(ALICE, (await stack.enter_async_context(_author(server, 0))).key, peer.socket)
        await advertise(peer)
        await bob.hears("USER_ADVERTISE", lambda f: f["payload"]["user_id"] == ALICE)
        for author, reader in ((alice, bob), (bob, peer)):
            ts, sealed = now_ms(), b"c" * 512
            payload = {
                "ciphertext": b64(sealed),
                "sender_pub": author.public,
                "content_sig": author.sign(sealed + (author.id + str(ts)).encode()),
            }
            await author.say_signed("MSG_PUBLIC_CHANNEL", payload, to="public", ts=ts)
            frame = await reader.hears("MSG_PUBLIC_CHANNEL")
            assert (frame["from"], frame["ts"], frame["payload"]) == (author.id, ts, payload)


@pytest.mark.spec("5")
async def test_a_frame_that_its_key_did_not_sign_is_refused(server: Running) -> None:
    async with joined(server) as (peer, _):
        payload = {"user_id": ALICE, "server_id": FOREIGN, "meta": {"pubkey": public_text(0)}}
        await peer.say("USER_ADVERTISE", payload, sig=peer.sign(b"something else"))
        error = await peer.hears("ERROR")
        assert error["payload"]["code"] == "INVALID_SIG"


@pytest.mark.spec("4")
async def test_a_known_server_id_with_another_key_is_refused(server: Running) -> None:
    async with joined(server):
        pass
    async with attached(server.url, FOREIGN, test_key(5).to_bytes()) as thief:
        payload = {"host": "127.0.0.1", "port": 9, "pubkey": thief.public}
        await thief.say_signed("SERVER_HELLO_JOIN", payload, to=f"localhost:{server.port}")
        error = await thief.hears("ERROR")
        assert error["payload"]["code"] == "BAD_KEY"


@asynccontextmanager
async def _author(server: Running, key: int) -> AsyncIterator[V13]:
    """A user of the foreign server: a key to sign with; its own socket says nothing."""
    async with attached(server.url, ALICE, test_key(key).to_bytes()) as author:
        yield author
