"""Keys of users that are replaced or revoked by the users themselves (section 10; threats I9, I10).

A key is followed only along statements that old and new key both signed, step by step, from the
one that is pinned; a revocation ends an id for ever. Everything else is BAD_KEY.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from socp.crypto import rotation
from socp.crypto.keys import PublicKey, Suite
from socp.crypto.rotation import KeyStep, Revocation, Unfollowed
from socp.node.directory import Directory
from socp.node.effects import Afterwards, Outgoing
from socp.node.emitter import Emitter
from socp.node.events import KeyTaken, LinkId, Now
from socp.node.links import Link, Links, Stage
from socp.node.logins import Logins
from socp.node.pace import Buckets
from socp.node.records import Account, Barred, Record
from socp.wire import limits
from socp.wire.envelope import Envelope, check_ts, reencode
from socp.wire.errors import Code, PeerFault
from socp.wire.features import ROTATE
from socp.wire.ids import EVERYONE
from socp.wire.payloads import Ack, KeyHistory, KeyRevoke, KeyRotate, Revoked, Rotation

USERS: Final = "server.users"
PACE_MS: Final = 60_000  # between two rotations of one user
CHAINS_BURST: Final = 200  # of one server or user; a chain costs up to ten verifications
CHAINS_PER_S: Final = 10
TOLD_SERVERS_MAX: Final = 1_000  # histories a new link of a server hears
FRAMES_KEPT: Final = 1_500  # up to 12 kB each
UNSTORED_MAX: Final = 1_000
HEAR_AGAIN_MS: Final = 2_000
TOLD_USERS_MAX: Final = 200  # revocations a user who comes hears

Chain = Sequence[Rotation]


class Rotations:
    """Changes pins in the directory; what it may not change it refuses."""

    def __init__(
        self, suite: Suite, emitter: Emitter, links: Links, directory: Directory, logins: Logins
    ) -> None:
        self._suite = suite
        self._emit = emitter
        self._links = links
        self._directory = directory
        self._histories = directory.histories
        self._logins = logins
        self._chains = Buckets(CHAINS_BURST, CHAINS_PER_S)
        # Kept, so that each is signed once.
        self._frames: OrderedDict[str, Outgoing] = OrderedDict()
        self._hear_ms = 0

    # --- who may --------------------------------------------------------------------------------

    def check_alive(self, user_id: str) -> None:
        """Raises PeerFault(BAD_KEY) for an id that its owner revoked."""
        if user_id in self._histories.revoked:
            raise PeerFault(
                Code.BAD_KEY, f"{user_id} was revoked by its owner for ever; use another user id"
            )

    def check_may_attach(self, user_id: str) -> None:
        """Raises PeerFault(NOT_ALLOWED) for an id that is revoked, or barred by the operator."""
        if user_id in self._histories.revoked:
            detail = f"{user_id} was revoked by its owner for ever; use another user id"
        elif user_id in self._histories.barred:
            detail = f"{user_id} is not hosted here any more; ask this server's operator"
        else:
            return
        raise PeerFault(Code.NOT_ALLOWED, detail, close=1008)

    def is_former(self, user_id: str, key: PublicKey) -> bool:
        """Whether `key` was the user's until another took its place."""
        former = self._histories.former(user_id)
        return key.text in former and key != self._directory.key(user_id)

    def plausible(self, user_id: str, key: PublicKey, chain: Chain, now: Now) -> bool:
        """Whether a chain looks as if it led to `key`: before anything is proved, so no RSA."""
        try:
            rotation.check_shape(chain, now.wall + limits.TS_WINDOW_MS)
        except Unfollowed:
            return False
        return self._directory.parse(chain[-1].pubkey) == key

    def admit(self, user_id: str, key: PublicKey, chain: Chain, source: str, now: Now) -> None:
        """Raises PeerFault(BAD_KEY) unless `key` is the user's: the pinned one, one to which
        `chain` leads from it (the pin moves then), or the first of somebody unknown.

        `source` is the server or user who says so, for the pace. That the id is alive is looked
        at before.
        """
        account = self._directory.accounts.get(user_id)
        if account is None or self._directory.parse(account.pubkey) == key:
            return None
        if not chain or not self.plausible(user_id, key, chain, now):
            return self._directory.check(user_id, key)
        self._follow(account, chain, source, now)

    def _follow(self, account: Account, chain: Chain, source: str, now: Now) -> None:
        """Move the pin to the end of `chain`, or raise PeerFault."""
        self._afford(source, now)
        user_id, pinned = account.user_id, self._directory.parse(account.pubkey)
        latest = now.wall + limits.TS_WINDOW_MS
        try:
            after = self._histories.last_ts(user_id)
            steps = rotation.follow(
                self._suite, user_id, pinned, account.version, chain, latest, after
            )
        except Unfollowed as why:
            raise PeerFault(
                Code.BAD_KEY,
                f"{user_id} is known here with another key, and the rotations that came along do"
                f" not lead from it: {why}; use the known key, or another user id",
            ) from None
        self._histories.make_room(self._server_of(source), len(steps))
        self._put(account, steps)
        self._emit.info(USERS, f"User {user_id} has a new key, version {steps[-1].version}")

    def _afford(self, source: str, now: Now) -> None:
        if not self._chains.take(source, now.mono):
            raise PeerFault(Code.RATE_LIMITED, "too many key rotations at a time; say them again")

    def _server_of(self, source: str) -> str:
        """Which server's share of our memory it takes; "" for our own users."""
        return source if source in self._links.servers else ""

    def _put(self, account: Account, steps: tuple[KeyStep, ...]) -> None:
        known = self._histories.steps(account.user_id)
        if not known or not known[-1].sig:
            pinned = KeyStep(account.user_id, account.version, account.pubkey, 0, "", "")
            steps = (pinned, *steps)
        self._frames.pop(account.user_id, None)
        for step in steps:
            self._emit.persist(step)
        self._histories.add(steps if not known else tuple(s for s in steps if s.sig))
        self._directory.replace_key(account.user_id, steps[-1].pubkey, steps[-1].version)
        self._logins.forget(account.user_id)

    def catch_up(self, user_id: str, chain: Chain, source: str, now: Now) -> None:
        """The key is pinned, on whoever's word: learn its version from the chain that came with
        it. What does not hold is left: the pin stands on its own."""
        account = self._directory.accounts.get(user_id)
        if not chain or account is None or account.version >= chain[-1].version:
            return
        key = self._directory.parse(account.pubkey)
        if not self.plausible(user_id, key, chain, now):
            return
        try:
            self._afford(source, now)
            latest = now.wall + limits.TS_WINDOW_MS
            steps = rotation.introduced(self._suite, user_id, key, chain, latest)
            self._histories.make_room(self._server_of(source), len(steps))
        except (Unfollowed, PeerFault):
            return
        self._frames.pop(user_id, None)
        for step in steps:
            self._emit.persist(step)
        self._histories.add(steps)
        self._directory.replace_key(user_id, account.pubkey, steps[-1].version)

    # --- our own users --------------------------------------------------------------------------

    def rotate(self, link: Link, said: KeyRotate, now: Now) -> None:
        """KEY_ROTATE of the link's own user; its link ends then, for its key is a former one.

        Raises PeerFault, and nothing has changed.
        """
        account = self._standing(link, said.user_id, KeyRotate.TYPE)
        check_ts(said.ts, now.wall)
        if said.version != account.version + 1:
            raise PeerFault(
                Code.BAD_KEY, f"KEY_ROTATE: the next version of your key is {account.version + 1}"
            )
        if now.wall - self._histories.last_ts(said.user_id) < PACE_MS:
            raise PeerFault(
                Code.RATE_LIMITED,
                f"KEY_ROTATE: at most one in {PACE_MS // 1000} s; wait and say it again",
            )
        step = Rotation(
            pubkey=said.pubkey,
            follows=self._directory.parse(account.pubkey).fingerprint,
            version=said.version,
            ts=said.ts,
            sig=said.sig,
            new_sig=said.new_sig,
        )
        if self._directory.parse(said.pubkey).text in (
            account.pubkey,
            *self._histories.former(said.user_id),
        ):
            raise PeerFault(Code.BAD_KEY, "KEY_ROTATE: that key was yours before; make a new one")
        self._follow(account, (step,), link.peer, now)
        self._taken(link, KeyRotate.TYPE, now)

    def revoke(self, link: Link, said: KeyRevoke, now: Now) -> None:
        """KEY_REVOKE of the link's own user, by the key that the link proved, be it a former one:
        the last thing this id does. Raises PeerFault."""
        former = link.stage is Stage.FORMER
        account = self._standing(link, said.user_id, KeyRevoke.TYPE, former=former)
        check_ts(said.ts, now.wall)
        if said.version != account.version and not former:
            raise PeerFault(
                Code.BAD_KEY, f"KEY_REVOKE: the version of your key is {account.version}"
            )
        assert link.key is not None
        word = Revoked(pubkey=link.key.text, version=said.version, ts=said.ts, sig=said.sig)
        self._last_word(account, word, (), link.peer, now)
        self._taken(link, KeyRevoke.TYPE, now)

    def _taken(self, link: Link, what: str, now: Now) -> None:
        """The link ends with what it stood for, but not before that is stored: until then its user
        may have to hear that nothing has changed."""
        link.settling = what
        self._emit.say(link, Ack(msg_ref=what), now)
        self._tell(link.peer, now)
        self._emit.add(Afterwards(KeyTaken(link.id)))

    def _standing(self, link: Link, user_id: str, what: str, *, former: bool = False) -> Account:
        """The account of the link's own user, proved and at home here. `former`: with a key that
        was theirs, and then their home may have gone elsewhere with the new one."""
        if user_id != link.peer:
            raise PeerFault(Code.NOT_ALLOWED, f"{what}: user_id is not the user of this link")
        if former:
            return self._directory.accounts[user_id]
        own_id = self._emit.server_id
        if not link.proven or link.attach is None or self._directory.home(user_id) != own_id:
            raise PeerFault(
                Code.NOT_ALLOWED,
                f"{what}: only where you proved your key and said that you are here; say hello"
                " again with link-auth/1 and an attach",
            )
        return self._directory.accounts[user_id]

    # --- what is said to others, and by them ----------------------------------------------------

    def _tell(self, user_id: str, now: Now) -> None:
        self._emit.send(self._listeners(user_id), self._frame(user_id, now))

    def _frame(self, user_id: str, now: Now) -> Outgoing:
        """KEY_HISTORY of a user, the same object until there is more to tell."""
        frame = self._frames.pop(user_id, None)
        if frame is None:
            told = self._histories.told(user_id)
            frame = self._emit.frame(told, to=EVERYONE, ts=now.wall, bind=True)
        self._frames[user_id] = frame
        if len(self._frames) > FRAMES_KEPT:
            self._frames.popitem(last=False)
        return frame

    def _listeners(self, *but: str) -> tuple[LinkId, ...]:
        """The links of everybody with `rotate/1` but these."""
        tables = (self._links.users, self._links.servers)
        return tuple(
            link.id
            for table in tables
            for peer, link in table.items()
            if ROTATE in link.features and peer not in but
        )

    def news_for_server(self, link: Link, now: Now) -> tuple[Outgoing, ...]:
        """What a server that was away may have missed: the newest histories of our users."""
        if ROTATE not in link.features:
            return ()
        accounts = self._directory.accounts
        ours = [
            user_id
            for user_id in self._histories.known()
            if user_id in accounts and accounts[user_id].local
        ]
        return tuple(self._frame(user_id, now) for user_id in ours[-TOLD_SERVERS_MAX:])

    def news_for_user(self, link: Link, now: Now) -> tuple[Outgoing, ...]:
        """The newest revocations, of users whom nobody advertises any more."""
        if ROTATE not in link.features:
            return ()
        dead = list(self._histories.revoked)[-TOLD_USERS_MAX:]
        return tuple(self._frame(user_id, now) for user_id in dead if user_id != link.peer)

    def last_word(self, link: Link, user_id: str, now: Now) -> tuple[Outgoing, ...]:
        """KEY_HISTORY where this id is dead."""
        tells = ROTATE in link.features and user_id in self._histories.revoked
        return (self._frame(user_id, now),) if tells else ()

    def heard(self, link: Link, envelope: Envelope, said: KeyHistory, now: Now) -> None:
        """KEY_HISTORY: what holds is kept and passed on, once.

        Of a user nobody here ever saw nothing is kept: there is no key to begin from.
        """
        account = self._directory.accounts.get(said.user_id)
        if account is None:
            return
        ends = said.revoked is not None and said.user_id not in self._histories.revoked
        try:
            news = self._hear_chain(account, said.rotations, link.peer, now)
        except PeerFault:
            if not ends:
                raise
            news = False  # another chain than ours, maybe a thief's: the last word is above both
        if said.revoked is not None and ends:
            account = self._directory.accounts[said.user_id]
            self._last_word(account, said.revoked, said.rotations, link.peer, now)
            news = True
        if news:
            self._emit.relay(self._listeners(link.peer, envelope.from_), reencode(envelope))

    def _hear_chain(self, account: Account, chain: Chain, source: str, now: Now) -> bool:
        if not chain or account.user_id in self._histories.revoked:
            return False
        last = self._directory.parse(chain[-1].pubkey)
        if last == self._directory.parse(account.pubkey):
            self.catch_up(account.user_id, chain, source, now)
            return False
        if last.text in self._histories.former(account.user_id):
            return False  # they are behind, or it is a replay
        self.admit(account.user_id, last, chain, source, now)
        return True

    def _last_word(
        self, account: Account, said: Revoked, chain: Chain, source: str, now: Now
    ) -> None:
        """Take a revocation by any key the user ever had, or raise PeerFault."""
        user_id = account.user_id
        key = self._directory.parse(said.pubkey)
        self._afford(source, now)
        if said.ts > now.wall + limits.TS_WINDOW_MS:
            raise PeerFault(Code.BAD_FRAME, "a revocation from the future; set your clock")
        texts = (account.pubkey, *self._histories.former(user_id))
        known = tuple(map(self._directory.parse, texts))
        by_them = rotation.is_theirs(self._suite, user_id, key, known, chain)
        if not by_them or not rotation.revocation_holds(user_id, key, said):
            raise PeerFault(Code.BAD_KEY, f"the revocation of {user_id} is not by a key of theirs")
        self._histories.make_room_for_last_word(self._server_of(source))
        word = Revocation(user_id, key.text, said.version, said.ts, said.sig)
        self._histories.revoked[user_id] = word
        self._frames.pop(user_id, None)
        self._emit.persist(word)
        self._logins.forget(user_id)
        self._emit.info(USERS, f"User {user_id} revoked their id")

    # --- the disk -------------------------------------------------------------------------------

    def not_stored(self, records: Iterable[Record]) -> None:
        """These were not committed and nothing was said of them: as if they had never been."""
        lost = tuple(records)
        for record in lost:
            if isinstance(record, Revocation):
                self._histories.revoked.pop(record.user_id, None)
                self._frames.pop(record.user_id, None)
            elif isinstance(record, Barred):
                self._histories.barred.pop(record.user_id, None)
        steps = {record for record in lost if isinstance(record, KeyStep) and record.sig}
        for user_id in {step.user_id for step in steps}:
            self._undo(user_id, steps)

    def due(self, now: Now) -> None:
        """Hear once more what the disk did not take of users elsewhere: nobody says it again."""
        if now.mono < self._hear_ms or not self._histories.unstored:
            return
        self._hear_ms = now.mono + HEAR_AGAIN_MS
        lost = dict(self._histories.unstored)
        self._histories.unstored.clear()
        for user_id, chain in lost.items():
            account = self._directory.accounts.get(user_id)
            if account is not None and self._holds(account, chain, now):
                self._tell(user_id, now)
                link = self._links.users.get(user_id)
                if link is not None:  # with the former key, while it stood again
                    self._emit.add(Afterwards(KeyTaken(link.id)))

    def _holds(self, account: Account, chain: Chain, now: Now) -> bool:
        try:
            return self._hear_chain(account, chain, account.user_id, now)
        except PeerFault:
            return False

    def _undo(self, user_id: str, lost: set[KeyStep]) -> None:
        self._frames.pop(user_id, None)
        dropped: list[Rotation] = []
        while (steps := self._histories.steps(user_id)) and steps[-1] in lost:
            dropped.insert(0, steps[-1].rotation)
            self._histories.drop_newest(user_id)
        account = self._directory.accounts.get(user_id)
        if account is None:
            return
        if not account.local and len(self._histories.unstored) < UNSTORED_MAX:
            self._histories.unstored[user_id] = tuple(dropped)
        if steps:
            account = replace(account, pubkey=steps[-1].pubkey, version=steps[-1].version)
        else:  # only the version had been learned
            account = replace(account, version=rotation.FIRST_VERSION)
        self._directory.accounts[user_id] = account
