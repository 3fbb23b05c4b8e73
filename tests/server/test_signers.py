"""What waits for a signature: counted, told, bounded, and made once where it is the same."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from socp.node.effects import Outgoing
from socp.node.events import Strain
from socp.server.gate import Gate
from socp.server.signers import WAITING_A_THREAD, Sealed, Signers
from tests.keys import SpiedKey
from tests.server.rig import KEY, frame

PATIENCE_S = 60


class HeldKey(SpiedKey):
    """Signs one thing for each time it is let."""

    def __init__(self) -> None:
        super().__init__(KEY)
        self.may = threading.Semaphore(0)

    def sign(self, data: bytes) -> bytes:
        assert self.may.acquire(timeout=PATIENCE_S)
        return super().sign(data)


class Desk:
    """Signers whose event loop is the test itself."""

    def __init__(self) -> None:
        self.key, self.gate = HeldKey(), Gate()
        self.strains: list[Strain] = []
        self.heard = 0  # how often a thread said that it is done
        self.kept: list[Outgoing] = []
        self._calls: list[Callable[[], None]] = []
        self._called = threading.Semaphore(0)
        self.signers = Signers(self.key, self.gate, self._wake, self.strains.append, threads=1)

    def _wake(self, call: Callable[[], None]) -> None:
        self._calls.append(call)
        self._called.release()

    def sign(self, count: int, *, until: Callable[[], bool]) -> None:
        """Let so many be signed, and wait until that is so."""
        self.key.may.release(count)
        while not until():
            assert self._called.acquire(timeout=PATIENCE_S)
            self._calls.pop(0)()
            self.heard += 1

    def seal(
        self, count: int, kind: str = "ACK", *, is_news: bool = False, **more: object
    ) -> list[Sealed]:
        frames = [said(n, kind, **more) for n in range(count)]
        self.kept += frames  # as the brain keeps what it may say again
        return [self.signers.seal(frame, is_news=is_news) for frame in frames]


def said(number: int, kind: str = "ACK", **more: object) -> Outgoing:
    return frame(kind, f'{{"msg_ref":"{number}"}}', **more)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.spec("12")
@pytest.mark.threat("S3")
def test_the_brain_hears_that_much_waits_before_nobody_is_read_from(desk: Desk) -> None:
    many = WAITING_A_THREAD
    desk.seal(many - 1)
    assert desk.strains == []
    desk.seal(1, "MORE")
    assert desk.strains == [Strain.SOME]
    desk.seal(many // 2, "AND_MORE")
    assert (desk.strains, desk.gate.is_open) == ([Strain.SOME, Strain.FULL], True)
    desk.seal(many // 2, "ALL")
    assert not desk.gate.is_open
    desk.sign(2 * many, until=lambda: desk.signers.waiting == 0)
    assert desk.strains[:2] == [Strain.SOME, Strain.FULL]
    assert desk.strains[-1] is Strain.NONE
    assert desk.gate.is_open


@pytest.mark.spec("12")
def test_strain_ends_well_below_where_it_began(desk: Desk) -> None:
    many = WAITING_A_THREAD
    desk.seal(many)
    desk.sign(many // 4, until=lambda: desk.signers.waiting == many - many // 4)
    assert desk.strains == [Strain.SOME]
    desk.sign(many // 4, until=lambda: desk.signers.waiting == many // 2)
    assert desk.strains == [Strain.SOME, Strain.NONE]
    desk.signers.stop()
    desk.key.may.release(many)


@pytest.mark.spec("3")
def test_what_is_the_same_for_all_is_signed_once_though_asked_for_at_once(desk: Desk) -> None:
    hellos = [desk.signers.seal(said(1, lasting=True)) for _ in range(40)]
    assert desk.signers.waiting == 1
    desk.sign(1, until=lambda: desk.signers.waiting == 0)
    assert all(each.text == hellos[0].text for each in hellos)
    assert len(desk.key.signed) == 1


@pytest.mark.spec("3")
def test_it_stays_signed_once_whatever_else_is_signed_meanwhile(desk: Desk) -> None:
    desk.signers.seal(said(-1, lasting=True))
    desk.seal(600)
    desk.sign(601, until=lambda: desk.signers.waiting == 0)
    assert desk.signers.seal(said(-1, lasting=True)).framed is not None
    assert len(desk.key.signed) == 601


@pytest.mark.spec("3")
def test_of_the_rest_what_was_used_last_is_kept(desk: Desk) -> None:
    desk.seal(256)
    desk.sign(256, until=lambda: desk.signers.waiting == 0)
    assert desk.signers.seal(said(0)).framed is not None
    desk.signers.seal(said(256))
    desk.sign(1, until=lambda: desk.signers.waiting == 0)
    assert desk.signers.seal(said(0)).framed is not None, "used since"
    assert desk.signers.seal(said(1)).framed is None
    desk.sign(1, until=lambda: desk.signers.waiting == 0)
