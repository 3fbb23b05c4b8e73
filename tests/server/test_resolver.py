"""Names to addresses, when name servers hang (threat S9)."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from socp.server.resolver import LOOKUPS_MAX, Resolver


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Once set, every name is 192.0.2.7."""
    may_answer = threading.Event()

    def getaddrinfo(*_asked: object, **_more: object) -> list[object]:
        may_answer.wait(60)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield may_answer
    may_answer.set()


@pytest.mark.threat("S9")
async def test_names_that_hang_are_bounded_and_each_is_asked_for_once(
    answers: threading.Event,
) -> None:
    found = Resolver()
    names = [f"host-{n}.example" for n in range(LOOKUPS_MAX)]
    asked = [asyncio.create_task(found.resolve(name, 8001)) for name in names * 2]
    await asyncio.sleep(0)
    assert len([t for t in threading.enumerate() if t.name == "lookup"]) == LOOKUPS_MAX
    with pytest.raises(OSError, match="see to the name servers"):
        await found.resolve("one-more.example")
    assert [row["host"] for row in await found.resolve("localhost")] == ["127.0.0.1", "::1"]
    answers.set()
    assert {row["host"] for rows in await asyncio.gather(*asked) for row in rows} == {"192.0.2.7"}
    assert (await found.resolve("one-more.example", 9))[0]["port"] == 9


@pytest.mark.threat("S9")
async def test_who_no_longer_waits_leaves_nothing_behind(answers: threading.Event) -> None:
    found = Resolver()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await found.resolve("gone.example")
    answers.set()
    assert (await found.resolve("gone.example", family=socket.AF_INET))[0]["host"] == "192.0.2.7"


@pytest.mark.threat("S9")
async def test_a_name_is_asked_for_again_once_there_is_a_thread_for_it(
    answers: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Resolver()

    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as short:
        short.setattr(threading.Thread, "start", start)
        with pytest.raises(OSError, match="can't start new thread"):
            await found.resolve("late.example")
    answers.set()
    async with asyncio.timeout(10):
        assert (await found.resolve("late.example"))[0]["host"] == "192.0.2.7"


async def test_a_name_that_dns_cannot_hold_is_a_fault_of_the_name() -> None:
    with pytest.raises(UnicodeError):
        await Resolver().resolve("a..b")
