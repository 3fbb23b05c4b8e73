"""A server that takes hellos and answers nothing else: it is told so soon, and what needs an answer
is not judged by its silence. One that answers late is judged as any other."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from socp.conform.cast import new_id
from socp.conform.frames import now_ms
from socp.conform.verdicts import Verdict
from tests.conform.conftest import HASTY
from tests.conform.stage import failed, judge, named
from tests.conform.test_strangers import Handle, web_server

ASKED = ["6.50-list", "6.60-pubkey-request", "6.20-delivered"]
ID = new_id()


def said(kind: str, **payload: object) -> str:
    frame = {"type": kind, "from": ID, "to": "*", "ts": now_ms(), "payload": payload, "sig": ""}
    return json.dumps(frame)


def ack(frame: dict[str, Any]) -> str:
    return said("ACK", msg_ref=frame["type"], status="ok")


async def acknowledges(request: web.Request) -> web.StreamResponse:
    """Each frame by an ACK."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(ack(json.loads(message.data)))
    return socket


async def is_one_late(request: web.Request) -> web.StreamResponse:
    """A hello at once, and every question when the next one comes."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    owed = ""
    async for message in socket:
        frame = json.loads(message.data)
        if owed:
            await socket.send_str(owed)
        if frame["type"] == "USER_HELLO":
            await socket.send_str(ack(frame))
        else:
            owed = said("USER_LIST", users=[])
    return socket


async def verdicts(handle: Handle, *globs: str) -> tuple[list[str], list[str], set[str]]:
    """Which fail, which are skipped, and why."""
    async with web_server(handle) as at:
        report = await judge(f"ws://{at}", *globs, manners=HASTY)
    skipped = named(report, Verdict.SKIPPED)
    return failed(report), skipped, {r.why for r in report.results if r.rule.id in skipped}


async def test_a_server_that_only_acknowledges_is_told_what_could_not_be_judged() -> None:
    silent = "6.28-nobody-else"  # would hold at a server that never says anything
    fails, skipped, why = await verdicts(acknowledges, *ASKED, "6.51*", silent, "6.7-*")
    assert sorted(fails) == sorted(ASKED)
    assert set(skipped) == {"6.51-list-has-who-is-here", silent, "6.7-newcomer-is-told"}
    assert why == {
        f"it answers nothing after the hello, as {', '.join(ASKED)} found: mend those first"
    }


async def test_what_the_hello_shows_is_judged_all_the_same() -> None:
    fails, skipped, _ = await verdicts(acknowledges, *ASKED, "6.1-*", "6.3-*")
    assert (set(fails) - {*ASKED}, skipped) == ({"6.3-ack-pubkey"}, [])


async def test_a_server_whose_answers_come_late_is_judged_as_any_other() -> None:
    fails, skipped, _ = await verdicts(is_one_late, *ASKED, "6.51*", "6.7-*")
    assert {*ASKED[:2], "6.7-newcomer-is-told"} <= set(fails)
    assert not skipped


async def test_where_the_first_questions_are_not_chosen_each_rule_has_its_patience() -> None:
    fails, skipped, _ = await verdicts(acknowledges, "6.51*", "6.7-*")
    assert (len(fails), skipped) == (2, [])
