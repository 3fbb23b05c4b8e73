"""Files between users of two servers (goal 13): how fast what was sealed gets there."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Final

from socp.bench import goals, sample
from socp.bench.figures import Figure
from socp.bench.load_link import LoadLink, connect, ignored
from socp.bench.mesh import Busier, introduce, two_servers
from socp.bench.paced import PacedRound
from socp.bench.rounds import Round
from socp.bench.sample import PROCESSOR, Named, Sample
from socp.bench.serving import Server, Watch, bare_server
from socp.bench.setting import Setting
from socp.bench.settled import settled
from socp.bench.user import Kind, User, joined, leave
from socp.crypto import file_box
from socp.crypto.keys import RsaSuite
from socp.wire import base64url, limits
from socp.wire.payloads import FileChunk, FileStart

AUTHORS: Final = 24
"""A server takes 4 MiB a second of each; so many together are more than it can carry."""
CHUNKS: Final = 5  # of each author in one round: what a server takes of them at once
UNDER_WAY: Final = 8  # chunks: a link takes 4 MiB
KIB: Final = limits.KIB
STARTED, CAME = FileStart.TYPE.encode(), FileChunk.TYPE.encode()


class Senders:
    """Each sends a file to their reader at the other server."""

    def __init__(self, authors: Sequence[User], readers: Sequence[User]) -> None:
        self.authors, self.readers = list(authors), list(readers)
        self.key = file_box.new_file_key(RsaSuite())
        self.chunk = bytes(limits.FILE_CHUNK_BYTES)
        self.size_kib = CHUNKS * len(self.authors) * limits.FILE_CHUNK_BYTES // KIB

    async def made(self) -> list[tuple[LoadLink, bytes]]:
        """The chunks of new files, whose beginnings the readers have heard."""
        files = {author.id: str(uuid.uuid4()) for author in self.authors}
        pairs = list(zip(self.authors, self.readers, strict=True))
        starts = {
            author.link: [author.framed(self._start(author, files[author.id]), reader.id)]
            for author, reader in pairs
        }
        links = [each.link for each in self.readers]
        talk = Round(starts, goes_on=b"", owed={STARTED: len(pairs)}, listeners=links)
        await talk.run(1)
        return [
            (author.link, author.framed(self._chunk(files[author.id], index), reader.id))
            for index in range(CHUNKS)
            for author, reader in pairs
        ]

    def _start(self, author: User, file_id: str) -> FileStart:
        sealed = bytes(limits.RSA_BYTES + 60)
        return FileStart(
            file_id=file_id,
            name="a file",
            size=CHUNKS * limits.FILE_CHUNK_BYTES,
            sha256=hashlib.sha256(b"").hexdigest(),
            total=CHUNKS,
            sender_pub=author.key.public.text,
            content_sig=base64url.encode(bytes(limits.RSA_BYTES)),
            wrapped_key=base64url.encode(sealed),
            chunk_bytes=limits.FILE_CHUNK_BYTES,
            chunk_hashes=base64url.encode(bytes(32 * CHUNKS)),
        )

    def _chunk(self, file_id: str, index: int) -> FileChunk:
        sealed = file_box.seal_chunk(RsaSuite(), self.key, self.chunk, file_id, index, CHUNKS)
        return FileChunk(file_id=file_id, index=index, ciphertext=base64url.encode(sealed))

    def sealed_and_opened(self) -> Sample:
        """The same bytes through AES-256-GCM, both ways, on one core."""
        suite, file_id = RsaSuite(), str(uuid.uuid4())
        processor_s, began_s = time.thread_time(), time.perf_counter()
        for _ in range(CHUNKS * len(self.authors)):
            sealed = file_box.seal_chunk(suite, self.key, self.chunk, file_id, 0, CHUNKS)
            file_box.open_chunk(self.key, sealed, file_id, 0, CHUNKS)
        took = (time.perf_counter() - began_s, time.thread_time() - processor_s)
        return Sample(self.size_kib, *took)


async def measure(setting: Setting) -> AsyncIterator[Figure]:
    """Goal 13. The reference is whichever is slower: the ciphers, or saying the frames back."""
    count = setting.sized(AUTHORS, 6)
    async with two_servers(setting, "files") as (first, second):
        authors = await joined(first.url, Kind.FAST, count)
        readers = await joined(second.url, Kind.FAST, count)
        for server in (first, second):
            await settled(server)
        senders = Senders(authors, readers)
        await introduce(senders.authors, senders.readers)
        with bare_server() as bare:
            links = [await connect(f"{bare.url}/echo", ignored) for _ in authors]

            async def ours() -> Sample:
                return await _sent(senders, first, second)

            async def slower() -> Sample:
                echo = await _said_back(senders, bare, links)
                return min(echo, senders.sealed_and_opened(), key=Sample.processor_rate)

            pairs = await setting.in_turn(slower, ours, Sample.processor_rate)
        leave([*authors, *readers])
    named = Named(
        key="files",
        what=f"files of {count} users to {count} at another server",
        unit="KiB",
        reference="the slower of AES-256-GCM both ways and a bare echo",
        by=PROCESSOR,
    )
    note = "of the processor: the busier of the two servers'; chunks of 256 KiB"
    yield sample.figure(named, pairs, goals.FILES, note=note)


async def _sent(senders: Senders, first: Server, second: Server) -> Sample:
    made = await senders.made()
    links = [each.link for each in senders.readers]
    talk = PacedRound(made, links, CAME, each=1, under_way=UNDER_WAY)
    for server in (first, second):
        await settled(server)
    watch = Busier(first, second)
    await talk.run()
    return watch.sample(senders.size_kib)


async def _said_back(senders: Senders, bare: Server, links: Sequence[LoadLink]) -> Sample:
    made = await senders.made()
    said = [(links[at % len(links)], frame) for at, (_, frame) in enumerate(made)]
    talk = PacedRound(said, links, CAME, each=1, under_way=UNDER_WAY)
    watch = Watch(bare)
    await talk.run()
    return watch.sample(senders.size_kib)
