"""What came in and nobody looked at yet, of all connections together (threats S1, S11).

Each connection has bounds of its own; times ten thousand they are gigabytes. Over the bound of all,
nobody is read from; what is whole is taken in meanwhile, and if that does not help, those who make
us hold most are cut. What they sent counts until it is really gone. So whoever sends little waits
for a moment, and is never hurt.
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

    __slots__ = ("_intake", "_is_open", "goes", "held")

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.held = 0
        self._is_open = True
        self.goes = False  # its source gave way

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
        """The connection is gone, and all that came of it."""
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
        self._accounts: dict[Account, Source] = {}
        self._paused: list[Account] = []
        self._relieving = False

    def __iter__(self) -> Iterator[Account]:
        return iter(tuple(self._accounts))

    @property
    def held(self) -> int:
        return self._held

    def open(self, source: Source) -> Account:
        account = Account(self)
        self._accounts[account] = source
        return account

    def forget(self, account: Account) -> None:
        """Account.close says so."""
        self._accounts.pop(account, None)
        self.changed(-account.held)
        account.held = 0

    def changed(self, size: int) -> None:
        self._held += size
        if size > 0:
            self._passed(size)
            if self._held > self._most and not self._paused:
                self._hold()
        elif self._paused and self._held <= self._most:
            self._relieve_soon()

    def _hold(self) -> None:
        """All stop at once: the system may have a megabyte ready of each."""
        self._paused = list(self._accounts)
        for source in self._accounts.values():
            source.pause()
        self._relieve_soon()

    def _relieve_soon(self) -> None:
        if not self._relieving:
            self._relieving = True
            self._soon(self._relieve)

    def _relieve(self) -> None:
        """What was whole has been taken by now, of those who had their turn."""
        self._relieving = False
        self._cut()
        if self._held > self._most:
            return  # until those who were cut are gone
        paused, self._paused = self._paused, []
        for account in paused:
            source = self._accounts.get(account)
            if source is not None and not account.goes:
                source.resume()

    def _cut(self) -> None:
        """End those who hold most, where what all others hold would still be too much."""
        stays = sum(account.held for account in self._accounts if not account.goes)
        if stays <= self._most:
            return
        for account in sorted(self._accounts, key=lambda each: -each.held):
            if stays <= self._most * LEAVE // 100:
                break
            if not account.goes:
                account.goes = True
                stays -= account.held
                self._accounts[account].give_way()
