"""Login by password: whose, in hand, and how often somebody may guess (section 10, P3)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from socp.crypto.keys import Suite
from socp.crypto.opaque import LoginInHand, LoginRefused, OpaqueKeeper
from socp.node.budget import SHARES, Budget, Table
from socp.node.calls import CallRefused, Done, LoggedIn, LoginBegun, PasswordBegun, Why
from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.pace import AddressBuckets, Buckets
from socp.node.records import Login, LoginRemoved, LoginSetup, Record, Remembered
from socp.node.tallies import Tallies
from socp.wire import base64url, limits
from socp.wire.addresses import source_of

USERS = "server.users"
IN_HAND_MS = 60_000
IN_HAND_MAX = 1_000
CHANGES_MAX = 1_000  # remembered, to be undone where the disk does not take them
NUMBER_BYTES = 16
_PER_S = limits.LOGIN_TRIES_PER_MIN / 60
WAIT_S = 60 // limits.LOGIN_TRIES_PER_MIN


@dataclass(frozen=True, slots=True)
class InHand:
    user_id: str
    box: str
    address: str
    login: LoginInHand
    until_ms: int  # monotonic


@dataclass(slots=True)
class Change:
    """What a user had before what they have now, and how often that was given to the disk."""

    before: Login | None
    times: int = 1


class Logins:
    """Who has no password is answered as those who have one: only the end tells."""

    def __init__(
        self, suite: Suite, emitter: Emitter, remembered: Remembered, budget: Budget
    ) -> None:
        self._passwords_max = budget.rows(Table.PASSWORDS)
        self._suite = suite
        self._emit = emitter
        self._logins = {login.user_id: login for login in remembered.logins}
        self._setup = remembered.login_setup
        self._keeper: OpaqueKeeper | None = None
        self._in_hand: OrderedDict[bytes, InHand] = OrderedDict()
        self._changes: OrderedDict[tuple[str, Login | None], Change] = OrderedDict()
        self._refused = Tallies()
        # Of those with a password none is ever pushed out, or pushing would give new guesses; and
        # they may be more than there is room for now, from a time with more memory.
        most = SHARES[Table.PASSWORDS].most
        self._of_accounts = Buckets(limits.LOGIN_TRIES_BURST, _PER_S, most)
        self._of_nobody = Buckets(limits.LOGIN_TRIES_BURST, _PER_S)
        self._of_addresses = AddressBuckets(limits.LOGIN_TRIES_BURST, _PER_S)

    # --- setting a password, by its proven owner ------------------------------------------------

    def answer(self, user_id: str, request: bytes) -> PasswordBegun:
        """Raises CallRefused."""
        self._check_room(user_id)
        try:
            return PasswordBegun(self._ours().answer_registration(request, user_id))
        except LoginRefused:
            raise _unfit() from None

    def keep(self, user_id: str, upload: bytes, box: bytes) -> Done:
        """Raises CallRefused."""
        self._check_room(user_id)
        keeper = self._ours()
        try:
            record = keeper.checked_record(upload)
        except LoginRefused:
            raise _unfit() from None
        login = Login(user_id, base64url.encode(record), base64url.encode(box))
        self._emit.persist(LoginSetup(keeper.setup))  # each time: a record without it is worthless
        self._change(user_id, login)
        self._emit.info(USERS, f"User {user_id} set a password")
        return Done()

    def remove(self, user_id: str) -> Done:
        self._change(user_id, None)
        self._emit.info(USERS, f"User {user_id} removed their password")
        return Done()

    def forget(self, user_id: str) -> None:
        """Their key was replaced, or nobody takes it any more: it need not be restored."""
        if user_id in self._logins:
            self._emit.info(
                USERS, f"User {user_id} has no password any more: their key is not taken now"
            )
        self._change(user_id, None)

    def _change(self, user_id: str, to: Login | None) -> None:
        """What is not in memory may be on the disk still: it is always told as well."""
        before = self._logins.pop(user_id, None)
        if to is None:
            self._emit.persist(LoginRemoved(user_id))
            for number in [n for n, each in self._in_hand.items() if each.user_id == user_id]:
                del self._in_hand[number]
        else:
            self._logins[user_id] = to
            self._emit.persist(to)
        change = self._changes.get((user_id, to))
        if before != to or change is None:
            change = self._changes[user_id, to] = Change(before)
            self._changes.move_to_end((user_id, to))
        else:
            change.times += 1
        if len(self._changes) > CHANGES_MAX:
            self._changes.popitem(last=False)

    def not_stored(self, records: Iterable[Record]) -> None:
        """These were not committed: who had a password before has it still, and nobody else."""
        for record in records:
            if isinstance(record, Login):
                self._undo(record.user_id, record)
            elif isinstance(record, LoginRemoved):
                self._undo(record.user_id, None)

    def _undo(self, user_id: str, lost: Login | None) -> None:
        change = self._changes.get((user_id, lost))
        if change is None:
            return
        change.times -= 1
        if change.times:  # said again since, and that may have been stored
            return
        del self._changes[user_id, lost]
        if self._logins.get(user_id) == lost:
            self._logins.pop(user_id, None)
            if change.before is not None:
                self._logins[user_id] = change.before
        for (whose, _), later in self._changes.items():
            if whose == user_id and later.before == lost:
                later.before = change.before

    def has(self, user_id: str) -> bool:
        return user_id in self._logins

    def _check_room(self, user_id: str) -> None:
        most = self._passwords_max
        if user_id not in self._logins and len(self._logins) >= most:
            raise CallRefused(
                Why.NOT_ALLOWED,
                f"this server keeps {most} passwords and is full; keep a backup of your key"
                " file instead, or ask the operator",
            )

    # --- login ----------------------------------------------------------------------------------

    def begin(
        self, user_id: str, request: bytes, nonce: bytes, address: str, loopback: bool, now: Now
    ) -> LoginBegun:
        """Each of these may be a guess: the answer alone tells who knows the password."""
        known = self._logins.get(user_id)
        self._count(user_id, address, loopback, now, has_password=known is not None)
        record = base64url.decode(known.record) if known else b""
        try:
            response, login = self._ours().begin(request, user_id, record)
        except LoginRefused:
            raise _wrong() from None
        while self._in_hand and next(iter(self._in_hand.values())).until_ms <= now.mono:
            self._in_hand.popitem(last=False)
        if len(self._in_hand) >= IN_HAND_MAX:
            self._in_hand.popitem(last=False)
        number = nonce[:NUMBER_BYTES]
        box = known.box if known else ""
        self._in_hand[number] = InHand(user_id, box, address, login, now.mono + IN_HAND_MS)
        return LoginBegun(number, response, IN_HAND_MS)

    def end(self, number: bytes, proof: bytes, now: Now) -> LoggedIn:
        """Raises CallRefused(NOT_PROVEN), always in the same words."""
        found = self._in_hand.pop(number, None)
        if found is None or found.until_ms <= now.mono:
            raise _wrong()
        if not found.login.holds(proof) or not found.box:
            self._emit.warn(USERS, f"A wrong password for {found.user_id} from {found.address}")
            raise _wrong()
        for buckets, name in (
            (self._of_accounts, found.user_id),
            (self._of_addresses, found.address),
        ):
            buckets.give_back(name)
        self._emit.info(USERS, f"User {found.user_id} logged in from {found.address}")
        return LoggedIn(found.user_id, found.box)

    def _count(
        self, user_id: str, address: str, loopback: bool, now: Now, *, has_password: bool
    ) -> None:
        accounts = self._of_accounts if has_password else self._of_nobody
        near = loopback or self._of_addresses.take(address, now.mono)
        if not near or not accounts.take(user_id, now.mono):
            whom = f"for {user_id}" if near else f"from {source_of(address)}"
            times = self._refused.count(whom, now)
            if times:
                line = f"Too many login tries {whom}, the last from {address}"
                self._emit.warn(USERS, f"{line} ({times} so far)" if times > 1 else line)
            raise CallRefused(
                Why.LIMITED,
                f"too many login tries; wait {WAIT_S} s for the next one",
                wait_s=WAIT_S,
            )

    def _ours(self) -> OpaqueKeeper:
        """Made when first needed: it takes 30 ms."""
        if self._keeper is None:
            self._keeper = OpaqueKeeper(self._suite, self._setup)
            if not self._setup:
                self._setup = self._keeper.setup
                self._emit.persist(LoginSetup(self._setup))
        return self._keeper


def _wrong() -> CallRefused:
    return CallRefused(
        Why.NOT_PROVEN,
        "the id or the password is wrong, or the login took over a minute; check both and try"
        " again",
    )


def _unfit() -> CallRefused:
    return CallRefused(
        Why.UNFIT, "not a message of RFC 9807 in the group this server uses; see docs/protocol.md"
    )
