"""Section 11: what `hybrid/1` and `content/1` need of servers, which cannot open them."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, Final

from socp.conform import preimages, sealing
from socp.conform.canonical import b64
from socp.conform.cast import Identity, new_id
from socp.conform.contents import write_content
from socp.conform.expect import about, list_of, of_user, same
from socp.conform.figures import KIB
from socp.conform.frames import Frame, now_ms
from socp.conform.keys import PublicKey
from socp.conform.peers import Message, Peer
from socp.conform.probe import Probe
from socp.conform.rule import Need, Section
from socp.conform.rules.channel import is_post
from socp.conform.rules.files import of_file
from socp.conform.rules.link_auth import proving_user
from socp.conform.rules.two_servers import there
from socp.conform.verdicts import Breach, Unjudged

SEALED: Final[Section[Probe]] = Section(needs=(Need.USERS,))
_CAN: Final = ("link-auth/1", "hybrid/1", "content/1", "x-conform/1")
"""What this user's client can, in the order in which it says so; one that nobody knows."""
_LONG: Final = 20 * KIB
_CHUNK: Final = 256 * KIB


def _sealed(author: Identity, reader: str, key: PublicKey, size: int) -> Message:
    """A message with a text of that size."""
    ts = now_ms()
    body = secrets.token_hex(size // 2)
    plaintext = write_content("text", secrets.token_hex(8), 1, body=body)
    raw = sealing.sealed(plaintext, author.id, reader, key, ts)
    signed = preimages.content_forms(raw, author.id, reader, ts)["raw"]
    payload = {
        "ciphertext": b64(raw),
        "sender_pub": author.key.public.text,
        "content_sig": author.key.sign(signed),
    }
    return Message(author, reader, ts, raw, payload, preimages.msg_ref(raw, author.id, reader, ts))


def _unaltered(came: Frame, payload: dict[str, Any]) -> None:
    for name, value in payload.items():
        same(name, came.get(name), value)


async def _reaches(author: Peer, reader: Peer, size: int) -> Message:
    said = _sealed(author.who, reader.id, reader.who.key.public, size)
    await author.say("MSG_DIRECT", said.payload, to=reader.id, ts=said.ts)
    came = await reader.link.hears("USER_DELIVER", where=_from(author.id, said.ts))
    _unaltered(came, said.payload)
    same("ts", came.ts, said.ts)
    return said


def _from(author: str, ts: int) -> Any:
    return lambda frame: frame.get("sender") == author and frame.ts == ts


@SEALED.extension(
    "11.130-hybrid-carried",
    "a ciphertext of 20 KiB reaches its reader to the letter, with content_sig and ts",
    "carry ciphertexts of any length that a frame holds: hybrid/1 is not one RSA block",
)
async def _hybrid_carried(probe: Probe) -> None:
    await _reaches(await probe.alice(), await probe.bob(), _LONG)


@SEALED.extension(
    "11.131-hybrid-ref",
    "its ACK names it by SHA-256 over the whole ciphertext",
    "msg_ref = base64url(SHA-256(raw_ciphertext || from || to || ts)), however long it is",
)
async def _hybrid_ref(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    said = _sealed(alice.who, bob.id, bob.who.key.public, _LONG)
    await alice.say("MSG_DIRECT", said.payload, to=bob.id, ts=said.ts)
    came = await alice.link.hears("ACK", "ERROR")
    same("the answer", came.type, "ACK")
    same("msg_ref", came.get("msg_ref"), said.ref)


@SEALED.extension(
    "11.132-hybrid-post",
    "a post of 20 KiB reaches members to the letter",
    "fan out posts unchanged, however long the ciphertext is",
    needs=[Need.THROW_AWAY],
)
async def _hybrid_post(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    said = _sealed(alice.who, preimages.PUBLIC, bob.who.key.public, _LONG)
    await alice.say("MSG_PUBLIC_CHANNEL", said.payload, to="public", ts=said.ts)
    came = await bob.link.hears("MSG_PUBLIC_CHANNEL", where=is_post(said.payload))
    _unaltered(came, said.payload)


def _manifest(author: Identity, reader: Peer, chunk: bytes) -> tuple[dict[str, Any], int, bytes]:
    """FILE_START of one chunk under the file's own key, its ts, and that key."""
    file_id, ts, file_key = new_id(), now_ms(), secrets.token_bytes(32)
    wrapped = sealing.sealed(file_key, author.id, reader.id, reader.who.key.public, ts)
    digest = hashlib.sha256(chunk)
    members = {
        "file_id": file_id,
        "name": "conform.bin",
        "size": len(chunk),
        "sha256": digest.hexdigest(),
        "mode": "dm",
        "total": 1,
        "chunk_bytes": _CHUNK,
        "chunk_hashes": b64(digest.digest()),
        "wrapped_key": b64(wrapped),
        "sender_pub": author.key.public.text,
    }
    said, *_ = preimages.manifests(members, author.id, reader.id, ts)
    return {**members, "content_sig": author.key.sign(said)}, ts, file_key


@SEALED.extension(
    "11.133-hybrid-manifest",
    "a manifest keeps wrapped_key, chunk_bytes, chunk_hashes and content_sig",
    "carry members of FILE_START that you do not know: its author signed them",
)
async def _hybrid_manifest(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    payload, ts, _ = _manifest(alice.who, bob, b"")
    await alice.say("FILE_START", payload, to=bob.id, ts=ts)
    came = await bob.link.hears("FILE_START", where=of_file(payload["file_id"]))
    _unaltered(came, payload)
    await alice.say("FILE_END", {"file_id": payload["file_id"]}, to=bob.id)


@SEALED.extension(
    "11.134-hybrid-chunk",
    "a chunk of 256 KiB reaches its reader to the letter",
    "take frames of up to 1 MiB from who said hello, and carry chunks as they are",
)
async def _hybrid_chunk(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    data = secrets.token_bytes(_CHUNK)
    payload, ts, file_key = _manifest(alice.who, bob, data)
    file_id = payload["file_id"]
    chunk = b64(sealing.sealed_chunk(file_key, data, file_id, 0, 1))
    await alice.say("FILE_START", payload, to=bob.id, ts=ts)
    await alice.say("FILE_CHUNK", {"file_id": file_id, "index": 0, "ciphertext": chunk}, to=bob.id)
    await alice.say("FILE_END", {"file_id": file_id}, to=bob.id)
    try:
        await bob.link.hears("FILE_START", where=of_file(file_id))
    except Breach as fault:
        raise Unjudged(f"{fault}: see 11.133-hybrid-manifest") from fault
    came = await bob.link.hears("FILE_CHUNK", "FILE_END", where=of_file(file_id))
    same("what follows FILE_START", came.type, "FILE_CHUNK")
    same("ciphertext", came.get("ciphertext"), chunk)


# --- who can read what --------------------------------------------------------------------------


def _holds(said: Frame, user: Peer) -> None:
    """Features and attach are those that this user signed. Raises Breach."""
    same("features", list_of(said, "features"), list(_CAN))
    attach = said.get("attach")
    if not isinstance(attach, dict) or type(attach.get("ts")) is not int:
        raise Breach(f"attach is {attach!r:.60}")
    text = preimages.attach(user.id, user.server_id, attach["ts"], _CAN)
    if not user.who.key.public.signed(str(attach.get("sig")), text):
        raise Breach("the attach does not hold for these features")


@SEALED.extension(
    "11.135-features-kept",
    "USER_ADVERTISE has the features of a user as they signed them: all, in their order, unknown"
    " ones too",
    "repeat the list of the hello with its attach: without it nobody may seal hybrid/1 for them",
    feature="link-auth/1",
)
async def _features_kept(probe: Probe) -> None:
    alice, hal = await probe.alice(), await proving_user(probe, "hal", _CAN)
    _holds(await alice.link.hears("USER_ADVERTISE", where=of_user(hal.id)), hal)


@SEALED.extension(
    "11.136-features-looked-up",
    "PUBKEY_RESPONSE repeats features, attach and server_id of the user's newest statement",
    "keep the newest attach with its features: who writes to somebody away must know what to seal",
    feature="mailbox/1",
)
async def _features_looked_up(probe: Probe) -> None:
    alice, hal = await probe.alice(), await proving_user(probe, "hal", _CAN)
    await hal.link.close()
    await alice.link.hears("USER_REMOVE", where=of_user(hal.id))
    await alice.say("PUBKEY_REQUEST", {"user_id": hal.id})
    said = await alice.link.hears("PUBKEY_RESPONSE")
    _holds(said, hal)
    same("server_id", said.get("server_id"), hal.server_id)


@SEALED.extension(
    "11.137-features-across",
    "users of the second server see the same features and attach",
    "forward USER_ADVERTISE unchanged",
    feature="link-auth/1",
    needs=[Need.PEER],
)
async def _features_across(probe: Probe) -> None:
    yves = await there(probe)
    hal = await proving_user(probe, "hal", _CAN)
    _holds(await yves.link.hears("USER_ADVERTISE", where=of_user(hal.id)), hal)


@SEALED.extension(
    "11.138-hybrid-across",
    "a ciphertext of 20 KiB reaches a user of the second server to the letter",
    "carry the author's members unchanged in SERVER_DELIVER and USER_DELIVER",
    needs=[Need.PEER],
)
async def _hybrid_across(probe: Probe) -> None:
    alice, yves = await probe.alice(), await there(probe)
    await alice.link.hears("USER_ADVERTISE", where=of_user(yves.id))
    said = await _reaches(alice, yves, _LONG)
    await alice.link.hears("ACK", where=about(said.ref))
