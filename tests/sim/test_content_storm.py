"""Two people talk through servers that drop, hold back, swap, repeat, re-type and re-address what
they write, and pretend that all is well; their clients are killed and change keys meanwhile: each
line is shown once, and in the end both read the same (section 11; threats M1, M2, M12)."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest

from socp.member.effects import GapFound
from socp.member.events import Amend
from socp.member.history_line import HistoryLine, laid_over, newer
from socp.member.records import Amendment, Record, Said, SaidMoved
from socp.sim.disk import MemberDisk
from socp.sim.server import Server
from socp.sim.user import User
from socp.wire import base64url
from socp.wire.envelope import Envelope, decode
from socp.wire.msg_ref import msg_ref
from tests.sim.town import Town, town

STEPS = 60
HEALED_S = 4_500  # what was asked for in vain three times is asked for an hour later
LIES = ("to", "from_", "type", "ts")


class Diary(MemberDisk):
    """A profile whose history can be read."""

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[int, Said] = {}
        self._changes: dict[tuple[str, str, str], Amendment] = {}

    def write(self, record: Record) -> None:
        match record:
            case Said():
                self.said[record.number] = record
            case SaidMoved():
                said = self.said[record.number]
                former = tuple(ref for ref in said.msg_refs if ref not in record.msg_refs)
                self.said[record.number] = replace(said, msg_refs=(*former, *record.msg_refs))
            case Amendment():
                key = (record.of, record.author, record.kind)
                known = self._changes.get(key)
                if known is None or newer(record, known):
                    self._changes[key] = record
        super().write(record)

    def lines(self) -> list[HistoryLine]:
        texts = (said for said in self.said.values() if said.kind == "text")
        return [laid_over(said, self._changes.values()) for said in texts]


class Storm:
    """`on`: whether the servers are hostile."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.town: Town = town(seed)
        self.on = True
        self.said: list[tuple[User, User, str]] = []
        self.diaries: dict[str, Diary] = {}
        self._passed: dict[str, list[bytes]] = {}
        for user, server in ((self.town.alice, self.town.a), (self.town.bob, self.town.b)):
            user.kill()
            user.disk = self.diaries[user.id] = Diary()
            user.down_tap = lambda data, user=user, server=server: self._bends(data, user, server)
            user.start()
        self.people = (self.town.alice, self.town.bob)
        self.town.run(5)

    def run(self) -> None:
        for number in range(STEPS):
            author, reader = self.dice.sample(self.people, 2)
            if self.dice.random() < 0.6:
                self._says(author, reader, f"{author.name} {number}")
            else:
                self._amends(author, reader, str(number))
            who = self.dice.choice(self.people)
            if self.dice.random() < 0.05:
                who.kill()
                self.town.run(0.3)
                who.start()
            elif self.dice.random() < 0.03:
                who.rotates()
            self.town.run(self.dice.choice((0, 0.1, 1, 5, 15)))

    def heal(self) -> None:
        self.on = False
        for author, reader in (self.people, self.people[::-1]):
            self._says(author, reader, f"{author.name} at last")
        self.town.run(HEALED_S)

    def _says(self, author: User, reader: User, text: str) -> None:
        self.said.append((author, reader, text))
        author.says(reader, text)

    def _amends(self, author: User, reader: User, text: str) -> None:
        named = [line for line in self.diaries[author.id].lines() if line.msg_ref]
        line = self.dice.choice(named[-5:]) if named else None
        if line is None:
            return
        kind = self.dice.choice(("edit", "edit", "delete", "reaction"))
        if kind == "reaction" or line.author != author.id:
            author.event(Amend(reader.id, line.msg_ref, "reaction", text))
        elif kind == "edit":
            author.event(Amend(reader.id, line.msg_ref, "edit", text))
        else:
            author.event(Amend(reader.id, line.msg_ref, "delete", ""))

    # --- the servers ----------------------------------------------------------------------------

    def _bends(self, data: bytes, reader: User, server: Server) -> Iterable[bytes]:
        envelope = decode(data)
        if not self.on or envelope.type != "USER_DELIVER":
            return (data,)
        passed = self._passed.setdefault(reader.id, [])
        passed.append(data)
        agenda = self.town.world.agenda
        match self.dice.randrange(10):
            case 0 | 1 | 2:
                agenda.after(5, lambda: self._pretends(envelope, reader, server))
                return ()
            case 3:
                later_ms = self.dice.choice((500, 5_000, 20_000))
                agenda.after(later_ms, lambda: reader.replay(envelope) if reader.wire else None)
                return ()
            case 4:
                return (data, *self.dice.sample(passed, min(3, len(passed))), data)
            case 5:
                agenda.after(1, lambda: self._lies(envelope, reader))
        return (data,)

    def _pretends(self, envelope: Envelope, reader: User, server: Server) -> None:
        """As if the reader had it."""
        members = envelope.members
        raw = base64url.decode(str(members["ciphertext"]))
        ts = int(str(members.get("orig_ts", envelope.ts)))
        ref = msg_ref(raw, str(members["sender"]), reader.id, ts)
        if reader.wire is not None:
            reader.forge("ACK", {"msg_ref": ref}, to=server.id)

    def _lies(self, envelope: Envelope, reader: User) -> None:
        carol = self.town.carol.id
        lie = self.dice.choice(LIES)
        instead = {"to": carol, "from_": carol, "type": "MSG_DIRECT", "ts": envelope.ts + 1}
        if reader.wire is not None:
            reader.replay(envelope, **{lie: instead[lie]})


@pytest.mark.spec("11")
@pytest.mark.threat("M1")
@pytest.mark.threat("M2")
@pytest.mark.threat("M12")
@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_servers_do_in_the_end_both_read_the_same(seed: int) -> None:
    storm = Storm(seed)
    storm.run()
    storm.heal()
    for author, reader, text in storm.said:
        assert reader.texts.count(text) == 1, f"{author.name} to {reader.name}: {text}"
    one, other = ({line.msg_ref: _read(line) for line in d.lines()} for d in storm.diaries.values())
    assert one == other
    for user in storm.people:
        assert user.told(GapFound)
        assert user.refusals == []
        assert [one for one in user.warnings if "numbered two messages alike" in one] == []
        assert not any(thread.gaps for thread in user.disk.load().threads)
        assert user.disk.load().outbox == ()
    said = _said(storm.people)
    storm.town.run(600)
    assert said == _said(storm.people)


def _said(people: Iterable[User]) -> list[int]:
    """How much each said on their link, but for the look around of `presence/1`."""
    logs = [user.wire.up_log for user in people if user.wire is not None]
    return [sum(b'"LIST_REQUEST"' not in data for data in log) for log in logs]


def _read(line: HistoryLine) -> tuple[str, bool, tuple[tuple[str, str], ...]]:
    return line.text, line.deleted, tuple(sorted(line.reactions))
