"""Many at once who want a server's memory: links that read nothing while posts come, and frames of
a mebibyte that never end. What the server promised (`--memory`) must hold, and so must those who
were there before.

These two at once, by thousands of links on a loop, are a figure of every run of `socp bench`;
`memory.py` tries them and six others alone, from outside of any loop, and says what each one took.
"""

from __future__ import annotations

import asyncio
from typing import Final

from socp.bench import goals, processes
from socp.bench.figures import Figure, Side
from socp.bench.load_link import framed
from socp.bench.paced import PacedRound
from socp.bench.public import LONG_BYTES, POST
from socp.bench.serving import Server
from socp.bench.setting import Setting
from socp.bench.settled import settled
from socp.bench.trouble import CannotMeasure
from socp.bench.user import AT_ONCE, Allowance, Kind, User, joined, leave
from socp.server import sizes
from socp.wire import limits

OPTION: Final = "--memory"
PROMISED: Final = "256M"
PROMISED_BYTES: Final = sizes.parsed(PROMISED)
NEIGHBOURS: Final = 10
DEAF, UNFINISHED = 3_000, 300
POSTS: Final = 300
PIECE: Final = framed(b" " * limits.FRAME_BYTES)[: limits.FRAME_BYTES - limits.KIB]
"""All of a frame but its end."""


async def besieged(setting: Setting) -> list[Figure]:
    """Peak memory beside the promise, and who of those who behaved was dropped."""
    deaf, unfinished = setting.links(DEAF, 300), setting.sized(UNFINISHED, 100)
    with setting.server("siege", OPTION, PROMISED) as server:
        neighbours = await joined(server.url, Kind.FAST, NEIGHBOURS)
        besiegers, refused = await _come(server, deaf + unfinished)
        await settled(server)
        for user in besiegers[unfinished:]:
            user.link.transport.pause_reading()
        for user in besiegers[:unfinished]:
            if not user.link.lost:
                user.link.send(PIECE)
        said = await _posted(neighbours, setting.sized(POSTS, 60))
        await settled(server)
        peak = processes.peak_bytes(server.pid)
        dropped = sum(each.link.lost for each in neighbours)
        leave([*neighbours, *besiegers])
    note = (
        f"{deaf} who read nothing, {unfinished} unfinished mebibytes, {said} posts of 16 KB;"
        f" {refused} were refused"
    )
    return [
        Figure(
            key="siege-memory",
            what=f"memory under siege, of what {OPTION} promises",
            value=peak / PROMISED_BYTES,
            ours=Side("peak", f"{peak / limits.MIB:.0f} MiB"),
            reference=Side("promised", PROMISED),
            goal=goals.SIEGE_MEMORY,
            by="memory",
            note=note,
        ),
        Figure(
            key="siege-neighbours",
            what="neighbours dropped under siege",
            value=float(dropped),
            ours=Side("dropped", f"{dropped} of {NEIGHBOURS}"),
            goal=goals.NEIGHBOURS_DROPPED,
        ),
    ]


async def _come(server: Server, count: int) -> tuple[list[User], int]:
    """Those who were let in, and how many were not."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def come() -> list[User]:
        async with turns:
            try:
                return await joined(server.url, Kind.QUIET, 1)
            except CannotMeasure:
                return []

    came = await asyncio.gather(*(come() for _ in range(count)))
    users = [user for each in came for user in each]
    return users, count - len(users)


async def _posted(neighbours: list[User], count: int) -> int:
    """Posts, as many as the server takes; how many all other neighbours heard."""
    allowance, said, each = Allowance(), 0, 2 * len(neighbours)
    links = [user.link for user in neighbours]
    while said < count:
        await allowance.take(2)
        posts = [(user.link, user.post(LONG_BYTES)) for user in neighbours for _ in range(2)]
        try:
            await PacedRound(posts, links, POST, each=len(links) - 1).run()
        except CannotMeasure:
            break  # it takes no more: what it has by then is what is looked at
        said += each
    return said
