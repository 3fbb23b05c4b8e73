"""Everything that is judged over sockets, at once: most of it is waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from socp.conform.keys import PrivateKey
from socp.conform.results import Report
from tests.conform.bent import behind_proxy
from tests.conform.cases import CASES, Case
from tests.conform.stage import judge
from tests.conform.visitors import Clumsy, judge_visit, our_client, our_server
from tests.mesh.launch import Running, running

AT_ONCE = 3
SLOW = "5.61-silent-server"  # 45 s


@dataclass(frozen=True)
class Judged:
    """`ours`: two of ours that are linked; `reserved`: ours that lets only known servers join;
    `bent`: those that break one rule, by name; then our guests, and a client made in a hurry."""

    ours: Report
    reserved: Report
    bent: dict[str, Report]
    client: Report
    dialler: Report
    clumsy: Report
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
            skip = () if request.config.getoption("--long") else (SLOW,)
            began = time.monotonic()
            both, known, crowd, client, dialler, clumsy = await asyncio.gather(
                judge(ours.url, quick=False, skip=skip, peer_url=beside.url),
                judge(reserved.url, "5.62*", "6.1-*", first_key=11),
                _bent(bent.url, key),
                judge_visit(our_client(tmp_path_factory.mktemp("client")), first_key=3),
                judge_visit(our_server(tmp_path_factory.mktemp("dialler")), first_key=8),
                judge_visit(Clumsy(), wait_s=0.2, back_s=0.3, first_key=13),
            )
            taken_s = time.monotonic() - began
            return Judged(both, known, crowd, client, dialler, clumsy, taken_s)

        yield asyncio.run(everything())


async def _bent(url: str, key: PrivateKey) -> dict[str, Report]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, case: Case) -> Report:
        async with turns, behind_proxy(url, case.bent, key) as bent_url:
            quick = not case.patient
            return await judge(bent_url, *case.sections, quick=quick, first_key=5 * number)

    made = await asyncio.gather(*(one(n, case) for n, case in enumerate(CASES)))
    return {case.bent.name: report for case, report in zip(CASES, made, strict=True)}
