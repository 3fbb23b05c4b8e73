"""What happens in a run, as data: it can be drawn from a seed, written down, and cut shorter."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

FORMAT: Final = 1
SERVERS_MAX: Final = 1_000
USERS_MAX: Final = 100_000
HAPPENINGS_MAX: Final = 5_000_000


class Kind(StrEnum):
    """What may happen. `who` and `other` are numbers of users or servers."""

    SAY = "say"  # user `who` to user `other`
    POST = "post"  # user `who` to everybody
    FILE = "file"  # user `who` to user `other`, `much` bytes
    LEAVE = "leave"  # user `who`, for `for_ms`
    KILL_USER = "kill-user"  # and start again after `for_ms`
    KILL_SERVER = "kill-server"  # and start again after `for_ms`
    DISK_FULL = "disk-full"  # of server `who`, for `for_ms`
    CUT = "cut"  # the link of servers `who` and `other` breaks
    PART = "part"  # the servers in two halves, as `much` says, for `for_ms`
    ONE_WAY = "one-way"  # nothing gets from server `who` to server `other`, for `for_ms`
    USER_OFF = "user-off"  # nothing gets from or to user `who`, for `for_ms`
    FREEZE = "freeze"  # server `who`, for `for_ms`
    FREEZE_USER = "freeze-user"  # user `who`, for `for_ms`
    SLOW = "slow"  # server `who` takes one thing in `much` ms, for `for_ms`
    JUMP = "jump"  # the clock of server `who` by `much` ms, and back after `for_ms`
    # Lies of server `who`; `much` draws how. Rows of threats.md: I3, I4, M1, M2, S6 and others.
    CLAIM = "claim"  # user `other` is with it, and for `for_ms` it takes their mail
    DISMISS = "dismiss"  # user `other` has left
    POSE = "pose"  # dials a server in the name of another
    RETYPE = "retype"  # what it heard, under another type, addressee, author or time
    REPLAY = "replay"  # what it heard, again
    GHOSTS = "ghosts"  # users whom there are not come and go
    ECHO = "echo"  # says all twice and sends back what it hears, for `for_ms`
    GARBLE = "garble"  # alters what it carries, for `for_ms`
    SWALLOW = "swallow"  # acknowledges and carries nothing, for `for_ms`
    FORGE = "forge"  # a message of user `other` that they never wrote
    FALSE_ACK = "false-ack"  # all that it heard of was delivered, or refused
    # Lies of user `who`, to their server.
    USER_FORGE = "user-forge"  # a message of user `other`, or by their key
    USER_REPLAY = "user-replay"  # what they heard or said, again, as theirs
    STEAL_ID = "steal-id"  # says hello as user `other`
    SHARE_LIE = "share-lie"  # keys of the public channel that nobody can use
    FLOOD = "flood"  # hundreds of frames at once
    USER_GARBLE = "user-garble"  # what nobody can open, or nobody signed
    USER_ACK = "user-ack"  # has what it never got
    HOSTILE_FILE = "hostile-file"  # names, sizes and chunks that lie


WORK: Final = frozenset({Kind.SAY, Kind.POST, Kind.FILE})
KINDS: Final = tuple(Kind)
SERVER_LIES: Final = KINDS[KINDS.index(Kind.CLAIM) : KINDS.index(Kind.USER_FORGE)]
USER_LIES: Final = KINDS[KINDS.index(Kind.USER_FORGE) :]


class Happening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing, `at_ms` after the run began."""

    at_ms: int
    kind: Kind
    who: int
    other: int = 0
    for_ms: int = 0
    much: int = 0

    def __str__(self) -> str:
        said = f"{self.at_ms / 1000:9.3f} s  {self.kind} {self.who}"
        said += f" {self.other}" if self.other else ""
        said += f", {self.much}" if self.much else ""
        return said + (f", for {self.for_ms / 1000:g} s" if self.for_ms else "")


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of a run. One story, one history, to the same byte."""

    seed: int
    servers: int
    users: int
    minutes: float
    happenings: tuple[Happening, ...]
    format: int = FORMAT

    @property
    def bad_servers(self) -> frozenset[int]:
        """Those that lie at any time are not to be relied on at all, nor are their users' mails."""
        lies = (each for each in self.happenings if each.kind in SERVER_LIES)
        return frozenset(each.who % self.servers for each in lies)

    @property
    def bad_users(self) -> frozenset[int]:
        """Those who lie at any time."""
        lies = (each for each in self.happenings if each.kind in USER_LIES)
        return frozenset(each.who % self.users for each in lies)


class BadStory(Exception):
    """What was read is no story; `str()` says why."""


def written(story: Story) -> bytes:
    """For a file."""
    return msgspec.json.encode(story) + b"\n"


def read(data: bytes) -> Story:
    """What `written` made; BadStory for anything else."""
    try:
        story = msgspec.json.decode(data, type=Story)
    except msgspec.DecodeError as fault:
        raise BadStory(f"no story: {fault}; write one with --save") from fault
    if story.format != FORMAT:
        raise BadStory(f"a story of format {story.format}; this program reads {FORMAT}")
    small = 0 < story.servers <= SERVERS_MAX and 0 < story.users <= USERS_MAX
    if not small or len(story.happenings) > HAPPENINGS_MAX:
        raise BadStory(f"at most {SERVERS_MAX} servers, {USERS_MAX} users, and one of each")
    return story
