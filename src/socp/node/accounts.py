"""What is asked over HTTP: the directory, registration and login (section 10)."""

from __future__ import annotations

import bisect
from typing import assert_never

from socp.crypto import signing
from socp.crypto.keys import PublicKey
from socp.node.calls import (
    BeginLogin,
    BeginPassword,
    BeginProof,
    Call,
    CallRefused,
    Describe,
    Description,
    EndLogin,
    FindUser,
    IdsListed,
    KeepPassword,
    ListIds,
    Outcome,
    PasswordBegun,
    Proof,
    Refused,
    Register,
    Registered,
    RemovePassword,
    UserFound,
    Why,
)
from socp.node.directory import Directory
from socp.node.effects import Told
from socp.node.emitter import Emitter
from socp.node.events import Called, Now
from socp.node.logins import Logins
from socp.node.proofs import Challenges
from socp.node.records import Account
from socp.node.registration import Registration
from socp.node.rotation import Rotations
from socp.node.sessions import Sessions
from socp.node.settings import Settings
from socp.wire.errors import Code, PeerFault
from socp.wire.features import LINK_AUTH
from socp.wire.ids import is_uuid4

USERS = "server.users"


class Accounts:
    """One call in, one Told out; it goes out after the commit of what the call changed."""

    def __init__(
        self,
        settings: Settings,
        key: PublicKey,
        emitter: Emitter,
        directory: Directory,
        registration: Registration,
        rotations: Rotations,
        logins: Logins,
        sessions: Sessions,
    ) -> None:
        self._settings = settings
        self._key = key
        self._emit = emitter
        self._directory = directory
        self._registration = registration
        self._rotations = rotations
        self._logins = logins
        self._sessions = sessions
        self._challenges = Challenges(settings.server_id)

    def called(self, event: Called, now: Now) -> None:
        outcome: Outcome
        try:
            outcome = self._answer(event, event.call, now)
        except CallRefused as refused:
            outcome = refused.outcome
        except PeerFault as fault:
            outcome = Refused(_why(fault), fault.detail)
        self._emit.add(Told(event.request, outcome, self._proofs(event.call, outcome)))

    def _proofs(self, call: Call, outcome: Outcome) -> tuple[tuple[str, bytes], ...]:
        """What of the answer we put our name to."""
        match call, outcome:
            case FindUser(), UserFound(user_id=user_id, fingerprint=key, version=version):
                return (("directory_sig", signing.directory(user_id, key, version)),)
            case BeginPassword(user_id=user_id, request=request), PasswordBegun(response=response):
                own_id = self._settings.server_id
                said = signing.password_answer(user_id, own_id, request, response)
                return (("sig", said),)
        return ()

    def _answer(self, event: Called, call: Call, now: Now) -> Outcome:
        match call:
            case Describe():
                return self._described()
            case FindUser():
                return self._found(call.user_id)
            case ListIds():
                return self._listed(call)
            case BeginProof():
                return self._challenges.begin(call.user_id, event.nonce, now)
            case Register():
                return self._register(call, now)
            case BeginPassword():
                self._check_owner(call.user_id, call.proof, now)
                return self._logins.answer(call.user_id, call.request)
            case KeepPassword():
                self._check_owner(call.user_id, call.proof, now)
                self._directory.write_again(call.user_id)
                return self._logins.keep(call.user_id, call.record, call.box)
            case RemovePassword():
                self._check_owner(call.user_id, call.proof, now)
                return self._logins.remove(call.user_id)
            case BeginLogin():
                self._rotations.check_may_attach(call.user_id)
                where = (event.nonce, event.address, event.loopback)
                return self._logins.begin(call.user_id, call.request, *where, now)
            case EndLogin():
                return self._logins.end(call.login, call.proof, now)
            case _:
                assert_never(call)

    # --- the directory --------------------------------------------------------------------------

    def _described(self) -> Description:
        return Description(
            server_id=self._settings.server_id,
            pubkey=self._key.text,
            fingerprint=self._key.fingerprint,
            features=self._sessions.features,
            registration=self._settings.registration.value,
            lists_users=self._settings.lists_users,
        )

    def _found(self, user_id: str) -> UserFound:
        account = self._directory.accounts.get(user_id)
        key = self._directory.key(user_id)
        if account is None or key is None:
            raise CallRefused(Why.UNKNOWN, "nobody here is known by this id; check it")
        return UserFound(
            user_id=user_id,
            pubkey=key.text,
            fingerprint=key.fingerprint,
            version=account.version,
            display_name=account.display_name,
            revoked=user_id in self._directory.histories.revoked,
        )

    def _listed(self, call: ListIds) -> IdsListed:
        if not self._settings.lists_users:
            raise CallRefused(
                Why.NOT_ALLOWED,
                "this server does not list its users; its operator can allow it with --list-users",
            )
        ids = self._directory.local_ids
        first = bisect.bisect_right(ids, call.after)
        page = ids[first : first + call.limit]
        return IdsListed(tuple(page), more=first + len(page) < len(ids))

    # --- accounts -------------------------------------------------------------------------------

    def _register(self, call: Register, now: Now) -> Registered:
        if not is_uuid4(call.user_id):
            raise CallRefused(Why.UNFIT, "user_id must be a UUID v4 in lower case; make a new one")
        self._challenges.redeem(call.user_id, call.proof, now)
        try:
            key = self._directory.parse(call.pubkey)
        except PeerFault as fault:
            raise CallRefused(Why.UNFIT, fault.detail) from None
        self._challenges.check(call.user_id, key, call.proof)
        self._rotations.check_may_attach(call.user_id)
        self._directory.check(call.user_id, key)
        self._registration.check(call.user_id, call.invitation, now, proves=True)
        needs_code = self._registration.needs_code(call.user_id)
        known = self._directory.accounts.get(call.user_id)
        new = known is None or not known.local
        self._directory.enrol(
            Account(
                user_id=call.user_id,
                pubkey=key.text,
                version=1,
                local=True,
                proven=True,
                features=known.features if known and known.proven else (LINK_AUTH,),
                display_name=call.display_name or (known.display_name if known else ""),
                pinned_ms=now.wall,
            )
        )
        if needs_code:
            self._registration.spend(call.invitation, call.user_id)
        if new:
            self._emit.info(USERS, f"User {call.user_id} registered")
        else:
            self._directory.write_again(call.user_id)
        return Registered(call.user_id, new)

    def _check_owner(self, user_id: str, proof: Proof, now: Now) -> None:
        """Raises CallRefused(NOT_PROVEN), for those who are no users of ours as well."""
        self._challenges.redeem(user_id, proof, now)
        self._challenges.check(user_id, self._directory.key(user_id), proof)
        self._rotations.check_may_attach(user_id)
        if not self._directory.accounts[user_id].local:
            raise CallRefused(
                Why.NOT_ALLOWED, "you are a user of another server; set your password there"
            )


def _why(fault: PeerFault) -> Why:
    match fault.code:
        case Code.BAD_KEY:
            return Why.TAKEN
        case Code.RATE_LIMITED:
            return Why.LIMITED
        case Code.NOT_ALLOWED:
            return Why.NOT_ALLOWED
        case _:
            return Why.UNFIT
