"""Joins a talk to standard input and output: `python examples/bridge.py PROFILE WHO`.

Each line read is said to WHO, a name or an id; what WHO says comes out, with how sure it is that
they wrote it. It ends with its input, when all was handed over.
"""

import asyncio
import sys
from pathlib import Path

from socp.client import Client, ClientError, GivenUp, MessageArrived
from socp.wire.text import printable


async def hear(me: Client, who: str) -> None:
    async for event in me.notices():
        if isinstance(event, MessageArrived) and event.author == who and not event.public:
            text = printable(event.text, multiline=True).replace("\n", "\n    ")
            print(f"[{event.trust}] {text}", flush=True)
            me.shown(event)  # what others say is left for whoever reads it
        elif isinstance(event, GivenUp):
            sys.exit(f"the server turned us away: {event.reason}")


async def bridge(profile: Path, name: str) -> None:
    async with Client.open(profile) as me:
        hearing = asyncio.create_task(hear(me, who := me.find(name)))
        while line := await asyncio.to_thread(sys.stdin.readline):
            said = await me.send(who, line.rstrip("\n"))
            await said.settled()
        hearing.cancel()


if __name__ == "__main__":
    try:
        asyncio.run(bridge(Path(sys.argv[1]), sys.argv[2]))
    except ClientError as fault:
        sys.exit(str(fault))
