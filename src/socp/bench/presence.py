"""What it costs that users come (goal 8)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from socp.bench import goals, sample
from socp.bench.figures import Figure, Side
from socp.bench.load_link import LoadLink, connect, framed, ignored
from socp.bench.sample import PROCESSOR, Named, Sample
from socp.bench.serving import Server, Watch, bare_server
from socp.bench.setting import Setting
from socp.bench.settled import settled
from socp.bench.user import Kind, User, joined, leave

FEW, MANY = 1_000, 2_000
CROWD = 10_000
LEAST = 0.02
ADVERT = framed(b'{"type":"USER_ADVERTISE","x":"%s"}' % (b"x" * 2_300))
"""As long as one of ours."""


async def measure(setting: Setting) -> AsyncIterator[Figure]:
    """Goal 8: twice as many who come cost twice as much; v1.3 users, who hear of everybody, cost a
    fraction of one frame each; nobody is cut for what they are told."""
    setting.needs_own()
    number = iter(range(1_000))

    async def came(kind: Kind, count: int) -> Sample:
        with setting.server(f"presence-{next(number)}") as server:
            return await _came(server, kind, count)

    few, many = setting.sized(FEW, 100), setting.links(MANY, 200)

    async def all_few() -> Sample:
        return _as_one(await came(Kind.QUIET, few))

    async def all_many() -> Sample:
        return _as_one(await came(Kind.QUIET, many))

    pairs = await setting.in_turn(all_few, all_many, Sample.processor_us)
    named = Named(
        "joining",
        f"{many:,} who come, with presence/1",
        "rounds",
        f"{few:,} who come",
        PROCESSOR,
        costs=True,
    )
    yield sample.figure(named, pairs, goals.JOINING)

    async def batched() -> Sample:
        told, untold = await came(Kind.PLAIN, few), await came(Kind.QUIET, few)
        return _beyond(told, untold)

    async def unbatched() -> Sample:
        with bare_server() as bare:
            return await _told(bare, few)

    pairs = await setting.in_turn(unbatched, batched, Sample.processor_us)
    named = Named(
        "batching",
        f"telling {few:,} v1.3 users who come of each other",
        "users",
        "bare aiohttp, a signature for each and one send_str for each frame",
        PROCESSOR,
    )
    yield sample.figure(named, pairs, goals.BATCHING)
    yield await _crowd(setting)


def _as_one(measured: Sample) -> Sample:
    """All of them together are the operation."""
    return Sample(1, measured.clock_s, measured.processor_s)


def _beyond(told: Sample, untold: Sample) -> Sample:
    """What the one took more than the other: presence alone, without the hello."""
    assert told.processor_s is not None
    assert untold.processor_s is not None
    least_s = LEAST * told.processor_s  # two measurements of nearly the same
    more_s = max(told.processor_s - untold.processor_s, least_s)
    return Sample(told.count, told.clock_s, more_s)


async def _came(server: Server, kind: Kind, count: int) -> Sample:
    """So many, until all that they are told is on its way."""
    await settled(server)
    watch = Watch(server)
    users = await joined(server.url, kind, count)
    watch.stop()
    await settled(server)
    measured = watch.sample(count)
    leave(users)
    return measured


async def _told(bare: Server, count: int) -> Sample:
    """The same frames, each newcomer's signed once, and each frame by itself: of the newcomer to
    all, and of all to the newcomer."""
    watch = Watch(bare)
    links: list[LoadLink] = []
    for _ in range(count):
        links.append(await connect(f"{bare.url}/presence", ignored))
        links[-1].send(ADVERT)
    watch.stop()
    await settled(bare)
    measured = watch.sample(count)
    for link in links:
        link.transport.abort()
    return measured


async def _crowd(setting: Setting) -> Figure:
    """Nobody is cut."""
    count = setting.links(CROWD, 300)
    with setting.server("presence-crowd") as server:
        users = await joined(server.url, Kind.QUIET, count)
        await settled(server)
        cut = _lost(users)
        leave(users)
    return Figure(
        key="nobody-cut",
        what=f"cut while {count:,} come",
        value=float(cut),
        ours=Side("cut", f"{cut} of {count:,}"),
        goal=goals.NOBODY_CUT,
    )


def _lost(users: Sequence[User]) -> int:
    return sum(each.link.lost for each in users)
