"""The reference for what links cost: aiohttp's WebSockets and nothing else, on the same loop.

/echo says back what it is told, /crowd tells all others by one `send_str` each, /presence signs it
once (RSA, as any server must), does so too, and tells a newcomer of each of the others, / only
listens.
"""

from __future__ import annotations

import asyncio
import gc
import socket
from typing import Final

import uvloop
from aiohttp import WSMsgType, web

from socp.bench import key_pool
from socp.crypto.keys import RsaPrivateKey

LARGEST_BYTES: Final = 2 * 2**20


async def _echo(request: web.Request) -> web.WebSocketResponse:
    link = await _opened(request)
    async for message in link:
        if message.type is WSMsgType.TEXT:
            await link.send_str(message.data)
    return link


async def _crowd(request: web.Request) -> web.WebSocketResponse:
    link = await _opened(request)
    members = request.app[MEMBERS]
    members.add(link)
    try:
        async for message in link:
            if message.type is WSMsgType.TEXT:
                for each in tuple(members):
                    if each is not link:
                        await each.send_str(message.data)
    finally:
        members.discard(link)
    return link


async def _presence(request: web.Request) -> web.WebSocketResponse:
    link = await _opened(request)
    members, key = request.app[MEMBERS], request.app[KEY]
    loop = asyncio.get_running_loop()
    async for message in link:
        if message.type is WSMsgType.TEXT:
            await loop.run_in_executor(None, key.sign, message.data.encode())
            for each in tuple(members):
                await each.send_str(message.data)
                await link.send_str(message.data)
            members.add(link)
    return link


async def _idle(request: web.Request) -> web.WebSocketResponse:
    link = await _opened(request)
    async for _ in link:
        pass
    return link


async def _opened(request: web.Request) -> web.WebSocketResponse:
    link = web.WebSocketResponse(compress=False, max_msg_size=LARGEST_BYTES)
    await link.prepare(request)
    return link


MEMBERS: Final = web.AppKey("members", set[web.WebSocketResponse])
KEY: Final = web.AppKey("key", RsaPrivateKey)


async def _serve() -> None:
    app = web.Application()
    app[MEMBERS] = set()
    (app[KEY],) = key_pool.keys(1)
    paths = {"/echo": _echo, "/crowd": _crowd, "/presence": _presence, "/": _idle}
    app.add_routes([web.get(path, answer) for path, answer in paths.items()])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    await web.SockSite(runner, listening).start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1000)  # as a server of ours has it
    print(listening.getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve())
