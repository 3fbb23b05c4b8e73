"""A v1.3 client without any extension talks through our server (sections 6 to 9 and 13)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from tests.keys import test_key
from tests.mesh.launch import Running, running
from tests.mesh.v13 import V13, Frame, attached, b64, canonical, now_ms, unb64

ALICE = "11111111-1111-4111-8111-111111111111"
BOB = "22222222-2222-4222-8222-222222222222"
CAROL = "33333333-3333-4333-8333-333333333333"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(
        tmp_path_factory.mktemp("v13"), "--ephemeral", "--federation", "open", "--bootstrap", "none"
    ) as started:
        yield started


async def hello(stack: AsyncExitStack, server: Running, user_id: str, key: int) -> V13:
    peer = await stack.enter_async_context(attached(server.url, user_id, test_key(key).to_bytes()))
    payload = {"client": "by hand", "pubkey": peer.public, "enc_pubkey": peer.public}
    await peer.say("USER_HELLO", payload, to="*")
    ack = await peer.hears("ACK", lambda f: f["payload"]["msg_ref"] == "USER_HELLO")
    peer.verify(ack["payload"]["pubkey"], ack["sig"], canonical(ack["payload"]))
    return peer


def about(ref: str) -> Callable[[Frame], bool]:
    return lambda frame: frame["payload"]["msg_ref"] == ref


async def hello_two(stack: AsyncExitStack, server: Running) -> tuple[V13, V13]:
    alice = await hello(stack, server, ALICE, 0)
    bob = await hello(stack, server, BOB, 1)
    await alice.hears("USER_ADVERTISE", lambda f: f["payload"]["user_id"] == BOB)
    return alice, bob


@pytest.mark.spec("6")
async def test_a_hello_is_answered_by_an_ack_and_by_everyone_who_is_online(server: Running) -> None:
    async with AsyncExitStack() as stack:
        _, bob = await hello_two(stack, server)
        advert = await bob.hears("USER_ADVERTISE", lambda f: f["payload"]["user_id"] == ALICE)
        assert advert["payload"]["server_id"] == advert["from"]
        assert advert["payload"]["meta"]["pubkey"] == advert["payload"]["pubkey"]
        assert "features" not in advert["payload"]


@pytest.mark.spec("6")
async def test_a_direct_message_arrives_with_its_authors_ts_and_verifies(server: Running) -> None:
    async with AsyncExitStack() as stack:
        alice, bob = await hello_two(stack, server)
        ts = now_ms()
        await alice.say("MSG_DIRECT", alice.message(b"hi", BOB, bob.public, ts), to=BOB, ts=ts)
        frame = await bob.hears("USER_DELIVER")
        payload = frame["payload"]
        assert frame["ts"] == ts
        assert payload["sender"] == ALICE
        assert bob.read(payload["ciphertext"]) == b"hi"
        said = unb64(payload["ciphertext"]) + (ALICE + BOB + str(ts)).encode()
        bob.verify(alice.public, payload["content_sig"], said)
        raw = unb64(payload["ciphertext"])
        ref = b64(hashlib.sha256(raw + (ALICE + BOB + str(ts)).encode()).digest())
        await alice.hears("ACK", lambda f: f["payload"]["msg_ref"] == ref)


@pytest.mark.spec("9")
async def test_writing_to_somebody_who_is_away_is_answered_with_the_reference(
    server: Running,
) -> None:
    async with AsyncExitStack() as stack:
        alice = await hello(stack, server, ALICE, 0)
        ts = now_ms()
        payload = alice.message(b"hi", CAROL, alice.public, ts)
        await alice.say("MSG_DIRECT", payload, to=CAROL, ts=ts)
        error = await alice.hears("ERROR")
        raw = unb64(payload["ciphertext"])
        ref = b64(hashlib.sha256(raw + (ALICE + CAROL + str(ts)).encode()).digest())
        assert error["payload"]["code"] == "USER_NOT_FOUND"
        assert error["payload"]["msg_ref"] == ref


@pytest.mark.spec("13")
@pytest.mark.parametrize(
    "name",
    ["LIST_REQUEST", "USER_LIST_REQ", "USER_LIST_REQUEST", "CMD_LIST", "LIST", "CTRL_LIST", "WHO"],
)
async def test_the_list_is_given_under_each_name_others_ask_for_it(
    server: Running, name: str
) -> None:
    async with AsyncExitStack() as stack:
        alice, bob = await hello_two(stack, server)
        await bob.say(name, {})
        listed = await bob.hears("USER_LIST")
        assert listed["payload"]["users"] == sorted([alice.id, bob.id])


@pytest.mark.spec("8")
async def test_a_file_in_chunks_of_400_bytes_arrives_as_it_was_sent(server: Running) -> None:
    content = bytes(range(256)) * 9
    pieces = [content[i : i + 400] for i in range(0, len(content), 400)]
    file_id = "44444444-4444-4444-8444-444444444444"
    async with AsyncExitStack() as stack:
        alice, bob = await hello_two(stack, server)
        start = {
            "file_id": file_id,
            "name": "notes.bin",
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "mode": "dm",
        }
        await alice.say("FILE_START", start, to=BOB)
        for index, piece in enumerate(pieces):
            sealed = alice.message(piece, BOB, bob.public, now_ms())["ciphertext"]
            chunk = {"file_id": file_id, "index": index, "ciphertext": sealed}
            await alice.say("FILE_CHUNK", chunk, to=BOB)
        await alice.say("FILE_END", {"file_id": file_id}, to=BOB)
        manifest = await bob.hears("FILE_START")
        got = [await bob.hears("FILE_CHUNK") for _ in pieces]
        await bob.hears("FILE_END")
        assert manifest["from"] == ALICE
        assert [f["payload"]["index"] for f in got] == list(range(len(pieces)))
        assert b"".join(bob.read(f["payload"]["ciphertext"]) for f in got) == content
        acks = [(await alice.hears("ACK", about(file_id)))["payload"]["of"] for _ in range(2)]
        assert acks == ["FILE_START", "FILE_END"]


@pytest.mark.spec("7")
async def test_a_post_reaches_all_members_but_its_author(server: Running) -> None:
    async with AsyncExitStack() as stack:
        alice, bob = await hello_two(stack, server)
        ts = now_ms()
        sealed = b"c" * 512  # servers cannot tell what key it is for
        payload = {
            "ciphertext": b64(sealed),
            "sender_pub": alice.public,
            "content_sig": alice.sign(sealed + (ALICE + str(ts)).encode()),
        }
        await alice.say("MSG_PUBLIC_CHANNEL", payload, to="public", ts=ts)
        frame = await bob.hears("MSG_PUBLIC_CHANNEL")
        assert (frame["from"], frame["to"], frame["ts"]) == (ALICE, "public", ts)
        assert frame["payload"] == payload
        assert not [f for f in alice.heard if f["type"] == "MSG_PUBLIC_CHANNEL"]


@pytest.mark.spec("2")
async def test_an_unknown_type_is_named_and_the_link_stays_up(server: Running) -> None:
    async with AsyncExitStack() as stack:
        alice = await hello(stack, server, ALICE, 0)
        await alice.say("SING_A_SONG", {})
        error = await alice.hears("ERROR")
        assert error["payload"]["code"] == "UNKNOWN_TYPE"
        assert "SING_A_SONG" in error["payload"]["detail"]
        await alice.say("LIST_REQUEST", {})
        await alice.hears("USER_LIST")


@pytest.mark.spec("2")
async def test_a_duplicate_member_is_a_bad_frame_that_says_which(server: Running) -> None:
    async with AsyncExitStack() as stack:
        alice = await hello(stack, server, ALICE, 0)
        frame = {"type": "LIST_REQUEST", "from": ALICE, "to": "*", "ts": now_ms(), "payload": {}}
        text = json.dumps(frame)[:-1] + ',"to":"public"}'
        await alice.socket.send_str(text)
        error = await alice.hears("ERROR")
        assert error["payload"]["code"] == "BAD_FRAME"
        assert "to" in error["payload"]["detail"]
