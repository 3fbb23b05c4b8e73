"""Everything that is judged over sockets, at once: most of it is waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from socp.conform.keys import PrivateKey
from socp.conform.manners import Manners
from socp.conform.results import Report, in_order
from socp.conform.rules.table import SERVER_RULES
from socp.conform.server_run import CannotRun
from tests.conform.bent import Case, behind_proxy
from tests.conform.cases import CASES
from tests.conform.mad import MadGuest, mad_server
from tests.conform.stage import judge
from tests.conform.visitors import Clumsy, judge_visit, our_client, our_server
from tests.mesh.launch import Running, running

AT_ONCE = 8
SLOW = "5.61-silent-server"  # 45 s
HALVES = (("[1-9].*", "10.*", "12.*", "13.*"), ("11.*",))
RATES = (0.05, 0.02, 0.15, 0.4)  # how mad: parts of a frame that are spoilt
LOOKS = 10  # at a mad server, until it is taken for one at all
HASTY = Manners(patience_s=0.2, quiet_s=0.05, rest_s=0, hellos_per_s=1_000, faults_per_s=1_000)


@dataclass(frozen=True)
class Judged:
    """`ours`: two of ours that are linked; `reserved`: ours that lets only known servers join;
    `bent`: those that break one rule, by name; then our guests, one made in a hurry, and those who
    say anything."""

    ours: Report
    reserved: Report
    bent: dict[str, Report]
    client: Report
    dialler: Report
    clumsy: Report
    mad_servers: list[Report]
    mad_guests: list[Report]
    ours_s: float


@pytest.fixture(scope="session")
def judged(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Judged]:
    def started(stack: ExitStack, *flags: str) -> tuple[Running, Path]:
        folder = tmp_path_factory.mktemp("judged")
        return stack.enter_context(running(folder, *flags)), folder

    with ExitStack() as stack:
        ours, _ = started(stack, "--federation", "open", "--bootstrap", "none")
        beside, _ = started(stack, "--federation", "open", "--bootstrap", ours.url)
        reserved, _ = started(stack, "--bootstrap", "none")
        bent, folder = started(stack, "--federation", "open", "--bootstrap", "none")
        pem = load_pem_private_key((folder / "data" / "server_key.pem").read_bytes(), None)
        assert isinstance(pem, rsa.RSAPrivateKey)
        key = PrivateKey(pem)
        beside.wait_for("Linked with server")

        async def everything() -> Judged:
            long = request.config.getoption("--long")
            skip, mad_ones = ((), 12) if long else ((SLOW,), 1)
            began, taken_s = time.monotonic(), list[float]()
            client, dialler = (tmp_path_factory.mktemp(name) for name in ("client", "dialler"))
            seeds = range(mad_ones)
            async with asyncio.TaskGroup() as group:
                task = group.create_task
                # As two referees who come at the same time: that halves the waiting.
                both = [
                    task(judge(ours.url, *globs, quick=False, skip=skip, peer_url=beside.url))
                    for globs in HALVES
                ]
                for half in both:
                    half.add_done_callback(lambda _: taken_s.append(time.monotonic() - began))
                known = task(judge(reserved.url, "5.62*", "6.1-*", first_key=11))
                crowd = task(_bent(bent.url, key))
                at_client = task(judge_visit(our_client(client), first_key=3))
                at_dialler = task(judge_visit(our_server(dialler), first_key=8))
                clumsy = task(judge_visit(Clumsy(), wait_s=0.2, back_s=0.3, first_key=13))
                mad = [task(_mad(beside.url, key, seed)) for seed in seeds]
                guests = [task(_mad_guest(seed)) for seed in seeds]
            return Judged(
                ours=_joined(*(each.result() for each in both)),
                reserved=known.result(),
                bent=crowd.result(),
                client=at_client.result(),
                dialler=at_dialler.result(),
                clumsy=clumsy.result(),
                mad_servers=[each.result() for each in mad],
                mad_guests=[each.result() for each in guests],
                ours_s=max(taken_s),
            )

        yield asyncio.run(everything())


def _joined(one: Report, other: Report) -> Report:
    return Report(one.subject, in_order((*one.results, *other.results), SERVER_RULES))


async def _mad(url: str, key: PrivateKey, seed: int) -> Report:
    """What it says is given by the seed, but not whether any of it is sense and comes in time."""
    rate = RATES[seed % len(RATES)]
    for _ in range(LOOKS):
        async with behind_proxy(url, mad_server(seed, rate), key) as mad_url:
            with suppress(CannotRun):
                return await judge(mad_url, peer_url=url, first_key=seed, manners=HASTY)
    raise AssertionError(f"nobody who speaks SOCP was found in {LOOKS} looks")


async def _mad_guest(seed: int) -> Report:
    return await judge_visit(MadGuest(seed, 0.1), wait_s=0.05, back_s=0.5, first_key=seed)


async def _bent(url: str, key: PrivateKey) -> dict[str, Report]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, case: Case) -> Report:
        async with turns, behind_proxy(url, case.bent, key) as bent_url:
            quick = not case.patient
            return await judge(bent_url, *case.judged, quick=quick, first_key=5 * number)

    made = await asyncio.gather(*(one(n, case) for n, case in enumerate(CASES)))
    return {case.bent.name: report for case, report in zip(CASES, made, strict=True)}
