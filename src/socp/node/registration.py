"""Who may become a user here, and the codes that let somebody in (section 10)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from socp.node.directory import Directory
from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.records import Invitation, InvitationGone, Record, Remembered
from socp.node.settings import Joining, Settings
from socp.wire import invitation
from socp.wire.errors import Code, PeerFault

INVITATIONS_MAX = 10_000
DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class NoRoom:
    """So many invitations are open that `left` is all that can be added."""

    left: int


class Registration:
    """Codes are kept as hashes: who reads the disk can invite nobody."""

    def __init__(
        self, settings: Settings, emitter: Emitter, directory: Directory, remembered: Remembered
    ) -> None:
        self._how = settings.registration
        self._hint = settings.admin_hint
        self._emit = emitter
        self._directory = directory
        self._open = {each.code_hash: each.expires_ms for each in remembered.invitations}

    def check(self, user_id: str, code: str, now: Now, *, proves: bool) -> None:
        """Raises PeerFault(NOT_ALLOWED) for somebody new who may not come in.

        `proves`: they prove their key before they get anything.
        """
        if self._is_ours(user_id) or self._how is Joining.OPEN:
            return
        if self._how is Joining.CLOSED:
            raise _no("this server takes no new users; ask its operator, or use another server")
        if not code:
            raise _no(
                "this server takes new users by invitation; ask its operator for a code,"
                " and give it with --invitation CODE"
            )
        if not proves:
            raise _no(
                "an invitation is for a client that proves its key (link-auth/1); use such a one"
            )
        if self._open.get(_hash(code), 0) <= now.wall:
            raise _no(
                "this invitation is not known here, or was used, or has expired; ask for a new one"
            )

    def needs_code(self, user_id: str) -> bool:
        """Whether letting this user in uses up an invitation."""
        return self._how is Joining.INVITE and not self._is_ours(user_id)

    def spend(self, code: str, user_id: str) -> None:
        """The code let this user in, and lets in nobody else."""
        code_hash = _hash(code)
        gone = InvitationGone(code_hash, self._open.pop(code_hash, 0))
        self._directory.let_in_by(user_id, gone)

    def give_back(self, gone: InvitationGone) -> None:
        """Whom this code let in was never stored: it is good for them, or another."""
        self._open.setdefault(gone.code_hash, gone.expires_ms)

    def not_stored(self, records: Iterable[Record]) -> None:
        """The operator was told "not done": these codes were made for nobody."""
        for record in records:
            if isinstance(record, Invitation):
                self._open.pop(record.code_hash, None)

    def invite(self, codes: tuple[bytes, ...], days: int, now: Now) -> NoRoom | None:
        """Remember new codes, all of them or none."""
        for code_hash, expires_ms in tuple(self._open.items()):
            if expires_ms <= now.wall:
                self._drop(code_hash)
        left = INVITATIONS_MAX - len(self._open)
        if len(codes) > left:
            return NoRoom(left)
        for code in codes:
            made = Invitation(_hash(invitation.written(code)), now.wall + days * DAY_MS)
            self._open[made.code_hash] = made.expires_ms
            self._emit.persist(made)
        return None

    def _is_ours(self, user_id: str) -> bool:
        account = self._directory.accounts.get(user_id)
        return account is not None and account.local

    def _drop(self, code_hash: str) -> None:
        if self._open.pop(code_hash, None) is not None:
            self._emit.persist(InvitationGone(code_hash))


def _hash(code: str) -> str:
    """What is kept of a code; of a text that is none, the hash of nothing that was ever made."""
    return hashlib.sha256(b"socp-invitation/1" + (invitation.read(code) or b"")).hexdigest()


def _no(detail: str) -> PeerFault:
    return PeerFault(Code.NOT_ALLOWED, detail, close=1008)
