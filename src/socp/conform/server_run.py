"""One run against a server: a first look at it, then each rule that can be tried there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from socp.conform.cast import Cast
from socp.conform.expect import LISTS
from socp.conform.frames import Frame
from socp.conform.judging import judged, rests_on_a_fault, skipped
from socp.conform.manners import Manners
from socp.conform.probe import Probe, Refused, World
from socp.conform.reaching import new_session
from socp.conform.results import Report, Result, in_order
from socp.conform.rule import Need, Rule
from socp.conform.transcript import Transcript
from socp.conform.verdicts import Finding

_STANDING: Final = ("bob", "carol", "west", "erin", "fred", "north")
_FIRST: Final = ("6.50-list", "6.60-pubkey-request", "6.20-delivered")
"""What every server answers: where none of it was, and nothing else, nothing will be."""
_DEAF: Final = f"it answers nothing after the hello, as {', '.join(_FIRST)} found: mend those first"
_MANY_RULES: Final = 30  # then all of them are needed soon, and keys are made meanwhile
Tell = Callable[[Result], None]


class CannotRun(Exception):
    """Nothing can be judged; why, and what to do."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be judged, and how."""

    url: str
    rules: tuple[Rule[Probe], ...]
    peer_url: str = ""
    throw_away: bool = False
    quick: bool = False
    """Leave out what waits by its nature."""
    manners: Manners = field(default_factory=Manners)


async def judge_server(order: Order, tell: Tell, cast: Cast | None = None) -> Report:
    """Try every rule; `tell` hears of each as soon as it was tried. Raises CannotRun."""
    async with _world(order, cast or Cast()) as world:
        await _look(world)
        results: list[Result] = []

        def told(result: Result) -> None:
            results.append(result)
            tell(result)

        ready = []
        for rule in order.rules:
            why = _hindrance(rule, world, quick=order.quick)
            if why:
                told(skipped(rule, why))
            else:
                ready.append(rule)
        if not ready:
            raise CannotRun(f"none of these rules can be tried: {results[0].why}")
        if len(ready) > _MANY_RULES:
            world.cast.call(*_STANDING)
        async with asyncio.TaskGroup() as group:
            for rule in ready:
                if rule.waits_s:
                    group.create_task(_one(rule, world, told))
            at_once = [rule for rule in ready if not rule.waits_s]
            group.create_task(_one_by_one(at_once, world, told, results))
        return Report(order.url, in_order(results, order.rules))


async def _one_by_one(
    rules: Sequence[Rule[Probe]], world: World, told: Tell, results: Sequence[Result]
) -> None:
    first = [rule for rule in rules if rule.id in _FIRST]
    for number, rule in enumerate((*first, *(rule for rule in rules if rule not in first)), 1):
        if rests_on_a_fault(rule, results):
            told(skipped(rule, f"rests on {rule.rests_on}, which does not hold"))
            continue
        await _one(rule, world, told)
        if number == len(first) == len(_FIRST):
            world.deaf = _DEAF
        await asyncio.sleep(world.manners.rest_s)


async def _one(rule: Rule[Probe], world: World, told: Tell) -> None:
    @asynccontextmanager
    async def staged(transcript: Transcript) -> AsyncIterator[Probe]:
        async with _probe(world, transcript) as probe:
            yield probe

    told(await judged(rule, staged))


@asynccontextmanager
async def _probe(world: World, transcript: Transcript) -> AsyncIterator[Probe]:
    probe = Probe(world, transcript)
    try:
        yield probe
    finally:
        await probe.close()


@asynccontextmanager
async def _world(order: Order, cast: Cast) -> AsyncIterator[World]:
    """Everybody says goodbye at its end."""
    async with new_session() as session:
        world = World(
            url=order.url,
            session=session,
            cast=cast,
            manners=order.manners,
            peer_url=order.peer_url,
            throw_away=order.throw_away,
        )
        try:
            yield world
        finally:
            for peer in world.standing.values():
                await peer.link.close()
            await cast.dismiss()


async def _look(world: World) -> None:
    """What kind of server it is: whom it lets in, and which extensions it has. Raises CannotRun
    where it is none."""
    transcript = Transcript()
    async with _probe(world, transcript) as probe:
        try:
            await probe.connect()
        except Finding as fault:
            raise CannotRun(str(fault)) from fault
        world.cast.call("alice", "east")
        spoke = [await _let_user_in(world, probe), await _let_server_in(world, probe)]
        if True not in spoke and not await _lists(world, probe):
            said = world.no_users or "nothing that can be read comes"
            raise CannotRun(
                f"there is a WebSocket at {world.url}, but nobody who speaks SOCP: after USER_HELLO"
                f" {said}; after SERVER_HELLO_JOIN {world.no_servers}"
            )


async def _let_user_in(world: World, probe: Probe) -> bool:
    """Whether it answers the hello of a user in SOCP, be it by an ERROR."""
    try:
        alice = await probe.alice()
    except Finding as fault:
        world.no_users = str(fault)
        return isinstance(fault, Refused)
    world.server_id, world.features = alice.server_id, _announced(alice.answer)
    return bool(alice.answer.type)


async def _let_server_in(world: World, probe: Probe) -> bool:
    """The same for a server."""
    try:
        east = await probe.east()
    except Finding as fault:
        world.no_servers = str(fault)
        return isinstance(fault, Refused)
    world.server_id = world.server_id or east.server_id
    world.features |= _announced(east.answer)
    return True


async def _lists(world: World, probe: Probe) -> bool:
    """Some answer no hello (section 13): then whether it lists who is there."""
    if world.no_users:
        return False
    alice = await probe.alice()
    await alice.say("LIST_REQUEST", {})
    try:
        await alice.link.hears(*LISTS)
    except Finding:
        return False
    return True


def _announced(answer: Frame) -> frozenset[str]:
    """What it can, by this answer to a hello: servers may be told of more than users."""
    features = answer.get("features")
    return frozenset(map(str, features if isinstance(features, list) else ()))


def _hindrance(rule: Rule[Any], world: World, *, quick: bool) -> str:
    """Why a rule cannot be tried here, "" where it can."""
    missing = {
        Need.USERS: world.no_users,
        Need.SERVERS: world.no_servers,
        Need.KNOWN: "" if world.no_servers else "it lets any server join",
        Need.PEER: "" if world.peer_url else "no --peer was given",
        Need.THROW_AWAY: "" if world.throw_away else "--throw-away was not given",
    }
    for need in rule.needs:
        if missing[need]:
            return f"{need}" if need in (Need.PEER, Need.THROW_AWAY) else f"{need}: {missing[need]}"
    if rule.feature and rule.feature not in world.features:
        return f"the server does not announce {rule.feature}"
    if quick and rule.waits_s:
        return f"waits for {rule.waits_s} s, and --quick was given"
    return ""
