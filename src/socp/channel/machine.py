"""ChannelKeys: one member's part in keeping one key pair that all of `public` hold (section 7).

A member without a key waits for a share, and makes a key when none comes. A member with one gives
it to whoever is said or seen to lack it, when its turn comes. There is no leader and no vote: turns
are reckoned from ids, and of two keys every member prefers the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from socp.channel import shares as share
from socp.channel import waits
from socp.channel.away import AwayShares
from socp.channel.keyring import HeldKey, Keyring
from socp.channel.members import MEMBERS_MAX, SOME_KEY, Members
from socp.channel.outcomes import (
    Action,
    CreatorUnknown,
    GenerateKey,
    KeyLearned,
    Outcome,
    ShareRefused,
    ShareToSend,
)
from socp.channel.pending import PendingShares
from socp.channel.quota import KeyQuota
from socp.channel.versions import Versions
from socp.crypto import channel_box
from socp.crypto.keys import PrivateKey, PublicKey, Suite
from socp.wire.payloads import PublicChannelAdd, PublicChannelKeyShare, PublicChannelUpdated

GENERATION_MS: Final = 60_000
"""A key that was asked for and never came is asked for again."""
AWAITED_MS: Final = 60_000
"""An ADD for somebody not seen online is kept so long: their ADVERTISE may come after it."""
FORMER_TRIED: Final = 3
NEW_KEY_MS: Final = 10_000
"""So long the maker of a key gives it to whoever turns up: their server may not know of it yet."""


class ChannelKeys:
    """Times are monotonic ms. Nothing here raises for what others send; everything is bounded."""

    def __init__(
        self, suite: Suite, me: PrivateKey, my_id: str, keys: Sequence[HeldKey] = ()
    ) -> None:
        self._suite = suite
        self._me = me
        self._former: tuple[PrivateKey, ...] = ()
        self._my_id = my_id
        self._ring = Keyring(keys)
        self._versions = Versions(self._ring.highest)
        self._members = Members()
        self._pending = PendingShares()
        self._away = AwayShares()
        self._quota = KeyQuota()
        self._wait = waits.CreationWait()
        # named by an ADD, not online yet -> when, and our turn where the server said it
        self._awaited: dict[str, tuple[int, int | None]] = {}
        self._attached = False
        self._asked: tuple[int, int] | None = None  # version and time of an open GenerateKey
        self._spare: PrivateKey | None = None  # a pair that was made, for whichever version
        self._made: tuple[str, int] | None = None  # fingerprint and time of the key we made

    def use(self, me: PrivateKey, former: Sequence[PrivateKey]) -> None:
        """Our own key was replaced; shares for a former one, newest first, may still come."""
        self._me = me
        self._former = tuple(former[:FORMER_TRIED])

    # --- presence ---

    def attached(self, mono: int) -> None:
        """The server took our hello: the wait for a key begins."""
        self.detached()
        self._attached = True
        self._wait.restarted(mono)

    def detached(self) -> None:
        """The link is gone: nobody is known to be online, nothing is pending."""
        self._attached = False
        self._members.all_left()
        self._pending.clear()
        self._awaited.clear()

    def member_online(self, user_id: str, key: PublicKey, mono: int) -> None:
        """A member is online (we ourselves are left out); `key` is the pinned one."""
        if user_id == self._my_id or not self._members.came(user_id, key):
            return
        named = self._awaited.pop(user_id, None)
        if named is not None and mono - named[0] < AWAITED_MS:
            self._newcomer(user_id, mono, turn=named[1])
        elif self._made is not None and mono - self._made[1] < NEW_KEY_MS:
            self._owe_now(user_id, self._made[0], mono)

    def member_gone(self, user_id: str) -> None:
        """They left."""
        self._members.left(user_id)
        self._pending.cancel_member(user_id)
        self._awaited.pop(user_id, None)

    def away(self, people: Iterable[tuple[str, PublicKey]]) -> None:
        """Members who are away while we make a key or use one, with their pinned keys: whoever of
        them is not known to have it is given it, once, when nobody online waits for us."""
        key = self._ring.sending
        for user_id, public in people if key is not None else ():
            assert key is not None
            if not self._needless(user_id, key.fingerprint):
                self._away.owe(user_id, key.fingerprint, public)

    def _needless(self, user_id: str, fingerprint: str) -> bool:
        """Somebody else gave it to them, or they are here: then it goes by turns."""
        key = self._ring.sending
        by_turns = key is not None and key.fingerprint == fingerprint
        here = user_id in self._members.online and by_turns
        return here or self._members.ever_held(user_id, fingerprint)

    # --- what is said about keys ---

    def added(self, payload: PublicChannelAdd, mono: int) -> None:
        """A server says that these lack a wrap of its current version."""
        of_us = self._my_id in payload.add
        if payload.if_version == 0 and self._versions.known == 0:
            self._wait.nobody_holds()
        self._versions.heard(payload.if_version, of_us=of_us)
        key = self._ring.sending
        if key is None:
            if of_us:
                self._wait.put_off(mono)
        elif payload.if_version == key.version:
            for user_id in payload.add:
                # A list that names us, who hold it, is not one of people who lack it.
                self._newcomer(user_id, mono, surely=not of_us, turn=payload.turn)

    def updated(self, payload: PublicChannelUpdated, mono: int) -> None:
        """Wraps went by. Without authorship they choose nothing: they show who is being served."""
        self._versions.heard(payload.version)
        if not self._versions.counts(payload.version):
            return
        self._wait.put_off(mono)
        key = self._ring.sending
        if key is not None and payload.version == key.version:
            for wrap in payload.wraps:
                self._given(wrap.member_id, key.fingerprint, mono)

    def shared(
        self,
        author_id: str,
        payload: PublicChannelKeyShare,
        shares: object,
        creator_key: PublicKey | None,
        mono: int,
    ) -> Outcome:
        """A share by `author_id`, the envelope's `from`.

        `shares` is that member exactly as received (`envelope.members["shares"]`), for the
        signature covers it; `creator_key` is the key pinned for `author_id`, or None.
        Only shares for us have an outcome that people need to know of.
        """
        if author_id == self._my_id:
            return None
        wraps = [
            each.wrapped_public_channel_key for each in payload.shares if each.member == self._my_id
        ]
        if creator_key is None:
            return CreatorUnknown(author_id) if wraps else None
        try:
            return self._vouched(author_id, payload, shares, creator_key, wraps, mono)
        except share.Unfit as unfit:
            return ShareRefused(str(unfit)) if wraps else None

    def held_by(self, user_id: str, fingerprint: str, mono: int) -> None:
        """A post by them, its content_sig good, opened under our key with this fingerprint."""
        if user_id == self._my_id:
            return
        self._members.used(user_id, fingerprint, mono)
        key = self._ring.sending
        if key is None:
            return
        if fingerprint == key.fingerprint:
            self._pending.cancel(user_id, fingerprint)
        else:
            self._seen_without(user_id, key, mono)

    def unreadable_by(self, user_id: str, mono: int) -> None:
        """A post by them, its content_sig good, opened under none of our keys."""
        self.held_by(user_id, SOME_KEY, mono)

    def generated(self, version: int, private: PrivateKey) -> None:
        """The answer to GenerateKey; the next `due` goes on with it if it is still wanted."""
        if self._asked is not None and self._asked[0] == version:
            self._asked = None
            self._spare = private

    # --- what is to be done ---

    def due(self, mono: int) -> list[Action]:
        """Call on every tick and after `generated`: what to do now, in this order."""
        if not self._attached:
            return []
        actions: list[Action] = []
        if self._ring.sending is None and mono >= self._creation_due():
            actions += self._create(mono)
        for member, fingerprint in self._pending.ready(mono, self._holder_wait_ms):
            actions += self._share(member, fingerprint, mono)
        while (owed := self._away.first()) is not None:
            user_id, fingerprint, public = owed
            needless = self._needless(user_id, fingerprint)
            if not needless and not self._pending.spend(mono):
                break
            self._away.done(user_id, fingerprint)
            actions += [] if needless else self._give(user_id, public, fingerprint, mono)
        return actions

    @property
    def idle(self) -> bool:
        """No key of our making is still to be given to members who are away."""
        made = self._made if self._attached else None
        return made is None or not self._away.owes(made[0])

    @property
    def rests(self) -> bool:
        """Whether `due` has nothing to do until something is said or asked for."""
        if not self._attached:
            return True
        owes = len(self._pending) or self._away.first() is not None
        return self._ring.sending is not None and not owes

    # --- what is known ---

    def sending_key(self) -> HeldKey | None:
        """The key for our posts, or None while none is held."""
        return self._ring.sending

    def reading_keys(self, author_id: str = "") -> tuple[HeldKey, ...]:
        """The keys to try on a post: the one this author used last, then newest first."""
        keys = self._ring.newest_first()
        last = self._members.last_used(author_id)
        return tuple(sorted(keys, key=lambda key: key.fingerprint != last))

    @property
    def highest_version(self) -> int:
        """The highest version held, 0 for none."""
        return self._versions.held

    @property
    def highest_known(self) -> int:
        """The highest version that counts, hints included; above `highest_version`: we lack it."""
        return self._versions.known

    # --- who lacks what ---

    def _newcomer(
        self, user_id: str, mono: int, *, surely: bool = True, turn: int | None = None
    ) -> None:
        """A server says that they lack our sending key, and perhaps whose turn it is."""
        key = self._ring.sending
        if key is None or user_id == self._my_id:
            return
        if user_id not in self._members.online:
            if len(self._awaited) < MEMBERS_MAX:
                self._awaited[user_id] = (mono, turn)
            return
        known = self._members.holds(user_id, key.fingerprint, mono)
        if known or (not surely and self._members.ever_held(user_id, key.fingerprint)):
            return
        wait_ms = None if turn is None else min(turn, waits.HOLDER_RANKS) * waits.HOLDER_STEP_MS
        self._pending.owe(user_id, key.fingerprint, mono, surely=surely, wait_ms=wait_ms)

    def _seen_without(self, user_id: str, key: HeldKey, mono: int) -> None:
        """They used another key than the one we prefer: its share was lost, or never sent."""
        if user_id not in self._members.online:
            return
        if self._members.given_lately(user_id, key.fingerprint, mono):
            return
        self._members.forget(user_id, key.fingerprint)
        self._pending.owe(user_id, key.fingerprint, mono)

    def _given(self, user_id: str, fingerprint: str, mono: int) -> None:
        self._members.was_given(user_id, fingerprint, mono)
        self._pending.cancel(user_id, fingerprint)

    def _owe_now(self, user_id: str, fingerprint: str, mono: int) -> None:
        if not self._members.holds(user_id, fingerprint, mono):
            self._pending.owe_now(user_id, fingerprint, mono)

    def _holder_wait_ms(self, newcomer: str, fingerprint: str) -> int:
        holders = (
            user_id
            for user_id in self._members.online
            if not self._pending.lacks(user_id, fingerprint)
        )
        rank = waits.holder_rank(newcomer, self._my_id, holders)
        return waits.holder_wait_ms(newcomer, self._my_id, rank)

    def _share(self, member: str, fingerprint: str, mono: int) -> list[ShareToSend]:
        ours = self._me.public if member == self._my_id else None
        member_key = ours or self._members.online.get(member)
        return [] if member_key is None else self._give(member, member_key, fingerprint, mono)

    def _give(
        self, member: str, member_key: PublicKey, fingerprint: str, mono: int
    ) -> list[ShareToSend]:
        key = self._ring.get(fingerprint)
        if key is None:
            return []
        self._members.was_given(member, fingerprint, mono)
        return [ShareToSend(member, share.make(self._me, member, member_key, key))]

    # --- a share that came ---

    def _vouched(
        self,
        author_id: str,
        payload: PublicChannelKeyShare,
        shares: object,
        creator_key: PublicKey,
        wraps: list[str],
        mono: int,
    ) -> Outcome:
        if not self._versions.counts(payload.version):
            raise share.Unfit(f"its version {payload.version} is too far above the ones in use")
        public = share.vouched(self._suite, payload, shares, creator_key)
        self._versions.heard(payload.version)
        self._wait.put_off(mono)
        self._members.used(author_id, public.fingerprint, mono)
        for each in payload.shares:
            if each.member != self._my_id:
                self._given(each.member, public.fingerprint, mono)
        outcome = self._open(author_id, payload, public, wraps, mono)
        key = self._ring.sending
        if key is not None and key.fingerprint != public.fingerprint:
            self._seen_without(author_id, key, mono)
        return outcome

    def _open(
        self,
        author_id: str,
        payload: PublicChannelKeyShare,
        public: PublicKey,
        wraps: list[str],
        mono: int,
    ) -> KeyLearned | None:
        if not wraps or self._ring.get(public.fingerprint) is not None:
            return None
        if not self._quota.allows(author_id, mono):
            raise share.Unfit("they have brought too many new keys in the last minutes")
        mine = (self._me, *self._former)
        key = share.opened(self._suite, mine, wraps, payload, public, author_id)
        if not self._ring.add(key):
            raise share.Unfit("it is older than all of the keys that are kept")
        self._quota.brought(author_id, mono)
        self._holds(key)
        return KeyLearned(key)

    def _holds(self, key: HeldKey) -> None:
        if key.version > self._versions.held:
            self._pending.clear()  # who lacks an older key is given this one, by whoever made it
        self._versions.holds(key.version)

    # --- making a key ---

    def _creation_due(self) -> int:
        rank = waits.creator_rank(self._my_id, self._members.keyless())
        return self._wait.until(rank, version_known=self._versions.known > 0)

    def _create(self, mono: int) -> list[GenerateKey | KeyLearned]:
        if self._spare is not None:
            return [KeyLearned(self._make(self._spare, mono))]
        if self._asked is not None and mono - self._asked[1] < GENERATION_MS:
            return []
        self._asked = (self._versions.next, mono)
        return [GenerateKey(self._versions.next)]

    def _make(self, private: PrivateKey, mono: int) -> HeldKey:
        self._spare = None
        version = self._versions.next
        group_key = channel_box.new_group_key(self._suite)
        box = channel_box.seal_private(self._suite, group_key, private, version)
        key = HeldKey(version, private.public, private, group_key, box, self._my_id)
        self._ring.add(key)
        self._holds(key)
        self._made = (key.fingerprint, mono)
        for user_id in (self._my_id, *self._members.online):
            self._pending.owe_now(user_id, key.fingerprint, mono)
        return key
