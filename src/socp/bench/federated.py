"""Messages from one server to another, beside messages within one (goal 14)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from socp.bench import goals, sample
from socp.bench.figures import Figure
from socp.bench.mesh import Busier, introduce, two_servers
from socp.bench.rounds import DELIVERED, Round
from socp.bench.sample import PROCESSOR, Named, Sample
from socp.bench.serving import Server
from socp.bench.setting import Setting
from socp.bench.settled import settled
from socp.bench.user import Allowance, Kind, User, joined, leave

USERS = 200  # at each server
EACH = 50
WINDOW = 4


class Ring:
    """Users who each say things to one other."""

    def __init__(
        self, authors: Sequence[User], readers: Sequence[User], servers: Sequence[Server]
    ) -> None:
        self.authors, self.readers, self._servers = list(authors), list(readers), servers
        self._allowance = Allowance()

    async def talk(self) -> Sample:
        """The next is said when one was read."""
        made = {
            author.link: author.directs(reader.id, EACH)
            for author, reader in zip(self.authors, self.readers, strict=True)
        }
        count = EACH * len(self.authors)
        talk = Round(made, goes_on=DELIVERED, owed={DELIVERED: count})
        await self._allowance.take(EACH)
        watch = Busier(*self._servers)
        await talk.run(WINDOW)
        measured = watch.sample(count)
        for server in self._servers:  # what it owes beside the delivery is not the next round's
            await settled(server)
        return measured


async def measure(setting: Setting) -> AsyncIterator[Figure]:
    """Goal 14."""
    count = setting.links(USERS * 3, 60) // 3
    async with two_servers(setting, "federated") as (first, second):
        here = await joined(first.url, Kind.FAST, count)
        there = await joined(second.url, Kind.FAST, count)
        others = await joined(first.url, Kind.FAST, count)
        local = Ring(others, [*others[1:], others[0]], (first,))
        across = Ring([*here, *there], [*there, *here], (first, second))
        for server in (first, second):
            await settled(server)
        await introduce(across.authors, across.readers)
        pairs = await setting.in_turn(local.talk, across.talk, Sample.processor_rate)
        leave([*here, *there, *others])
    named = Named(
        key="federated",
        what="messages from server to server, both with fast-sig/1",
        unit="messages",
        reference="messages within one server",
        by=PROCESSOR,
    )
    note = "of the processor: the busier of the two servers'"
    yield sample.figure(named, pairs, goals.FEDERATED, note=note)
