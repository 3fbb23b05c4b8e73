"""The referee as a server: our client and our dialling server keep every rule, and a bad one does
not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from socp.client.client import Client
from socp.client.unlocking import Plain
from socp.conform.cast import Identity, new_id
from socp.conform.frames import Frame
from socp.conform.listen.house import House
from socp.conform.listen.run import Door, judge_guest
from socp.conform.results import Report
from socp.conform.verdicts import Verdict
from socp.member.effects import Online
from tests.conform.stage import QUICK, failed, named, private_key, stored_keys, told
from tests.keys import StoredKeys
from tests.mesh.launch import running

Guest = Callable[[House], Coroutine[Any, Any, None]]
WAIT_S = 15.0


async def judged(guest: Guest, *, wait_s: float = WAIT_S, back_s: float = 15.0) -> Report:
    """The report on this guest, who attaches when the door is open."""
    came: list[asyncio.Task[None]] = []
    door = Door("127.0.0.1", 0, wait_s=wait_s, back_s=back_s, manners=QUICK)
    try:
        return await judge_guest(
            door,
            lambda _result: None,
            lambda house: came.append(asyncio.create_task(guest(house))),
            stored_keys(20),
        )
    finally:
        for task in came:
            task.cancel()
        await asyncio.gather(*came, return_exceptions=True)


def odd(report: Report) -> set[Verdict]:
    return {each.verdict for each in report.results} - {Verdict.PASS, Verdict.SKIPPED}


async def test_our_client_keeps_every_rule(tmp_path: Path) -> None:
    async def client(house: House) -> None:
        url = f"ws://127.0.0.1:{house.port}"
        async with Client.open(
            tmp_path / "p", url, name="ann", lock=Plain(), suite=StoredKeys()
        ) as me:
            asked = False
            async for notice in me.events():
                if isinstance(notice, Online) and not asked:
                    asked = True
                    await me.send(house.bob.id, "hello")
                    await me.list_users()

    report = await judged(client)
    assert not odd(report), told(report)
    skipped = {each.rule.id: each.why for each in report.results if each.why}
    assert not skipped
    assert report.count(Verdict.PASS) > 30


async def test_our_server_that_dials_keeps_every_rule(tmp_path: Path) -> None:
    async def server(house: House) -> None:
        at = f"ws://127.0.0.1:{house.port}#{house.who.key.public.fingerprint}"

        def run(stop: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
            with running(tmp_path, "--ephemeral", "--bootstrap", at):
                asyncio.run_coroutine_threadsafe(stop.wait(), loop).result()

        stop = asyncio.Event()
        working = asyncio.create_task(asyncio.to_thread(run, stop, asyncio.get_running_loop()))
        try:
            await asyncio.shield(working)
        finally:
            stop.set()
            await working

    report = await judged(server)
    assert not odd(report), told(report)
    assert report.count(Verdict.PASS) > 30


# --- guests that break rules --------------------------------------------------------------------


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


@pytest.fixture(scope="module")
def clumsy() -> Report:
    return asyncio.run(judged(Clumsy(), wait_s=0.2, back_s=0.3))


def test_a_client_that_answers_an_error_with_an_error_is_told_so(clumsy: Report) -> None:
    assert "2.65-error-unanswered" in failed(clumsy), told(clumsy)


def test_a_client_whose_clock_counts_seconds_is_told_so(clumsy: Report) -> None:
    assert "2.61-unix-ms" in failed(clumsy)


def test_a_client_that_dies_of_bad_json_is_told_so(clumsy: Report) -> None:
    assert "2.70-no-json" in failed(clumsy)


def test_what_others_do_too_is_named_and_fails_nothing(clumsy: Report) -> None:
    assert named(clumsy, Verdict.DIFFERS) == ["3.51-key-text", "3.52-sig"]


def test_what_it_never_did_is_skipped_with_what_to_do(clumsy: Report) -> None:
    [why] = [e.why for e in clumsy.results if e.rule.id == "6.83-message-opens"]
    assert "have it send a message to ffffffff" in why
