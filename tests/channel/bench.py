"""One ChannelKeys on a bench, and shares made by hand for it."""

from __future__ import annotations

from dataclasses import dataclass

from socp.channel import shares as share
from socp.channel.keyring import HeldKey
from socp.channel.machine import ChannelKeys
from socp.channel.outcomes import GenerateKey, KeyLearned, Outcome, ShareToSend
from socp.crypto import channel_box
from socp.crypto.keys import PrivateKey, PublicKey
from socp.crypto.symbolic import SymbolicSuite
from socp.wire.canonical import to_members
from socp.wire.payloads import PublicChannelAdd, PublicChannelKeyShare, PublicChannelUpdated, Wrap
from tests.channel.town import user_id

ME, ALICE, BOB, MALLORY = (user_id(n) for n in (5, 1, 2, 3))
START = 1_000_000


@dataclass
class Bench:
    suite: SymbolicSuite
    me: PrivateKey
    keys: dict[str, PrivateKey]
    machine: ChannelKeys
    now: int = START

    def group(self, version: int, creator: str = ALICE) -> HeldKey:
        """A fresh key of the channel."""
        private = self.suite.generate()
        group_key = channel_box.new_group_key(self.suite)
        box = channel_box.seal_private(self.suite, group_key, private, version)
        return HeldKey(version, private.public, private, group_key, box, creator)

    def share(self, key: HeldKey, author: str = ALICE, member: str = ME) -> PublicChannelKeyShare:
        target = self.me if member == ME else self.keys[member]
        return share.make(self.keys[author], member, target.public, key)

    def hears(
        self, payload: PublicChannelKeyShare, author: str = ALICE, *, pinned: bool = True
    ) -> Outcome:
        shares = [to_members(each) for each in payload.shares]
        known: PublicKey | None = self.keys[author].public if pinned else None
        return self.machine.shared(author, payload, shares, known, self.now)

    def learns(self, key: HeldKey, author: str = ALICE) -> None:
        outcome = self.hears(self.share(key, author), author)
        assert isinstance(outcome, KeyLearned), outcome

    def online(self, *names: str) -> None:
        for name in names:
            self.machine.member_online(name, self.keys[name].public, self.now)

    def add(self, *names: str, version: int, turn: int | None = None) -> None:
        said = PublicChannelAdd(add=names, if_version=version, turn=turn)
        self.machine.added(said, self.now)

    def updated(self, *names: str, version: int) -> None:
        wraps = tuple(Wrap(member_id=name, wrapped_key="AAAA") for name in names)
        self.machine.updated(PublicChannelUpdated(version=version, wraps=wraps), self.now)

    def after(self, ms: int) -> list[ShareToSend | GenerateKey | KeyLearned]:
        """What is due, tick by tick, in the next `ms`."""
        actions: list[ShareToSend | GenerateKey | KeyLearned] = []
        for _ in range(0, ms, 100):
            self.now += 100
            actions += self.machine.due(self.now)
        return actions

    def given(self, ms: int) -> list[str]:
        """Who is given a share in the next `ms`."""
        return [each.member for each in self.after(ms) if isinstance(each, ShareToSend)]


def bench(*held: HeldKey) -> Bench:
    suite = SymbolicSuite(11)
    me = suite.generate()
    keys: dict[str, PrivateKey] = {
        user_id(n): suite.generate() for n in range(1, 41) if user_id(n) != ME
    }
    machine = ChannelKeys(suite, me, ME, held)
    machine.attached(START)
    return Bench(suite, me, keys, machine)
