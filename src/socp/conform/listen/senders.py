"""Section 8 with `content/1`: a file for somebody who says how far they are."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Final

from socp.conform import preimages, sealing
from socp.conform.canonical import unb64
from socp.conform.expect import bytes_of, same, text_of
from socp.conform.figures import FILE_WINDOW_BYTES, MIB
from socp.conform.frames import Frame
from socp.conform.listen.sealers import says
from socp.conform.listen.visit import Visit
from socp.conform.rule import Section
from socp.conform.verdicts import Breach, Unjudged

SENDERS: Final[Section[Visit]] = Section()
_KEY_BYTES: Final = 32
_DIGEST_BYTES: Final = 32
_BEGINS_S: Final = 8.0
_AGAIN_S: Final = 45.0  # who heard nothing for 30 s begins anew
_STILL: Final = 6  # so many times the silence of our manners: no chunk is on its way any more


async def _started(visit: Visit) -> Frame:
    """FILE_START for hal: the newest one, where the guest began again."""
    visit.check_announces("hybrid/1", "content/1")
    hal = visit.house.hal.id
    hint = f"; have it send a file of {2 * FILE_WINDOW_BYTES // MIB} MiB to {hal}"
    await visit.told("FILE_START", where=lambda f: f.members.get("to") == hal, hint=hint)
    return _starts(visit)[-1]


def _starts(visit: Visit) -> list[Frame]:
    hal = visit.house.hal.id
    said = tuple(visit.house.said)
    return [f for f in said if f.type == "FILE_START" and f.members.get("to") == hal]


def _chunks(visit: Visit, start: Frame) -> list[Frame]:
    file_id = start.get("file_id")
    said = tuple(visit.house.said)
    return [f for f in said if f.type == "FILE_CHUNK" and f.get("file_id") == file_id]


def _file_key(visit: Visit, start: Frame) -> bytes:
    """The key of its chunks. Raises Breach."""
    hal = visit.house.hal
    if type(start.ts) is not int:
        raise Breach(f"ts is {start.ts!r:.40}")
    key = sealing.opened(bytes_of(start, "wrapped_key"), visit.id, hal.id, hal.key, start.ts)
    if key is None or len(key) != _KEY_BYTES:
        raise Breach("wrapped_key does not open with the reader's key as hybrid/1, or is no key")
    return key


def _number(start: Frame, name: str) -> int:
    value = start.get(name)
    if type(value) is not int or value < 0:
        raise Breach(f"FILE_START: {name} is {value!r:.40}")
    return value


@SENDERS.extension(
    "11.160-manifest",
    "FILE_START for somebody with hybrid/1 has wrapped_key, chunk_bytes, chunk_hashes and total",
    "seal the file's key as hybrid/1, list SHA-256 of each plaintext chunk, and sign the manifest",
)
async def _manifest(visit: Visit) -> None:
    start = await _started(visit)
    _file_key(visit, start)
    size, each = _number(start, "size"), _number(start, "chunk_bytes")
    if not each:
        raise Breach("chunk_bytes is 0")
    same("total", _number(start, "total"), -(-size // each))
    hashes = bytes_of(start, "chunk_hashes")
    same("the length of chunk_hashes", len(hashes), _DIGEST_BYTES * -(-size // each))
    assert isinstance(start.ts, int)
    said = preimages.manifests(start.payload, visit.id, visit.house.hal.id, start.ts)
    signature = text_of(start, "content_sig")
    if not any(visit.key.signed(signature, form) for form in said):
        raise Breach("content_sig of FILE_START does not verify")


@SENDERS.extension(
    "11.161-waits-for-wanted",
    "no chunk comes before the reader said `wanted`",
    "wait for file_state {file_id, state: wanted} from who is online and has content/1",
)
async def _waits(visit: Visit) -> None:
    start = await _started(visit)
    await asyncio.sleep(visit.house.manners.quiet_s)
    if chunks := _chunks(visit, start):
        raise Breach(f"{len(chunks)} chunks came")


async def _still(visit: Visit, start: Frame) -> list[Frame]:
    """All chunks that came, once no more do."""
    loop = asyncio.get_running_loop()
    count, since = 0, loop.time()
    while loop.time() - since < _STILL * visit.house.manners.quiet_s:
        found = len(_chunks(visit, start))
        if found != count:
            count, since = found, loop.time()
        await asyncio.sleep(0.1)
    return _chunks(visit, start)


async def _wants(visit: Visit, have: int) -> tuple[Frame, list[Frame]]:
    """Hal says `wanted`; the manifest, and all chunks that there are then."""
    for _ in range(2):
        start = await _started(visit)
        before, end = len(_chunks(visit, start)), asyncio.get_running_loop().time() + _BEGINS_S
        file_id = start.get("file_id")
        await says(visit, "file_state", file_id=file_id, state="wanted", have=have)
        while asyncio.get_running_loop().time() < end:
            if len(_chunks(visit, start)) > before:
                return start, await _still(visit, start)
            await asyncio.sleep(0.1)
        await visit.told("FILE_START", within_s=_AGAIN_S, nth=len(_starts(visit)) + 1)
    raise Breach("no chunk came after `wanted`")


@SENDERS.extension(
    "11.162-window",
    f"it sends at most {FILE_WINDOW_BYTES // MIB} MiB behind what the reader said they have",
    "keep count of what is not acknowledged by `have`, and pause where the window is full",
    rests_on="11.161-waits-for-wanted",
)
async def _window(visit: Visit) -> None:
    start, chunks = await _wants(visit, 0)
    size = _number(start, "size")
    if size <= FILE_WINDOW_BYTES:
        raise Unjudged(f"a file of {size:,} bytes fits into the window; have it send a larger one")
    sent = sum(len(unb64(text_of(chunk, "ciphertext"))) for chunk in chunks)
    if sent > FILE_WINDOW_BYTES:
        raise Breach(f"{sent:,} bytes came, and the reader had acknowledged none")


@SENDERS.extension(
    "11.163-chunks",
    "each chunk opens with the file's key at its place, and has the SHA-256 of chunk_hashes",
    "AES-256-GCM with AAD = file_id || index || total, index from 0",
    rests_on="11.160-manifest",
)
async def _opens(visit: Visit) -> None:
    start = await _started(visit)
    chunks = _chunks(visit, start)
    if not chunks:
        raise Unjudged("no chunk came: see 11.162-window")
    key, hashes = _file_key(visit, start), bytes_of(start, "chunk_hashes")
    file_id, total = text_of(start, "file_id"), _number(start, "total")
    for chunk in chunks:
        index = _number(chunk, "index")
        plain = sealing.opened_chunk(key, bytes_of(chunk, "ciphertext"), file_id, index, total)
        if plain is None:
            raise Breach(f"chunk {index} does not open")
        due = hashes[_DIGEST_BYTES * index : _DIGEST_BYTES * (index + 1)]
        if hashlib.sha256(plain).digest() != due:
            raise Breach(f"chunk {index} has another SHA-256 than chunk_hashes says")


@SENDERS.extension(
    "11.164-goes-on",
    "it goes on behind the chunks that `wanted` says are there",
    "`have: n` says that the first n chunks are there: the next one is chunk n",
    rests_on="11.161-waits-for-wanted",
)
async def _goes_on(visit: Visit) -> None:
    start = await _started(visit)
    have = len({chunk.get("index") for chunk in _chunks(visit, start)})
    if not have or have >= _number(start, "total"):
        raise Unjudged("the whole file came at once, or nothing of it; have it send a larger one")
    count = len(_chunks(visit, start))
    start, chunks = await _wants(visit, have)
    indexes = [chunk.get("index") for chunk in chunks[count:]]
    same("the chunks that follow", indexes, list(range(have, have + len(indexes))))


@SENDERS.extension(
    "11.165-refused-ends",
    "after `refused` no more chunks come",
    "stop, and tell the person that it is not wanted",
    rests_on="11.161-waits-for-wanted",
)
async def _refused_ends(visit: Visit) -> None:
    start = await _started(visit)
    count = len(await _still(visit, start))
    if not count or count >= _number(start, "total"):
        raise Unjudged("the whole file came at once, or nothing of it; have it send a larger one")
    await says(visit, "file_state", file_id=start.get("file_id"), state="refused")
    await says(visit, "file_state", file_id=start.get("file_id"), state="wanted", have=count)
    if len(await _still(visit, start)) > count:
        raise Breach("chunks came")
