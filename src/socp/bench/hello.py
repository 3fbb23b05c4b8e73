"""What a hello, and a message, cost when many are there already (goal 7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from socp.bench import goals, sample
from socp.bench.direct import FAST_EACH, FAST_WINDOW, Talkers
from socp.bench.figures import Figure
from socp.bench.growth import Growth
from socp.bench.sample import PROCESSOR, Named, Sample
from socp.bench.serving import Server, Watch
from socp.bench.setting import Setting
from socp.bench.settled import settled
from socp.bench.user import Kind, joined, leave

FEW, MANY = 2_500, 10_000
COMING = 400  # who come and go again; beside them what happens each second is little
TALKERS = 40


async def measure(setting: Setting) -> AsyncIterator[Figure]:
    """Goal 7: two servers side by side, one with many links and one with few."""
    setting.needs_own()
    many = setting.links(MANY + FEW, 500) * MANY // (MANY + FEW)
    few, coming = many * FEW // MANY, setting.sized(COMING, 50)
    growth = Growth("processor time of a hello", "us")
    talk = Growth("processor time of a message, with fast-sig/1", "us")
    with setting.server("hello-few") as small, setting.server("hello-many") as large:
        crowd = await joined(small.url, Kind.QUIET, coming)
        await _came(small, coming, coming, growth)
        talk.add(coming, await _message_us(small))
        crowd += await joined(small.url, Kind.QUIET, few - coming)
        crowd += await joined(large.url, Kind.QUIET, many)

        async def at_few() -> Sample:
            return await _came(small, coming, few, growth)

        async def at_many() -> Sample:
            return await _came(large, coming, many, growth)

        pairs = await setting.in_turn(at_few, at_many, Sample.processor_us)
        talk.add(few, await _message_us(small))
        talk.add(many, await _message_us(large))
        leave(crowd)
    named = Named(
        key="hello",
        what=f"a hello at {many:,} links",
        unit="hellos",
        reference=f"a hello at {few:,}",
        by=PROCESSOR,
        costs=True,
    )
    yield sample.figure(named, pairs, goals.HELLO)
    yield growth.figure("hello-growth")
    yield talk.figure("message-growth")


async def _came(server: Server, coming: int, there: int, growth: Growth) -> Sample:
    """So many more say hello; afterwards they are gone again."""
    await settled(server)
    watch = Watch(server)
    users = await joined(server.url, Kind.QUIET, coming)
    watch.stop()
    await settled(server)
    measured = watch.sample(coming)
    leave(users)
    await asyncio.sleep(0)
    growth.add(there, measured.processor_us())
    return measured


async def _message_us(server: Server) -> float:
    """Of the processor, between a few of them."""
    users = await joined(server.url, Kind.FAST, TALKERS)
    await settled(server)
    measured = await Talkers(server, users, FAST_EACH, FAST_WINDOW).talk()
    leave(users)
    await settled(server)
    return measured.processor_us()
