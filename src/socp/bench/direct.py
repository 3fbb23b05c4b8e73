"""Direct messages: what signing allows, what routing alone allows, what `fast-sig/1` gains (goals 1
to 3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from statistics import median, quantiles
from typing import Final

from socp.bench import goals, sample
from socp.bench.figures import Figure, Side
from socp.bench.load_link import LoadLink, connect, ignored
from socp.bench.pairs import Measure
from socp.bench.rounds import ACK, DELIVERED, SAID, Observe, OpenRound, Round
from socp.bench.sample import PROCESSOR, Named, Sample
from socp.bench.serving import (
    Reference,
    Server,
    Watch,
    bare_server,
    option_exists,
    reference,
    sample_of,
)
from socp.bench.setting import Setting
from socp.bench.user import Allowance, Kind, User, joined, leave

PLAIN_USERS: Final = 48
PLAIN_EACH: Final = 15
PLAIN_WINDOW: Final = 1  # with 48 users 96 signatures wait at most: no server need refuse that
FAST_USERS: Final = 400
FAST_EACH: Final = 50
FAST_WINDOW: Final = 4
SIGN_S: Final = 1.0
SIGN_THREADS: Final = (1, 2)
HALF_ROUNDS: Final = 3
PROBE_S: Final = 3
_THREADS: Final = "--sign-threads"
_SIG_BYTES: Final = 690  # a signature in base64url, with what is around it


class Talkers:
    """Users in a ring: each says things to the next."""

    def __init__(self, server: Server, users: Sequence[User], each: int, window: int) -> None:
        self.users = users
        self._server = server
        self._each, self._window = each, window
        self._allowance = Allowance()
        self.acknowledged = True
        self.signatures: set[bytes] = set()
        self.said = 0

    async def probe(self) -> None:
        """Whether this server, which may be another's, acknowledges what it delivers."""
        one, other = self.users[:2]
        missing, all_heard = {ACK, DELIVERED}, asyncio.Event()

        def hear(_link: LoadLink, kind: bytes, _frame: bytes) -> None:
            missing.discard(kind)
            if not missing:
                all_heard.set()

        one.link.heard = other.link.heard = hear
        one.link.send(one.directs(other.id, 1)[0])
        with suppress(TimeoutError):
            async with asyncio.timeout(PROBE_S):
                await all_heard.wait()
        self.acknowledged = ACK not in missing
        one.link.heard = other.link.heard = ignored

    def made(self, each: int) -> dict[LoadLink, list[bytes]]:
        """What they will say."""
        return {
            user.link: user.directs(reader.id, each)
            for user, reader in zip(self.users, _turned(self.users), strict=True)
        }

    async def talk(self) -> Sample:
        """All of it, both frames that each message owes."""
        return await self._talk(None)

    async def talk_signed(self) -> Sample:
        """The same, counted in signatures made for it."""
        seen: set[bytes] = set()
        measured = await self._talk(lambda frame: seen.add(frame[-_SIG_BYTES:]))
        self.said, self.signatures = measured.count, seen
        return replace(measured, count=len(seen))

    async def _talk(self, observe: Observe | None) -> Sample:
        made, count = self.made(self._each), self._each * len(self.users)
        owed = {DELIVERED: count} | ({ACK: count} if self.acknowledged else {})
        goes_on = ACK if self.acknowledged else DELIVERED
        talk = Round(made, goes_on=goes_on, owed=owed, observe=observe)
        await self._allowance.take(self._each)
        watch = Watch(self._server)
        await talk.run(self._window)
        return watch.sample(count)

    async def latencies_s(self, a_second: float) -> list[float]:
        """At a fixed pace."""
        made = [iter(frames) for frames in self.made(self._each // 2).values()]
        ring = list(zip(self.users, _turned(self.users), made, strict=True))
        turns = [
            (user.link, reader.link, next(frames))
            for _ in range(self._each // 2)
            for user, reader, frames in ring
        ]
        await self._allowance.take(self._each // 2)
        return await OpenRound(turns).run(a_second)


def _turned(users: Sequence[User]) -> list[User]:
    return [*users[1:], users[0]]


class Echo:
    """The same frames to a bare server that says them back."""

    def __init__(self, server: Server, links: Sequence[LoadLink], talkers: Talkers) -> None:
        self._server, self._links, self._talkers = server, links, talkers

    async def talk(self) -> Sample:
        """As many as the talkers say."""
        spoken = self._talkers.made(FAST_EACH).values()
        made = dict(zip(self._links, spoken, strict=True))
        count = FAST_EACH * len(self._links)
        talk = Round(made, goes_on=SAID, owed={SAID: count})
        watch = Watch(self._server)
        await talk.run(FAST_WINDOW)
        return watch.sample(count)


async def measure(setting: Setting) -> AsyncIterator[Figure]:
    """Goals 1 to 3."""
    threads_known = option_exists(_THREADS) and not setting.url
    for threads in SIGN_THREADS if threads_known else (2,):
        options = (_THREADS, str(threads)) if threads_known else ()
        with setting.server(f"signing-{threads}", *options) as server:
            for figure in await _signing(setting, server, threads):
                yield figure
    with setting.server("direct") as server:
        plain = await _talkers(setting, server, Kind.PLAIN)
        fast = await _talkers(setting, server, Kind.FAST)
        yield await _routing(setting, fast)
        for figure in await _fast_sig(setting, plain, fast):
            yield figure
        leave([*plain.users, *fast.users])


async def _talkers(setting: Setting, server: Server, kind: Kind) -> Talkers:
    if kind is Kind.PLAIN:
        users = await joined(server.url, kind, PLAIN_USERS)
        talkers = Talkers(server, users, setting.sized(PLAIN_EACH, 5), PLAIN_WINDOW)
    else:
        users = await joined(server.url, kind, setting.links(FAST_USERS, 20))
        talkers = Talkers(server, users, FAST_EACH, FAST_WINDOW)
    await talkers.probe()
    return talkers


async def _signing(setting: Setting, server: Server, threads: int) -> list[Figure]:
    """Goal 1: of all that the machine can sign, how much becomes messages."""
    talkers = await _talkers(setting, server, Kind.PLAIN)
    with reference("bare_signer") as signer:
        pairs = await setting.in_turn(
            _signed(signer, threads), talkers.talk_signed, Sample.clock_rate
        )
    leave(talkers.users)
    named = Named(
        key=f"signing-{threads}",
        what=f"signatures while carrying v1.3 messages, by {threads}",
        unit="signatures",
        reference=f"raw RSA-4096 signatures by {threads} of the same threads",
    )
    each = len(talkers.signatures) / talkers.said
    return [
        sample.figure(named, pairs, goals.SIGNING[threads]),
        Figure(
            key=f"signatures-{threads}",
            what="signatures made for one v1.3 message, as its two frames show",
            value=each,
            ours=Side("signatures", f"{each:.2f} a message"),
            goal=goals.SIGNATURES_A_DIRECT,
        ),
    ]


def _signed(signer: Reference, threads: int) -> Measure[Sample]:
    async def sign() -> Sample:
        return sample_of(signer.ask(threads, SIGN_S))

    return sign


async def _routing(setting: Setting, talkers: Talkers) -> Figure:
    """Goal 2: without RSA, each message routed against each frame said back."""
    with bare_server() as bare:
        links = [await connect(f"{bare.url}/echo", ignored) for _ in talkers.users]
        pairs = await setting.in_turn(
            Echo(bare, links, talkers).talk, talkers.talk, Sample.processor_rate
        )
        for link in links:
            link.transport.abort()
    named = Named(
        key="routing",
        what=f"messages routed, {len(talkers.users)} users with fast-sig/1",
        unit="messages",
        reference="bare aiohttp echo of the same frames",
        by=PROCESSOR,
    )
    return sample.figure(
        named, pairs, goals.ROUTING, note="both Ed25519 signatures of a message included"
    )


async def _fast_sig(setting: Setting, plain: Talkers, fast: Talkers) -> list[Figure]:
    """Goal 3: the same server, the same core, with and without session keys."""
    pairs = await setting.in_turn(plain.talk, fast.talk, Sample.processor_rate)
    named = Named(
        key="fast-sig",
        what="messages with fast-sig/1, both frames signed",
        unit="messages",
        reference="v1.3 messages, both frames signed by RSA",
        by=PROCESSOR,
    )
    half = pairs.ours(Sample.clock_rate) / 2
    p99_ms = [quantiles(await fast.latencies_s(half), n=100)[98] * 1e3 for _ in range(HALF_ROUNDS)]
    return [
        sample.figure(named, pairs, goals.FAST_SIG),
        Figure(
            key="half-load",
            what="p99 from author to reader at half that load",
            value=median(p99_ms),
            low=min(p99_ms),
            high=max(p99_ms),
            ours=Side("latency", f"{median(p99_ms):.1f} ms at {half:,.0f} messages/s"),
            goal=goals.HALF_LOAD,
            pairs=HALF_ROUNDS,
        ),
    ]
