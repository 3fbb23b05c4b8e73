"""Messages for those who are away: durable before they are acknowledged (goal 9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from socp.bench import goals, sample
from socp.bench.figures import Figure
from socp.bench.rounds import ACK, Round
from socp.bench.sample import Named, Sample
from socp.bench.serving import Server, Watch, reference, sample_of
from socp.bench.setting import Setting
from socp.bench.settled import settled
from socp.bench.trouble import CannotMeasure
from socp.bench.user import Allowance, Kind, User, joined, leave

AUTHORS = 250
EACH = 60
WINDOW = 4
READERS = 100  # who share what their mailboxes may hold
GROUP = 500  # rows in one commit of the reference: about what waits at a time here
QUEUED = b'"status":"queued"'


class Writers:
    """Authors who write to those who are away."""

    def __init__(self, server: Server, authors: Sequence[User], readers: Sequence[str]) -> None:
        self._server, self._authors, self._readers = server, authors, readers
        self._allowance = Allowance()
        self._not_queued = 0

    async def write(self) -> Sample:
        """Each to their reader, until all of it is on the disk by the server's word."""
        made = {
            author.link: author.directs(self._readers[number % len(self._readers)], EACH)
            for number, author in enumerate(self._authors)
        }
        count = EACH * len(self._authors)
        talk = Round(made, goes_on=ACK, owed={ACK: count}, observe=self._look)
        await self._allowance.take(EACH)
        watch = Watch(self._server)
        await talk.run(WINDOW)
        measured = watch.sample(count)
        if self._not_queued:
            raise CannotMeasure(f"{self._not_queued} messages were acknowledged and not kept")
        return measured

    def _look(self, frame: bytes) -> None:
        self._not_queued += QUEUED not in frame


async def measure(setting: Setting) -> AsyncIterator[Figure]:
    """Goal 9."""
    with setting.server("mailbox") as server:
        readers = await joined(server.url, Kind.KEEPING, READERS)
        leave(readers)
        await asyncio.sleep(0)
        await settled(server)
        authors = await joined(server.url, Kind.FAST, setting.links(AUTHORS, 25))
        writers = Writers(server, authors, [each.id for each in readers])
        size = len(authors[0].directs(readers[0].id, 1)[0])
        count = EACH * len(authors)
        file = str(setting.folder / "reference.db")
        setting.folder.mkdir(parents=True, exist_ok=True)
        with reference("bare_commits") as commits:

            async def committed() -> Sample:
                return sample_of(commits.ask(file, count, size, GROUP))

            pairs = await setting.in_turn(committed, writers.write, Sample.clock_rate)
        leave(authors)
    named = Named(
        key="mailbox",
        what="durable messages to those away, without RSA",
        unit="messages",
        reference=f"sqlite3, {GROUP} rows a commit, synced",
    )
    yield sample.figure(named, pairs, goals.MAILBOX)
