"""What came in and nobody looked at yet, of all connections together (threats S1, S11).

Each connection has bounds of its own; times ten thousand they are gigabytes. Over the bound of all,
nobody is read from for a moment; what is whole is taken in meanwhile, and if that does not help,
those who make us hold most are cut. So whoever sends little is never hurt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol

LEAVE: Final = 75  # percent of the bound: so much may stay once somebody had to be cut


class Source(Protocol):
    """A connection."""

    def pause(self) -> None:
        """Read nothing more from it for now."""

    def resume(self) -> None:
        """Go on."""

    def give_way(self) -> None:
        """It holds too much: it ends."""


class Account:
    """What one connection makes us hold, in bytes."""

    __slots__ = ("_intake", "_is_open", "held", "source")

    def __init__(self, intake: Intake, source: Source) -> None:
        self._intake = intake
        self.source = source
        self.held = 0
        self._is_open = True

    def came(self, size: int) -> None:
        if self._is_open:
            self.held += size
            self._intake.changed(size)

    def took(self, size: int) -> None:
        """So much of it was looked at."""
        if self._is_open:
            self.held -= size
            self._intake.changed(-size)

    def took_all(self) -> None:
        self.took(self.held)

    def close(self) -> None:
        """The connection is gone, or goes."""
        if self._is_open:
            self._is_open = False
            self._intake.forget(self)


class Intake:
    """The accounts of all connections, and their sum."""

    def __init__(
        self,
        most: int,
        soon: Callable[[Callable[[], None]], object],
        passed: Callable[[int], None],
    ) -> None:
        """`soon` runs a function on the loop, after what is being done; `passed` hears of bytes
        that came."""
        self._most = most
        self._soon = soon
        self._passed = passed
        self._held = 0
        self._accounts: set[Account] = set()
        self._paused: list[Account] | None = None

    def __iter__(self) -> Iterator[Account]:
        return iter(tuple(self._accounts))

    @property
    def held(self) -> int:
        return self._held

    def open(self, source: Source) -> Account:
        account = Account(self, source)
        self._accounts.add(account)
        return account

    def forget(self, account: Account) -> None:
        """Account.close says so."""
        self._accounts.discard(account)
        self._held -= account.held
        account.held = 0

    def changed(self, size: int) -> None:
        self._held += size
        if size > 0:
            self._passed(size)
            if self._held > self._most and self._paused is None:
                self._hold()

    def _hold(self) -> None:
        """All stop at once: the system may have a megabyte ready of each."""
        self._paused = list(self._accounts)
        for account in self._paused:
            account.source.pause()
        self._soon(self._relieve)

    def _relieve(self) -> None:
        """What was whole has been taken by now."""
        paused, self._paused = self._paused or [], None
        if self._held > self._most * LEAVE // 100:
            self._cut()
        for account in paused:
            if account in self._accounts:
                account.source.resume()

    def _cut(self) -> None:
        leave = self._most * LEAVE // 100
        for account in sorted(self._accounts, key=lambda each: -each.held):
            if self._held <= leave:
                break
            account.close()
            account.source.give_way()
