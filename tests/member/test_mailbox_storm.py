"""Links that break, servers that fail, clients that are killed between any two steps: every line
and every message arrives once, in order (section 11). A seed is a whole run."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest

from socp.member.effects import Effect, LineMoved, MessageArrived, Persist, Tell, Transmit
from socp.member.events import Event, Now, Shown, Tick
from socp.member.records import LineState, OutboxLine
from socp.wire.envelope import Envelope, decode
from tests.member.desk import WITH_MAILBOX, Desk, Friend
from tests.member.test_outbox import opened

STEPS = 150
LINES = 12
CALM_STEPS = 120
REFUSALS = ("TIMEOUT", "RATE_LIMITED", "MAILBOX_FULL")


class Killed(Exception):
    """As kill -9: what was committed stays, and nothing else of the step happened."""


@dataclass
class Storm(Desk):
    """A desk that is cleared at any moment; `shown` is what the person read."""

    dice: Random = field(default_factory=Random)
    calm: bool = True
    shown: list[str] = field(default_factory=list)
    mail: dict[str, Envelope] = field(default_factory=dict)  # what our server keeps for us
    logs: dict[str, list[str]] = field(default_factory=dict)  # by reader, what it took from us
    took: set[str] = field(default_factory=set)
    read: int = 0  # frames of ours that the server has read

    def event(self, event: Event) -> list[Effect]:
        effects = self.member.handle(event, Now(self.wall, self.mono))
        if self.chance(0.01):
            raise Killed
        self.records += [e.record for e in effects if isinstance(e, Persist)]
        if self.chance(0.02):
            raise Killed
        self.transmitted += [decode(e.data) for e in effects if isinstance(e, Transmit)]
        notices = [e.notice for e in effects if isinstance(e, Tell)]
        self.notices += notices
        arrived = [one for one in notices if isinstance(one, MessageArrived)]
        if arrived:
            self.shown += [one.text for one in arrived]
            calm, self.calm = self.calm, True  # printing and saying so are one step here
            self.event(Shown(tuple(one.number for one in arrived)))
            self.calm = calm
        return effects

    # --- the server -----------------------------------------------------------------------------

    def serves(self, friends: list[Friend]) -> None:
        """The server reads what we sent, and may die in the middle of it."""
        while self.read < len(self.transmitted):
            frame = self.transmitted[self.read]
            self.read += 1
            if self.chance(0.1):
                return self.breaks()
            if frame.type == "ACK":
                self.mail.pop(str(frame.members["msg_ref"]), None)
            elif frame.type == "MSG_DIRECT":
                self.takes(frame, friends)

    def takes(self, frame: Envelope, friends: list[Friend]) -> None:
        ref = self.ref(frame)
        if ref not in self.took:
            if self.chance(0.3):
                return self.refuses(frame, self.dice.choice(REFUSALS))
            self.took.add(ref)
            (friend,) = (one for one in friends if one.id == frame.to)
            self.logs.setdefault(friend.name, []).append(opened(friend, frame))
        if self.chance(0.3):
            return self.breaks()  # committed, and nobody hears of it
        self.acks(frame, "queued")

    def chance(self, share: float) -> bool:
        return not self.calm and self.dice.random() < share

    def breaks(self) -> None:
        """The link is gone, and what was on it; a new one is made."""
        self.read = len(self.transmitted)
        self.loses_the_link()
        self.joins()

    def joins(self) -> None:
        self.attaches()
        self.read = len(self.transmitted)
        for kept in tuple(self.mail.values()):
            if self.chance(0.1):
                return self.breaks()
            self.hears_again(kept)

    def dies(self) -> None:
        """Our client was killed; a new one starts on what was committed."""
        self.read = len(self.transmitted)
        while True:
            try:
                self.again(self.store())
                return self.joins()
            except Killed:
                continue

    def gets(self, friend: Friend, text: str) -> None:
        """The server commits a message for us, and hands it out."""
        members = friend.delivery(friend.seals(text))
        kept = self.frame("USER_DELIVER", members)
        ref = self.ref(Envelope("", friend.id, self.id, kept.ts, kept.payload, ""))
        self.mail[ref] = kept
        if self.member.attached:
            self.hears_again(kept)


@pytest.mark.spec("11")
@pytest.mark.parametrize("seed", range(25))
def test_nothing_is_lost_doubled_or_reordered(seed: int) -> None:
    storm = Storm(WITH_MAILBOX, dice=Random(seed))
    storm.attaches()
    friends = [storm.friend("alice"), storm.friend("bob")]
    storm.goes(friends[1])
    storm.read = len(storm.transmitted)
    said: dict[str, list[str]] = {"alice": [], "bob": []}
    sent: list[str] = []
    storm.calm = False
    for step in range(STEPS):
        try:
            _step(storm, friends, said, sent, step)
        except Killed:
            storm.dies()
    storm.calm = True
    storm.loses_the_link()
    storm.joins()
    for _ in range(CALM_STEPS):
        storm.wall, storm.mono = storm.wall + 60_000, storm.mono + 60_000
        storm.event(Tick())
        storm.serves(friends)
    kept = {line.text for line in storm.kept(OutboxLine)}  # else killed before it was committed
    for name, lines in said.items():
        assert storm.logs.get(name, []) == [line for line in lines if line in kept]
    assert storm.shown == sent
    assert storm.mail == {}
    store = storm.store()
    assert (store.outbox, store.arrived) == ((), ())
    assert [m for m in storm.told(LineMoved) if m.state is LineState.REFUSED] == []


def _step(
    storm: Storm, friends: list[Friend], said: dict[str, list[str]], sent: list[str], step: int
) -> None:
    storm.wall, storm.mono = storm.wall + 3_000, storm.mono + 3_000
    kind = storm.dice.random()
    friend = storm.dice.choice(friends)
    if kind < 0.2 and len(said[friend.name]) < LINES:
        text = f"line {step}"
        said[friend.name].append(text)
        storm.says(friend, text)
    elif kind < 0.4:
        text = f"message {step}"
        sent.append(text)
        storm.gets(friends[0], text)
    elif kind < 0.5:
        storm.breaks()
    storm.event(Tick())
    storm.serves(friends)
