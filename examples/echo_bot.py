"""Says back what it is told in private: `python examples/echo_bot.py PROFILE`, a profile's folder.

`socp profile new --profile-dir PROFILE --as echo --vault plain --server URL` makes one. It repeats
only what is bound to its author: words of plain v1.3 could be somebody else's, sealed for us alone.
"""

import asyncio
import sys
from pathlib import Path

from socp.client import Client, ClientError, GivenUp, MessageArrived, Trust

SURE = (Trust.PINNED, Trust.VERIFIED)


async def echo(profile: Path) -> None:
    async with Client.open(profile) as me:
        print(f"{me.name} is {me.user_id}", flush=True)
        async for event in me.events():
            match event:
                case MessageArrived(public=False, trust=trust) if trust in SURE:
                    await me.send(event.author, event.text, reply_to=event.msg_ref)
                case MessageArrived(public=False):
                    await me.send(event.author, f"not repeated: {event.trust}")
                case GivenUp():
                    sys.exit(f"the server turned us away: {event.reason}")


if __name__ == "__main__":
    try:
        asyncio.run(echo(Path(sys.argv[1])))
    except ClientError as fault:
        sys.exit(str(fault))
