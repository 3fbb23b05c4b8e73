"""A schedule of sends, leavings and kills from one seed, and three real servers and four people to
play it with.

The same seed is the same schedule. What the processes make of it is up to the machine.
"""

from __future__ import annotations

import asyncio
import random
import resource
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from socp.client.client import Client
from socp.client.unlocking import Plain, unlock
from socp.member.effects import GapFound, LineMoved, MessageArrived, MessageRefused, Warned
from socp.member.records import LineState, OutboxLine
from socp.wire.ids import PUBLIC
from tests import logbook
from tests.cli.talkers import give_key as give_user_key
from tests.mesh.health import health
from tests.mesh.launch import Running, running
from tests.mesh.stored import give_key as give_server_key
from tests.mesh.test_talk import free_ports

NAMES: Final = ("alice", "bob", "carol", "dave")
SERVERS: Final = 3
AT: Final = (0, 1, 2, 0)  # at which server each of them is
SAY_MS: Final = (20, 140)  # from one message to the next
LIFE_MS: Final = (300, 1_500)  # from a start to the next kill
DEAD_MS: Final = (0, 700)
AWAY_MS: Final = (300, 4_000)
TROUBLE_MS: Final = (500, 2_500)
HEALED_S: Final = 180


@dataclass(frozen=True, slots=True)
class Step:
    """At `at_ms` from the beginning: say, leave, come, kill, start, trouble, calm."""

    at_ms: int
    what: str
    who: int  # a person, or a server
    to: int = -1  # whom something is said to; -1 for all
    text: str = ""


def schedule(seed: int, kills: int, *, troubles: bool = False) -> list[Step]:
    """What happens, in order. `troubles`: disks fail in between, and are well again."""
    dice = random.Random(seed)
    steps: list[Step] = []
    now = 0
    for _ in range(kills):
        now += dice.randint(*LIFE_MS)
        server = dice.randrange(SERVERS)
        steps.append(Step(now, "kill", server))
        now += dice.randint(*DEAD_MS)
        steps.append(Step(now, "start", server))
    end = now + 1_000
    steps += _says(dice, end)
    steps += _pairs(dice, end, ("leave", "come"), len(NAMES), AWAY_MS, 3_000)
    if troubles:
        steps += _pairs(dice, end, ("trouble", "calm"), SERVERS, TROUBLE_MS, 3_000)
    return sorted(steps, key=lambda step: step.at_ms)


def _says(dice: random.Random, end: int) -> list[Step]:
    steps: list[Step] = []
    now = 0
    while now < end:
        now += dice.randint(*SAY_MS)
        author = dice.randrange(len(NAMES))
        to = dice.choice([n for n in range(len(NAMES)) if n != author])
        to = -1 if dice.random() < 0.1 else to
        text = f"{NAMES[author]} {len(steps)} to {'all' if to < 0 else NAMES[to]}"
        steps.append(Step(now, "say", author, to, text))
    return steps


def _pairs(
    dice: random.Random,
    end: int,
    names: tuple[str, str],
    count: int,
    last: tuple[int, int],
    gap: int,
) -> list[Step]:
    """Something that begins and ends again, for one after another."""
    steps: list[Step] = []
    now = 0
    while now < end:
        now += dice.randint(gap // 3, gap)
        who = dice.randrange(count)
        steps.append(Step(now, names[0], who))
        now += dice.randint(*last)
        steps.append(Step(now, names[1], who))
    return steps


@dataclass
class Person:
    """Somebody at the library, who comes and goes on one profile."""

    name: str
    url: str
    folder: Path
    texts: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)  # whatever else it was told of messages
    states: dict[str, LineMoved] = field(default_factory=dict)
    id: str = ""
    me: Client | None = None
    _stack: AsyncExitStack | None = None
    _listening: asyncio.Task[None] | None = None

    async def come(self) -> None:
        if self.me is not None:
            return
        self._stack = AsyncExitStack()
        opening = Client.open(
            self.folder / self.name,
            self.url,
            name=self.name,
            downloads=self.folder / f"{self.name}-downloads",
            lock=Plain(),
        )
        self.me = await self._stack.enter_async_context(opening)
        self.id = self.me.user_id
        self._listening = asyncio.create_task(self._listen(self.me))

    async def leave(self) -> None:
        if self.me is None or self._stack is None or self._listening is None:
            return
        self._listening.cancel()
        await asyncio.wait({self._listening})
        self.me = None
        await self._stack.aclose()

    async def _listen(self, me: Client) -> None:
        async for notice in me.events():
            if isinstance(notice, MessageArrived):
                self.texts.append(notice.text)
            elif isinstance(notice, LineMoved):
                self.states[notice.text] = notice
            elif isinstance(notice, MessageRefused | Warned | GapFound):
                self.doubts.append(str(notice))

    def untaken(self) -> set[str]:
        """The texts of lines that no server took: what is in the outbox on the disk.

        The news that one was taken may have come when nobody listened any more.
        """
        profile = self.folder / self.name
        vault, file = unlock(profile, None), profile / "socp.db"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=60)) as database:
            rows = database.execute("SELECT name, sealed FROM outbox").fetchall()
        opened = (vault.open("outbox", name, sealed) for name, sealed in rows)
        lines = [msgspec.msgpack.decode(each, type=OutboxLine) for each in opened]
        return {line.text for line in lines if not line.quiet}

    def refused(self, text: str) -> LineMoved | None:
        moved = self.states.get(text)
        return moved if moved is not None and moved.state is LineState.REFUSED else None

    async def say(self, to: str, text: str) -> bool:
        """False where they are not there to say anything."""
        if self.me is None:
            return False
        logbook.said(text)
        await self.me.send(to, text)
        return True


Trouble = Callable[[Running | None, bool], None]
"""trouble(server, begins): make its disk fail, or be well again."""


def full_disk(server: Running | None, begins: bool) -> None:
    """No file of that process may grow beyond what the smallest page takes: to its database the
    disk is full."""
    if server is None:
        return
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    soft = 4096 if begins else hard
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (soft, hard))


class Storm:
    """Plays a schedule; a process that is killed is started again on its folder."""

    def __init__(
        self, folder: Path, steps: list[Step], *, databases: list[str] | None = None
    ) -> None:
        self.folder = folder
        self.steps = steps
        self.ports = free_ports(SERVERS)
        self.databases = databases or []
        self.servers: dict[int, Running] = {}
        self._stacks: dict[int, ExitStack] = {}
        self.people = [
            Person(name, f"ws://127.0.0.1:{self.ports[at]}", folder)
            for name, at in zip(NAMES, AT, strict=True)
        ]
        self.said: list[Step] = []
        self.kills = 0
        self.log: list[str] = []  # of all servers that ended
        self.trouble: Trouble = full_disk
        self.down: set[int] = set()  # servers to be started once their database is there
        self.in_trouble = False
        self._entries = [
            f"ws://127.0.0.1:{port}#{give_server_key(folder / str(n), n)}"
            for n, port in enumerate(self.ports)
        ]

    def start(self, server: int) -> None:
        if server in self.servers:
            return
        others = [entry for n, entry in enumerate(self._entries) if n != server]
        flags = [flag for entry in others for flag in ("--bootstrap", entry)]
        if self.databases:
            flags += ["--database", self.databases[server]]
        stack = ExitStack()
        started = running(self.folder / str(server), *flags, port=self.ports[server])
        self.servers[server] = stack.enter_context(started)
        self._stacks[server] = stack

    def kill(self, server: int) -> None:
        """As the kernel does when memory runs out: nothing is said, nothing is flushed."""
        running_ = self.servers.pop(server, None)
        if running_ is not None:
            running_.process.send_signal(signal.SIGKILL)
            self._stacks.pop(server).close()
            self.log += running_.lines
            self.kills += 1

    async def begin(self) -> None:
        for server in range(SERVERS):
            await asyncio.to_thread(self.start, server)
        for number, person in enumerate(self.people):
            give_user_key(self.folder / person.name, number + SERVERS)
            await person.come()
        await self._until(self._all_know_each_other, 30)

    def _all_know_each_other(self) -> bool:
        return all(
            person.me is not None
            and person.me.reaches(PUBLIC)
            and all(person.me.reaches(o.id) for o in self.people if o is not person)
            for person in self.people
        )

    async def play(self) -> None:
        began = time.monotonic()
        for step in self.steps:
            await asyncio.sleep(max(0.0, began + step.at_ms / 1000 - time.monotonic()))
            await self._do(step)

    async def _do(self, step: Step) -> None:
        match step.what:
            case "say":
                to = PUBLIC if step.to < 0 else self.people[step.to].id
                if await self.people[step.who].say(to, step.text):
                    self.said.append(step)
            case "leave":
                await self.people[step.who].leave()
            case "come":
                await self.people[step.who].come()
            case "kill":
                await asyncio.to_thread(self.kill, step.who)
            case "start" if self.databases and self.in_trouble:
                self.down.add(step.who)
            case "start":
                await asyncio.to_thread(self.start, step.who)
            case "trouble":
                await self._trouble(step.who, begins=True)
            case "calm":
                await self._trouble(step.who, begins=False)

    async def _trouble(self, server: int, *, begins: bool) -> None:
        self.in_trouble = begins
        await asyncio.to_thread(self.trouble, self.servers.get(server), begins)
        while self.down and not begins:
            await asyncio.to_thread(self.start, self.down.pop())

    async def heal(self) -> None:
        """Everything is up, everybody there, until nothing waits any more."""
        for server in range(SERVERS):
            await self._trouble(server, begins=False)
            await asyncio.to_thread(self.start, server)
        for person in self.people:
            await person.come()
        await self._until(self._settled, HEALED_S)

    def _settled(self) -> bool:
        return (
            self._all_shown()
            and not any(person.untaken() for person in self.people)
            and self._nothing_waits()
        )

    def _nothing_waits(self) -> bool:
        return all(health(server)["mail_waiting"] == 0 for server in self.servers.values())

    def _all_shown(self) -> bool:
        shown = [set(person.texts) for person in self.people]
        return all(
            step.text in shown[reader] for step in self.said for reader in self._readers(step)
        )

    @staticmethod
    def _readers(step: Step) -> list[int]:
        return [n for n in range(len(NAMES)) if n != step.who] if step.to < 0 else [step.to]

    async def _until(self, done: Callable[[], bool], seconds: float) -> None:
        """It holds, or the time is over: whoever asks looks what is missing."""
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:  # noqa: ASYNC110 - ends by the clock
            await asyncio.sleep(0.1)

    async def end(self) -> None:
        for person in self.people:
            await person.leave()
        for server in tuple(self.servers):
            self._stacks.pop(server).close()
            self.log += self.servers.pop(server).lines

    def faults(self) -> list[str]:
        """What was acknowledged and is not there just once, in its author's order."""
        found = []
        untaken = {text for person in self.people for text in person.untaken()}
        for step in self.said:
            author = self.people[step.who]
            refused = author.refused(step.text)
            if refused is not None or step.text in untaken:
                moved = refused or author.states.get(step.text)
                found.append(f"{step.text!r} was not taken: {moved}")
                continue
            for reader in self._readers(step):
                times = self.people[reader].texts.count(step.text)
                if times != 1:
                    last = author.states.get(step.text)
                    found.append(
                        f"{step.text!r} was shown {times} times to {NAMES[reader]}; {last}"
                    )
        found += self._out_of_order()
        told = [
            f"{person.name} was told {doubt}" for person in self.people for doubt in person.doubts
        ]
        return found + told if found else []

    def _out_of_order(self) -> list[str]:
        found = []
        for author in range(len(NAMES)):
            for reader in range(len(NAMES)):
                said = [s.text for s in self.said if (s.who, s.to) == (author, reader)]
                got = [text for text in self.people[reader].texts if text in set(said)]
                if got != said:
                    found.append(f"{NAMES[author]} to {NAMES[reader]}: said {said}, shown {got}")
        return found
