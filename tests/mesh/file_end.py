"""One end of a file transfer as a process of its own, so that its memory is its own.

`python -m tests.mesh.file_end FOLDER URL NAME [FILE...]`: with FILEs it sends those to the first
other person who comes, and says what time it is every half second meanwhile; without, it receives.
What happens is written to standard output, one JSON object a line.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from socp.client.client import Client
from socp.client.unlocking import Plain
from socp.member import effects

SAYS_EVERY_S = 0.5


def tell(what: str, **more: object) -> None:
    print(json.dumps({"what": what, **more}), flush=True)  # noqa: T201 - the other end reads it


async def says_the_time(me: Client, to: str) -> None:
    while True:
        await me.send(to, f"{time.time_ns() // 1_000_000}")
        await asyncio.sleep(SAYS_EVERY_S)


async def hears(me: Client, files: tuple[str, ...]) -> None:
    saying: asyncio.Task[None] | None = None
    async for notice in me.events():
        match notice:
            case effects.Online():
                tell("online")
            case effects.PeerMoved(online=True, user_id=who) if files and saying is None:
                saying = asyncio.create_task(says_the_time(me, who))
                for file in files:
                    tell("offers", file_id=await me.send_file(who, Path(file)))
            case effects.MessageArrived(text=text):
                tell("message", late_ms=time.time_ns() // 1_000_000 - int(text))
            case effects.FileProgress(done=done, bytes_per_s=rate):
                tell("progress", done=done, rate=rate)
            case effects.FileWaits(reason=reason, done=done):
                tell("waits", reason=reason, done=done)
            case effects.FileFailed(reason=reason):
                tell("failed", reason=reason)
            case effects.FileDone(path=path, kept=kept):
                tell("done", path=path, kept=kept)


async def main(folder: str, url: str, name: str, *files: str) -> None:
    opening = Client.open(
        Path(folder), url, name=name, downloads=Path(f"{folder}-downloads"), lock=Plain()
    )
    async with opening as me:
        await hears(me, files)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
