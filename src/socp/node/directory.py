"""User ids tied to keys, and where each user's home is (sections 4 and 10)."""

from __future__ import annotations

import bisect
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from socp.crypto import signing
from socp.crypto.keys import PublicKey, Suite
from socp.node.budget import Budget, Table
from socp.node.emitter import Emitter
from socp.node.events import LinkId, Now
from socp.node.key_history import Histories
from socp.node.links import Link, Links
from socp.node.records import Account, AccountGone, Home, InvitationGone, Remembered
from socp.node.unsaved import Unsaved
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import Attach, Error, PubkeyRequest, PubkeyResponse

ACCOUNTS_MAX = 200_000  # about 1.2 kB each
BARE_KEPT_MS = 24 * 3_600_000  # who never proved a key has so long before the like of them
BARE_LOOKED_AT = 64  # of those, for each newcomer who finds the table full
NEW_PINS_PER_SERVER = 20_000  # users one other server may make us remember
OWN_SHARE = 4  # one place in so many is kept free for users of our own, whoever else there is
LOOKUP_MS = 5_000
LOOKUPS_MAX = 10_000


class Directory:
    """Pins only grow: the first key seen for a user is the user's key until it signs another."""

    def __init__(
        self,
        suite: Suite,
        emitter: Emitter,
        links: Links,
        remembered: Remembered,
        budget: Budget,
    ) -> None:
        self._suite = suite
        self._emit = emitter
        self._links = links
        self.accounts: dict[str, Account] = {a.user_id: a for a in remembered.accounts}
        self.homes: dict[str, Home] = {h.user_id: h for h in remembered.homes}
        self.local_ids = sorted(a.user_id for a in remembered.accounts if a.local)
        self._unsaved = Unsaved(emitter)
        bare = (a for a in remembered.accounts if a.local and not a.proven)
        self._bare: OrderedDict[str, None] = OrderedDict.fromkeys(
            each.user_id for each in sorted(bare, key=lambda each: each.pinned_ms)
        )
        self._is_needed: Callable[[str], bool] = lambda _user_id: True
        self._has_gone: Callable[[str], None] = lambda _user_id: None
        self.histories = Histories(remembered, budget.rows(Table.KEYS))
        self._users_max = budget.rows(Table.USERS)
        self._new_by_server: dict[str, int] = {}
        self._asking: dict[str, dict[LinkId, int]] = {}  # user -> who asked, until when (mono)

    @property
    def _most(self) -> int:
        return min(ACCOUNTS_MAX, self._users_max)

    def parse(self, key_text: str) -> PublicKey:
        """Raises PeerFault(BAD_KEY)."""
        return self._suite.parse_public(key_text)

    def key(self, user_id: str) -> PublicKey | None:
        account = self.accounts.get(user_id)
        return None if account is None else self._suite.parse_public(account.pubkey)

    def home(self, user_id: str) -> str:
        """The server that last advertised the user, or ""."""
        home = self.homes.get(user_id)
        return "" if home is None else home.server_id

    def attach_ts(self, user_id: str) -> int:
        home = self.homes.get(user_id)
        return 0 if home is None else home.attach_ts

    def check(self, user_id: str, key: PublicKey) -> None:
        """Raises PeerFault(BAD_KEY) if `user_id` is pinned to another key."""
        pinned = self.key(user_id)
        if pinned is not None and pinned.fingerprint != key.fingerprint:
            raise PeerFault(
                Code.BAD_KEY,
                f"{user_id} is known here with another key; use that key, or another user id",
            )

    def knows(self, user_id: str, key: PublicKey, ts: int) -> bool:
        """Whether `key` is the user's, or was at `ts`: who is in no table is anybody."""
        pinned = self.key(user_id)
        former = self.histories.former(user_id, ts)
        return pinned is None or pinned == key or key.text in former

    def replace_key(self, user_id: str, pubkey: str, version: int) -> None:
        """The user's own signed word moved the pin: only `rotation` may say so."""
        account = replace(self.accounts[user_id], pubkey=pubkey, version=version)
        self.accounts[user_id] = account
        self._unsaved.write(account)

    def enrol(self, account: Account) -> None:
        """A user said hello here. Raises PeerFault(RATE_LIMITED) where the table is full."""
        self.check(account.user_id, self.parse(account.pubkey))
        known = self.accounts.get(account.user_id)
        full = known is None and len(self.accounts) >= self._most
        if full and not self._make_room(account):
            raise PeerFault(
                Code.RATE_LIMITED,
                f"this server keeps {self._most} users and is full; ask its operator for more"
                " --memory",
                close=1008,
            )
        if known is not None:
            account = replace(
                account,
                proven=account.proven or known.proven,
                features=account.features or known.features,
                version=known.version,
                pinned_ms=known.pinned_ms,
            )
        if known is None or not known.local:
            self._unsaved.came(account.user_id, known)
            bisect.insort(self.local_ids, account.user_id)
        if account.proven:
            self._bare.pop(account.user_id, None)
        else:
            self._bare.setdefault(account.user_id)
        if account != known or self._unsaved.is_due(account.user_id):
            self.accounts[account.user_id] = account
            self._unsaved.write(account)

    def give_way(self, is_needed: Callable[[str], bool], has_gone: Callable[[str], None]) -> None:
        """In a full table, users for whom nothing speaks make room: tells who is needed, and is
        told who has gone."""
        self._is_needed, self._has_gone = is_needed, has_gone

    def _make_room(self, newcomer: Account) -> bool:
        """The oldest who never proved a key and are not needed give way: to one who does at once,
        to the like of them after a day."""
        young_ms = newcomer.pinned_ms - (0 if newcomer.proven else BARE_KEPT_MS)
        for _ in range(min(BARE_LOOKED_AT, len(self._bare))):
            user_id = next(iter(self._bare))
            if self.accounts[user_id].pinned_ms <= young_ms and not self._is_needed(user_id):
                self._forget(user_id)
                self.homes.pop(user_id, None)
                self._emit.persist(AccountGone(user_id))
                self._has_gone(user_id)
                return True
            self._bare.move_to_end(user_id)
        return False

    def _forget(self, user_id: str) -> None:
        del self.accounts[user_id]
        del self.local_ids[bisect.bisect_left(self.local_ids, user_id)]
        self._bare.pop(user_id, None)

    def let_in_by(self, user_id: str, gone: InvitationGone) -> None:
        """The code that let this user in is spent as long as they are in."""
        self._unsaved.spent(user_id, gone)

    def write_again(self, user_id: str) -> None:
        """We are about to say that the account is stored, and an earlier commit may have failed."""
        self._unsaved.write(self.accounts[user_id])

    def unsaved(self, account: Account) -> InvitationGone | None:
        """The disk did not take it: it is given to it again with the user's next hello.

        Who was never stored at all is as if they had never come; what let them in is given back.
        """
        user_id = account.user_id
        if user_id not in self.accounts:
            return None
        newcomer = self._unsaved.failed(user_id)
        if newcomer is None:
            return None
        self._forget(user_id)
        if newcomer.before is not None:
            self.accounts[user_id] = newcomer.before
        return newcomer.spent

    def pin_remote(
        self, user_id: str, key: PublicKey, server_id: str, display_name: str, now: Now
    ) -> None:
        """Remember a user of another server. Raises PeerFault(RATE_LIMITED) at that server's
        quota."""
        known = self.accounts.get(user_id)
        if known is None:
            remote = len(self.accounts) - len(self.local_ids)
            self._count_new(server_id, max(len(self.accounts), remote + self._most // OWN_SHARE))
            known = Account(
                user_id=user_id,
                pubkey=key.text,
                version=1,
                local=False,
                proven=False,
                features=(),
                display_name=display_name,
                pinned_ms=now.wall,
            )
            self.accounts[user_id] = known
            self._emit.persist(known)

    def move_home(
        self, user_id: str, server_id: str, attach: Attach | None, features: tuple[str, ...]
    ) -> None:
        """The user was advertised by `server_id`, with their own valid `attach` or without.

        Who ever attached is moved by a newer attach alone, never by an old one said again (I11).
        Raises PeerFault(RATE_LIMITED) as pin_remote.
        """
        known = self.homes.get(user_id)
        home = Home(user_id, server_id, 0)
        if attach is not None:
            home = Home(user_id, server_id, attach.ts, attach.sig, features)
        if known is not None and known.attach_ts and home.attach_ts <= known.attach_ts:
            return
        if known == home:
            return
        if known is None and user_id not in self.accounts:
            self._count_new(server_id, len(self.homes))
        self.homes[user_id] = home
        self._emit.persist(home)

    def _count_new(self, server_id: str, held: int) -> None:
        """One more user that another server makes us remember: by key, or by home alone."""
        made = self._new_by_server.get(server_id, 0)
        if made >= NEW_PINS_PER_SERVER or held >= self._most:
            raise PeerFault(Code.RATE_LIMITED, "too many new users from one server")
        self._new_by_server[server_id] = made + 1

    # --- PUBKEY_REQUEST -------------------------------------------------------------------------

    def asked(self, link: Link, request: PubkeyRequest, location: str, now: Now) -> None:
        """Answer from what is pinned, else ask the server where the user is (`location`, or "")."""
        account = self.accounts.get(request.user_id)
        if account is not None:
            return self._answer(link, account, now)
        holder = self._links.servers.get(location or self.home(request.user_id))
        if holder is None or holder is link:
            return self._unknown(link, request.user_id, now)
        waiting = self._asking.setdefault(request.user_id, {})
        if not waiting:
            if len(self._asking) > LOOKUPS_MAX:
                del self._asking[request.user_id]
                raise PeerFault(Code.RATE_LIMITED, "too many key look-ups wait; ask again later")
            self._emit.say(holder, PubkeyRequest(user_id=request.user_id), now)
        waiting[link.id] = now.mono + LOOKUP_MS

    def answered(self, link: Link, response: PubkeyResponse, location: str, now: Now) -> bool:
        """A server says a key: pinned if it is the user's own server, passed on to who asked.

        True where it counted.
        """
        waiting = self._asking.get(response.user_id)
        if not waiting or link.peer != (location or self.home(response.user_id)):
            return False
        key = self.parse(response.pubkey)
        self.check(response.user_id, key)
        self.pin_remote(response.user_id, key, link.peer, "", now)
        attach = response.attach
        if attach is not None and signing.attach_holds(
            key, response.user_id, link.peer, attach, response.features
        ):
            self.move_home(response.user_id, link.peer, attach, response.features)
        del self._asking[response.user_id]
        for link_id in waiting:
            asker = self._links.all.get(link_id)
            if asker is not None:
                self._emit.say(asker, response_of(response), now)
        return True

    def due(self, now: Now) -> None:
        """Tell those whose question nobody answered in 5 s."""
        for user_id, waiting in tuple(self._asking.items()):
            for link_id, until in tuple(waiting.items()):
                if until <= now.mono:
                    del waiting[link_id]
                    asker = self._links.all.get(link_id)
                    if asker is not None:
                        self._unknown(asker, user_id, now)
            if not waiting:
                del self._asking[user_id]

    def _answer(self, link: Link, account: Account, now: Now) -> None:
        key = self._suite.parse_public(account.pubkey)
        told = self.histories.told(account.user_id)
        preimage = signing.directory(account.user_id, key.fingerprint, account.version)
        home = self.homes.get(account.user_id)
        stated = home is not None and home.attach_sig
        self._emit.say(
            link,
            PubkeyResponse(
                user_id=account.user_id,
                pubkey=account.pubkey,
                version=account.version,
                rotations=told.rotations,
                revoked=told.revoked,
                server_id=home.server_id if home and stated else "",
                features=home.features if home and stated else (),
                attach=Attach(ts=home.attach_ts, sig=home.attach_sig) if home and stated else None,
            ),
            now,
            proofs=(("directory_sig", preimage),),
        )

    def _unknown(self, link: Link, user_id: str, now: Now) -> None:
        detail = f"nobody here knows a key for {user_id}; check the id"
        self._emit.say(link, Error(code=Code.USER_NOT_FOUND, detail=detail, user_id=user_id), now)


def response_of(response: PubkeyResponse) -> PubkeyResponse:
    """The same answer without the hop's `bind`."""
    return PubkeyResponse(
        user_id=response.user_id,
        pubkey=response.pubkey,
        version=response.version,
        directory_sig=response.directory_sig,
        rotations=response.rotations,
        revoked=response.revoked,
        server_id=response.server_id,
        features=response.features,
        attach=response.attach,
    )
