"""Section 8: files on their way."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, Final

from socp.conform.canonical import b64
from socp.conform.cast import new_id
from socp.conform.expect import refused, same, signed_form
from socp.conform.figures import FILE_BYTES, KIB, RSA_BYTES
from socp.conform.frames import Frame
from socp.conform.link import Where
from socp.conform.peers import Peer
from socp.conform.probe import Probe
from socp.conform.rule import Need, Section
from socp.conform.rules.presence import advertised, foreigner, gone
from socp.conform.verdicts import Breach

FILES: Final[Section[Probe]] = Section(needs=(Need.USERS,))


def start(file_id: str, *, size: int = 3 * 400, mode: str = "dm") -> dict[str, Any]:
    """A manifest."""
    digest = hashlib.sha256(bytes(size if size < KIB * KIB else 0)).hexdigest()
    return {"file_id": file_id, "name": "conform.bin", "size": size, "sha256": digest, "mode": mode}


def chunk(file_id: str, index: int, size: int = RSA_BYTES) -> dict[str, Any]:
    """A chunk that nobody can open; servers do not look into it."""
    sealed = b64(secrets.token_bytes(size))
    return {"file_id": file_id, "index": index, "ciphertext": sealed}


def of_file(file_id: str) -> Where:
    """Frames of this file."""
    return lambda frame: bool(frame.get("file_id") == file_id)


def of_ref(file_id: str, kind: str) -> Where:
    """ACK or ERROR about this frame of the file."""

    def fits(frame: Frame) -> bool:
        return frame.get("msg_ref") == file_id and frame.get("of") in (kind, None, "")

    return fits


async def _started(author: Peer, reader: Peer) -> tuple[dict[str, Any], dict[str, Any], Frame]:
    """A manifest, its frame as it was sent, and as it came."""
    payload = start(new_id())
    sent = await author.say("FILE_START", payload, to=reader.id)
    came = await reader.link.hears("FILE_START", where=of_file(payload["file_id"]))
    await author.say("FILE_END", {"file_id": payload["file_id"]}, to=reader.id)
    return payload, sent, came


@FILES.must(
    "8.1-start",
    "FILE_START reaches its reader with all its members",
    "carry FILE_START as it was said",
)
async def _start(probe: Probe) -> None:
    payload, _, came = await _started(await probe.alice(), await probe.bob())
    for name, value in payload.items():
        same(name, came.get(name), value)


@FILES.must(
    "8.2-start-envelope",
    "it keeps the author's from and ts",
    "keep from, to and ts of file frames on the way to a user",
)
async def _start_envelope(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    _, sent, came = await _started(alice, bob)
    for name in ("from", "to", "ts"):
        same(name, came.members.get(name), sent[name])


@FILES.should(
    "8.3-start-sender",
    "the author's id is added as sender",
    "put sender into file frames for users",
)
async def _start_sender(probe: Probe) -> None:
    alice = await probe.alice()
    _, _, came = await _started(alice, await probe.bob())
    same("sender", came.get("sender"), alice.id)


@FILES.must(
    "8.4-start-signed",
    "it is signed by the delivering server",
    "sign file frames on each hop",
    rests_on="3.3-sig-covers-payload",
)
async def _start_signed(probe: Probe) -> None:
    bob = await probe.bob()
    _, _, came = await _started(await probe.alice(), bob)
    signed_form(bob.server_key, came)


@FILES.must(
    "8.5-chunks-in-order",
    "chunks reach the reader in their order, and FILE_END behind them",
    "keep the order of a transfer's frames",
)
async def _chunks_in_order(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    file_id = new_id()
    await alice.say("FILE_START", start(file_id, size=8 * 400), to=bob.id)
    sent = [chunk(file_id, index) for index in range(8)]
    for each in sent:
        await alice.say("FILE_CHUNK", each, to=bob.id)
    await alice.say("FILE_END", {"file_id": file_id}, to=bob.id)
    kinds = ("FILE_START", "FILE_CHUNK", "FILE_END")
    came = [await bob.link.hears(*kinds, where=of_file(file_id)) for _ in range(len(sent) + 2)]
    order = ["FILE_START", *(["FILE_CHUNK"] * len(sent)), "FILE_END"]
    same("the order", [frame.type for frame in came], order)
    for frame, each in zip(came[1:], sent, strict=False):
        same("index", frame.get("index"), each["index"])
        same("ciphertext", frame.get("ciphertext"), each["ciphertext"])


@FILES.must(
    "8.6-start-acked",
    "FILE_START and FILE_END get one ACK each, whose msg_ref is the file_id",
    "answer both by ACK {msg_ref: file_id, of: <type>}",
)
async def _start_acked(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    file_id = new_id()
    for kind, payload in (("FILE_START", start(file_id)), ("FILE_END", {"file_id": file_id})):
        await alice.say(kind, payload, to=bob.id)
        came = await alice.link.hears("ACK", "ERROR", where=of_ref(file_id, kind))
        same("the answer", came.type, "ACK")


@FILES.should(
    "8.7-ack-of",
    "those ACKs say of which frame they are, in `of`",
    "put of: FILE_START or FILE_END beside msg_ref",
)
async def _ack_of(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    file_id = new_id()
    await alice.say("FILE_START", start(file_id), to=bob.id)
    came = await alice.link.hears("ACK", where=of_ref(file_id, "FILE_START"))
    same("of", came.get("of"), "FILE_START")


@FILES.must(
    "8.8-file-id",
    "a file_id that is no UUID v4 is refused (BAD_FRAME)",
    "take UUID v4 in lower case alone as file_id",
)
async def _file_id(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    await alice.says_wrong("FILE_START", start("../conform"), to=bob.id)
    await refused(alice.link, "BAD_FRAME", ref="../conform")


@FILES.should(
    "8.9-too-large",
    "a file over 1 GiB is refused at its FILE_START (TOO_LARGE)",
    f"refuse a size over {FILE_BYTES} bytes before any chunk comes",
)
async def _too_large(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    payload = start(new_id(), size=FILE_BYTES + 1)
    await alice.says_wrong("FILE_START", payload, to=bob.id)
    await refused(alice.link, "TOO_LARGE", ref=payload["file_id"])


@FILES.must(
    "8.10-nobody",
    "FILE_START for nobody is answered by USER_NOT_FOUND, with the file_id as msg_ref",
    "answer by ERROR USER_NOT_FOUND {msg_ref: file_id}",
)
async def _nobody(probe: Probe) -> None:
    alice = await probe.alice()
    payload = start(new_id())
    await alice.says_wrong("FILE_START", payload, to=new_id())
    error = await refused(alice.link, "USER_NOT_FOUND", ref=payload["file_id"])
    same("msg_ref", error.get("msg_ref"), payload["file_id"])


@FILES.must(
    "8.11-forged-sender",
    "a file frame whose sender is another user is refused (NOT_ALLOWED)",
    "sender, where it is there, must be from",
)
async def _forged_sender(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    payload = {**start(new_id()), "sender": bob.id}
    await alice.says_wrong("FILE_START", payload, to=bob.id)
    await refused(alice.link, "NOT_ALLOWED", ref=payload["file_id"])


@FILES.must(
    "8.12-negative-index",
    "a chunk with a negative index is refused (BAD_FRAME)",
    "index counts from 0",
)
async def _negative_index(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    await alice.says_wrong("FILE_CHUNK", chunk(new_id(), -1), to=bob.id)
    await refused(alice.link, "BAD_FRAME")


@FILES.must(
    "8.13-large-chunk",
    "a chunk of 256 KiB is carried",
    "do not look at the length of chunks beyond the frame's limit",
)
async def _large_chunk(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    payload = chunk(new_id(), 0, 256 * KIB)
    await alice.say("FILE_CHUNK", payload, to=bob.id)
    came = await bob.link.hears("FILE_CHUNK", where=of_file(payload["file_id"]))
    same("ciphertext", came.get("ciphertext"), payload["ciphertext"])


@FILES.must(
    "8.14-nobody-else",
    "a file for one reaches nobody else",
    "hand file frames to their reader alone",
)
async def _nobody_else(probe: Probe) -> None:
    alice, bob, carol = await probe.alice(), await probe.bob(), await probe.user("carol")
    manifest, _, _ = await _started(alice, bob)
    await carol.link.quiet("FILE_START", "FILE_END", where=of_file(manifest["file_id"]))


@FILES.must(
    "8.15-file-to-all",
    "a public file reaches the other members, and not its author",
    'fan out file frames whose to is "public" like posts',
    needs=[Need.THROW_AWAY],
)
async def _file_to_all(probe: Probe) -> None:
    alice, bob = await probe.alice(), await probe.bob()
    file_id = new_id()
    await alice.say("FILE_START", start(file_id, mode="public"), to="public")
    await bob.link.hears("FILE_START", where=of_file(file_id))
    await alice.say("FILE_END", {"file_id": file_id}, to="public")
    await alice.link.quiet("FILE_START", where=of_file(file_id))


_ALIASES: Final = {
    "8.16-user-file-start": ("USER_FILE_START", "FILE_START"),
    "8.17-user-file-chunk": ("USER_FILE_CHUNK", "FILE_CHUNK"),
    "8.18-user-file-end": ("USER_FILE_END", "FILE_END"),
}


def _alias(rule_id: str, kind: str, plain: str) -> None:
    @FILES.should(
        rule_id,
        f"{kind} is taken as {plain}",
        "take the other names of section 13",
    )
    async def _taken(probe: Probe) -> None:
        alice, bob = await probe.alice(), await probe.bob()
        file_id = new_id()
        payloads = {
            "FILE_START": start(file_id),
            "FILE_CHUNK": chunk(file_id, 0),
            "FILE_END": {"file_id": file_id},
        }
        await alice.say(kind, payloads[plain], to=bob.id)
        await bob.link.hears(plain, kind, where=of_file(file_id))


for _id, (_kind, _plain) in _ALIASES.items():
    _alias(_id, _kind, _plain)


@FILES.must(
    "8.20-file-abroad",
    "a file frame for a user of another server goes there with sender and user_id",
    "send file frames between servers as themselves: from your id, to theirs, the author's ts",
    needs=[Need.SERVERS],
)
async def _file_abroad(probe: Probe) -> None:
    alice, east, fred = await probe.alice(), await probe.east(), await foreigner(probe)
    await advertised(probe, east, fred)
    payload = start(new_id())
    sent = await alice.say("FILE_START", payload, to=fred.id)
    came = await east.link.hears("FILE_START", where=of_file(payload["file_id"]))
    same("from", came.members.get("from"), east.server_id)
    same("to", came.members.get("to"), east.id)
    same("ts", came.ts, sent["ts"])
    same("sender", came.get("sender"), alice.id)
    same("user_id", came.get("user_id"), fred.id)
    await gone(east, fred)


@FILES.must(
    "8.21-file-from-abroad",
    "a file frame of a user of a linked server reaches the local reader, from its author",
    "hand it to the user with the author's id in from",
    needs=[Need.SERVERS],
)
async def _file_from_abroad(probe: Probe) -> None:
    bob, east, fred = await probe.bob(), await probe.east(), await foreigner(probe)
    await advertised(probe, east, fred)
    payload = {**start(new_id()), "sender": fred.id, "user_id": bob.id}
    await east.say("FILE_START", payload, to=east.server_id)
    came = await bob.link.hears("FILE_START", where=of_file(payload["file_id"]))
    same("from", came.members.get("from"), fred.id)
    await gone(east, fred)


@FILES.must(
    "8.22-file-for-others",
    "a file frame in the name of a user of another server is refused",
    "from must be where the sender is",
    needs=[Need.SERVERS],
)
async def _file_for_others(probe: Probe) -> None:
    alice, bob, east = await probe.alice(), await probe.bob(), await probe.east()
    payload = {**start(new_id()), "sender": alice.id, "user_id": bob.id}
    await east.says_wrong("FILE_START", payload, to=east.server_id)
    try:
        await refused(east.link, "NOT_ALLOWED", "BAD_KEY", ref=payload["file_id"])
    finally:
        if bob.link.has("FILE_START", where=of_file(payload["file_id"])):
            raise Breach("it was delivered")
