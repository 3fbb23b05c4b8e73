"""Guests of the referee: our client, our server that dials, and a client written in a hurry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import aiohttp

from socp.client.client import Client
from socp.client.unlocking import Plain
from socp.conform.cast import Identity, new_id
from socp.conform.figures import MIB
from socp.conform.frames import Frame
from socp.conform.listen.house import House
from socp.conform.listen.run import GUEST_RULES, Door, judge_guest
from socp.conform.results import Report
from socp.member.effects import Online
from tests.conform.stage import QUICK, private_key, stored_keys
from tests.keys import StoredKeys
from tests.mesh.launch import running

Guest = Callable[[House], Coroutine[Any, Any, None]]


async def judge_visit(
    guest: Guest, *globs: str, wait_s: float = 20, back_s: float = 15, first_key: int = 20
) -> Report:
    """The report on this guest, who attaches when the door is open: by the rules that fit one of
    these, all where there is none."""
    came: list[asyncio.Task[None]] = []
    rules = tuple(
        rule for rule in GUEST_RULES if not globs or any(fnmatchcase(rule.id, g) for g in globs)
    )
    door = Door("127.0.0.1", 0, rules, wait_s=wait_s, back_s=back_s, manners=QUICK)
    try:
        return await judge_guest(
            door,
            lambda _result: None,
            lambda house: came.append(asyncio.create_task(guest(house))),
            stored_keys(first_key),
        )
    finally:
        for task in came:
            task.cancel()
        await asyncio.gather(*came, return_exceptions=True)


def our_client(folder: Path) -> Guest:
    """It says something to whom it finds there, and asks for the list."""

    async def visit(house: House) -> None:
        url = f"ws://127.0.0.1:{house.port}"
        large = folder / "large.bin"
        large.write_bytes(bytes(8 * MIB))
        async with Client.open(folder, url, name="ann", lock=Plain(), suite=StoredKeys()) as me:
            asked = False
            async for notice in me.events():
                if isinstance(notice, Online) and not asked:
                    asked = True
                    await me.send(house.bob.id, "hello")
                    await me.send(house.hal.id, "hello")
                    await me.send(house.hal.id, "and again")
                    await me.send_file(house.hal.id, large)
                    await me.list_users()

    return visit


def our_server(folder: Path) -> Guest:
    """A process that dials; it ends with its visit."""

    async def visit(house: House) -> None:
        at = f"ws://127.0.0.1:{house.port}#{house.who.key.public.fingerprint}"
        over = asyncio.Event()
        loop = asyncio.get_running_loop()

        def run() -> None:
            with running(folder, "--ephemeral", "--bootstrap", at):
                asyncio.run_coroutine_threadsafe(over.wait(), loop).result()

        working = asyncio.create_task(asyncio.to_thread(run))
        try:
            await asyncio.shield(working)
        finally:
            over.set()
            await working

    return visit


class Clumsy:
    """A client written in a hurry: it pads its key, signs nothing, and dies of what is no JSON."""

    def __init__(self) -> None:
        self.who = Identity("clumsy", new_id(), private_key(9))

    async def __call__(self, house: House) -> None:
        async with aiohttp.ClientSession() as session:
            with suppress(aiohttp.ClientError, ValueError):
                async with session.ws_connect(f"ws://127.0.0.1:{house.port}") as socket:
                    await self._talk(socket)

    async def _talk(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        key = self.who.key.public.text + "=="
        payload = {"client": "clumsy", "pubkey": key, "enc_pubkey": key}
        head = {"from": self.who.id, "to": "*", "ts": 1_700_000_000}
        await socket.send_json({"type": "USER_HELLO", **head, "payload": payload})
        async for message in socket:
            frame = Frame.read(message.data)
            if not frame.is_object:
                raise ValueError("no JSON")
            if frame.type == "ERROR":
                error = {"code": "BAD_FRAME", "detail": ""}
                await socket.send_json({"type": "ERROR", **head, "payload": error})
