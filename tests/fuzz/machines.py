"""State machines against plain models: whatever is done to them in whatever order, both agree."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    get_state_machine_test,
    initialize,
    invariant,
    precondition,
    rule,
)

from socp.channel import keyring
from socp.channel.keyring import HeldKey, Keyring
from socp.channel.versions import Versions
from socp.crypto.symbolic import SymbolicSuite
from socp.files.receiver import Receiver
from socp.files.transfer import Broken, Complete
from socp.member import records
from socp.member.emitter import Emitter
from socp.member.seen import Seen, Verdict
from socp.node import dedup, repeats, tallies
from socp.node.dedup import SeenIds
from socp.node.events import Now
from socp.node.repeats import Repeats
from socp.node.tallies import Tallies
from socp.wire import limits
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import FileChunk, FileStart
from tests.files.wire import Table, content, written
from tests.fuzz import mail_machines

SOURCES = ("a", "b", "c")
KEYS = st.integers(0, 12).map(lambda n: n.to_bytes(dedup.KEY_BYTES, "big"))
PAUSES_MS = st.sampled_from((0, 1, 60_000, dedup.KEPT_MS - 1, dedup.KEPT_MS, 2 * dedup.KEPT_MS))
QUOTA = 4


class SeenIdsMachine(RuleBasedStateMachine):
    """What passed is known for 10 min, and nobody pushes out another's (sections 4 and 12)."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = SeenIds(QUOTA)
        self.mono = 0
        self.entries: list[tuple[int, bytes, str]] = []  # until when, what, whose
        self.known: set[bytes] = set()

    def held(self, source: str) -> int:
        return sum(1 for _, _, who in self.entries if who == source)

    @rule(key=KEYS, source=st.sampled_from(SOURCES))
    def passes(self, key: bytes, source: str) -> None:
        if key in self.known or self.held(source) < QUOTA:
            self.seen.add(key, source, self.mono)
            self._note(key, source)
        else:
            self._refused(key, source)

    def _refused(self, key: bytes, source: str) -> None:
        with pytest.raises(PeerFault) as refusal:
            self.seen.add(key, source, self.mono)
        assert refusal.value.code is Code.RATE_LIMITED

    def _note(self, key: bytes, source: str) -> None:
        if key not in self.known:
            self.known.add(key)
            self.entries.append((dedup.until_ms(self.mono), key, source))

    @rule(key=KEYS)
    def was_there_before_the_start(self, key: bytes) -> None:
        self.seen.remember([key], self.mono)
        self._note(key, "")

    @rule(key=KEYS)
    def did_not_pass_after_all(self, key: bytes) -> None:
        self.seen.forget(key)
        self.known.discard(key)

    @rule(ms=PAUSES_MS)
    def time_passes(self, ms: int) -> None:
        self.mono += ms
        self.seen.expire(self.mono)
        for until, key, _ in self.entries:
            if until <= self.mono:
                self.known.discard(key)
        self.entries = [entry for entry in self.entries if entry[0] > self.mono]

    @invariant()
    def both_know_the_same(self) -> None:
        assert len(self.seen) == len(self.known)
        assert all(key in self.seen for key in self.known)


class TalliesMachine(RuleBasedStateMachine):
    """The first, the 10th, the 100th: and after an hour of quiet the first again."""

    def __init__(self) -> None:
        super().__init__()
        self.tallies = Tallies()
        self.mono = 0
        self.model: dict[str, tuple[int, int]] = {}

    @rule(about=st.sampled_from(SOURCES), times=st.integers(1, 30))
    def happens(self, about: str, times: int) -> None:
        for _ in range(times):
            count, last = self.model.get(about, (0, self.mono))
            if self.mono - last > tallies.QUIET_MS:
                count = 0
            self.model[about] = (count + 1, self.mono)
            told = self.tallies.count(about, Now(0, self.mono))
            assert told == (count + 1 if count + 1 in (1, 10, 100, 1000) else 0)

    @rule(ms=st.sampled_from((1, tallies.QUIET_MS, tallies.QUIET_MS + 1)))
    def time_passes(self, ms: int) -> None:
        self.mono += ms

    @rule()
    def thousands_of_others_come(self) -> None:
        for n in range(tallies.KEPT_MAX):
            self.tallies.count(f"other {n}", Now(0, self.mono))
        self.model.clear()  # nobody else has room


class RepeatsMachine(RuleBasedStateMachine):
    """A line is news where it is another one; the same one after pauses that double."""

    def __init__(self) -> None:
        super().__init__()
        self.repeats = Repeats()
        self.mono = 0
        self.told: dict[tuple[str, str], tuple[str, int, int]] = {}  # text, pause, until

    @rule(
        who=st.sampled_from(SOURCES),
        kind=st.sampled_from(("join", "frame")),
        text=st.sampled_from(("off by 3 s", "off by 4.5 s", "another key")),
    )
    def is_refused(self, who: str, kind: str, text: str) -> None:
        same = "another key" if text == "another key" else "off"
        before = self.told.get((who, kind))
        news = before is None or before[0] != same or self.mono >= before[2]
        assert self.repeats.is_news(peer(who), kind, text, Now(0, self.mono)) is news
        if news:
            again = before is not None and before[0] == same
            pause = repeats.FIRST_PAUSE_MS
            if again and before is not None:
                pause = min(2 * before[1], repeats.PAUSE_MAX_MS)
            self.told[who, kind] = (same, pause, self.mono + pause)

    @rule(who=st.sampled_from(SOURCES))
    def is_linked(self, who: str) -> None:
        self.repeats.settled(peer(who))
        self.told = {about: told for about, told in self.told.items() if about[0] != who}

    @rule(ms=st.integers(0, 2 * repeats.PAUSE_MAX_MS))
    def time_passes(self, ms: int) -> None:
        self.mono += ms


def peer(who: str) -> Any:
    """As much of a link as says who it is."""
    opened = SimpleNamespace(address=who)
    return SimpleNamespace(key=None, dialled=None, opened=opened)


class SeenMachine(RuleBasedStateMachine):
    """Shown once, under one author, whatever restarts lie between (threats M2, M4)."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[records.Seen] = []
        self.refs: dict[str, str] = {}
        self.authors: dict[bytes, str] = {}
        self.restarts()

    @rule()
    def restarts(self) -> None:
        self.seen = Seen(self._emitter(), self.kept)

    def _emitter(self) -> Emitter:
        kept: Any = SimpleNamespace(persist=self.kept.append)
        return kept  # type: ignore[no-any-return]

    @rule(ref=st.integers(0, 6), word=st.integers(0, 6), author=st.sampled_from(SOURCES))
    def comes(self, ref: int, word: int, author: str) -> None:
        name, digest = f"ref {ref}", hashlib.sha256(str(word).encode()).digest()
        verdict = self.seen.judge(name, [digest], author)
        if self.refs.get(name) == author:
            assert verdict is Verdict.AGAIN
        elif self.authors.get(digest, author) != author:
            assert verdict is Verdict.OTHERS_WORDS
        else:
            assert verdict is Verdict.NEW
            self.seen.remember(name, digest, author, 1)
            self.refs[name] = author
            self.authors.setdefault(digest, author)

    @rule(first=st.integers(0, 6), author=st.sampled_from(SOURCES))
    def is_called(self, first: int, author: str) -> None:
        name = f"ref {first}"
        free = self.refs.get(name, author) == author
        assert self.seen.is_called(name, author, 1) is free
        if free:
            self.refs[name] = author
            self.authors.setdefault(hashlib.sha256(name.encode()).digest(), author)

    @invariant()
    def everybody_wrote_what_they_wrote(self) -> None:
        for name, author in self.refs.items():
            assert name in self.seen
            assert self.seen.wrote(author, name)


SUITE = SymbolicSuite(3)
CHANNEL_KEYS = [SUITE.generate() for _ in range(keyring.KEYS_KEPT + 8)]


class KeyringMachine(RuleBasedStateMachine):
    """The newest keys are held, and all members send with the same one (section 7)."""

    def __init__(self) -> None:
        super().__init__()
        self.ring = Keyring()
        self.model: dict[str, int] = {}

    @rule(key=st.sampled_from(CHANNEL_KEYS), version=st.integers(1, 80))
    def comes(self, key: Any, version: int) -> None:
        fingerprint = key.public.fingerprint
        held = HeldKey(version, key.public, key, bytes(32), b"", "")
        before = dict(self.model)
        self.model.setdefault(fingerprint, version)
        ordered = sorted(self.model.items(), key=lambda each: (-each[1], each[0]))
        self.model = dict(ordered[: keyring.KEYS_KEPT])
        assert self.ring.add(held) is (fingerprint in self.model and fingerprint not in before)

    @rule()
    def many_come(self) -> None:
        for n, key in enumerate(CHANNEL_KEYS):
            self.comes(key, 1 + n % 80)

    @invariant()
    def both_hold_the_same_in_the_same_order(self) -> None:
        assert [key.fingerprint for key in self.ring.newest_first()] == list(self.model)
        assert self.ring.highest == max(self.model.values(), default=0)


class VersionsMachine(RuleBasedStateMachine):
    """Whatever servers say, no version is far above what is certain (threat M13)."""

    def __init__(self) -> None:
        super().__init__()
        self.versions = Versions(0)
        self.heard: list[int] = []

    @rule(version=st.integers(0, 5_000) | st.integers(0, limits.INTEGER_MAX), us=st.booleans())
    def is_heard(self, version: int, us: bool) -> None:
        known = self.versions.known
        self.versions.heard(version, of_us=us)
        self.heard.append(version)
        assert self.versions.known >= known

    @precondition(lambda self: self.versions.held == 0)
    @rule(jump=st.integers(1, limits.CHANNEL_VERSION_JUMP))
    def the_first_is_held(self, jump: int) -> None:
        self.versions.holds(jump)

    @rule(jump=st.integers(1, limits.CHANNEL_VERSION_JUMP))
    def a_next_one_is_held(self, jump: int) -> None:
        if self.versions.held and self.versions.counts(self.versions.held + jump):
            self.versions.holds(self.versions.held + jump)

    @invariant()
    def nothing_is_believed_beyond_the_jump(self) -> None:
        held = self.versions.held
        assert self.versions.next <= limits.CHANNEL_VERSION_JUMP
        if held:
            assert self.versions.known <= held + limits.CHANNEL_VERSION_JUMP
            assert not self.versions.counts(held + limits.CHANNEL_VERSION_JUMP + 1)
        # Not always one that was named: a hint above the jump counts as far as that.
        assert held <= self.versions.known <= max(held, *self.heard, 0)


class TransferMachine(RuleBasedStateMachine):
    """Chunks in any order, again, bent and cut: what is whole is what was sent (threat M5)."""

    table: Table
    receiver: Receiver

    @initialize(size=st.sampled_from((0, 1, 400, 2_300)), hybrid=st.booleans())
    def begins(self, size: int, hybrid: bool) -> None:
        self.table = Table(content(size), hybrid=hybrid)
        start, self.chunks = sent(size, hybrid)
        self.start = start
        self.receiver = self.table.accepted(start)
        self.sink = bytearray(size)
        self.good: set[int] = set()
        self.broken = False

    def _takes(self, chunk: FileChunk) -> bool:
        writes = self.receiver.chunk(chunk, self.table.ts, self.table.mono)
        if isinstance(writes, Broken):
            return False
        written(self.sink, writes)
        return True

    @precondition(lambda self: not self.broken and self.chunks)
    @rule(at=st.integers(0, 10))
    def one_comes(self, at: int) -> None:
        index = at % len(self.chunks)
        assert self._takes(self.chunks[index])
        self.good.add(index)

    @precondition(lambda self: not self.broken and self.chunks)
    @rule(at=st.integers(0, 10), bit=st.integers(0, 4_000))
    def one_comes_bent(self, at: int, bit: int) -> None:
        chunk = self.chunks[at % len(self.chunks)]
        data = bytearray(chunk.ciphertext.encode())
        place = bit % len(data)
        data[place] = ord("A") if data[place] != ord("A") else ord("B")
        members = {name: getattr(chunk, name) for name in chunk.__struct_fields__}
        before = bytes(self.sink)
        taken = self._takes(FileChunk(**members | {"ciphertext": data.decode()}))
        assert bytes(self.sink) == before, "something was written of a chunk that was bent"
        self.broken = not taken

    @rule()
    def another_attempt_begins(self) -> None:
        self.receiver = self.table.accepted(self.start)
        self.sink = bytearray(len(self.table.data))
        self.good, self.broken = set(), False

    @invariant()
    def it_is_whole_when_all_came_and_not_before(self) -> None:
        if not hasattr(self, "receiver") or self.broken:
            return
        whole = len(self.good) == len(self.chunks)
        assert self.receiver.complete is whole
        assert isinstance(self.receiver.end(), Complete) is whole
        assert not whole or bytes(self.sink) == self.table.data


_sent: dict[tuple[int, bool], tuple[FileStart, list[FileChunk]]] = {}


def sent(size: int, hybrid: bool) -> tuple[FileStart, list[FileChunk]]:
    """The frames of one file, made once: sealing throws dice."""
    if (size, hybrid) not in _sent:
        _sent[size, hybrid] = Table(content(size), hybrid=hybrid).sent()
    return _sent[size, hybrid]


RULES: dict[str, type[RuleBasedStateMachine]] = {
    "seen-ids": SeenIdsMachine,
    "tallies": TalliesMachine,
    "repeats": RepeatsMachine,
    "seen": SeenMachine,
    "keyring": KeyringMachine,
    "versions": VersionsMachine,
    "transfers": TransferMachine,
    **mail_machines.RULES,
}
MACHINES: dict[str, Any] = {name: get_state_machine_test(kind) for name, kind in RULES.items()}
