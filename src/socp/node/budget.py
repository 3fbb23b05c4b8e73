"""What `--memory` promises, divided: how many links, how many rows of each table, and at which
marks of the process's real size newcomers are refused and hoarders cut (threats S5, S11).

What the process holds before anybody comes is set aside first. Of what is left up to the mark
FULL each table has a share, so that whoever fills one takes nothing from the others. Above it is
what messages take on their way through: each place where they wait has a bound of its own, and all
of them together fit. What waits for who does not read comes on top: from BRIM on those are cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from socp.wire import limits

BARE_BYTES: Final = 84 * limits.MIB  # code, libraries, the database's caches: no user, no link
FULL: Final = 80  # percent: above it newcomers are refused ...
AGAIN: Final = 74  # ... until it is below this again
BRIM: Final = 88  # percent: above it those who hold most are cut
LOG_BYTES: Final = 2 * limits.MIB  # lines that nobody read yet
PAGES: Final = 4  # of mail and posts, read from the store at a time ...
PAGE_BYTES: Final = limits.MIB  # ... each, whoever it is for
STRANGERS: Final = 8  # one link in so many may be one that did not say yet who it is


class Table(Enum):
    """What others can fill."""

    LINKS = auto()
    USERS = auto()
    AUTHORS = auto()
    SEEN = auto()
    OWED = auto()
    SHARES = auto()
    KEYS = auto()
    PASSWORDS = auto()
    WATCHED = auto()
    REMOVES = auto()
    FATES = auto()
    PARKED = auto()


@dataclass(frozen=True, slots=True)
class Share:
    """`row_bytes` of links as `script/bench comings` shows them, and some more; of the rest as
    reckoned from what their objects take."""

    percent: int
    row_bytes: int
    most: int


SHARES: Final = {
    # A WebSocket with its reader, task, buckets and row; where it is a user's, what is said of it.
    Table.LINKS: Share(36, 26 * limits.KIB, 1_000_000),
    # Account, home, where they were seen last, how far they have read, the mailbox as counted.
    Table.USERS: Share(20, 3_020, 200_000),
    # Whose mail waits for whom: one for each author in a mailbox.
    Table.AUTHORS: Share(3, 260, 5_000_000),
    Table.SEEN: Share(12, 160, 50_000_000),
    # What was handed to somebody and is not acknowledged.
    Table.OWED: Share(4, 480, 4_000_000),
    Table.SHARES: Share(11, 7_900, 20_000),
    Table.KEYS: Share(4, 2 * 2_600, 20_000),  # a step, or a revocation
    Table.PASSWORDS: Share(2, 4_400, 10_000),
    # A user whom one link watches: its id, twice, and most where just two watch the same.
    Table.WATCHED: Share(4, 300, 10_000_000),
    # A USER_REMOVE, signed, of somebody who was asked about.
    Table.REMOVES: Share(1, 2_000, 10_000),
    # What became of a message, to be told or lately told.
    Table.FATES: Share(1, 400, 70_000),
    # A record that waits for a disk which takes nothing.
    Table.PARKED: Share(2, 600, 100_000),
}
assert SHARES.keys() == set(Table), "a table without a share"
assert sum(share.percent for share in SHARES.values()) == 100, "the room is given away once"


@dataclass(frozen=True, slots=True)
class Budget:
    """Of so many bytes."""

    total: int = limits.MEMORY_BYTES

    @property
    def full(self) -> int:
        return self.total * FULL // 100

    @property
    def again(self) -> int:
        return self.total * AGAIN // 100

    @property
    def brim(self) -> int:
        return self.total * BRIM // 100

    @property
    def incoming(self) -> int:
        """Bytes of messages that are not whole, or that nobody looked at yet, of all links."""
        return self.total // 16

    @property
    def committing(self) -> int:
        """Bytes that wait for the disk, the same in the store's queue; beyond, nobody is read
        from."""
        return self.total // 32

    @property
    def recalled(self) -> int:
        """Bytes of messages that wait until the store said whether they came before."""
        return self.total // 64

    @property
    def pending(self) -> int:
        """Bytes of messages handed to another server, to be sent again where it says so."""
        return self.total // 64

    @property
    def crowd(self) -> int:
        """Bytes of what is due to all at the next tick."""
        return self.total // 64

    @property
    def strangers(self) -> int:
        """Links that did not say yet who they are."""
        return self.rows(Table.LINKS) // STRANGERS

    def rows(self, table: Table) -> int:
        """How many rows it may have."""
        share = SHARES[table]
        room = max(0, self.full - BARE_BYTES)
        return min(share.most, room * share.percent // 100 // share.row_bytes)
