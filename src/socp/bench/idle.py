"""What a link costs that says nothing (goal 6), and how that grows with their number."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from socp.bench import goals
from socp.bench.figures import Figure, Side
from socp.bench.growth import POINTS, Growth
from socp.bench.load_link import LoadLink, connect, ignored
from socp.bench.serving import Server, bare_server
from socp.bench.setting import Setting
from socp.bench.settled import settled
from socp.bench.user import AT_ONCE, Kind, User, joined, leave

LINKS = 10_000


async def measure(setting: Setting) -> AsyncIterator[Figure]:
    """Goal 6. Memory is not a matter of who else is at work, but of where a heap happens to grow:
    so it is measured in pairs too, each time with processes of its own."""
    setting.needs_own()
    count = setting.links(LINKS, 200)
    growth = Growth("memory a user", "bytes")
    rounds = iter(range(1_000))

    async def ours() -> float:
        with setting.server(f"idle-{next(rounds)}") as server:
            return await _hellos(server, count, growth)

    async def bare() -> float:
        with bare_server() as server:
            return await _bare(server, count)

    pairs = await setting.in_turn(bare, ours, float)
    ratio, each, reference = pairs.ratios(float), pairs.ours(float), pairs.reference(float)
    yield Figure(
        key="idle",
        what=f"memory of a link that said hello, at {count:,}",
        value=ratio.middle,
        low=ratio.low,
        high=ratio.high,
        ours=Side("link", f"{each / 1024:.1f} KiB"),
        reference=Side("bare aiohttp link", f"{reference / 1024:.1f} KiB"),
        goal=goals.IDLE_MEMORY,
        pairs=len(pairs.kept),
        repeated=pairs.repeated,
        restless=pairs.restless,
        by="memory",
    )
    yield growth.figure("idle-growth")


async def _hellos(server: Server, count: int, growth: Growth) -> float:
    """Memory of each of so many who said hello, bytes."""
    await settled(server)
    before, users = server.resident_bytes(), list[User]()
    for point in sorted({*(each for each in POINTS if each < count), count}):
        users += await joined(server.url, Kind.QUIET, point - len(users))
        await settled(server)
        growth.add(point, (server.resident_bytes() - before) / point)
    each = (server.resident_bytes() - before) / count
    leave(users)
    return each


async def _bare(server: Server, count: int) -> float:
    await settled(server)
    before = server.resident_bytes()
    links = await _opened(server.url, count)
    await settled(server)
    each = (server.resident_bytes() - before) / count
    for link in links:
        link.transport.abort()
    return each


async def _opened(url: str, count: int) -> list[LoadLink]:
    """A few at a time."""
    turns = asyncio.Semaphore(AT_ONCE)
    connected: Callable[[], Awaitable[LoadLink]] = lambda: connect(url, ignored)  # noqa: E731

    async def opened() -> LoadLink:
        async with turns:
            return await connected()

    return await asyncio.gather(*(opened() for _ in range(count)))
