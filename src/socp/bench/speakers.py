"""People who talk to one reader, in a process of their own, with real keys. What they say is made
before anybody looks at a clock: 200 signatures twice a second would take the processor from the
screen, which on other machines they would not."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from socp.bench.giving_way import give_way
from socp.bench.speaker import Speaker
from socp.client import dialling, server_url
from socp.client.dialling import Socket
from socp.crypto.keys import load_private
from socp.member.events import Connected, Tick
from socp.wire import base64url

A_SECOND: Final = 200
READER: Final = "reader"
PEOPLE: Final = 18
_TURNS: Final = (0, *range(PEOPLE), PEOPLE - 1)
"""Who speaks after whom: the first, to whom one listens, and the last, to everybody, twice a turn.
A server takes 30 frames a second from each."""
_KEYS: Final = Path("vectors") / "keys" / "pool.json"
_TICK_S: Final = 0.1
_PATIENCE_S: Final = 120
_LATE_S: Final = 1.0  # what is later than that is not made good


class Speakers:
    """All of them. `make` so many messages, then `speak` them."""

    def __init__(self, url: str, called: str) -> None:
        texts = [row["private"] for row in json.loads(_KEYS.read_text())["keys"]]
        keys = [load_private(base64url.decode(text)) for text in texts[:PEOPLE]]
        last = PEOPLE - 1
        self._people = [
            Speaker(f"{called} {number}", url, key, READER, public=number == last)
            for number, key in enumerate(keys)
        ]
        self._sockets: list[Socket] = []
        self._made: list[tuple[int, bytes]] = []
        self.said = 0

    async def join(self, stack: AsyncExitStack, url: str) -> None:
        """Have each of them taken by the server; return when all can speak."""
        there = server_url.parse(url)
        session = await stack.enter_async_context(dialling.session())
        for each in self._people:
            self._sockets.append(await dialling.dial(session, there))
            await each.handle(self._sockets[-1], Connected(os.urandom(32)))
        async with asyncio.timeout(_PATIENCE_S), asyncio.TaskGroup() as tasks:
            for each, socket in zip(self._people, self._sockets, strict=True):
                tasks.create_task(self._greet(each, socket))

    async def _greet(self, one: Speaker, socket: Socket) -> None:
        while not all(each.ready for each in self._people):
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await one.hear(socket, (await socket.receive()).data)
            await one.handle(socket, Tick())

    async def make(self, count: int) -> None:
        """Seal and sign, on all there is of processors."""
        speakers = [_TURNS[at % len(_TURNS)] for at in range(count)]
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            loop = asyncio.get_running_loop()
            by_one = [
                loop.run_in_executor(threads, self._made_by, number, speakers.count(number))
                for number in range(PEOPLE)
            ]
            made = [iter(each) for each in await asyncio.gather(*by_one)]
        self._made = [(number, next(made[number])) for number in speakers]

    def _made_by(self, number: int, count: int) -> list[bytes]:
        return [self._people[number].next().data for _ in range(count)]

    async def speak(self) -> None:
        """All that was made, at its pace."""
        due = time.perf_counter()
        for number, data in self._made:
            due = max(due + 1 / A_SECOND, time.perf_counter() - _LATE_S)
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            await self._sockets[number].send_str(data.decode())
            self.said += 1

    async def ignore(self) -> None:
        """What they are told is not looked at: they would do that elsewhere."""
        async with asyncio.TaskGroup() as tasks:
            for socket in self._sockets:
                tasks.create_task(_drained(socket))


async def _drained(socket: Socket) -> None:
    async for _ in socket:
        pass


async def _run(url: str, called: str, count: int) -> None:
    """One line is said when all is made; then one of ours is waited for, and one more."""
    speakers = Speakers(url, called)
    async with AsyncExitStack() as stack:
        await speakers.join(stack, url)
        ignoring = asyncio.create_task(speakers.ignore())
        await speakers.make(count)
        print("made", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        speaking = asyncio.create_task(speakers.speak())
        await asyncio.to_thread(sys.stdin.readline)
        print(speakers.said, flush=True)
        for task in (speaking, ignoring):
            task.cancel()


class Crowd:
    """The process of the speakers, as the benchmark sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._asked, self._answered = process.stdin, process.stdout

    def begin(self) -> None:
        """Say what was made."""
        print(file=self._asked, flush=True)

    def end(self) -> int:
        """Stop; how often something was said."""
        print(file=self._asked, flush=True)
        return int(self._answered.readline())

    def made(self) -> None:
        """Return when all is ready to be said."""
        if self._answered.readline() != "made\n":
            raise RuntimeError("those who were to talk did not get as far as that")


@contextmanager
def crowd(url: str, called: str, seconds: float) -> Iterator[Crowd]:
    """People with so many seconds of messages in their hands, `called` that and a number; to the
    one with 0 somebody listens."""
    count = str(round(seconds * A_SECOND))
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", "socp.bench.speakers", url, called, count],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    give_way(process.pid)
    try:
        people = Crowd(process)
        people.made()
        yield people
    finally:
        process.terminate()
        process.communicate()


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], sys.argv[2], int(sys.argv[3])))
