"""People who talk to one reader all the time, in a process of their own, with real keys."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from socp.client.client import Client
from socp.client.errors import UnknownPerson
from socp.client.unlocking import Plain

A_SECOND: Final = 200
READER: Final = "reader"
GIVING_WAY: Final = 15  # they would be on other machines
_SPEAKERS: Final = 8  # a server takes 30 frames a second from each
_PAUSE_S: Final = 0.15
_PATIENCE_S: Final = 60


@dataclass
class Speaker:
    """Somebody who says something, again and again."""

    me: Client
    said: int = 0
    began: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        """Nothing is left lying about."""
        async for _ in self.me.events():
            pass

    async def speak(self) -> None:
        """So often that all of them make `A_SECOND`."""
        while not (reader := self._reader()):  # noqa: ASYNC110 - it is told to `listen`
            await asyncio.sleep(_PAUSE_S)
        due = time.perf_counter()
        while True:
            text = f"message {self.said} of {self.me.name}, as long as people write them"
            await self.me.send(reader, text)
            self.said += 1
            self.began.set()
            due = max(due + _SPEAKERS / A_SECOND, time.perf_counter() - 1)
            await asyncio.sleep(max(due - time.perf_counter(), 0))

    def _reader(self) -> str:
        with suppress(UnknownPerson):
            return self.me.find(READER)
        return ""


async def _speak(folder: Path, url: str) -> None:
    """All of them; how much they said is written for each line that is read, until the last."""
    async with AsyncExitStack() as stack:
        speakers = []
        for number in range(_SPEAKERS):
            place, name = folder / f"speaker-{number}", f"speaker {number}"
            opening = Client.open(place, url, name=name, downloads=folder, lock=Plain())
            speakers.append(Speaker(await stack.enter_async_context(opening)))
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(work)
                for each in speakers
                for work in (each.listen(), each.speak())
            ]
            async with asyncio.timeout(_PATIENCE_S):
                for each in speakers:
                    await each.began.wait()
            while await asyncio.to_thread(sys.stdin.readline):
                print(sum(each.said for each in speakers), flush=True)
            for task in running:
                task.cancel()


@contextmanager
def speaking(folder: Path, url: str) -> Iterator[Callable[[], int]]:
    """While people speak: what tells how often they did so far."""
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", "socp.bench.speakers", str(folder), url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    asked, answered = process.stdin, process.stdout
    assert asked is not None
    assert answered is not None

    def said() -> int:
        print(file=asked, flush=True)
        return int(answered.readline())

    try:
        yield said
    finally:
        asked.close()
        answered.close()
        process.wait()


if __name__ == "__main__":
    os.nice(GIVING_WAY)
    asyncio.run(_speak(Path(sys.argv[1]), sys.argv[2]))
