"""What must hold whatever happens; looked at after every event (threats S5, S6, S8, S10, M2)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from socp.member import effects as member
from socp.member.effects import FileDone, FileFailed, LineMoved, MessageArrived, Tell
from socp.member.records import LineState, OutboxLine
from socp.node import effects as node
from socp.node.dedup import QUOTA_PER_SOURCE
from socp.node.presence import ONLINE_PER_SERVER
from socp.sim.server import Server
from socp.sim.user import User
from socp.wire import limits
from socp.wire.ids import PUBLIC

CONVERGED_MS: Final = 90_000
"""From the end of all faults until every server knows where everybody is: 60 s to the last dial of
who waits longest, a heartbeat, and its answer. After a clock that was ahead: from when the time is
there that it showed."""
ACCEPTED: Final = frozenset({LineState.DONE, LineState.DELIVERED, LineState.READ})
REACHED: Final = frozenset({LineState.DELIVERED, LineState.READ})
EVENTS_A_SECOND: Final = 2_000
EVENTS_A_SECOND_EACH: Final = 100
"""Beside those, for each user and server there is."""
LINKS_EACH: Final = 4
CALM_S: Final = 30
CALM_FRAMES_EACH: Final = 15
"""In that time a server says so much at most to each that it is linked with, once all is well and
nobody has anything to say: heartbeats, and who is there to who asks for it."""


class Law(StrEnum):
    """What may be broken."""

    SIGNED = "no message is shown from a key that did not sign it"
    ONCE = "what is shown is shown once"
    ORDER = "what somebody says arrives in the order in which it was said"
    KEPT = "what was acknowledged is delivered or still stored"
    DELIVERED = "once all is well what was said is delivered, and no server keeps it longer"
    CONVERGED = "once all is well every server knows where everybody is"
    BOUNDED = "every table is within its bound"
    LIVELY = "nothing goes in circles"
    SOUND = "no brain fails"


class Broken(Exception):
    """A law was broken; `detail` says how, in one line. `place`: where it failed, as
    "node/mailbox.py:take KeyError", "" where nothing did; `trace` the lines of its traceback."""

    def __init__(self, law: Law, detail: str, place: str = "", trace: str = "") -> None:
        super().__init__(f"{law}: {detail}")
        self.law = law
        self.detail = detail
        self.place = place
        self.trace = trace


@dataclass(slots=True, eq=False)
class Said:
    """One thing that a user said, to one user or (`reader` None) to all."""

    number: int
    author: User
    reader: User | None
    text: str
    at_ms: int  # monotonic
    refs: tuple[str, ...] = ()  # what it went out as, in each attempt
    accepted: bool = False
    shown: set[str] = field(default_factory=set)  # to whom, user ids
    missing: set[str] = field(default_factory=set)  # to whom of those it is owed to, user ids
    owed: bool = True  # to somebody: a liar, or whoever is with one, has only the laws of readers


class Laws:
    """Knows what was truly said, and compares.

    Servers and users gone bad are held to nothing. What their own server can withhold is owed to
    honest users alone whose server is honest too (`safe`); what nobody can make a reader believe
    holds for every honest reader.
    """

    def __init__(
        self,
        servers: Sequence[Server],
        users: Sequence[User],
        bad_servers: Container[int] = (),
        bad_users: Container[int] = (),
    ) -> None:
        self.servers = [each for at, each in enumerate(servers) if at not in bad_servers]
        self._honest = frozenset(self.servers)
        self.users = users
        self._liars = {each.id for at, each in enumerate(users) if at in bad_users}
        honest = {server.address for server in self.servers}
        self.safe = {
            user.id for user in users if user.address in honest and user.id not in self._liars
        }
        self._bad = len(servers) > len(self.servers) or bool(self._liars)
        self.said: list[Said] = []
        self.delays_ms: list[int] = []  # of direct messages, from said to shown
        self.files: dict[str, bool] = {}  # name -> whether its end was told to its sender
        self._by_text: dict[str, Said] = {}
        self._open: dict[int, Said] = {}  # acknowledged and not shown to all they are for
        self._newest: dict[tuple[str, str, bool], int] = {}
        self._second = 0
        self._differed: Server | None = None
        self._events: dict[str, int] = {}  # by server: how many in this second
        parties = len(servers) + len(users)
        self.events_max = EVENTS_A_SECOND + EVENTS_A_SECOND_EACH * parties
        ghosts = ONLINE_PER_SERVER * (len(servers) - len(self.servers))
        self._most = {
            "links": LINKS_EACH * parties,
            "online": len(users) + ghosts,
            "seen_ids": QUOTA_PER_SOURCE * parties,
            "mail": limits.MAILBOX_MESSAGES * len(users),
        }

    # --- what happens ---------------------------------------------------------------------------

    def says(self, author: User, reader: User | None, mono: int) -> Said:
        """Somebody is about to say something: its text is one that nobody else says."""
        number = len(self.said)
        text = f"{number} from {author.name} to {reader.name if reader else 'all'}"
        said = Said(number, author, reader, text, mono)
        if author.id in self.safe:
            said.missing = self.safe & {reader.id} if reader else self.safe - {author.id}
        said.owed = bool(said.missing)
        self.said.append(said)
        self._by_text[text] = said
        return said

    def sends_file(self, author: User, reader: User, name: str) -> None:
        """Somebody is about to send a file of a name that no other has."""
        if {author.id, reader.id} <= self.safe:
            self.files[name] = False

    def user_did(self, user: User, effects: Sequence[member.Effect], mono: int) -> None:
        """What a client is about to do."""
        if user.id in self._liars:
            return
        for effect in effects:
            if isinstance(effect, Tell):
                self._told(user, effect.notice, mono)
            elif isinstance(effect, member.Persist) and isinstance(effect.record, OutboxLine):
                self._composed(effect.record)

    def _composed(self, line: OutboxLine) -> None:
        said = self._by_text.get(line.text)
        if said is not None:
            said.refs += tuple(ref for ref in line.msg_refs if ref not in said.refs)

    def _told(self, user: User, notice: member.Notice, mono: int) -> None:
        match notice:
            case MessageArrived():
                self._arrived(user, notice, mono)
            case LineMoved(kind="text"):
                self._moved(user, notice)
            case FileDone(sending=True) | FileFailed(sending=True) if notice.name in self.files:
                self.files[notice.name] = True

    def _arrived(self, reader: User, shown: MessageArrived, mono: int) -> None:
        said = self._by_text.get(shown.text)
        if shown.author in self._liars and (said is None or said.author.id in self._liars):
            return  # their words, by their key, however often
        public = said is not None and said.reader is None
        if (
            said is None
            or said.author.id != shown.author
            or shown.public is not public
            or said.reader not in (None, reader)
            or said.author is reader
        ):
            raise Broken(Law.SIGNED, f"{reader.name} reads {shown.text!r} as by {shown.author}")
        if reader.id in said.shown:
            raise Broken(Law.ONCE, f"{reader.name} reads {shown.text!r} again")
        said.shown.add(reader.id)
        said.missing.discard(reader.id)
        newest = self._newest.get(key := (shown.author, reader.id, public), -1)
        if said.number < newest and not shown.late:
            later = self.said[newest].text
            raise Broken(Law.ORDER, f"{reader.name} reads {shown.text!r} after {later!r}")
        self._newest[key] = max(newest, said.number)
        if not public:
            self.delays_ms.append(mono - said.at_ms)
        if not said.missing:
            self._open.pop(said.number, None)

    def _moved(self, author: User, line: LineMoved) -> None:
        said = self._by_text.get(line.text)
        if said is None or said.author is not author:
            raise Broken(Law.SIGNED, f"{author.name} has a line they never said: {line.text!r}")
        if line.state in REACHED and said.missing and not said.shown:
            raise Broken(Law.KEPT, f"{said.text!r} is {line.state}, and nobody reads it")
        if line.state in ACCEPTED:
            said.accepted = True
            if said.missing:
                self._open[said.number] = said

    def server_did(self, server: Server, effects: Sequence[node.Effect], mono: int) -> None:
        """What a server is about to do."""
        if server not in self._honest:
            return
        if mono // 1000 != self._second:
            self._second = mono // 1000
            self._events.clear()
        self._events[server.name] = count = self._events.get(server.name, 0) + 1
        if count > self.events_max:
            raise Broken(
                Law.LIVELY,
                f"{server.name} has {count} events in one second, the last {effects[:1]!r:.300}",
            )

    # --- looked at now and then -----------------------------------------------------------------

    def look(self) -> None:
        """What was acknowledged is somewhere, and no table is too full."""
        for said in self._open.values():
            if not self._is_stored(said):
                raise Broken(Law.KEPT, f"no server has {said.text!r}, which was acknowledged")
        for server in self.servers:
            for table, rows in server.node.rows().items():
                if rows > self._most[table]:
                    raise Broken(Law.BOUNDED, f"{server.name} has {rows} {table}")

    def check_calm(self, said: Callable[[Server], int]) -> None:
        """What goes round and round slowly is seen when all else rests; `said`: how many frames
        each server said in CALM_S."""
        for server in self.servers:
            count = said(server)
            if count > CALM_FRAMES_EACH * (len(server.linked) + len(server.own_users)):
                raise Broken(Law.LIVELY, f"{server.name} says {count} frames in {CALM_S} s of rest")

    def differs(self) -> str:
        """How a directory differs from where everybody is, "" where all see the same."""
        running = [server for server in self.servers if server.up]
        truth = {who: server.id for server in running for who in self._safe(server.own_users)}
        # Who differed the last time first: while they do, nobody else needs to be looked at.
        for server in sorted(running, key=lambda server: server is not self._differed):
            seen = self._safe_of(server)
            if seen != truth:
                self._differed = server
                wrong = sorted(seen.items() ^ truth.items())
                return f"{server.name} has it otherwise about {len(wrong)}: {wrong[0]}"
        return ""

    def _safe_of(self, server: Server) -> dict[str, str]:
        """Where the safe are, as this server sees it."""
        people = server.whereabouts
        return {who: people[who] for who in self._safe(people)} if self._bad else people

    def _safe(self, people: Iterable[str]) -> Iterable[str]:
        return (who for who in people if who in self.safe) if self._bad else people

    def undelivered(self) -> str:
        """What is still missing where all had time to arrive, "" for nothing."""
        for said in self.said:
            if said.owed and not said.accepted:
                return f"{said.text!r} was not acknowledged"
            if said.missing:
                return f"{said.text!r} was shown to {len(said.shown)}"
        for name, over in self.files.items():
            if not over:
                return f"what became of the file {name} was not told"
        for server in self.servers:
            if mail := self._mail(server):
                return f"{server.name} keeps {mail} pieces of mail"
        return ""

    def _mail(self, server: Server) -> int:
        """From safe users to safe users; of others there may be some that nobody will ever have."""
        if not self._bad:
            return server.node.status().mail
        return sum(self.safe.issuperset(each) for each in server.disk.mail.waiting())

    def _is_stored(self, said: Said) -> bool:
        to = PUBLIC if said.reader is None else said.reader.id
        disks = [server.disk.mail for server in self.servers]
        return any(disk.holds(to, ref) for disk in disks for ref in said.refs)
