"""A server that says what it is, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from tests.client.v13_server import SERVER_ID


@asynccontextmanager
async def described(registration: str, port: int = 0) -> AsyncIterator[int]:
    """The port it listens at, on loopback; 0 takes a free one."""

    async def said(_: web.Request) -> web.Response:
        return web.json_response({"server_id": SERVER_ID, "registration": registration, "more": 1})

    app = web.Application()
    app.router.add_get("/.well-known/socp", said)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
