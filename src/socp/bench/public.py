"""Posts to all: what a delivery costs, and what those cost who take none (goals 4 and 5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from socp.bench import goals, processes, sample
from socp.bench.figures import Figure, Goal, Side
from socp.bench.load_link import LoadLink, connect, ignored
from socp.bench.paced import PacedRound
from socp.bench.sample import PROCESSOR, Named, Sample
from socp.bench.serving import Server, Watch, bare_server
from socp.bench.setting import Setting
from socp.bench.settled import settled
from socp.bench.user import Allowance, Kind, User, joined, leave

POST: Final = b"MSG_PUBLIC_CHANNEL"
READERS: Final = 1_000
AUTHORS: Final = 8
CROWD, DEAD = 300, 30
LONG_BYTES: Final = 12_000  # of ciphertext: a frame of 17 KB
BOUND_BYTES: Final = 5 * 2**20
"""What waits for one link at most (section 12), and what the kernel takes of it before."""
CUT_S: Final = 10  # until those who were cut know it


@dataclass(frozen=True, slots=True)
class Kinds:
    """Posts of one length, and what is asked of them."""

    named: Named
    goal: Goal
    cipher_bytes: int
    posts: int


SHORT: Final = Kinds(
    Named("public", "a delivery of a post", "deliveries", "send_str", PROCESSOR, costs=True),
    goals.PUBLIC,
    cipher_bytes=512,
    posts=40,
)
LONG: Final = Kinds(
    Named("public-long", "deliveries of a 16 KB post", "deliveries", "send_str", PROCESSOR),
    goals.PUBLIC_LONG,
    cipher_bytes=LONG_BYTES,
    posts=16,
)


class Posters:
    """Authors, what they post, and everybody who reads it, here and at a bare server."""

    def __init__(
        self, server: Server, authors: Sequence[User], readers: Sequence[LoadLink]
    ) -> None:
        self._server = server
        self._authors = authors
        self._readers = readers
        self._allowance = Allowance()

    def made(self, count: int, size: int) -> list[bytes]:
        """Posts of all authors in turn."""
        return [self._authors[at % len(self._authors)].post(size) for at in range(count)]

    async def post(self, count: int, size: int) -> Sample:
        """As many as that, to all."""
        links = [each.link for each in self._authors]
        made = self.made(count, size)
        said = [(links[at % len(links)], frame) for at, frame in enumerate(made)]
        await self._allowance.take(count // len(links) + 1)
        return await spread(self._server, said, [*links, *self._readers])


async def spread(
    server: Server, said: Sequence[tuple[LoadLink, bytes]], links: Sequence[LoadLink]
) -> Sample:
    """Posts, each to all of these links but its author's; counted in deliveries."""
    talk = PacedRound(said, links, POST, each=len(links) - 1)
    watch = Watch(server)
    await talk.run()
    return watch.sample(talk.owed)


async def measure(setting: Setting) -> AsyncIterator[Figure]:
    """Goals 4 and 5."""
    count = setting.links(READERS, 300)
    with setting.server("public") as server:
        for figure in await _fan_out(setting, server, count):
            yield figure
    if not setting.url:
        with setting.server("dead") as server:
            for figure in await _with_dead(setting, server):
                yield figure


async def _fan_out(setting: Setting, server: Server, count: int) -> list[Figure]:
    """Goal 4: ours beside a bare server that calls `send_str` for each."""
    authors = await joined(server.url, Kind.QUIET if setting.url else Kind.FAST, AUTHORS)
    readers = await joined(server.url, Kind.QUIET, count - AUTHORS)
    await settled(server)
    posters = Posters(server, authors, [each.link for each in readers])
    figures = []
    async with _bare_crowd(count) as (bare, links):
        for kind in (SHORT, LONG):
            posts = setting.sized(kind.posts, 8)

            async def ours(kind: Kinds = kind, posts: int = posts) -> Sample:
                return await posters.post(posts, kind.cipher_bytes)

            async def sent(kind: Kinds = kind, posts: int = posts) -> Sample:
                made = posters.made(posts, kind.cipher_bytes)
                return await spread(bare, [(links[0], frame) for frame in made], links)

            pairs = await setting.in_turn(sent, ours, Sample.processor_rate)
            note = f"{posts} posts to {count:,} links; the reference is a bare aiohttp server"
            figures.append(sample.figure(kind.named, pairs, kind.goal, note=note))
    leave([*authors, *readers])
    return figures


@asynccontextmanager
async def _bare_crowd(count: int) -> AsyncIterator[tuple[Server, list[LoadLink]]]:
    with bare_server() as bare:
        links = [await connect(f"{bare.url}/crowd", ignored) for _ in range(count)]
        yield bare, links
        for link in links:
            link.transport.abort()


class Deaf:
    """Users who read nothing: as many come before each round as are cut in it."""

    def __init__(self, server: Server, count: int) -> None:
        self._server, self._count = server, count
        self.came = self.cut = 0
        self.grew_bytes: list[int] = []

    async def come(self) -> list[User]:
        """They say hello, and then nothing more is read of their links."""
        users = await joined(self._server.url, Kind.QUIET, self._count)
        for user in users:
            user.link.transport.pause_reading()
        self.came += self._count
        await settled(self._server)
        return users

    async def counted(self, users: Sequence[User]) -> None:
        """How many of them the server cut: they learn it when they read on."""
        for user in users:
            user.link.transport.resume_reading()
        async with asyncio.timeout(CUT_S * self._count):
            for _ in range(CUT_S * 10):
                if all(user.link.lost for user in users):
                    break
                await asyncio.sleep(0.1)
        self.cut += sum(user.link.lost for user in users)
        leave(users)


async def _with_dead(setting: Setting, server: Server) -> list[Figure]:
    """Goal 5: the same crowd with and without a tenth who take nothing."""
    crowd, dead = setting.links(CROWD, 60), setting.sized(DEAD, 6)
    authors = await joined(server.url, Kind.FAST, AUTHORS)
    readers = await joined(server.url, Kind.QUIET, crowd - dead - AUTHORS)
    await settled(server)
    posters = Posters(server, authors, [each.link for each in readers])
    deaf, posts = Deaf(server, dead), BOUND_BYTES // LONG_BYTES

    async def alone() -> Sample:
        await settled(server)
        return await posters.post(posts, LONG_BYTES)

    async def beside() -> Sample:
        users = await deaf.come()
        processes.forget_peak(server.pid)
        before = server.resident_bytes()
        measured = await posters.post(posts, LONG_BYTES)
        deaf.grew_bytes.append(processes.peak_bytes(server.pid) - before)
        await deaf.counted(users)
        return measured

    await alone()  # the first long posts make the heap grow, whoever reads them
    pairs = await setting.in_turn(alone, beside, Sample.clock_rate)
    leave([*authors, *readers])
    named = Named(
        "dead", f"deliveries to {crowd - dead} beside {dead} dead", "deliveries", "with none dead"
    )
    grew = max(deaf.grew_bytes)
    bound = dead * 4 * 2**20
    return [
        sample.figure(named, pairs, goals.DEAD_RATE, note=f"{posts} posts of 16 KB"),
        Figure(
            key="dead-cut",
            what="of the dead are cut",
            value=deaf.cut / deaf.came,
            ours=Side("cut", f"{deaf.cut} of {deaf.came}"),
            goal=goals.DEAD_CUT,
        ),
        Figure(
            key="dead-memory",
            what="memory grew beside the dead",
            value=grew / bound,
            ours=Side("grew", f"{grew / 2**20:.1f} MiB at most"),
            reference=Side("dead links x 4 MiB", f"{bound / 2**20:.0f} MiB"),
            goal=goals.DEAD_MEMORY,
            by="memory",
        ),
    ]
