"""M6: one signed text that can be cut into fields in two ways."""

from __future__ import annotations

import hashlib

import pytest

from socp.crypto import content_sig, hybrid
from socp.crypto.keys import PrivateKey
from socp.member.effects import FileDone, FileFailed, FileOffered
from socp.sim.ids import an_id
from socp.sim.stranger import Stranger
from socp.wire import base64url
from tests.sim.town import Town, town

WORDS = b"meet me at nine"


def v13_user(t: Town, name: str) -> Stranger:
    stranger = t.world.add_stranger(name)
    stranger.dials(t.a)
    t.run(0.1)
    stranger.hello()
    t.run(1)
    return stranger


def signed(key: PrivateKey, text: bytes) -> str:
    return base64url.encode(key.sign(text))


def handed_over(
    t: Town, sender: str, raw: bytes, ts: int, sig: str, key: PrivateKey, to: str = ""
) -> None:
    """Bob's own server hands him this; to him, unless `to` is another."""
    said = {
        "ciphertext": base64url.encode(raw),
        "sender": sender,
        "sender_pub": key.public.text,
        "content_sig": sig,
    }
    t.b.forge(t.bob, "USER_DELIVER", said, to=to or t.bob.id, ts=ts)
    t.run(7)


@pytest.mark.threat("M6")
def test_the_same_bytes_cut_where_their_author_cut_them_are_shown() -> None:
    t = town()
    victor = v13_user(t, "victor")
    raw, ts = t.bob.key.public.seal(WORDS), t.world.wall
    sig = signed(victor.key, raw + victor.id.encode() + t.bob.id.encode() + b"%d" % ts)
    handed_over(t, victor.id, raw, ts, sig, victor.key)
    assert t.bob.texts == [WORDS.decode()]


@pytest.mark.threat("M6")
@pytest.mark.parametrize("shift", [-36, -13, -1, 1, 13, 36])
def test_a_message_cut_elsewhere_is_not_shown(shift: int) -> None:
    """The server cuts what victor signed `shift` bytes further on, and names what stands there."""
    t = town()
    victor = v13_user(t, "victor")
    raw, ts = t.bob.key.public.seal(WORDS), t.world.wall
    text = raw + victor.id.encode() + t.bob.id.encode() + b"%d" % ts
    sig = signed(victor.key, text)
    at = len(raw) + shift
    sender, to, rest = text[at : at + 36], text[at + 36 : at + 72], text[at + 72 :]
    said_ts = int(rest) if rest.isdigit() else ts
    for addressee in (t.bob.id, to.decode("latin-1") or t.bob.id):
        handed_over(t, sender.decode("latin-1"), text[:at], said_ts, sig, victor.key, addressee)
    assert t.bob.texts == []


@pytest.mark.threat("M6")
@pytest.mark.parametrize("digits", [12, 14])
def test_a_ts_of_another_width_is_not_taken_whatever_was_signed(digits: int) -> None:
    """With 12 or 14 digits the last of the id could be the first of the time."""
    t = town()
    victor = v13_user(t, "victor")
    raw = t.bob.key.public.seal(WORDS)
    ts = int(str(t.world.wall)[:12]) if digits == 12 else t.world.wall * 10
    sig = signed(victor.key, raw + victor.id.encode() + t.bob.id.encode() + b"%d" % ts)
    handed_over(t, victor.id, raw, ts, sig, victor.key)
    victor.say(
        "MSG_DIRECT",
        {
            "ciphertext": base64url.encode(raw),
            "sender_pub": victor.key.public.text,
            "content_sig": sig,
        },
        to=t.bob.id,
        ts=ts,
    )
    t.run(7)
    assert t.bob.texts == []


@pytest.mark.threat("M6")
@pytest.mark.parametrize("name", ["", "x", an_id("x")[:-1], an_id("x") + "1", "1" * 72, "é" * 18])
def test_an_id_of_another_width_gets_no_account_and_no_message_through(name: str) -> None:
    t = town()
    stranger = t.world.add_stranger("odd")
    stranger.id = name
    stranger.dials(t.a)
    t.run(0.1)
    stranger.hello()
    t.run(1)
    assert name not in {account.user_id for account in t.a.disk.load().accounts}
    raw, ts = t.bob.key.public.seal(WORDS), t.world.wall
    sig = signed(stranger.key, raw + name.encode() + t.bob.id.encode() + b"%d" % ts)
    handed_over(t, name, raw, ts, sig, stranger.key)
    assert t.bob.texts == []


@pytest.mark.threat("M6")
def test_a_message_is_not_turned_into_a_post_by_its_reader() -> None:
    """raw, from, to, ts of a message to bob are raw', from, ts of a post by bob."""
    t = town()
    t.alice.says(t.bob, WORDS.decode())
    t.run(1)
    message = t.alice.sent("MSG_DIRECT")[0]
    raw = base64url.decode(str(message.members["ciphertext"])) + t.alice.id.encode()
    post = {
        "ciphertext": base64url.encode(raw),
        "sender_pub": t.alice.key.public.text,
        "content_sig": message.members["content_sig"],
    }
    assert content_sig.verify_public(
        t.alice.key.public,
        str(post["ciphertext"]),
        t.bob.id,
        message.ts,
        str(post["content_sig"]),
    ), "the signature alone does not tell one from the other"
    for server, readers in ((t.a, (t.alice,)), (t.c, (t.carol,)), (t.b, (t.bob,))):
        for reader in readers:
            server.forge(
                reader, "MSG_PUBLIC_CHANNEL", post, from_=t.bob.id, to="public", ts=message.ts
            )
    t.run(7)
    assert t.alice.texts == t.carol.texts == []
    assert t.bob.texts == [WORDS.decode()]


@pytest.mark.threat("M6")
def test_a_post_that_ends_in_an_id_is_not_turned_into_a_message() -> None:
    """Mallory signs a post whose last bytes are an id, so that as a message it is to somebody."""
    t = town()
    mallory = v13_user(t, "mallory")
    ts = t.world.wall
    raw = t.alice.key.public.seal(WORDS)
    # As a post by alice, mallory would need alice's key; as a message it is mallory's to alice.
    sig = signed(mallory.key, raw + mallory.id.encode() + t.alice.id.encode() + b"%d" % ts)
    ciphertext = base64url.encode(raw + mallory.id.encode())
    post = {
        "ciphertext": ciphertext,
        "sender_pub": mallory.key.public.text,
        "content_sig": sig,
    }
    mallory.say("MSG_PUBLIC_CHANNEL", post, to="public", from_=t.alice.id, ts=ts)
    t.c.forge(t.b, "MSG_PUBLIC_CHANNEL", post, from_=t.alice.id, to="public", ts=ts)
    t.b.forge(t.bob, "MSG_PUBLIC_CHANNEL", post, from_=t.alice.id, to="public", ts=ts)
    t.run(7)
    assert t.bob.texts == t.carol.texts == []


# --- files: file_id, index and total --------------------------------------------------------------


def file_frame(t: Town, kind: str, author: Stranger, said: dict[str, object], ts: int) -> None:
    t.b.forge(t.bob, kind, said, from_=author.id, to=t.bob.id, ts=ts)
    t.run(0.1)


def chunk_by(
    t: Town, author: Stranger, file_id: str, index: int, total: int, data: bytes, ts: int
) -> dict[str, object]:
    """A chunk that its author signed for this place."""
    raw = t.bob.key.public.seal(data)
    text = raw + author.id.encode() + t.bob.id.encode() + b"%d" % ts + file_id.encode()
    return {
        "file_id": file_id,
        "index": index,
        "total": total,
        "ciphertext": base64url.encode(raw),
        "sender_pub": author.key.public.text,
        "content_sig": signed(author.key, text + b"%d%d" % (index, total)),
    }


@pytest.mark.threat("M6")
@pytest.mark.parametrize("total", [234, 34], ids=["as it was signed", "cut elsewhere"])
@pytest.mark.parametrize("with_manifest", [True, False], ids=["signed manifest", "chunks alone"])
def test_a_chunk_is_not_moved_to_where_its_numbers_could_be_cut_as_well(
    with_manifest: bool, total: int
) -> None:
    """Chunk 1 of 234 and chunk 12 of 34 are signed over the same digits."""
    t = town()
    victor = v13_user(t, "victor")
    ts, file_id = t.world.wall, an_id("file")
    content = [b"%04d" % n for n in range(234)]
    start: dict[str, object] = {"file_id": file_id, "name": "x", "mode": "dm", "total": 234}
    start |= {"size": 936, "sha256": hashlib.sha256(b"".join(content)).hexdigest()}
    if with_manifest:
        start["content_sig"] = content_sig.sign_manifest(victor.key, start, victor.id, t.bob.id, ts)
    file_frame(t, "FILE_START", victor, start | {"total": total}, ts)
    for n, data in enumerate(content):
        chunk = chunk_by(t, victor, file_id, n, 234, data, ts)
        if total != 234:
            elsewhere = int(f"{n}234"[:-2])  # 12 for 1, 22 for 2, 32 for 3
            chunk |= {"index": elsewhere if elsewhere < total else n % total, "total": total}
        file_frame(t, "FILE_CHUNK", victor, chunk, ts)
    file_frame(t, "FILE_END", victor, {"file_id": file_id}, ts)
    t.run(5)
    assert len(t.bob.told(FileDone)) == (total == 234)
    if total != 234:
        assert t.bob.received_files == {}
        assert t.bob.told(FileFailed) or t.bob.refusals


@pytest.mark.threat("M6")
def test_a_file_id_of_another_width_takes_no_digit_of_the_index() -> None:
    t = town()
    victor = v13_user(t, "victor")
    ts, file_id = t.world.wall, an_id("file")
    longer = file_id + "1"
    start: dict[str, object] = {"file_id": longer, "name": "x", "size": 4, "sha256": "0" * 64}
    file_frame(t, "FILE_START", victor, start, ts)
    chunk = chunk_by(t, victor, file_id, 10, 11, b"evil", ts)  # ...1011: "1", 0 of 11
    moved = chunk | {"file_id": longer, "index": 0, "total": 11}
    file_frame(t, "FILE_CHUNK", victor, moved, ts)
    file_frame(t, "FILE_END", victor, {"file_id": longer}, ts)
    t.run(5)
    assert t.bob.told(FileOffered) == []
    assert t.bob.received_files == {}


@pytest.mark.threat("M6")
def test_the_text_that_hybrid_seals_under_is_cut_in_one_way() -> None:
    """Alice's own message to bob, handed to carol with the ids cut elsewhere, opens for nobody."""
    t = town()
    t.alice.says(t.bob, WORDS.decode())
    t.run(1)
    message = t.alice.sent("MSG_DIRECT")[0]
    raw = base64url.decode(str(message.members["ciphertext"]))
    args = {"from_": t.alice.id, "to": t.bob.id, "ts": message.ts}
    assert WORDS in hybrid.open_(t.bob.key, raw, **args)  # type: ignore[arg-type]
    sig = str(message.members["content_sig"])
    for sender in (t.alice.id[:-1], t.alice.id + t.bob.id[0], t.bob.id, t.carol.id):
        handed_over(t, sender, raw, message.ts, sig, t.alice.key)
    assert t.bob.texts == [WORDS.decode()]
